"""The Things Stack's vocabulary of normalized payloads: what a value of such a name is, and in which unit.

Makers write beside an example's values the same ones in this vocabulary (`normalizedOutput`), so a field called `field2` that
equals `air.co2` is carbon dioxide in ppm. Source: The Things Industries, device repository, payload schema (names and units).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stadtherz.ingest.library.proposals import Proposal, proposal
from stadtherz.ingest.library.vocabulary import VOCABULARY
from stadtherz.ingest.values.numbers import number_of

_DEEPEST = 4
_MOST_VOLTS = 20.0  # a "battery" above it is written in percent against the vocabulary


def meanings(values: Mapping[str, float], normalized: Any) -> dict[str, Proposal]:
    """What the values by path are, as far as exactly one of them equals a normalized one."""
    found: dict[str, Proposal] = {}
    for told, number in _leaves(normalized, "", _DEEPEST):
        alike = [path for path, value in values.items() if math.isclose(value, number)]
        if len(alike) == 1 and not (told == "battery" and number > _MOST_VOLTS):
            name, unit = VOCABULARY[told]
            found.setdefault(alike[0], proposal(alike[0], name, number, unit))
    return found


def _leaves(holder: Any, path: str, depth: int) -> Iterator[tuple[str, float]]:
    """The numbers that the vocabulary knows, of one measurement or of several."""
    if depth == 0:
        return
    if isinstance(holder, Sequence) and not isinstance(holder, str):
        for each in holder[:1] if path else holder:
            yield from _leaves(each, path, depth)
    elif isinstance(holder, Mapping):
        for name, each in holder.items():
            yield from _leaves(each, f"{path}.{name}" if path else str(name), depth - 1)
    elif path in VOCABULARY and not isinstance(holder, bool):
        number = number_of(holder)
        if number is not None:
            yield path, number
