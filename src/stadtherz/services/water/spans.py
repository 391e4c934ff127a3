"""The stretch of time a page shows, chosen by a plain link, and its readings for the chart."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from stadtherz.base.time import DAY, HOUR, MINUTE, Micros
from stadtherz.services.water import readings
from stadtherz.services.water.models import Gauge
from stadtherz.store.public import Bucketing, buckets


class Span(StrEnum):
    """German words, as they stand in the address: `?zeitraum=woche`."""

    DAY = "tag"
    WEEK = "woche"
    MONTH = "monat"


@dataclass(frozen=True, slots=True)
class Choice:
    """One link of the row of spans."""

    span: Span
    title: str | Promise
    current: bool


@dataclass(frozen=True, slots=True)
class _Shown:
    """How a span is drawn: every reading, or the highest of each bucket."""

    length: Micros
    title: str | Promise
    subtitle: str
    width: Bucketing | None
    gap: Micros


_SHOWN: Mapping[Span, _Shown] = {
    Span.DAY: _Shown(
        DAY, _("Day"), gettext_noop("%(quantity)s in centimetres, the last 24 hours"), None, 0
    ),
    Span.WEEK: _Shown(
        7 * DAY,
        _("Week"),
        gettext_noop("%(quantity)s in centimetres, highest reading of each hour"),
        Bucketing.HOUR,
        2 * HOUR,
    ),
    Span.MONTH: _Shown(
        31 * DAY,
        _("Month"),
        gettext_noop("%(quantity)s in centimetres, highest reading of each hour"),
        Bucketing.HOUR,
        2 * HOUR,
    ),
}


def chosen(text: str | None) -> Span:
    """The span an address asks for; anything unknown means a day."""
    return Span(text) if text in set(Span) else Span.DAY


def choices(current: Span) -> list[Choice]:
    return [Choice(span, shown.title, span is current) for span, shown in _SHOWN.items()]


def start(span: Span, end: Micros) -> Micros:
    return end - _SHOWN[span].length


def subtitle(span: Span) -> str:
    """An untranslated sentence with the place `quantity`."""
    return _SHOWN[span].subtitle


def drawn(
    gauge: Gauge, span: Span, end: Micros
) -> tuple[list[readings.Pair], dict[Micros, object]]:
    """What the chart draws, in order of time, and what is doubtful where it draws every reading by itself."""
    stream, width = gauge.datastream_id, _SHOWN[span].width
    if width is None:
        return readings.with_doubts(stream, start(span, end), end)
    zone = settings.TIME_ZONE
    found = buckets(stream, width, zone, start=start(span, end), end=end + 1)
    return list(zip(found.start.tolist(), found.maximum.tolist(), strict=True)), {}


def gap(gauge: Gauge, span: Span) -> Micros:
    """Where readings are further apart the line breaks."""
    return max(_SHOWN[span].gap, 3 * gauge.interval_minutes * MINUTE)
