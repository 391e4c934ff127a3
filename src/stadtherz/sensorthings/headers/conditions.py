"""Conditional requests (RFC 9110 §13): what a client demands of the state it will find.

An entity's tag changes with whatever a GET of it shows, and with the entities it points at. Sets
have no tags: what they show is the work of many.
"""

import re
from collections.abc import MutableMapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from stadtherz.base.errors import Invalid

Scope = MutableMapping[str, Any]
_PACKED = re.compile(r'-(?:gzip|zstd)"$')

_TAGS = re.compile(r'\s*(?:(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"\s*(?:,\s*|$))+')
_TAG = re.compile(r'(W/)?("[^"]*")')


def suffix(coding: str) -> str:
    """What the tag of a packed answer ends with (`packing`); it is of the same state."""
    return f"-{coding}"


class PreconditionFailed(Exception):
    """The state is not the one that the client has seen."""


@dataclass(frozen=True, slots=True)
class Demand:
    """One of the two headers: any state at all, or one of the tags; weak tags are apart."""

    anything: bool
    strong: frozenset[str] = frozenset()
    weak: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Conditions:
    """What If-Match and If-None-Match of a request demand; None where the header is missing."""

    match: Demand | None = None
    none_match: Demand | None = None

    @property
    def any(self) -> bool:
        return self.match is not None or self.none_match is not None

    def check(self, tag: str | None) -> None:
        """Raise unless what exists and has this tag, or has none, may be changed."""
        self._check_match(tag)
        if self._is_known(tag):
            raise PreconditionFailed("If-None-Match names what is here")

    def unchanged(self, tag: str) -> bool:
        """Whether a reader knows this state already; raises where it demands another."""
        self._check_match(tag)
        return self._is_known(tag)

    def _check_match(self, tag: str | None) -> None:
        found = self.match
        if found is not None and not found.anything and tag not in found.strong:
            raise PreconditionFailed("this was changed since it was read; read it again")

    def _is_known(self, tag: str | None) -> bool:
        found = self.none_match
        return found is not None and (found.anything or tag in found.strong | found.weak)


def conditions_of(scope: Scope) -> Conditions:
    """The conditions of a request.

    Raises:
        Invalid: for a header that is no list of tags.
    """
    return Conditions(_demand(scope, "If-Match"), _demand(scope, "If-None-Match"))


def _demand(scope: Scope, name: str) -> Demand | None:
    lines = [value for key, value in scope["headers"] if key == name.lower().encode()]
    text = b",".join(lines).decode("latin-1").strip()
    if not text:
        return None
    if text == "*":
        return Demand(anything=True)
    if not _TAGS.fullmatch(text):
        raise Invalid(name, 'must be * or tags in quotes, such as "5f2a"')
    found = [(weak, _PACKED.sub('"', tag)) for weak, tag in _TAG.findall(text)]
    return Demand(
        anything=False,
        strong=frozenset(tag for weak, tag in found if not weak),
        weak=frozenset(tag for weak, tag in found if weak),
    )


def tag_of(body: bytes, pointed_at: tuple[int | None, ...] = ()) -> str:
    """The strong tag of what is shown, and of the keys it has links to."""
    digest = blake2b(body, digest_size=12)
    if pointed_at:
        digest.update(repr(pointed_at).encode())
    return f'"{digest.hexdigest()}"'
