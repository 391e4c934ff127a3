"""How fresh the city's data are, and one series for a picture: what the start page asks the store."""

from dataclasses import dataclass

from django.conf import settings

from stadtherz.base.time import HOUR, Micros, now_us
from stadtherz.base.visibility import Visibility
from stadtherz.store.public import Bucketing, buckets, extents, streams_visible_to

SILENT_AFTER = 6 * HOUR
"""A series without a reading for so long is not counted as reporting."""

GAP = 3 * HOUR
"""A line is interrupted where readings are missing for so long."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """The time of the newest reading, and how many of the visible series report."""

    newest: Micros | None
    series: int
    reporting: int

    @property
    def silent(self) -> int:
        return self.series - self.reporting


def read(visibility: Visibility) -> Pulse:
    found = extents(streams_visible_to(visibility))
    lasts = [extent.phenomenon.last for extent in found.values()]
    limit = now_us() - SILENT_AFTER
    return Pulse(
        newest=max(lasts, default=None),
        series=len(lasts),
        reporting=sum(last >= limit for last in lasts),
    )


def points(stream: int, start: Micros, end: Micros) -> list[tuple[Micros, float]]:
    """The stream's means by quarter of an hour."""
    found = buckets(stream, Bucketing.QUARTER, settings.TIME_ZONE, start=start, end=end)
    return list(zip(found.start.tolist(), found.mean.tolist(), strict=True))
