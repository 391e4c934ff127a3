"""What a rule would have done with the readings that are there: the same judge, and no effect at all."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from stadtherz.alerts.models import Rule
from stadtherz.alerts.rules import measures
from stadtherz.alerts.rules.figures import Series, expressed, measured, moments_of, usual_before
from stadtherz.alerts.rules.judge import Figure, Standing, Verdict, course, ticks
from stadtherz.alerts.rules.known import KnownRule, known
from stadtherz.alerts.rules.measures import Floats, Times
from stadtherz.base.errors import Invalid
from stadtherz.base.time import DAY, Micros
from stadtherz.kit.public import since
from stadtherz.store.public import streams_by_property

Measure = Rule.Measure
MOST_STREAMS = 50  # of a rule for all that observe a property


@dataclass(frozen=True, slots=True)
class Change:
    """The rule would have gone from one step to another. Ranks count steps from 1; 0 is normal."""

    datastream: int
    at: Micros
    before: int
    after: int
    value: float


@dataclass(frozen=True, slots=True)
class Course:
    """The figures of one datastream, as they were judged."""

    datastream: int
    times: Times
    figures: Floats


@dataclass(frozen=True, slots=True)
class Preview:
    """What would have happened from `since` to `until`."""

    since: Micros
    until: Micros
    readings: int
    changes: tuple[Change, ...]
    courses: tuple[Course, ...]

    @property
    def warnings(self) -> int:
        """How often it would have begun to warn."""
        return sum(each.before == 0 for each in self.changes)


def preview(rule: Rule, since: Micros, until: Micros) -> Preview:
    """Play the readings of that time through the rule, saved or not, as if each had come in time.

    Raises Invalid where the rule cannot judge anything (`mistakes` says why).
    """
    plain = known(rule)
    if plain is None:
        raise Invalid("rule", "cannot judge anything yet")
    courses = [
        course for stream in _streams(plain) for course in _course(plain, stream, since, until)
    ]
    changes = [change for each in courses for change in _changes(plain, each, until)]
    return Preview(
        since=since,
        until=until,
        readings=sum(len(each.times) for each in courses),
        changes=tuple(sorted(changes, key=lambda change: (change.at, change.datastream))),
        courses=tuple(courses),
    )


def _streams(rule: KnownRule) -> list[int]:
    if rule.anchor is not None:
        return [rule.anchor]
    if rule.datastream is not None:
        return [rule.datastream]
    if rule.observed_property is None:
        return []
    found = streams_by_property([rule.observed_property])
    return found.get((rule.owner, rule.observed_property), [])[:MOST_STREAMS]


def _course(rule: KnownRule, stream: int, start: Micros, until: Micros) -> Iterator[Course]:
    if rule.measure == Measure.EXPRESSION:
        longest = max(each.span for each in rule.inputs)
        wanted = {each.datastream for each in rule.inputs}
        told = since(wanted, start - longest, until, doubtful=rule.doubtful)
        series = {key: Series.of(pairs) for key, pairs in told.items()}
        moments = moments_of(series.values())
        moments = moments[moments >= start]
        yield _known_part(Course(stream, moments, expressed(rule, moments, series)))
        return
    found = since([stream], start - rule.history, until, doubtful=rule.doubtful)
    pairs = found.get(stream, [])
    series_ = Series.of(pairs)
    usual = usual_before(rule, stream, start, max(until, start + DAY)) if pairs else {}
    figures = measured(rule, series_, usual)
    within = series_.times >= start
    yield _known_part(Course(stream, series_.times[within], figures[within]))


def _known_part(course: Course) -> Course:
    known = ~np.isnan(course.figures)
    return Course(course.datastream, course.times[known], course.figures[known])


def _changes(rule: KnownRule, played: Course, until: Micros) -> Iterator[Change]:
    standing, last = Standing(), None
    for figure, standing, verdict in _played(rule, played):  # noqa: B007
        last = figure
        if verdict is not None:
            yield _change(played.datastream, verdict, figure)
    if last is not None:
        for figure, _standing, verdict in ticks(rule.judging, standing, last, until):
            if verdict is not None:
                yield _change(played.datastream, verdict, figure)


def _played(rule: KnownRule, played: Course) -> Iterator[tuple[Figure, Standing, Verdict | None]]:
    steep = measures.steep(played.times, played.figures, rule.steep, rule.judging.sign)
    values = np.zeros(len(played.times)) if rule.measure == Measure.MISSING else played.figures
    figures = (
        Figure(at, value, at, bool(fast))
        for at, value, fast in zip(
            played.times.tolist(), values.tolist(), steep.tolist(), strict=True
        )
    )
    return course(rule.judging, Standing(), None, figures)


def _change(stream: int, verdict: Verdict, figure: Figure) -> Change:
    return Change(stream, verdict.at, verdict.before, verdict.after, figure.value)
