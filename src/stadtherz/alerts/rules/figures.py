"""The figures of new readings: what a rule judges, with as much of the past as its measure needs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from stadtherz.alerts.models import Rule
from stadtherz.alerts.rules import measures
from stadtherz.alerts.rules.judge import Figure
from stadtherz.alerts.rules.known import KnownRule
from stadtherz.alerts.rules.measures import Floats, Times
from stadtherz.base.time import DAY, MINUTE, Micros
from stadtherz.kit.public import Pair, since
from stadtherz.store.public import Bucketing, buckets

Measure = Rule.Measure


@dataclass(frozen=True, slots=True)
class News:
    """A reading that is judged."""

    at: Micros
    id: int
    value: float


@dataclass(frozen=True, slots=True)
class Series:
    """Readings as columns, in order of time."""

    times: Times
    values: Floats

    @staticmethod
    def of(pairs: Sequence[Pair]) -> "Series":
        times = np.array([at for at, _value in pairs], np.int64)
        return Series(times, np.array([value for _at, value in pairs], np.float64))


def figures(
    rule: KnownRule, stream: int, news: Sequence[News], now: Micros
) -> list[tuple[News, Figure]]:
    """The figure of each reading, in their order; those of which there is none are left out."""
    if rule.measure == Measure.EXPRESSION:
        found, steep = _expressed(rule, news), None
    elif rule.measure == Measure.MISSING:
        found, steep = [0.0] * len(news), None
    else:
        found, steep = _measured(rule, stream, news)
    oldest = now - rule.max_age
    return [
        (
            each,
            Figure(
                each.at, value, each.at, steep is not None and steep[place], warns=each.at >= oldest
            ),
        )
        for place, (each, value) in enumerate(zip(news, found, strict=True))
        if value == value  # not NaN
    ]


def _measured(
    rule: KnownRule, stream: int, news: Sequence[News]
) -> tuple[list[float], list[bool] | None]:
    series = _past(rule, stream, news)
    places = np.searchsorted(series.times, [each.at for each in news], side="right") - 1
    values = measured(rule, series, usual_before(rule, stream, news[0].at, news[-1].at))
    steep = measures.steep(series.times, series.values, rule.steep, rule.judging.sign)
    return values[places].tolist(), steep[places].tolist()


def measured(rule: KnownRule, series: Series, usual: measures.Usual) -> Floats:
    """The figure at each reading of a series that begins early enough."""
    times, values = series.times, series.values
    if rule.measure == Measure.RISE:
        return measures.risen(times, values, rule.span + 1, rule.judging.sign)
    values = measures.windowed(times, values, rule.window, rule.span)
    if rule.measure == Measure.DEVIATION:
        return measures.deviation(times, values, usual, rule.judging.zone)
    return values


def _past(rule: KnownRule, stream: int, news: Sequence[News]) -> Series:
    """The new readings with as much before them as the measure needs."""
    if not rule.history:
        return Series.of([(each.at, each.value) for each in news])
    known = since([stream], news[0].at - rule.history, news[-1].at, doubtful=rule.doubtful)
    return Series.of(known.get(stream, []) or [(each.at, each.value) for each in news])


def _expressed(rule: KnownRule, news: Sequence[News]) -> list[float]:
    longest = max(each.span for each in rule.inputs)
    known = since(
        {each.datastream for each in rule.inputs},
        news[0].at - longest - MINUTE,
        news[-1].at,
        doubtful=rule.doubtful,
    )
    series = {stream: Series.of(pairs) for stream, pairs in known.items()}
    moments = np.array([each.at for each in news], np.int64)
    return expressed(rule, moments, series).tolist()  # type: ignore[no-any-return]


def expressed(rule: KnownRule, moments: Times, series: Any) -> Floats:
    """The expression at each moment, from the series of its inputs by datastream."""
    assert rule.expression is not None
    none = Series.of(())
    inputs = {}
    for each in rule.inputs:
        own = series.get(each.datastream, none)
        inputs[each.name] = measures.at_times(
            moments, own.times, own.values, each.window, each.span
        )
    return rule.expression.compute(inputs)


# --- what is usual -------------------------------------------------------------------------------


def usual_before(rule: KnownRule, stream: int, first: Micros, last: Micros) -> measures.Usual:
    """What is usual from `first` to `last`; empty where the measure does not ask."""
    if rule.measure != Measure.DEVIATION:
        return {}
    days = range(first // DAY, last // DAY + 1)
    if len(days) == 1:
        return _usual_of_day(stream, days[0], rule.judging.zone)
    return _usual(stream, first, last, rule.judging.zone)


@lru_cache(maxsize=20_000)
def _usual_of_day(stream: int, day: int, zone: str) -> measures.Usual:
    """Kept, since it changes once a day and is asked for with each reading."""
    return _usual(stream, day * DAY, (day + 1) * DAY, zone)


def _usual(stream: int, first: Micros, last: Micros, zone: str) -> measures.Usual:
    start = first - (measures.USUAL_DAYS + 2) * DAY
    found = buckets(stream, Bucketing.HOUR, zone, start=start, end=last)
    days = range(first // DAY - 1, last // DAY + 2)
    wanted = {measures.day_and_hour(day * DAY, zone)[0] for day in days}
    known = measures.usual(found.start.tolist(), found.mean.tolist(), zone)
    return {key: value for key, value in known.items() if key[0] in wanted}


def moments_of(series: Iterable[Series]) -> Times:
    """Every moment at which one of the series has a reading."""
    times = [each.times for each in series]
    return np.unique(np.concatenate(times)) if times else np.array([], np.int64)
