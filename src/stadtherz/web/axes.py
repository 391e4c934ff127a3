"""Where a chart's axes get their marks: see `base.axes`; times are on the city's clock."""

from stadtherz.base import axes
from stadtherz.base.axes import Scale, round_step, value_marks
from stadtherz.base.time import Micros
from stadtherz.web import formats

__all__ = ["Scale", "round_step", "time_marks", "value_marks"]


def time_marks(start: Micros, end: Micros, marks: int = 6) -> list[Micros]:
    """Round instants between `start` and `end`, counted from local midnight."""
    return axes.time_marks(start, end, formats.zone(), marks)
