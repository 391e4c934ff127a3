"""Readings that are not news: imports, what a network kept back, and clocks that are wrong."""

from datetime import timedelta

import pytest

from stadtherz.alerts.public import AlertEvent, Delivery, open_alerts
from stadtherz.base.time import DAY, HOUR, MINUTE, SECOND, Period, now, now_us, stopped_at
from stadtherz.base.visibility import SYSTEM
from stadtherz.kit.testing import Town, react
from stadtherz.services.water.models import Gauge, GaugeState
from stadtherz.store.public import Reading, append


def changes() -> list[tuple[str, int]]:
    return list(AlertEvent.objects.values_list("change", "rank"))


def import_floods(stream: int, days: int, *, last: float) -> None:
    """A batch with a flood every hour, up to now."""
    start = now_us() - days * DAY
    values = [130.0 if hour % 2 else 80.0 for hour in range(days * 24)] + [last]
    append([Reading(stream, Period(start + n * HOUR), value) for n, value in enumerate(values)])
    react()


def test_an_imported_history_rings_for_none_of_its_floods(town: Town, gauge: Gauge) -> None:
    import_floods(gauge.datastream_id, 30, last=80)
    assert changes() == []
    assert not Delivery.objects.exists()


def test_an_imported_history_that_ends_in_a_flood_rings_once(town: Town, gauge: Gauge) -> None:
    import_floods(gauge.datastream_id, 30, last=95)
    assert changes() == [("raised", 1)]


def test_an_import_one_by_one_rings_for_nothing_older_than_a_day(town: Town, gauge: Gauge) -> None:
    for hours in range(30, 24, -1):
        at = now_us() - hours * HOUR
        town.measure(gauge.datastream_id, 130 if hours % 2 else 80, at=at)
    assert changes() == []
    town.measure(gauge.datastream_id, 95, at=now_us() - 23 * HOUR)
    assert changes() == [("raised", 1)]


def test_what_comes_behind_a_newer_reading_does_not_clear_its_warning(
    town: Town, gauge: Gauge
) -> None:
    town.measure(gauge.datastream_id, 95)
    import_floods(gauge.datastream_id, 2, last=95)
    assert changes() == [("raised", 1)]


def test_an_old_reading_still_ends_a_warning(town: Town, gauge: Gauge) -> None:
    with stopped_at(now() - timedelta(days=3)):
        town.measure(gauge.datastream_id, 95)
    town.measure(gauge.datastream_id, 80, at=now_us() - 2 * DAY)
    assert changes() == [("raised", 1), ("cleared", 0)]
    assert open_alerts(SYSTEM) == []


def test_live_readings_that_come_together_count_one_by_one(town: Town, gauge: Gauge) -> None:
    town.measure(gauge.datastream_id, 80, 95, 80, at=now_us() - 50 * MINUTE)
    assert changes() == [("raised", 1), ("cleared", 0)]


@pytest.mark.parametrize("ahead", [HOUR, 365 * DAY])
def test_a_reading_from_the_future_neither_rings_nor_silences_what_follows(
    town: Town, gauge: Gauge, ahead: int
) -> None:
    town.measure(gauge.datastream_id, 130, at=now_us() + ahead)
    assert changes() == []
    town.measure(gauge.datastream_id, 95)
    assert changes() == [("raised", 1)]


def test_after_the_clock_was_set_back_warnings_go_on(town: Town, gauge: Gauge) -> None:
    with stopped_at(now() + timedelta(hours=5)):
        town.measure(gauge.datastream_id, 80)
    town.measure(gauge.datastream_id, 95)
    assert changes() == [("raised", 1)]
    state = GaugeState.objects.get()
    assert state.newest_at is not None
    assert state.newest_at <= now_us() + SECOND


def test_the_alert_of_a_deleted_gauge_is_closed_without_a_word(town: Town, gauge: Gauge) -> None:
    town.measure(gauge.datastream_id, 95)
    gauge.delete()
    assert open_alerts(SYSTEM) == []
    assert changes() == [("raised", 1)]
    assert Delivery.objects.count() == 1
