"""From a reading to an alert and the messages owed: what counts, and that it counts once."""

from typing import Any

import pytest
from django.db import transaction

from stadtherz.alerts.public import AlertEvent, Delivery, open_alerts
from stadtherz.base.time import HOUR, MINUTE, now_us
from stadtherz.base.visibility import SYSTEM
from stadtherz.kit.testing import Town, react
from stadtherz.services.water.models import Gauge, GaugeState, WarningStep
from stadtherz.services.water.reactors import on_level
from stadtherz.services.water.tests.factories import make_gauge
from stadtherz.store.public import by_id


def changes() -> list[tuple[str, int]]:
    return list(AlertEvent.objects.values_list("change", "rank"))


def subjects(language: str = "de") -> list[str]:
    texts = AlertEvent.objects.values_list("texts", flat=True)
    return [text[language]["subject"].replace("\N{NO-BREAK SPACE}", " ") for text in texts]


def test_a_rising_level_warns_once(town: Town, gauge: Gauge) -> None:
    for value in (80, 95, 96, 94, 97):
        town.measure(gauge.datastream_id, value)
    assert changes() == [("raised", 1)]
    assert Delivery.objects.count() == 1


def test_a_falling_level_clears_the_warning_once(town: Town, gauge: Gauge) -> None:
    for value in (95, 86, 84, 83, 80):
        town.measure(gauge.datastream_id, value)
    assert changes() == [("raised", 1), ("cleared", 0)]
    assert open_alerts(SYSTEM) == []


def test_a_rise_over_both_steps_names_the_higher_one(town: Town, gauge: Gauge) -> None:
    town.measure(gauge.datastream_id, 130)
    assert changes() == [("raised", 2)]
    assert subjects() == ["Alarm: Pegel Lauterstrasse bei 130 cm"]


def test_falling_to_the_lower_step_says_which_one_still_holds(town: Town, gauge: Gauge) -> None:
    for value in (130, 110):
        town.measure(gauge.datastream_id, value)
    assert subjects()[-1] == "Alarm beendet, Vorwarnung gilt weiter: Pegel Lauterstrasse bei 110 cm"


def test_the_all_clear_says_so_in_its_subject(town: Town, gauge: Gauge) -> None:
    for value in (95, 80):
        town.measure(gauge.datastream_id, value)
    assert subjects()[-1] == "Entwarnung: Pegel Lauterstrasse bei 80 cm"
    assert subjects("en")[-1] == "All clear: Pegel Lauterstrasse at 80 cm"


def test_readings_that_come_together_are_judged_one_by_one(town: Town, gauge: Gauge) -> None:
    town.measure(gauge.datastream_id, 80, 95, 130, 80)
    assert changes() == [("raised", 2), ("cleared", 0)]


def test_a_late_reading_raises_nothing(town: Town, gauge: Gauge) -> None:
    town.measure(gauge.datastream_id, 80)
    town.measure(gauge.datastream_id, 130, at=now_us() - HOUR)
    assert changes() == []


def test_of_two_readings_at_the_same_time_the_later_one_counts(town: Town, gauge: Gauge) -> None:
    moment = now_us()
    town.measure(gauge.datastream_id, 95, at=moment)
    town.measure(gauge.datastream_id, 80, at=moment)
    assert changes() == [("raised", 1), ("cleared", 0)]


@pytest.mark.parametrize("result", ["hoch", None, True, {"level": 130}])
def test_what_is_no_number_is_no_level(town: Town, gauge: Gauge, result: Any) -> None:
    town.measure(gauge.datastream_id, result)
    assert changes() == []


def test_a_batch_delivered_twice_changes_nothing(town: Town, gauge: Gauge) -> None:
    columns = by_id(town.measure(gauge.datastream_id, 95))
    with transaction.atomic():
        on_level(columns)
    assert changes() == [("raised", 1)]


def test_gauges_do_not_disturb_one_another(town: Town, gauge: Gauge) -> None:
    other = make_gauge(town, "eselsbach")
    town.measure(gauge.datastream_id, 95)
    town.measure(other.datastream_id, 80)
    assert [state.subject for state in open_alerts(SYSTEM)] == [str(gauge.pk)]


def test_a_datastream_without_gauge_is_nobodys_business(town: Town, gauge: Gauge) -> None:
    from stadtherz.base.vocabulary import WATER_LEVEL

    town.measure(town.datastream(WATER_LEVEL, "Neu"), 500)
    assert changes() == []


def test_a_gauge_without_recipients_still_has_its_alert(town: Town, gauge: Gauge) -> None:
    Gauge.objects.update(recipients=None)
    town.measure(gauge.datastream_id, 95)
    assert (changes(), Delivery.objects.count()) == ([("raised", 1)], 0)


def test_a_step_put_in_below_does_not_change_what_holds(town: Town, gauge: Gauge) -> None:
    town.measure(gauge.datastream_id, 95)
    WarningStep.objects.create(gauge=gauge, name_de="Info", name_en="Info", level=70)
    town.measure(gauge.datastream_id, 96)
    assert changes() == [("raised", 1)]


def test_a_gauge_whose_steps_are_gone_gives_the_all_clear(town: Town, gauge: Gauge) -> None:
    town.measure(gauge.datastream_id, 95)
    WarningStep.objects.all().delete()
    town.measure(gauge.datastream_id, 96)
    assert changes() == [("raised", 1), ("cleared", 0)]


def test_readings_older_than_the_gauge_are_history(town: Town) -> None:
    from stadtherz.base.vocabulary import WATER_LEVEL

    stream = town.datastream(WATER_LEVEL, "Lauterstrasse")
    town.keep(stream, 80, 130, 80, 95)
    make_gauge(town)
    react()
    assert changes() == []
    town.measure(stream, 96)
    assert changes() == [("raised", 1)]


def test_what_dies_with_the_transaction_is_done_again(town: Town, gauge: Gauge) -> None:
    (reading,) = town.keep(gauge.datastream_id, 95)
    with transaction.atomic():
        on_level(by_id([reading]))
        transaction.set_rollback(True)
    assert changes() == []
    react()
    assert changes() == [("raised", 1)]


def test_the_message_tells_level_time_trend_and_meaning(town: Town, gauge: Gauge) -> None:
    town.measure(gauge.datastream_id, *(80 + n for n in range(16)))
    facts = dict(AlertEvent.objects.get().texts["de"]["facts"])
    assert facts["Trend"].startswith("steigt schnell")
    assert facts["Was das bedeutet"] == "Ab 90 cm steht Wasser auf dem Radweg."
    assert AlertEvent.objects.get().texts["de"]["link"] == "/pegel/lauterstrasse/"
    assert AlertEvent.objects.get().texts["en"]["link"] == "/en/pegel/lauterstrasse/"


def test_the_newest_time_is_remembered(town: Town, gauge: Gauge) -> None:
    moment = now_us() - MINUTE
    (key,) = town.measure(gauge.datastream_id, 80, at=moment)
    state = GaugeState.objects.get()
    assert (state.newest_at, state.newest_id) == (moment, key)
