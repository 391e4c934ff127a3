"""What is far from every limit moves nothing, and nothing is forgotten by that."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from stadtherz.alerts.models import AlertEvent, Rule, RuleState
from stadtherz.alerts.rules import engine
from stadtherz.alerts.rules.known import rules
from stadtherz.alerts.tests.rule_cast import make_rule
from stadtherz.base import time, vocabulary
from stadtherz.base.time import MINUTE, Period
from stadtherz.kit.testing import Town
from stadtherz.store.public import Reading, append
from stadtherz.stream.public import drain

FAULTY = {"pass": False, "flags": ["jump"]}


@pytest.fixture
def town(judging: None) -> Town:
    return Town.found()


@pytest.fixture
def stream(town: Town) -> int:
    return town.datastream(vocabulary.WATER_LEVEL, "Lauter")


def measured(stream: int, value: Any, *, ago: float = 0, quality: Any = None) -> None:
    at = time.now_us() - round(ago * MINUTE)
    append([Reading(stream, Period(at), value, result_quality=quality)])
    drain()


def told() -> list[str]:
    return list(AlertEvent.objects.order_by("pk").values_list("change", flat=True))


def ticked(minutes: float = 0) -> None:
    with time.stopped_at(time.now() + timedelta(minutes=minutes)):
        engine.tick(time.now_us())


def written(stream: int, value: float) -> list[str]:
    """The statements about states that this reading costs beyond the look at them."""
    with CaptureQueriesContext(
        connection,
    ) as asked:
        measured(stream, value)
    states = [each["sql"] for each in asked if "alerts_rulestate" in each["sql"]]
    return [sql for sql in states if not sql.startswith("SELECT")]


def test_a_reading_far_from_every_limit_writes_no_state(town: Town, stream: int) -> None:
    for limit in (90, 120, 150):
        make_rule(town.organisation, limit, datastream=stream)
    measured(stream, 50)
    ticked()
    assert written(stream, 51) == []
    assert len(written(stream, 95)) == 1


def test_an_hour_after_it_was_over_a_state_is_at_rest_again(town: Town, stream: int) -> None:
    make_rule(town.organisation, 90, datastream=stream)
    measured(stream, 95, ago=70)
    measured(stream, 50, ago=69)
    assert RuleState.objects.get().raises
    measured(stream, 50)
    assert written(stream, 51) == []


def test_a_late_reading_is_late_though_the_newer_one_moved_nothing(town: Town, stream: int) -> None:
    make_rule(town.organisation, 90, datastream=stream)
    for ago in (40, 30, 20, 10):
        measured(stream, 50, ago=ago)
    measured(stream, 99, ago=15)
    assert told() == []
    measured(stream, 99, ago=5)
    assert told() == ["raised"]


def test_a_reading_from_the_future_does_not_hide_the_flood(town: Town, stream: int) -> None:
    make_rule(town.organisation, 90, datastream=stream)
    measured(stream, 50, ago=-30)
    measured(stream, 99)
    assert told() == ["raised"]


@pytest.mark.parametrize(("quality", "expected"), [(FAULTY, ["raised"]), (None, [])])
def test_a_faulty_reading_makes_no_sound_one_late(
    town: Town, stream: int, quality: Any, expected: list[str]
) -> None:
    make_rule(town.organisation, 90, datastream=stream)
    measured(stream, 50, ago=30)
    measured(stream, 51, ago=5, quality=quality)
    measured(stream, 99, ago=10)
    assert told() == expected


def test_of_two_rules_the_one_that_is_awake_hears_of_every_reading(town: Town, stream: int) -> None:
    make_rule(town.organisation, 60, datastream=stream, calm_minutes=10)
    make_rule(town.organisation, 90, datastream=stream)
    for value, ago in ((65, 30), (50, 25), (65, 20), (50, 15), (50, 4)):
        measured(stream, value, ago=ago)
    assert told() == ["raised", "cleared"]


@pytest.mark.parametrize("direction", ["above", "below"])
def test_both_directions_wake(town: Town, stream: int, direction: str) -> None:
    make_rule(town.organisation, 20, datastream=stream, direction=direction)
    for value in (19, 21, 19):
        measured(stream, value)
    assert set(told()) == {"raised", "cleared"}


# --- silence -------------------------------------------------------------------------------------


def test_a_watch_for_silence_is_not_written_with_each_reading(town: Town, stream: int) -> None:
    make_rule(town.organisation, 30, datastream=stream, measure=Rule.Measure.MISSING)
    measured(stream, 50)
    ticked()
    assert written(stream, 51) == []


def test_silence_is_counted_from_the_newest_reading(town: Town, stream: int) -> None:
    make_rule(town.organisation, 30, datastream=stream, measure=Rule.Measure.MISSING)
    measured(stream, 50, ago=29)
    ticked()
    measured(stream, 50)
    ticked(25)
    assert told() == []
    ticked(31)
    assert told() == ["raised"]


def test_silence_begins_with_the_first_reading(town: Town, stream: int) -> None:
    make_rule(town.organisation, 30, datastream=stream, measure=Rule.Measure.MISSING)
    ticked()
    ticked(60)
    assert told() == []
    measured(stream, 50)
    ticked(31)
    assert told() == ["raised"]


def test_what_is_no_number_breaks_no_silence_and_hides_no_number(town: Town, stream: int) -> None:
    make_rule(town.organisation, 30, datastream=stream, measure=Rule.Measure.MISSING)
    measured(stream, 50, ago=29)
    ticked()
    measured(stream, 50, ago=10)
    measured(stream, "fault", ago=1)
    ticked(15)
    assert told() == []
    ticked(25)
    assert told() == ["raised"]


# --- what a process knows of rules ---------------------------------------------------------------


def test_only_the_rule_that_was_changed_is_read_again(town: Town, stream: int) -> None:
    changed = make_rule(town.organisation, 90, datastream=stream)
    other = make_rule(town.organisation, 120, datastream=stream)
    before = rules()
    step = changed.steps.get()
    step.limit = 70
    step.save()
    after = rules()
    assert after.by_id[other.pk] is before.by_id[other.pk]
    assert after.by_id[changed.pk].judging.limits[0].level == 70
    other.delete()
    assert set(rules().by_id) == {changed.pk}
