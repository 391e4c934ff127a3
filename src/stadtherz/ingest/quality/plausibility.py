"""Whether a value can be true: a number, finite, no error code of the sensor, within its range."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from stadtherz.ingest.values.convertible import Inconvertible
from stadtherz.ingest.values.decode import shown
from stadtherz.ingest.values.numbers import number_of
from stadtherz.ingest.values.truths import truth_of
from stadtherz.ingest.values.written import in_unit, quantity_of

# What sensors send instead of a number: the largest or smallest value of 16 and 32 bits.
ERROR_CODES = frozenset({32767, -32768, 65535, 2147483647, -2147483648, 4294967295})

_SHOWN = 40  # characters of a value that is no number


class Fault(StrEnum):
    NOT_A_NUMBER = "not_a_number"
    ERROR_CODE = "error_code"
    OUT_OF_RANGE = "out_of_range"
    NO_UNIT_SAID = "no_unit_said"
    UNKNOWN_UNIT = "unknown_unit"
    OTHER_UNIT = "other_unit"
    TOO_LOW = "too_low"
    TOO_HIGH = "too_high"


@dataclass(frozen=True, slots=True)
class Rule:
    """result = value * factor + offset, allowed from `minimum` to `maximum` (None: no limit).

    `expects` is the unit of the value, UCUM, which a text such as "3,4 m" is turned into; empty where
    nobody said, so that a value with a unit cannot be used.
    """

    factor: float = 1.0
    offset: float = 0.0
    minimum: float | None = None
    maximum: float | None = None
    expects: str = ""


@dataclass(frozen=True, slots=True)
class Implausible:
    """A value that is refused: what came, after conversion where it is a number, and why."""

    fault: Fault
    value: Any


def check(raw: Any, rule: Rule) -> float | Implausible:
    """The result a raw value stands for, or why it cannot be one.

    Where plain numbers are expected a state is one, too: true, "occupied" and "open" are 1.
    """
    number = number_of(raw)
    if number is None and rule.expects == "1":
        number = truth_of(raw)
    if number is None:
        told = _of_text(raw, rule.expects)
        if isinstance(told, Implausible):
            return told
        number = told
    result = number * rule.factor + rule.offset
    if not math.isfinite(result):
        return Implausible(Fault.NOT_A_NUMBER, str(result))
    fault = _outside(result, rule)
    if number in ERROR_CODES and (fault or not _bounded(rule)):
        return Implausible(Fault.ERROR_CODE, number)
    return Implausible(fault, result) if fault else result


def _of_text(raw: Any, expects: str) -> float | Implausible:
    """The number of a text that has its unit behind it."""
    quantity = quantity_of(raw)
    if quantity is None:
        return Implausible(Fault.NOT_A_NUMBER, shown(str(raw), _SHOWN))
    if not expects:
        return Implausible(Fault.NO_UNIT_SAID, shown(str(raw), _SHOWN))
    try:
        return in_unit(quantity, expects)
    except Inconvertible:
        fault = Fault.OTHER_UNIT if quantity.unit else Fault.UNKNOWN_UNIT
        return Implausible(fault, shown(str(raw), _SHOWN))


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
