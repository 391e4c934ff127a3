"""What is doubtful is stored with a flag; nothing is dropped."""

from typing import Any

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.base.time import HOUR, MINUTE
from stadtherz.ingest.devices import finding
from stadtherz.ingest.models import DeviceField
from stadtherz.ingest.quality import flags
from stadtherz.ingest.quality.course import Course, Watch, courses
from stadtherz.ingest.quality.flags import Flag
from stadtherz.ingest.tests.factories import Town, deliver, plan_of, readings, tts

JUMPS = Watch(jump=30, within=10 * MINUTE)
STICKS = Watch(frozen=60 * MINUTE)


def told(watch: Watch, *values: float, step: int = 10 * MINUTE) -> list[str | None]:
    """The verdicts over values that come at equal distances, after a first one."""
    course = Course(0, values[0], 0)
    verdicts = [
        course.judge(place * step, value, watch) for place, value in enumerate(values[1:], start=1)
    ]
    return [verdict and verdict[0].value for verdict in verdicts]


def test_a_change_up_to_the_limit_is_no_jump() -> None:
    assert told(JUMPS, 100, 130, 100, 71) == [None, None, None]


def test_an_outlier_is_a_jump_and_what_returns_is_none() -> None:
    assert told(JUMPS, 100, 300, 101, 102) == ["jump", None, None]


def test_a_second_reading_at_the_new_height_confirms_it() -> None:
    assert told(JUMPS, 100, 300, 305, 310) == ["jump", None, None]


def test_a_sensor_gone_wild_is_marked_each_time() -> None:
    assert told(JUMPS, 100, 300, 20, 400) == ["jump", "jump", "jump"]


def test_after_a_gap_the_change_may_be_larger_in_proportion() -> None:
    assert told(JUMPS, 100, 280, step=60 * MINUTE) == [None]
    assert told(JUMPS, 100, 281, step=60 * MINUTE) == ["jump"]


def test_within_a_shorter_time_the_whole_change_is_allowed() -> None:
    assert told(JUMPS, 100, 130, step=MINUTE) == [None]


def test_a_value_that_stays_the_same_for_too_long_is_frozen_until_it_moves() -> None:
    assert told(STICKS, *[5] * 9, 6, 6) == [None] * 6 + ["frozen"] * 2 + [None, None]


@given(st.lists(st.tuples(st.integers(-50, 50), st.floats(-100, 100)), max_size=30))
def test_a_repetition_is_told_the_same_and_what_comes_late_nothing(
    rows: list[tuple[int, float]],
) -> None:
    course = Course(0, 0.0, 0)
    watch = Watch(jump=20, within=10 * MINUTE, frozen=5 * MINUTE)
    for at, value in rows:
        newer = at * MINUTE > course.at
        first = course.judge(at * MINUTE, value, watch)
        if newer:
            assert course.judge(at * MINUTE, value, watch) == first
        elif at * MINUTE < course.at:
            assert first is None


def watch_level(**rules: Any) -> None:
    field = DeviceField.objects.get(path="level_cm")
    for name, value in rules.items():
        setattr(field, name, value)
    field.save()


def qualities(stream: int) -> list[str | None]:
    """The flag of each reading, in the order of their times."""
    kept = readings(stream)
    told = kept.result_quality or [None] * len(kept)
    pairs = sorted(zip(kept.phenomenon_start.tolist(), told, strict=True), key=lambda pair: pair[0])
    return [quality and quality["code"] for _, quality in pairs]


@pytest.fixture(autouse=True)
def _forgotten() -> None:
    start_again()


def start_again() -> None:
    """What a start of the process leaves in memory."""
    courses.forget()
    finding.forget()


def test_a_jump_is_stored_with_its_flag(town: Town) -> None:
    watch_level(jump=30)
    for number, level in enumerate([100, 101, 300, 102]):
        deliver(town, tts(number, level_cm=level))
    assert qualities(town.level) == [None, None, "jump", None]
    kept = [quality for quality in readings(town.level).result_quality or () if quality]
    assert kept == [{"code": "jump", "flags": ["jump"], "pass": False, "change": 199, "minutes": 1}]
    with translation.override("en"):
        sentence = "It differs by 199 from the reading 1 minutes before."
        assert flags.sentence(kept[0]) == sentence


def test_after_a_start_the_past_is_read_from_the_store(town: Town) -> None:
    watch_level(jump=30, frozen_minutes=3)
    for number, level in enumerate([90, 100, 100, 100, 100]):
        deliver(town, tts(number, level_cm=level))
    start_again()
    deliver(town, tts(5, level_cm=100))
    start_again()
    deliver(town, tts(6, level_cm=200))
    assert qualities(town.level) == [None] * 5 + ["frozen", "jump"]


def test_late_readings_are_kept_without_a_verdict_and_spoil_none(town: Town) -> None:
    watch_level(jump=30)
    for number, level in [(1, 100), (5, 110), (3, 400), (2, 105), (6, 112)]:
        deliver(town, tts(number, level_cm=level))
    assert qualities(town.level) == [None] * 5


def test_a_repetition_that_was_not_stored_the_first_time_keeps_its_flag(town: Town) -> None:
    watch_level(jump=30)
    deliver(town, tts(1, level_cm=100))
    plan_of(town, tts(2, level_cm=300))  # judged, and the store is away
    deliver(town, tts(2, level_cm=300))
    assert qualities(town.level) == [None, "jump"]


def test_without_a_rule_nothing_is_remembered(town: Town) -> None:
    deliver(town, tts(1, level_cm=100))
    assert courses._known == {}


@pytest.mark.parametrize("strange", [None, 1, "good", [], {"flags": 3}, {"flags": ["other"]}])
def test_a_quality_of_others_has_no_sentence(strange: object) -> None:
    assert flags.sentence(strange) == ""


@pytest.mark.parametrize("flag", list(Flag))
def test_every_flag_has_a_name_and_a_sentence(flag: Flag) -> None:
    with translation.override("de"):
        assert flags.NAMES[flag.value]
        assert flags.sentence(flags.quality([flag], {})).endswith(".")


def test_hours_are_told_as_people_do() -> None:
    course = Course(0, 1.0, 0)
    assert course.judge(3 * HOUR, 1.0, STICKS) == (Flag.FROZEN, {"hours": 3.0})
