"""Each mishap does what staff are to see, and nothing else."""

from collections import Counter, defaultdict

import orjson
import pytest

from stadtherz.base.errors import Invalid
from stadtherz.base.time import HOUR, MINUTE, SECOND, parse_instant
from stadtherz.ingest.documents.uplink import Uplink
from stadtherz.simulate.public import Chance, CityClock, Mishap, Schedule, Sending, simulated_city
from stadtherz.simulate.tests.test_documents import read

BEGIN = parse_instant("2026-06-01T06:00:00Z")


def played(mishap: Mishap, probability: float = 0.1) -> tuple[Schedule, list[Sending]]:
    city = simulated_city(40, forms=("chirpstack",), seed=2)
    chance = Chance(2, probability, frozenset({mishap}))
    schedule = Schedule(city, BEGIN, BEGIN + 5 * HOUR, None, chance)
    return schedule, list(schedule)


def uplinks(sendings: list[Sending]) -> list[tuple[Sending, Uplink]]:
    return [(each, told) for each in sendings if isinstance(told := read(each), Uplink)]


def test_without_a_probability_nothing_goes_wrong() -> None:
    schedule, sendings = played(Mishap.LATE, 0.0)
    assert schedule.notes == []
    assert {each.mishap for each in sendings} == {None}


def test_a_late_message_comes_intervals_after_it_was_measured() -> None:
    _, sendings = played(Mishap.LATE)
    late = [(each, told) for each, told in uplinks(sendings) if each.mishap]
    assert late
    assert all(each.at - told.time >= 3 * each.device.kind.interval for each, told in late)
    assert sendings == sorted(sendings, key=lambda each: each.at)


def test_a_repeated_message_has_the_same_bytes() -> None:
    schedule, sendings = played(Mishap.REPEATED)
    bodies = Counter(each.message.body for each in sendings)
    assert sum(number == 2 for number in bodies.values()) == len(schedule.notes) > 0


def test_a_reordered_message_comes_after_the_next_one() -> None:
    _, sendings = played(Mishap.REORDERED, 0.02)
    counters: dict[int, list[int]] = defaultdict(list)
    for each, told in uplinks(sendings):
        counters[each.device.number].append(told.f_cnt)
    assert any(each != sorted(each) for each in counters.values())
    assert all(sorted(each) == list(range(len(each))) for each in counters.values())


def test_a_counter_reset_begins_a_new_session_at_zero() -> None:
    schedule, sendings = played(Mishap.COUNTER_RESET)
    zeros = sum(told.f_cnt == 0 for _, told in uplinks(sendings))
    joins = sum(not isinstance(read(each), Uplink) for each in sendings)
    assert zeros == joins >= len(schedule.notes)


def test_a_wrong_clock_is_an_hour_ahead_or_weeks_behind() -> None:
    _, sendings = played(Mishap.WRONG_CLOCK)
    told = [orjson.loads(each.message.body)["time"] for each in sendings if each.mishap]
    off = {
        (parse_instant(time) - each.at) // MINUTE
        for time, each in zip(told, [each for each in sendings if each.mishap], strict=True)
    }
    assert off == {60, -26 * 24 * 60}


def test_a_dead_sensor_is_silent_and_joins_again() -> None:
    schedule, sendings = played(Mishap.DEAD_SENSOR, 0.005)
    note = schedule.notes[0]
    after = [each.at - note.at for each in sendings if each.device is note.device]
    gap = 15 * note.device.kind.interval
    assert not [at for at in after if 0 <= at < gap * 0.95]


def test_an_error_code_is_no_possible_value() -> None:
    _, sendings = played(Mishap.ERROR_CODE)
    faulty = [each for each, told in uplinks(sendings) if each.mishap and told.decoded]
    assert faulty
    assert all(orjson.loads(each.message.body)["object"]["pm10"] == -999 for each in faulty)


def test_a_truncated_document_is_no_json() -> None:
    _, sendings = played(Mishap.TRUNCATED)
    for each in sendings:
        if each.mishap:
            with pytest.raises(orjson.JSONDecodeError):
                orjson.loads(each.message.body)


def test_what_only_a_gateway_that_is_out_hears_is_lost_and_the_counter_shows_it() -> None:
    city = simulated_city(20, forms=("tts",), seed=2)  # one gateway
    chance = Chance(2, 0.02, frozenset({Mishap.GATEWAY_OUTAGE}))
    schedule = Schedule(city, BEGIN, BEGIN + 4 * HOUR, None, chance)
    sendings = list(schedule)
    counters = [
        told.f_cnt for each, told in uplinks(sendings) if each.device is schedule.notes[0].device
    ]
    assert counters != list(range(counters[0], counters[0] + len(counters)))


def test_a_probability_is_a_share() -> None:
    with pytest.raises(Invalid, match="mishaps"):
        Chance(1, 2.0)
    with pytest.raises(Invalid, match="network"):
        simulated_city(1, forms=("sigfox",))


def test_the_citys_clock_goes_faster_until_it_has_caught_up() -> None:
    clock = CityClock(begin=BEGIN, since=BEGIN + HOUR, speed=60)
    assert clock.due(BEGIN + HOUR // 2) == BEGIN + HOUR + 30 * SECOND
    assert clock.due(BEGIN + 3 * HOUR) == BEGIN + 3 * HOUR
