"""Which step of a rule holds, as readings come and time passes. Pure: no clock, no database.

A worse figure has to last (readings in a row, minutes) before it counts, a better one, too (calm).
Waiting is skipped where it would cost the lead time: on a steep rise, and where the figure is two steps
or more above what holds. A figure that goes to and fro is damped: after FLAPS warnings within an hour the
all-clear wants half an hour of calm.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from stadtherz.alerts.rules.limits import Judging, next_edge, rank_at
from stadtherz.base.time import HOUR, MINUTE, Micros

FLAPS = 4
FLAP_SPAN = HOUR
FLAP_CALM = 30 * MINUTE


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a measuring point stands with a rule.

    `rank` is what holds. A run of figures that all want something else began at `since` and has `count`
    readings; `wanted` is the mildest change that all of them support. `raises` are the times of the
    last warnings, for damping.
    """

    rank: int = 0
    wanted: int = 0
    since: Micros | None = None
    count: int = 0
    raises: tuple[Micros, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """A change of what holds; `damped` if from now on the all-clear wants more calm."""

    before: int
    after: int
    at: Micros
    damped: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """What is judged at a moment.

    `fresh` tells a reading from a look at the clock; `read_at` is the time of the reading that was the
    last one then.
    """

    at: Micros
    value: float
    read_at: Micros
    steep: bool = False
    fresh: bool = True
    warns: bool = True  # False: too old to warn anybody


def judge(rule: Judging, standing: Standing, figure: Figure) -> tuple[Standing, Verdict | None]:
    """The standing after this figure, and what changed by it."""
    target = rank_at(rule, figure.value, standing.rank, figure.at)
    if target == standing.rank:
        return _calm(standing), None
    run = _run(standing, target, figure)
    if target > standing.rank:
        return _worse(rule, run, target, figure)
    if figure.at - (run.since or 0) < calm_needed(rule, run, figure.at):
        return run, None
    return _changed(run, run.wanted, figure.at)


def _calm(standing: Standing) -> Standing:
    if standing.since is None:
        return standing
    return Standing(standing.rank, standing.rank, raises=standing.raises)


def _run(standing: Standing, target: int, figure: Figure) -> Standing:
    """The run with this figure: it goes on if it wants to go the same way.

    Where a look at the clock begins it (a season, a silence), the reading before is its first.
    """
    worse = target > standing.rank
    if standing.since is None or (standing.wanted > standing.rank) != worse:
        return replace(standing, wanted=target, since=figure.at, count=1)
    mildest = min(standing.wanted, target) if worse else max(standing.wanted, target)
    return replace(standing, wanted=mildest, count=standing.count + figure.fresh)


def _worse(
    rule: Judging, run: Standing, target: int, figure: Figure
) -> tuple[Standing, Verdict | None]:
    if not figure.warns:
        return run, None
    if figure.steep or target >= run.rank + 2:
        return _changed(run, target, figure.at)
    lasted = figure.at - (run.since or 0) >= rule.hold
    if run.count < rule.samples or not lasted:
        return run, None
    return _changed(run, run.wanted, figure.at)


def _changed(run: Standing, after: int, at: Micros) -> tuple[Standing, Verdict | None]:
    raises = tuple(moment for moment in run.raises if at - moment < FLAP_SPAN)
    damped = False
    if run.rank == 0:
        raises = (*raises, at)
        damped = len(raises) == FLAPS
    return Standing(after, after, raises=raises), Verdict(run.rank, after, at, damped)


def calm_needed(rule: Judging, standing: Standing, at: Micros) -> Micros:
    """How long a better figure has to last before it counts."""
    recent = sum(at - moment < FLAP_SPAN for moment in standing.raises)
    return max(rule.calm, FLAP_CALM) if recent >= FLAPS else rule.calm


def look_at(rule: Judging, standing: Standing, last: Figure) -> Micros | None:
    """When time alone may change something, without a new reading; None if it cannot."""
    at = last.at
    moments = [next_edge(rule, at)] if rule.seasonal else []
    if rule.growing:
        moments += [last.read_at + round(limit.level * MINUTE) for limit in rule.limits]
    if standing.since is not None:
        if standing.wanted > standing.rank:
            due = standing.since + rule.hold if standing.count >= rule.samples else None
        else:
            due = standing.since + calm_needed(rule, standing, at)
        moments.append(due)
    later = [moment for moment in moments if moment is not None and moment > at]
    return min(later, default=None)


def course(
    rule: Judging, standing: Standing, last: Figure | None, figures: Iterable[Figure]
) -> Iterator[tuple[Figure, Standing, Verdict | None]]:
    """Each figure with what came of it, and between them each look at the clock that changed anything.

    `last` is the figure judged before; what time decides between two readings is decided as the clock
    would have done it.
    """
    for figure in figures:
        for looked, after, verdict in ticks(rule, standing, last, figure.at):
            standing = after
            if verdict is not None:
                yield looked, standing, verdict
        standing, verdict = judge(rule, standing, figure)
        yield figure, standing, verdict
        last = figure


def ticks(
    rule: Judging, standing: Standing, last: Figure | None, until: Micros
) -> Iterator[tuple[Figure, Standing, Verdict | None]]:
    """The looks at the clock between the last figure and `until`."""
    if last is None:
        return
    while (moment := look_at(rule, standing, last)) is not None and moment <= until:
        value = (moment - last.read_at) / MINUTE if rule.growing else last.value
        last = replace(last, at=moment, value=value, fresh=False)
        standing, verdict = judge(rule, standing, last)
        yield last, standing, verdict
