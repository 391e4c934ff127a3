"""Rules on real readings: from the log to the alert, by the clock, and while staff change them."""

from datetime import time as clock_time
from datetime import timedelta
from typing import Any

import pytest

from stadtherz.alerts.models import (
    Alert,
    AlertEvent,
    AlertNote,
    Delivery,
    Rule,
    RuleInput,
    RuleState,
    RuleStep,
)
from stadtherz.alerts.public import add_contact, add_contact_list
from stadtherz.alerts.rules import engine
from stadtherz.alerts.rules.preview import preview
from stadtherz.alerts.tests.rule_cast import make_rule
from stadtherz.base import time, vocabulary
from stadtherz.base.time import HOUR, MINUTE
from stadtherz.base.visibility import SYSTEM
from stadtherz.kit.testing import Town
from stadtherz.store.public import Reading, append, delete
from stadtherz.stream.consumers import Pace, step
from stadtherz.stream.public import drain


@pytest.fixture
def town(transactional_db: None) -> Town:
    return Town.found()


@pytest.fixture
def stream(town: Town) -> int:
    return town.datastream(vocabulary.WATER_LEVEL, "Lauter")


pytestmark = pytest.mark.usefixtures("judging")


def measured(stream: int, *values: Any, ago: int = 0) -> None:
    """Readings a minute apart, the last so many minutes ago, judged."""
    Town.keep(stream, *values, at=time.now_us() - ago * MINUTE)
    drain()


def changes() -> list[tuple[str, int]]:
    return list(AlertEvent.objects.order_by("pk").values_list("change", "rank"))


def later(minutes: float) -> Any:
    return time.stopped_at(time.now() + timedelta(minutes=minutes))


def ticked(minutes: float) -> None:
    """The clock is looked at so many minutes from now."""
    with later(minutes):
        engine.tick(time.now_us())


def test_a_limit_that_is_reached_warns_once_and_clears_once(town: Town, stream: int) -> None:
    make_rule(town.organisation, 90, 120, datastream=stream, hysteresis=5)
    measured(stream, 80, 95, 96, 125, 124, 50, 49)
    assert changes() == [("raised", 1), ("escalated", 2), ("cleared", 0)]


def test_those_on_the_list_are_told_in_their_language(town: Town, stream: int) -> None:
    contact = add_contact(owner=town.organisation, name="W", email="w@stadt.example")
    recipients = add_contact_list(owner=town.organisation, name="Wehr", contacts=[contact])
    make_rule(
        town.organisation,
        90,
        datastream=stream,
        recipients_id=recipients,
        advice_de="Bitte Schieber 3 schließen.",
    )
    measured(stream, 95.5)
    event = Delivery.objects.get().event
    german, english = event.texts["de"], event.texts["en"]
    assert german["subject"] == "Stufe 1: Lauter, Hochwasser bei 95,5 cm"
    assert english["subject"] == "Step 1: Lauter, Flood at 95.5 cm"
    assert "die Grenze von „Stufe 1“ ist 90 cm" in german["sentence"]
    assert ["Was zu tun ist", "Bitte Schieber 3 schließen."] in german["facts"]
    assert english["link"] == f"/en/sta/v1.1/Datastreams({stream})"


def test_a_rule_for_a_property_judges_each_datastream_of_its_own_organisation(
    town: Town, stream: int
) -> None:
    other = town.datastream(vocabulary.WATER_LEVEL, "Mill")
    foreign = town.datastream(vocabulary.WATER_LEVEL, "Fremd", owner=town.neighbour)
    air = town.datastream(vocabulary.WATER_TEMPERATURE, "Luft")
    from stadtherz.store.models import Datastream

    observed = Datastream.objects.get(pk=stream).observed_property_id
    make_rule(town.organisation, 90, observed_property_id=observed)
    for each in (stream, other, foreign, air):
        measured(each, 95)
    assert {a.datastream_id for a in Alert.objects.all()} == {stream, other}


def test_a_rule_that_is_switched_off_says_nothing(town: Town, stream: int) -> None:
    make_rule(town.organisation, 90, datastream=stream, active=False)
    measured(stream, 95)
    ticked(5)
    assert changes() == []


# --- late, future, imported ----------------------------------------------------------------------


def test_late_readings_raise_nothing(town: Town, stream: int) -> None:
    make_rule(town.organisation, 90, datastream=stream)
    measured(stream, 50)
    measured(stream, 99, ago=30)
    assert changes() == []


