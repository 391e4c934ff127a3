"""Readings as pages show them: rows of a table, and their course as a chart."""

from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from django.utils.translation import gettext as _

from stadtherz.base.time import DAY, HOUR, Micros, now_us
from stadtherz.ingest.public import quality_sentence
from stadtherz.web import formats, pulse
from stadtherz.web.charts import LineChart
from stadtherz.web.entities import values

_SPAN = 3 * DAY
_SHORTEST_GAP = 3 * HOUR


@dataclass(frozen=True, slots=True)
class ReadingRow:
    """One line: when, what, what is doubtful about it, and of which series if the table has several."""

    at: Micros | None
    result: str
    url: str
    series: str = ""
    series_url: str = ""
    doubt: str = ""


def reading_row(
    document: dict[str, Any], unit: str, url: str, series: str = "", series_url: str = ""
) -> ReadingRow:
    at = values.start_of(document.get("phenomenonTime"))
    told = values.result(document.get("result"), unit)
    doubt = quality_sentence(document.get("resultQuality"))
    return ReadingRow(at, told, url, series, series_url, doubt)


def course(stream: int, name: str, unit: str, newest: Micros) -> LineChart | None:
    """The last three days before the newest reading; None where there are no numbers to draw."""
    points = pulse.points(stream, newest - _SPAN, newest + 1)
    if not points:
        return None
    digits = max(values.digits_of(round(value, 2)) for _at, value in points)
    numbers = [value for _at, value in points]
    low, high = (formats.measure(each, unit, digits) for each in (min(numbers), max(numbers)))
    recent = now_us() - newest < _SPAN
    return LineChart(
        key="course",
        title=name,
        subtitle=_("The last three days, in %(unit)s") % {"unit": unit}
        if unit
        else _("The last three days"),
        unit=unit,
        points=points,
        span=(newest - _SPAN, newest) if len(points) == 1 else None,
        summary=_("Lowest %(low)s, highest %(high)s in this period.") % {"low": low, "high": high},
        now=now_us() if recent else None,
        gap=max(_SHORTEST_GAP, 3 * _usual_distance(points)),
        digits=digits,
    )


def _usual_distance(points: list[tuple[Micros, float]]) -> Micros:
    return int(median([after[0] - before[0] for before, after in pairwise(points)] or [0]))
