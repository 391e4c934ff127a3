"""The tables of units themselves. Imported by `units` alone, when two units differ: they weigh 40 MB."""

import re
import threading
from fractions import Fraction
from functools import lru_cache
from typing import Any

from lark.exceptions import LarkError
from pint.errors import DimensionalityError, PintError
from ucumvert import PintUcumRegistry

from stadtherz.ingest.values.convertible import Inconvertible, Obstacle

_HUGE = re.compile(r"\d{4}")  # as an exponent it would be a number of megabytes
# The tables take mercury at 60 °F; UCUM says 133.3220 kPa for a metre of it: a barometer would be 3 hPa low.
_CORRECTED = {"[in_i'Hg]": (Fraction("3386.3788"), "Pa")}
_loading = threading.Lock()


@lru_cache(maxsize=1)
def _registry() -> Any:
    return PintUcumRegistry(non_int_type=Fraction)  # 5/9 has no float


def converted(value: int, source: str, target: str) -> Fraction:
    """The value in the target unit, exactly. Raises Inconvertible."""
    with _loading:  # its parser and its caches are not made for several threads
        given, wanted = _unit(source, source, target), _unit(target, source, target)
        quantity = _registry().Quantity(value * Fraction(given.magnitude), given.units)
        try:
            found = quantity.to(wanted.units).magnitude
            return Fraction(found) / Fraction(wanted.magnitude)
        except DimensionalityError as problem:
            raise Inconvertible(Obstacle.OTHER_KIND, source, target) from problem
        except (PintError, TypeError, ValueError, ArithmeticError) as problem:  # logarithms
            raise Inconvertible(Obstacle.NOT_LINEAR, source, target) from problem


def _unit(code: str, source: str, target: str) -> Any:
    try:
        if _HUGE.search(code):
            raise ValueError(code)
        if code in _CORRECTED:
            return _CORRECTED[code][0] * _registry().from_ucum(_CORRECTED[code][1])
        unit = _registry().from_ucum(code)
        _ = unit.magnitude  # a bare annotation, such as {count}, has none
        return unit
    except (LarkError, PintError, ValueError, AttributeError) as problem:
        raise Inconvertible(Obstacle.UNKNOWN, source, target) from problem
