"""Who is on duty when: turns of some days, and shifts that were swapped. Without clock and database.

The hand-over is at an hour of the local clock: a turn over a change to summer time is an hour
shorter, and nobody's turn begins at seven because of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from stadtherz.base.time import Micros, from_us, to_us

_MONDAY = date(2024, 1, 1)  # where a roster without a first day begins


@dataclass(frozen=True, slots=True)
class Shift:
    """Somebody stands in from `since` until `until`."""

    person: int
    since: Micros
    until: Micros


@dataclass(frozen=True, slots=True)
class Plan:
    """A roster as plain values. Of shifts that overlap, the later in the tuple counts."""

    members: tuple[int, ...]
    turn_days: int
    hand_over: time
    zone: ZoneInfo
    first_day: date | None = None
    shifts: tuple[Shift, ...] = ()


@dataclass(frozen=True, slots=True)
class Duty:
    """A stretch of time and who is on duty in it; `person` is None where nobody is."""

    person: int | None
    since: Micros
    until: Micros
    swapped: bool = False


def on_duty(plan: Plan, moment: Micros) -> int | None:
    """Who is on duty at this moment."""
    person, _swapped = _who(plan, moment)
    return person


def duties(plan: Plan, start: Micros, end: Micros) -> list[Duty]:
    """Who is on duty from `start` to `end`, without gaps, in order; neighbours differ."""
    found: list[Duty] = []
    borders = sorted({start, end, *_borders(plan, start, end)})
    for since, until in pairwise(borders):
        person, swapped = _who(plan, since)
        last = found[-1] if found else None
        if last is not None and (last.person, last.swapped) == (person, swapped):
            found[-1] = Duty(person, last.since, until, swapped)
        else:
            found.append(Duty(person, since, until, swapped))
    return found


def _who(plan: Plan, moment: Micros) -> tuple[int | None, bool]:
    for shift in reversed(plan.shifts):
        if shift.since <= moment < shift.until:
            return shift.person, True
    turn = _turn(plan, moment)
    if turn < 0 or not plan.members:
        return None, False
    return plan.members[turn % len(plan.members)], False


def _turn(plan: Plan, moment: Micros) -> int:
    """The number of the turn that holds at this moment, negative before the first."""
    day = from_us(moment).astimezone(plan.zone).date()
    turn = (day - _first(plan)).days // plan.turn_days
    return turn if _begins(plan, turn) <= moment else turn - 1


def _begins(plan: Plan, turn: int) -> Micros:
    day = _first(plan) + timedelta(days=turn * plan.turn_days)
    return to_us(datetime.combine(day, plan.hand_over, plan.zone))


def _first(plan: Plan) -> date:
    return plan.first_day or _MONDAY


def _borders(plan: Plan, start: Micros, end: Micros) -> Iterator[Micros]:
    """Every moment between the two at which somebody else may be on duty."""
    turn = max(_turn(plan, start) + 1, 0)
    while (begins := _begins(plan, turn)) < end:
        yield begins
        turn += 1
    for shift in plan.shifts:
        yield from (each for each in (shift.since, shift.until) if start < each < end)
