"""What has to be looked at again and again: gauges that do not report."""

from stadtherz.base.time import Micros, now_us
from stadtherz.services.water import readings
from stadtherz.services.water.gauges import is_silent
from stadtherz.services.water.models import Gauge, GaugeState


def find_silent_gauges() -> None:
    """Note since when each gauge is silent; staff see it in their list. Safe to run twice."""
    gauges = list(Gauge.objects.select_related("state"))
    newest = readings.newest(gauge.datastream_id for gauge in gauges)
    for gauge in gauges:
        at, _value = newest.get(gauge.datastream_id, (None, None))
        _note(gauge, at if at is not None and is_silent(gauge, at, now_us()) else None)


def _note(gauge: Gauge, silent_since: Micros | None) -> None:
    state, _created = GaugeState.objects.get_or_create(gauge=gauge)
    if state.silent_since != silent_since:
        GaugeState.objects.filter(gauge=gauge).update(silent_since=silent_since)
