"""Whatever happens to a rule in whatever order: exactly the changes that a few plain lines say, each once.

Levels come in time, late, again and corrected; staff change limits, switch the rule off and on; processes
are started anew; the clock is looked at too often. A model without history, database or clock says what
has to come of it.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from stadtherz.alerts.models import AlertEvent, Rule
from stadtherz.alerts.rules import changes, engine, known
from stadtherz.alerts.tests.rule_cast import make_rule
from stadtherz.base import time, vocabulary
from stadtherz.base.time import MINUTE, Micros
from stadtherz.kit.testing import Town
from stadtherz.stream.public import drain

HYSTERESIS = 5
_places = count()


@dataclass
class Model:
    """A rule with two limits at one gauge."""

    limits: tuple[int, int] = (60, 100)
    on: bool = True
    rank: int = 0
    newest: float | None = None
    told: list[tuple[str, int]] = field(default_factory=list)

    def level(self, value: float) -> None:
        self.newest = value
        self.judge()

    def judge(self) -> None:
        if not self.on or self.newest is None:
            return
        reached = sum(self.newest >= limit for limit in self.limits)
        held = sum(self.newest >= limit - HYSTERESIS for limit in self.limits[: self.rank])
        self._go(max(reached, held))

    def switch(self, *, on: bool) -> None:
        self.on = on
        if on:
            self.judge()
        else:
            self._go(0)

    def _go(self, rank: int) -> None:
        if rank == self.rank:
            return
        if rank == 0:
            self.told.append(("cleared", 0))
        elif self.rank == 0:
            self.told.append(("raised", rank))
        else:
            self.told.append(("escalated" if rank > self.rank else "lowered", rank))
        self.rank = rank


@dataclass
class City:
    """The product, with a clock that goes on by half an hour with each step."""

    town: Town
    stream: int
    rule: Rule
    minutes: int = 0
    newest_at: Micros = 0

    def keep(self, value: float, at: Micros) -> None:
        Town.keep(self.stream, value, at=at)
        self.newest_at = max(self.newest_at, at)

    def limits(self, limits: tuple[int, int]) -> None:
        for step, limit in zip(self.rule.steps.order_by("pk"), limits, strict=True):
            step.limit = limit
            step.save()

    def switch(self, *, on: bool) -> None:
        rule = Rule.objects.get(pk=self.rule.pk)
        rule.active = on
        rule.save()

    def starts_anew(self) -> None:
        """What a process knows dies with it."""
        known._kept.clear()
        changes._settled.clear()

    def told(self) -> list[tuple[str, int]]:
        rows = AlertEvent.objects.filter(alert__datastream=self.stream).order_by("pk")
        return list(rows.values_list("change", "rank"))


levels = st.integers(30, 120).map(float)
steps = st.one_of(
    st.tuples(st.just("level"), levels),
    st.tuples(st.just("level"), levels),
    st.tuples(st.just("late"), levels),
    st.tuples(st.just("again"), st.just(0)),
    st.tuples(st.just("corrected"), levels),
    st.tuples(st.just("limits"), st.sampled_from([(60, 100), (90, 110), (70, 80)])),
    st.tuples(st.just("switch"), st.booleans()),
    st.tuples(st.just("starts anew"), st.just(0)),
    st.tuples(st.just("tick"), st.integers(1, 3)),
)


@pytest.fixture
def town(judging: None) -> Town:
    return Town.found()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@example(schedule=[("level", 95.0), ("limits", (90, 110)), ("corrected", 84.0), ("switch", False)])
@example(schedule=[("switch", False), ("level", 105.0), ("starts anew", 0), ("switch", True)])
@given(schedule=st.lists(steps, min_size=3, max_size=16))
def test_random_schedules_tell_what_the_model_says(
    town: Town, schedule: list[tuple[str, Any]]
) -> None:
    stream = town.datastream(vocabulary.WATER_LEVEL, f"Pegel {next(_places)}")
    rule = make_rule(
        town.organisation,
        60,
        100,
        datastream=stream,
        hysteresis=HYSTERESIS,
        max_age_minutes=100_000,
    )
    city, model = City(town, stream, rule), Model()
    try:
        for what, how in schedule:
            city.minutes += 30
            with time.stopped_at(time.now() + timedelta(minutes=city.minutes)):
                happens(city, model, what, how)
                drain()
                engine.tick(time.now_us())
            assert city.told() == model.told, (what, how)
    finally:
        rule.delete()


def happens(city: City, model: Model, what: str, how: Any) -> None:
    now = time.now_us()
    match what:
        case "level":
            city.keep(how, now)
            model.level(how)
        case "late" if city.newest_at:
            city.keep(how, city.newest_at - 10 * MINUTE)
        case "again" if model.newest is not None:
            city.keep(model.newest, city.newest_at)
        case "corrected" if model.newest is not None:
            city.keep(how, city.newest_at)
            model.level(how)
        case "limits":
            city.limits(how)
            model.limits = how
            model.judge()
        case "switch":
            city.switch(on=how)
            model.switch(on=how)
        case "starts anew":
            city.starts_anew()
        case "tick":
            for _time in range(how):
                engine.tick(now)
