"""Tokens that stand in an address: what some devices can do and no better one.

A token in an address is taken out of it before anything else sees the address, so no refused message, no
log and no message form keeps it.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote_plus

from stadtherz.base.visibility import Scope, Visibility

NAME = "token"
_LOOKS_LIKE = re.compile(r"sh_[0-9a-f]{12}_", re.ASCII)  # also one that was cut off or mistyped


@dataclass(frozen=True, slots=True)
class Taken:
    """The token (empty if there is none), and the path and the parameters without it."""

    token: str
    path: str
    query: str


def taken_out(path: str, query: str) -> Taken:
    """What stands in the first level of the path, in the parameter `token`, or is any parameter's value.

    >>> taken_out("weather", "token=abc&station=7")
    Taken(token='abc', path='weather', query='station=7')
    """
    found, kept = "", []
    for pair in query.split("&"):
        name, _, written = pair.partition("=")
        value = unquote_plus(written)
        if unquote_plus(name).lower() == NAME or _LOOKS_LIKE.match(value):
            found = found or value
        elif pair:
            kept.append(pair)
    first, _, rest = path.partition("/")
    if _LOOKS_LIKE.match(first):
        return Taken(first, rest, "&".join(kept))
    return Taken(found, path, "&".join(kept))


def only_delivers(visibility: Visibility) -> bool:
    """Whether whoever reads the address could do no more than deliver measurements."""
    may_more = {Scope.WRITE, Scope.ADMIN} & visibility.scopes
    return not (may_more or visibility.organisations or visibility.writes or visibility.everything)
