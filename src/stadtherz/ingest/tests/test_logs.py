"""A message that brings several readings: each is stored at its own time, once."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from stadtherz.base.time import HOUR, iso
from stadtherz.base.visibility import SYSTEM
from stadtherz.ingest.models import DeviceField
from stadtherz.ingest.public import NewField, register_device
from stadtherz.ingest.refused.keeping import replay
from stadtherz.ingest.refused.models import RefusedUplink
from stadtherz.ingest.tests.factories import EUI, Town, deliver, readings, results, time_of, tts
from stadtherz.ingest.values.decode import MISSING, entries, list_of

LOG = NewField("history[*].level", 0, time_path="history[*].time", minimum=0, maximum=500)


@pytest.fixture
def logger(town: Town) -> Town:
    """The town's gauge, which also sends the readings that nobody has heard."""
    field = NewField(LOG.path, town.level, time_path=LOG.time_path, minimum=0, maximum=500)
    register_device(town.organisation, "tts", EUI, "Gauge of town", fields=[field])
    return town


def entry(number: int, level: Any) -> dict[str, Any]:
    """As Milesight's codecs give it, with a time in seconds."""
    return {"time": time_of(number) // 10**6, "level": level}


def test_a_path_leads_to_every_entry() -> None:
    decoded = {"log": [{"v": 1}, {}, 3, {"v": None}, {"v": 4}]}
    assert entries("log[*].v", decoded) == [1, MISSING, MISSING, MISSING, 4]
    assert entries("log[*].v", {"log": 3}) == []
    assert list_of("a.log[*].v") == "a.log"
    assert list_of("a.log[0].v") is None


def test_the_live_value_and_the_log_fill_one_datastream(logger: Town) -> None:
    history = [entry(-20, 101), entry(-10, 102)]
    plan = deliver(logger, tts(1, level_cm=103, history=history))
    assert plan.refusal is None
    kept = readings(logger.level)
    assert dict(zip(kept.phenomenon_start.tolist(), kept.result.tolist(), strict=True)) == {
        time_of(-20): 101,
        time_of(-10): 102,
        time_of(1): 103,
    }
    assert set(kept.result_time.tolist()) == {time_of(1)}
    assert kept.result_quality is None


def test_entries_that_are_sent_again_are_stored_once(logger: Town) -> None:
    deliver(logger, tts(1, history=[entry(-20, 101), entry(-10, 102)]))
    deliver(logger, tts(2, history=[entry(-10, 102), entry(-5, 104)]))
    assert results(logger.level) == [101, 102, 104]


def test_two_entries_of_one_time_are_two_readings(logger: Town) -> None:
    deliver(logger, tts(1, history=[entry(-20, 101), entry(-20, 102)]))
    assert sorted(results(logger.level)) == [101, 102]


def test_bad_entries_are_refused_and_the_good_ones_stored_and_replaying_makes_it_whole(
    logger: Town,
) -> None:
    history = [entry(-20, 101), entry(-10, 700), {"level": 3}, entry(-5, 104)]
    deliver(logger, tts(1, history=history))
    assert results(logger.level) == [101, 104]
    kept = RefusedUplink.objects.get()
    told = [(each["field"], each["kind"]) for each in kept.facts["problems"]]
    assert told == [("history[2].level", "no_time"), ("history[1].level", "out_of_range")]
    field = DeviceField.objects.get(path=LOG.path)
    field.maximum = 1000
    field.save()
    replay(kept.pk, SYSTEM)
    assert sorted(results(logger.level)) == [101, 104, 700]
    assert RefusedUplink.objects.get().outcome == RefusedUplink.REFUSED_AGAIN  # one has no time


def test_many_bad_entries_do_not_fill_the_list(logger: Town) -> None:
    deliver(logger, tts(1, history=[entry(-number, 9999) for number in range(300)]))
    assert len(RefusedUplink.objects.get().facts["problems"]) == 20


@pytest.mark.parametrize("time_path", ["", "time", "other[*].time"])
def test_a_log_needs_times_in_the_same_list(town: Town, time_path: str) -> None:
    field = DeviceField(
        device_id=town.device, datastream_id=town.level, path=LOG.path, time_path=time_path
    )
    with pytest.raises(ValidationError) as caught:
        field.full_clean()
    assert "time_path" in caught.value.message_dict


def test_one_value_may_have_a_time_of_its_own(town: Town) -> None:
    field = DeviceField.objects.get(path="level_cm")
    field.time_path = "peak_at"
    field.full_clean()
    field.save()
    deliver(town, tts(1, level_cm=5, discharge=1, peak_at=iso(time_of(1) - HOUR)))
    assert readings(town.level).phenomenon_start.tolist() == [time_of(1) - HOUR]
    assert readings(town.discharge).phenomenon_start.tolist() == [time_of(1)]


def test_a_log_is_judged_in_the_order_of_its_times(logger: Town) -> None:
    DeviceField.objects.filter(path=LOG.path).update(jump=30)
    history = [entry(-10 + place, level) for place, level in ((2, 104), (0, 100), (1, 400))]
    deliver(logger, tts(1, history=history))
    kept = readings(logger.level)
    told = kept.result_quality or []
    assert [(quality or {}).get("code") for quality in told] == [None, "jump", None]
