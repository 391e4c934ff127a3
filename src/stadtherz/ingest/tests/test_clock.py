"""A device's clock counts where it can be true; local time is understood, also when it is set back."""

from typing import Any

import pytest

from stadtherz.base.time import DAY, HOUR, MINUTE, iso, parse_instant
from stadtherz.ingest.models import Device
from stadtherz.ingest.quality import clock
from stadtherz.ingest.quality.clock import Moment, entry_moments, instants, moment
from stadtherz.ingest.tests.factories import Town, deliver, readings, time_of, tts
from stadtherz.ingest.values.decode import MISSING

BERLIN = "Europe/Berlin"
TIME = parse_instant("2026-06-01T12:00:00Z")
SET_BACK = parse_instant("2026-10-25T02:00:00Z")  # an hour after clocks went from 3 to 2


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (MISSING, Moment(TIME)),
        ("2026-06-01T11:50:00Z", Moment(TIME - 10 * MINUTE)),
        ("2026-06-01T13:50:00+02:00", Moment(TIME - 10 * MINUTE)),
        (TIME // 10**6, Moment(TIME)),
        (TIME // 10**3, Moment(TIME)),
        (7, Moment(TIME, "1970-01-01T00:00:07Z")),
        ("1980-01-06T00:00:00Z", Moment(TIME, "1980-01-06T00:00:00Z")),
        ("2026-06-01T14:00:00Z", Moment(TIME, "2026-06-01T14:00:00Z")),
        ("soon", Moment(TIME, "soon")),
        (True, Moment(TIME, "True")),
        (1e300, Moment(TIME, "1e+300")),
        (float("nan"), Moment(TIME, "nan")),
        ([1], Moment(TIME, "[1]")),
    ],
)
def test_what_a_clock_tells_counts_if_it_can_be_true(told: Any, expected: Moment) -> None:
    assert moment(told, "", TIME) == expected


@pytest.mark.parametrize(
    ("told", "result"),
    [
        ("2026-06-01T13:50:00", TIME - 10 * MINUTE),
        ("2026-06-01T13:50:00Z", TIME - 10 * MINUTE),  # JavaScript writes Z after any time
        ("2026-06-01T11:50:00+00:00", TIME - 10 * MINUTE),
        ((TIME + 2 * HOUR) // 10**6, TIME),
    ],
)
def test_a_clock_in_local_time_is_understood(told: Any, result: int) -> None:
    assert moment(told, BERLIN, TIME) == Moment(result)


@pytest.mark.parametrize("received", ["2026-10-25T00:31:00Z", "2026-10-25T01:31:00Z"])
def test_in_the_hour_that_comes_twice_the_time_of_receipt_decides(received: str) -> None:
    time = parse_instant(received)
    assert moment("2026-10-25T02:30:00", BERLIN, time) == Moment(time - MINUTE)


ENTRIES = ["02:40:00", "02:50:00", "02:00:00", "02:10:00", "02:40:00", "03:00:00"]
INSTANTS = ["00:40", "00:50", "01:00", "01:10", "01:40", "02:00"]


@pytest.mark.parametrize("turn", [1, -1], ids=["oldest first", "newest first"])
def test_in_the_hour_that_comes_twice_the_order_of_a_log_decides(turn: int) -> None:
    told = [f"2026-10-25T{each}" for each in ENTRIES[::turn]]
    found = instants(told, BERLIN, latest=SET_BACK)
    assert [iso(at)[11:16] for at in found if at] == INSTANTS[::turn]


def test_the_hour_that_is_left_out_in_spring_is_read_as_if_it_were_there() -> None:
    time = parse_instant("2026-03-29T01:31:00Z")
    assert moment("2026-03-29T02:30:00", BERLIN, time) == Moment(time - MINUTE)


def test_entries_of_a_log_may_be_old_but_not_of_another_age() -> None:
    told = [TIME // 10**6, (TIME - 90 * DAY) // 10**6, 7, "soon", MISSING]
    assert entry_moments(told, "", TIME) == [Moment(TIME), Moment(TIME - 90 * DAY), *[None] * 3]
    assert clock.LOGGED > 366 * DAY


def set_time_path(path: str, zone: str = "") -> None:
    device = Device.objects.get()
    device.time_path, device.clock_zone = path, zone
    device.save()


def test_a_reading_of_a_wrong_clock_is_stored_at_the_networks_time_with_a_flag(town: Town) -> None:
    set_time_path("at")
    deliver(town, tts(1, level_cm=5, at=7))
    kept = readings(town.level)
    assert kept.phenomenon_start.tolist() == [time_of(1)]
    assert kept.result_quality == [
        {"code": "clock", "flags": ["clock"], "pass": False, "told": "1970-01-01T00:00:07Z"}
    ]


def test_both_times_are_kept(town: Town) -> None:
    set_time_path("at")
    deliver(town, tts(1, level_cm=5, at=iso(time_of(1) - HOUR)))
    kept = readings(town.level)
    assert kept.phenomenon_start.tolist() == [time_of(1) - HOUR]
    assert kept.result_time.tolist() == [time_of(1)]
    assert kept.result_quality is None
