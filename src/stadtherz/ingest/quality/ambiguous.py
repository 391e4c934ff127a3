"""Texts of numbers that mean one thing or a thousandfold: `1.234 m` is a little more than a metre, or 1,234 metres.

What the message's other values show tells which, then what is possible: the limits of the field, and what
nature or the unit allows. Where both are possible it counts as decimals, and whoever sets the device up is told.
"""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from stadtherz.ingest.quality.plausibility import Implausible, Rule, check
from stadtherz.ingest.values.numbers import number_of

_LONGEST = 60
_EITHER = re.compile(
    r"\s*([+\-−]?[1-9]\d{0,2})([.,])(\d{3})((?![\d.,'’]|[\s\u00a0\u202f]\d|[eE][+-]?\d).*)",
    re.ASCII | re.DOTALL,
)
_BEGINS = re.compile(r"\s*([+\-−]?[\d.,'’ \u00a0\u202f]*\d)(?![\d.,:/-])", re.ASCII)
_OTHER = {".": ",", ",": "."}
# What is possible on a town's ground, by the unit that is expected.
_POSSIBLE = {
    "Cel": (-90.0, 999.0), "K": (180.0, 1273.0), "%": (-1.0, 200.0), "hPa": (300.0, 1200.0), "mbar": (300.0, 1200.0),
    "[pH]": (-2.0, 16.0), "deg": (-360.0, 360.0), "dB[SPL]": (-20.0, 200.0), "dB[mW]": (-200.0, 100.0), "m/s": (-150.0, 150.0),
}  # fmt: skip


class Ways(NamedTuple):
    """Both texts that it may mean, written without doubt, and the sign that stands in it."""

    decimals: str
    thousands: str
    sign: str


def ways(raw: Any) -> Ways | None:
    """What a text may mean; None for what means only one thing."""
    match = _EITHER.fullmatch(raw) if isinstance(raw, str) and len(raw) <= _LONGEST else None
    if match is None:
        return None
    whole, sign, three, rest = match.groups()
    return Ways(f"{whole}.{three}{rest}", f"{whole}{three}{rest}", sign)


def decimal_sign(raws: Iterable[Any]) -> str:
    """The sign before decimals, as texts of numbers show it that mean one thing; empty if none does, or both do."""
    found = {_sign(raw) for raw in raws if isinstance(raw, str) and len(raw) <= _LONGEST} - {""}
    return found.pop() if len(found) == 1 else ""


def _sign(text: str) -> str:
    begins = _BEGINS.match(text)
    if begins is None or ways(text) is not None or number_of(begins[1]) is None:
        return ""
    told = [each for each in begins[1] if each in _OTHER]
    if not told:
        return ""
    return told[-1] if told.count(told[-1]) == 1 else _OTHER[told[-1]]


def settled(either: Ways, rule: Rule, sign: str) -> tuple[str, bool]:
    """The text that is meant, and whether that is certain; `sign` is that of the decimals, where it is known."""
    if sign:
        return (either.decimals if sign == either.sign else either.thousands), True
    possible = [each for each in either[:2] if _is_possible(each, rule)]
    return (possible[0] if possible else either.decimals), len(possible) == 1


def _is_possible(text: str, rule: Rule) -> bool:
    if isinstance(check(text, rule), Implausible):
        return False
    low, high = _POSSIBLE.get(rule.expects, (None, None))
    bounds = Rule(minimum=low, maximum=high, expects=rule.expects)
    return not isinstance(check(text, bounds), Implausible)
