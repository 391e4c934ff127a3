"""What a clerk can be told of, in the words of the question "When do you want to be told?"."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from stadtherz.alerts.public import Rule
from stadtherz.base.time import DAY, HOUR, Micros, from_us
from stadtherz.store.public import Bucketing, Buckets, buckets
from stadtherz.web.alarms.proposals import Floats, Proposal, buffer, proposals, silence

YEAR = 365 * DAY


@dataclass(frozen=True, slots=True)
class Occasion:
    """A plain sentence, and the rule it becomes. `limit` asks for its number, `minutes` if it has its own unit."""

    key: str
    sentence: Any
    name: Any
    limit: Any
    measure: str
    below: bool = False
    minutes: bool = False

    @property
    def direction(self) -> str:
        return Rule.Direction.BELOW if self.below else Rule.Direction.ABOVE


OCCASIONS = {
    each.key: each
    for each in (
        Occasion(
            "rises",
            _("when the value rises to a limit"),
            _("high value"),
            _("Warn from this value on"),
            Rule.Measure.VALUE,
        ),
        Occasion(
            "falls",
            _("when the value falls to a limit"),
            _("low value"),
            _("Warn from this value downwards"),
            Rule.Measure.VALUE,
            below=True,
        ),
        Occasion(
            "fast",
            _("when the value rises fast, by so much within an hour"),
            _("fast rise"),
            _("Warn if it rises by so much within an hour"),
            Rule.Measure.RISE,
        ),
        Occasion(
            "unusual",
            _("when the value is far above what is usual at this hour"),
            _("unusual value"),
            _("Warn if it is so far above the usual"),
            Rule.Measure.DEVIATION,
        ),
        Occasion(
            "silent",
            _("when no readings come any more"),
            _("no readings"),
            _("Warn after so many minutes without a reading"),
            Rule.Measure.MISSING,
            minutes=True,
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Advice:
    """What the last year says: limits with how often they were reached, and how far a value wavers.

    `since` is the first hour that holds readings, None if there is none.
    """

    proposals: Sequence[Proposal] = ()
    buffer: float = 0.0
    since: Micros | None = None


def advice(occasion: Occasion, stream: int, now: Micros) -> Advice:
    """From the hours of the last year, so that it costs the same for a reading a second."""
    hours = buckets(stream, Bucketing.HOUR, settings.TIME_ZONE, start=now - YEAR, end=now)
    first = int(hours.start[0]) if len(hours) else None
    if occasion.minutes:
        minutes = silence(hours.start.tolist(), hours.count.tolist())
        return Advice([Proposal(float(minutes), 0)] if minutes else [], since=first)
    figures = _figures(occasion, hours)
    return Advice(proposals(figures, below=occasion.below), buffer(figures), first)


def _figures(occasion: Occasion, hours: Buckets) -> Floats:
    if occasion.measure == Rule.Measure.RISE:
        follows = np.diff(hours.start) == HOUR
        rises: Floats = (hours.maximum[1:] - hours.minimum[:-1])[follows]
        return rises
    if occasion.measure == Rule.Measure.DEVIATION:
        clock = np.array([from_us(at).hour for at in hours.start.tolist()], np.int64)
        usual = {hour: np.median(hours.mean[clock == hour]) for hour in np.unique(clock).tolist()}
        return hours.mean - np.array([usual[hour] for hour in clock.tolist()], np.float64)
    return hours.minimum if occasion.below else hours.maximum
