"""A gauge's readings as a CSV text, line by line."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from stadtherz.base.time import DAY, Micros, iso
from stadtherz.services.water import readings
from stadtherz.services.water.models import Gauge


def csv(gauge: Gauge, start: Micros, end: Micros, *, page: str) -> Iterator[str]:
    """Comment lines with origin and licence, a heading, then one line a reading, oldest first.

    Times are UTC (ISO 8601), levels centimetres with a decimal point. A day is read at a time, so
    that the answer begins at once and never lies in memory as a whole.
    """
    yield from _comments(gauge, page)
    yield "time,level_cm\r\n"
    stream = gauge.datastream_id
    while start <= end:
        piece = min(start + DAY, end + 1)
        for at, value in readings.since([stream], start, piece - 1).get(stream, []):
            yield f"{iso(at)},{value:.15g}\r\n"
        start = piece if piece <= end else end + 1


def _comments(gauge: Gauge, page: str) -> Iterator[str]:
    for label, text in (
        (_("Gauge"), f"{gauge.name} ({gauge.water_body})"),
        (_("Recorded"), gauge.origin),
        (_("Source"), gauge.source),
        (_("Licence"), f"{gauge.licence} {gauge.licence_url}".strip()),
        (_("Attribution"), gauge.attribution),
        (_("Page"), page),
    ):
        if text:
            yield f"# {label}: {' '.join(text.split())}\r\n"
