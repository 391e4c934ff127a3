"""Gauges that fall silent are noticed, and noticed again when they speak."""

from stadtherz.base.time import MINUTE, now_us
from stadtherz.kit.testing import Town
from stadtherz.services.water.jobs import find_silent_gauges
from stadtherz.services.water.models import Gauge, GaugeState


def silent_since() -> int | None:
    return GaugeState.objects.get().silent_since


def test_a_gauge_is_silent_after_three_intervals(town: Town, gauge: Gauge) -> None:
    moment = now_us() - 16 * MINUTE
    town.measure(gauge.datastream_id, 80, at=moment)
    find_silent_gauges()
    assert silent_since() == moment


def test_a_gauge_that_reports_is_not_silent(town: Town, gauge: Gauge) -> None:
    town.measure(gauge.datastream_id, 80, at=now_us() - 14 * MINUTE)
    find_silent_gauges()
    assert silent_since() is None


def test_a_gauge_that_speaks_again_is_silent_no_more(town: Town, gauge: Gauge) -> None:
    town.measure(gauge.datastream_id, 80, at=now_us() - 60 * MINUTE)
    find_silent_gauges()
    town.measure(gauge.datastream_id, 80)
    find_silent_gauges()
    assert silent_since() is None


def test_a_gauge_that_never_reported_is_not_called_silent(gauge: Gauge) -> None:
    find_silent_gauges()
    assert silent_since() is None


def test_looking_twice_changes_nothing(town: Town, gauge: Gauge) -> None:
    town.measure(gauge.datastream_id, 80, at=now_us() - 60 * MINUTE)
    find_silent_gauges()
    before = GaugeState.objects.values().get()
    find_silent_gauges()
    assert GaugeState.objects.values().get() == before
