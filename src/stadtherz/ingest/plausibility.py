"""Whether a value can be true: a number, finite, no error code of the sensor, within its range."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from stadtherz.ingest.decode import shown
from stadtherz.ingest.numbers import number_of

# What sensors send instead of a number: the largest or smallest value of 16 and 32 bits.
ERROR_CODES = frozenset({32767, -32768, 65535, 2147483647, -2147483648, 4294967295})

_SHOWN = 40  # characters of a value that is no number


class Fault(StrEnum):
    NOT_A_NUMBER = "not_a_number"
    ERROR_CODE = "error_code"
    OUT_OF_RANGE = "out_of_range"
    TOO_LOW = "too_low"
    TOO_HIGH = "too_high"


@dataclass(frozen=True, slots=True)
class Rule:
    """result = value * factor + offset, allowed from `minimum` to `maximum` (None: no limit)."""

    factor: float = 1.0
    offset: float = 0.0
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class Implausible:
    """A value that is refused: what came, after conversion where it is a number, and why."""

    fault: Fault
    value: Any


def check(raw: Any, rule: Rule) -> float | Implausible:
    """The result a raw value stands for, or why it cannot be one."""
    number = number_of(raw)
    if number is None:
        return Implausible(Fault.NOT_A_NUMBER, shown(str(raw), _SHOWN))
    result = number * rule.factor + rule.offset
    if not math.isfinite(result):
        return Implausible(Fault.NOT_A_NUMBER, str(result))
    fault = _outside(result, rule)
    if number in ERROR_CODES and (fault or not _bounded(rule)):
        return Implausible(Fault.ERROR_CODE, number)
    return Implausible(fault, result) if fault else result


def _bounded(rule: Rule) -> bool:
    return rule.minimum is not None and rule.maximum is not None


def _outside(result: float, rule: Rule) -> Fault | None:
    low = rule.minimum is not None and result < rule.minimum
    high = rule.maximum is not None and result > rule.maximum
    if not (low or high):
        return None
    if _bounded(rule):
        return Fault.OUT_OF_RANGE
    return Fault.TOO_LOW if low else Fault.TOO_HIGH
