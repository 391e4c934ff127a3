"""What comes of a decode: values, or why there are none."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Fault(StrEnum):
    """Why a codec gave no values; the names are kept with refused uplinks."""

    SYNTAX = "syntax"
    NO_FUNCTION = "no_function"
    THREW = "threw"
    ERRORS = "errors"  # the codec itself says, as TS013 lets it, that it cannot read this
    NO_OBJECT = "no_object"
    PROMISE = "promise"
    CYCLE = "cycle"
    TOO_DEEP = "too_deep"
    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    MEMORY = "memory"
    RECURSION = "recursion"
    KILLED = "killed"
    TOO_SHORT = "too_short"  # of a payload that ends inside a value
    BAD_MAP = "bad_map"
    UNREADABLE = "unreadable"  # of a payload that is not of the codec's kind
    BUSY = "busy"
    UNAVAILABLE = "unavailable"


# The codec is not to blame: the same message may be decoded in a moment.
PASSING = frozenset({Fault.BUSY, Fault.UNAVAILABLE})


@dataclass(frozen=True, slots=True)
class Decoded:
    """The values of a payload, and what the codec said beside them.

    `data` is JSON as `json.loads` gives it. Numbers that JSON does not know are text ("NaN"), so that
    whoever wants one of them hears what it was.
    """

    data: dict[str, Any]
    warnings: tuple[str, ...] = ()
    log: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """Why there are no values; `line` is the line of the codec's text, where it is known."""

    fault: Fault
    detail: str = ""
    line: int | None = None
    log: tuple[str, ...] = ()


Outcome = Decoded | Failed
