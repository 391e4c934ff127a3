"""What stands at a measuring point now, and where it is going: for the board and for rules."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from stadtherz.base.time import HOUR, Micros, now_us
from stadtherz.store.public import Bucketing, StreamInfo, buckets_of, latest
from stadtherz.web import formats

_LOOK_BACK = 2 * HOUR
_STEADY = 0.01  # of the value: less is no trend


@dataclass(frozen=True, slots=True)
class Figure:
    """The newest value with its time, and how it has changed within an hour."""

    text: str
    at: Micros
    trend: str
    direction: str  # rising, falling, steady, or empty where nothing is known


def figures(streams: Iterable[StreamInfo]) -> dict[int, Figure]:
    """Of those datastreams that have a number, by id."""
    units = {stream.id: stream.unit_symbol for stream in streams}
    before = _an_hour_ago(units)
    newest = latest(units)
    found = {}
    rows = zip(
        newest.datastream.tolist(),
        newest.phenomenon_start.tolist(),
        newest.result.tolist(),
        strict=True,
    )
    for stream, at, value in rows:
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        trend, direction = _trend(float(value), before.get(stream), units[stream])
        text = formats.measure(float(value), units[stream], digits(float(value)))
        found[stream] = Figure(text, at, trend, direction)
    return found


def digits(value: float) -> int:
    """How many decimals a reader needs."""
    return 0 if value == int(value) or abs(value) >= 100 else 1 if abs(value) >= 10 else 2


def _an_hour_ago(streams: Iterable[int]) -> dict[int, float]:
    now = now_us()
    found = buckets_of(
        streams, Bucketing.QUARTER, settings.TIME_ZONE, start=now - _LOOK_BACK, end=now - HOUR
    )
    return {stream: float(each.mean[-1]) for stream, each in found.items() if len(each.mean)}


def _trend(value: float, before: float | None, unit: str) -> tuple[str, str]:
    if before is None:
        return "", ""
    change = value - before
    if abs(change) <= _STEADY * max(abs(value), abs(before)):
        return _("steady"), "steady"
    told = formats.measure(abs(change), unit, digits(abs(change)))
    if change > 0:
        return _("rising, %(change)s more than an hour ago") % {"change": told}, "rising"
    return _("falling, %(change)s less than an hour ago") % {"change": told}, "falling"