def test_a_reading_of_yesterday_warns_nobody(town: Town, stream: int) -> None:
    make_rule(town.organisation, 90, datastream=stream, max_age_minutes=120)
    measured(stream, 95, ago=121)
    assert changes() == []
    measured(stream, 95)
    assert changes() == [("raised", 1)]


def test_of_an_import_only_the_newest_counts(town: Town, stream: int) -> None:
    make_rule(town.organisation, 90, datastream=stream, max_age_minutes=100_000)
    measured(stream, 95, 50, 95, 50, 95, 60, ago=600)
    assert changes() == []


@pytest.mark.parametrize(("last", "expected"), [(50, []), (97, [("raised", 1)])])
def test_what_was_held_back_counts_the_same_however_the_log_is_cut(
    town: Town, stream: int, last: int, expected: list[tuple[str, int]]
) -> None:
    """A gauge was cut off for an hour and a half; its readings come in two pieces of the log."""
    make_rule(town.organisation, 90, datastream=stream)
    now = time.now_us()
    pieces = ((40, 95, 96), (93, 60, last))
    for place, values in enumerate(pieces):
        Town.keep(stream, *values, at=now - (80 - 5 * place) * MINUTE)
    while step(engine.consumer(), wait=True, pace=Pace(most=3)):
        pass
    assert changes() == expected


def test_a_time_in_the_future_counts_for_nothing(town: Town, stream: int) -> None:
    make_rule(town.organisation, 90, datastream=stream)
    measured(stream, 95, ago=-60)
    assert changes() == []
    measured(stream, 96)
    assert changes() == [("raised", 1)]


# --- time ----------------------------------------------------------------------------------------


def test_the_clock_ends_the_waiting(town: Town, stream: int) -> None:
    make_rule(town.organisation, 90, datastream=stream, hold_minutes=10)
    measured(stream, 95)
    ticked(9)
    assert changes() == []
    ticked(11)
    ticked(12)
    assert changes() == [("raised", 1)]


def test_silence_is_noticed_and_its_end(town: Town, stream: int) -> None:
    make_rule(town.organisation, 30, datastream=stream, measure="missing")
    measured(stream, 50)
    ticked(29)
    assert changes() == []
    ticked(31)
    assert changes() == [("raised", 1)]
    assert "30 Minuten" in AlertEvent.objects.get().texts["de"]["sentence"]
    with later(40):
        measured(stream, 50)
    assert changes() == [("raised", 1), ("cleared", 0)]


def test_a_silence_that_has_begun_before_the_rule_is_noticed(town: Town, stream: int) -> None:
    measured(stream, 50, ago=60)
    make_rule(town.organisation, 30, datastream=stream, measure="missing")
    ticked(0)
    ticked(1)
    assert changes() == [("raised", 1)]


def test_a_limit_of_the_evening_holds_in_the_evening(town: Town, stream: int) -> None:
    now = time.now()
    noon = now.replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=1)
    step = {"from_time": clock_time(20), "until_time": clock_time(23)}
    with time.stopped_at(noon):
        make_rule(town.organisation, 90, datastream=stream, step=step)
        measured(stream, 95)
        assert changes() == []
    with time.stopped_at(noon + timedelta(hours=9)):
        engine.tick(time.now_us())
    assert changes() == [("raised", 1)]
    with time.stopped_at(noon + timedelta(hours=13)):
        engine.tick(time.now_us())
        engine.tick(time.now_us())
    assert changes() == [("raised", 1), ("cleared", 0)]


# --- measures ------------------------------------------------------------------------------------


def test_a_fast_rise_is_a_figure_of_its_own(town: Town, stream: int) -> None:
    make_rule(town.organisation, 30, datastream=stream, measure="rise", window_minutes=15)
    measured(stream, 20, ago=20)
    measured(stream, 40, 45, 49, ago=10)
    assert changes() == []
    measured(stream, 72)
    assert changes() == [("raised", 1)]
    assert "32 cm" in AlertEvent.objects.get().texts["de"]["subject"]


def test_the_mean_of_an_hour_is_judged(town: Town, stream: int) -> None:
    make_rule(
        town.organisation,
        50,
        datastream=stream,
        window="mean",
        window_minutes=60,
        max_age_minutes=60,
    )
    measured(stream, 40, 40, 90, ago=5)  # 57 on average
    assert changes() == [("raised", 1)]


def test_an_expression_over_two_datastreams(town: Town, stream: int) -> None:
    rain = town.datastream(vocabulary.WATER_TEMPERATURE, "Regen")
    make_rule(
        town.organisation,
        1,
        measure="expression",
        expression="level > 80 and rain > 10",
        inputs={"level": stream, "rain": rain},
    )
    measured(stream, 90, ago=3)
    assert changes() == []
    measured(rain, 12, ago=2)
    assert changes() == [("raised", 1)]
    measured(stream, 70)
    assert changes() == [("raised", 1), ("cleared", 0)]


def test_an_input_that_has_gone_silent_decides_nothing(town: Town, stream: int) -> None:
    rain = town.datastream(vocabulary.WATER_TEMPERATURE, "Regen")
    make_rule(
        town.organisation,
        1,
        measure="expression",
        expression="level > 80 and rain > 10",
        inputs={"level": stream, "rain": rain},
    )
    measured(rain, 12, ago=70)  # older than the 60 minutes of the input
    measured(stream, 90)
    assert changes() == []


def test_what_is_unusual_for_the_hour(town: Town, stream: int) -> None:
    for day in range(10, 0, -1):
        Town.keep(stream, 20 + day % 2, at=time.now_us() - day * 24 * HOUR)
    make_rule(town.organisation, 30, datastream=stream, measure="deviation")
    measured(stream, 45)
    assert changes() == []
    measured(stream, 55)
    assert changes() == [("raised", 1)]


# --- once ----------------------------------------------------------------------------------------


def test_a_flapping_figure_is_noted_once_and_stays_on(town: Town, stream: int) -> None:
    make_rule(town.organisation, 90, datastream=stream)
    measured(stream, *[95, 80] * 10)
    assert len(changes()) == 7
    assert AlertNote.objects.filter(act="damped").count() == 1


def test_what_is_rolled_back_is_judged_again(town: Town, stream: int, monkeypatch: Any) -> None:
    make_rule(town.organisation, 90, datastream=stream)
    Town.keep(stream, 95)
    real = engine._write

    def fails(states: Any) -> None:
        real(states)
        raise RuntimeError("the machine is switched off here")

    monkeypatch.setattr(engine, "_write", fails)
    with pytest.raises(RuntimeError):
        drain()
    assert (changes(), RuleState.objects.count()) == ([], 0)
    monkeypatch.setattr(engine, "_write", real)
    drain()
    drain()
    assert changes() == [("raised", 1)]


# --- while staff change them ---------------------------------------------------------------------


def test_a_rule_that_is_switched_on_judges_what_is_there(town: Town, stream: int) -> None:
    measured(stream, 95, ago=5)
    make_rule(town.organisation, 90, datastream=stream)
    ticked(0)
    ticked(1)
    assert changes() == [("raised", 1)]


def test_a_limit_that_is_raised_in_an_event_ends_it(town: Town, stream: int) -> None:
    rule = make_rule(town.organisation, 90, datastream=stream)
    measured(stream, 95)
    RuleStep.objects.get(rule=rule).delete()
    RuleStep.objects.create(rule=rule, name_de="Höher", limit=100)
    ticked(1)
    assert changes() == [("raised", 1), ("cleared", 0)]
    measured(stream, 101, ago=-2)
    assert changes()[-1] == ("raised", 1)


def test_a_new_higher_step_is_reached_at_once(town: Town, stream: int) -> None:
    rule = make_rule(town.organisation, 90, datastream=stream)
    measured(stream, 95)
    RuleStep.objects.create(rule=rule, name_de="Mehr", limit=94, severity="danger")
    ticked(1)
    ticked(2)
    assert changes() == [("raised", 1), ("escalated", 2)]


@pytest.mark.parametrize("how", ["off", "deleted"])
def test_a_rule_that_goes_ends_its_alert_with_a_word(town: Town, stream: int, how: str) -> None:
    contact = add_contact(owner=town.organisation, name="W", email="w@stadt.example")
    recipients = add_contact_list(owner=town.organisation, name="Wehr", contacts=[contact])
    rule = make_rule(town.organisation, 90, datastream=stream, recipients_id=recipients)
    measured(stream, 95)
    if how == "off":
        rule.active = False
        rule.save()
    else:
        rule.delete()
    ticked(1)
    assert changes() == [("raised", 1), ("cleared", 0)]
    assert "ausgeschaltet oder gelöscht" in AlertEvent.objects.last().texts["de"]["sentence"]  # type: ignore[union-attr]
    assert Delivery.objects.count() == 2
    assert RuleState.objects.count() == 0


def test_a_datastream_that_goes_takes_its_states_along(town: Town, stream: int) -> None:
    make_rule(town.organisation, 90, datastream=stream)
    measured(stream, 95)
    delete("Datastream", stream, SYSTEM)
    ticked(1)
    assert not RuleState.objects.exists()
    assert not Rule.objects.exists()


def test_a_rule_that_cannot_judge_stops_no_other(town: Town, stream: int) -> None:
    make_rule(town.organisation, datastream=stream)  # no steps
    broken = make_rule(town.organisation, 1, measure="expression", expression="level >")
    RuleInput.objects.create(rule=broken, name="level", datastream_id=stream)
    make_rule(town.organisation, 90, datastream=stream)
    measured(stream, 95)
    ticked(1)
    assert changes() == [("raised", 1)]


# --- doubtful readings ---------------------------------------------------------------------------

JUMP = {"code": "jump", "flags": ["jump"], "pass": False, "change": 40}
WRONG_CLOCK = {"code": "clock", "flags": ["clock"], "pass": False, "told": "2001-01-01"}


def doubtful(stream: int, value: float, quality: object) -> None:
    now = time.now_us()
    append([Reading(stream, time.Period(now), value, result_quality=quality)])
    drain()


def test_a_reading_that_failed_a_check_of_its_device_warns_nobody(town: Town, stream: int) -> None:
    make_rule(town.organisation, 90, datastream=stream)
    doubtful(stream, 500, JUMP)
    assert changes() == []
    measured(stream, 95)
    doubtful(stream, 0, {"flags": ["frozen"], "pass": False})  # and is no all-clear
    assert changes() == [("raised", 1)]


def test_a_rule_may_judge_doubtful_readings_too(town: Town, stream: int) -> None:
    make_rule(town.organisation, 90, datastream=stream, doubtful=True)
    doubtful(stream, 500, JUMP)
    assert changes() == [("raised", 1)]


@pytest.mark.parametrize("quality", [WRONG_CLOCK, {"pass": True}, "good", ["x"], 7])
def test_a_wrong_clock_and_words_of_others_are_no_doubt_about_the_value(
    town: Town, stream: int, quality: object
) -> None:
    make_rule(town.organisation, 90, datastream=stream)
    doubtful(stream, 95, quality)
    assert changes() == [("raised", 1)]


def test_a_doubtful_reading_is_a_sign_of_life(town: Town, stream: int) -> None:
    make_rule(town.organisation, 10, datastream=stream, measure="missing")
    measured(stream, 50, ago=9)
    doubtful(stream, 500, JUMP)
    ticked(5)
    assert changes() == []
    ticked(11)
    assert changes() == [("raised", 1)]


def test_a_rule_that_is_new_passes_over_a_doubtful_newest_reading(town: Town, stream: int) -> None:
    doubtful(stream, 500, JUMP)
    make_rule(town.organisation, 90, datastream=stream)
    ticked(0)
    assert changes() == []


def test_the_preview_passes_over_doubtful_readings_as_well(town: Town, stream: int) -> None:
    doubtful(stream, 500, JUMP)
    until = time.now_us() + MINUTE
    assert preview(make_rule(town.organisation, 90, datastream=stream), 0, until).warnings == 0
    rule = make_rule(town.organisation, 90, datastream=stream, doubtful=True)
    assert preview(rule, 0, until).warnings == 1


# --- a flood -------------------------------------------------------------------------------------


def test_a_flood_at_many_gauges_is_told_in_small_transactions_and_each_change_once(
    town: Town,
) -> None:
    """Nobody else writes on SQLite meanwhile, and uplinks must not wait until all have been told."""
    streams = [town.datastream(vocabulary.WATER_LEVEL, f"Pegel {n}") for n in range(25)]
    for each in streams:
        make_rule(town.organisation, 90, datastream=each)
    begun = time.now_us()
    levels = enumerate([50.0, 95.0, 96.0, 50.0])
    append(
        [
            Reading(each, time.Period(begun + place), level)
            for place, level in levels
            for each in streams
        ]
    )
    seen = 0
    while step(engine.consumer(), wait=True):
        found = AlertEvent.objects.count()
        assert found - seen <= 10
        seen = found
    for each in streams:
        events = AlertEvent.objects.filter(alert__datastream=each).order_by("pk")
        assert list(events.values_list("change", flat=True)) == ["raised", "cleared"]
