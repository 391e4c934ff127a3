"""When a network or gateway is silent and not its devices one by one."""

from hypothesis import given
from hypothesis import strategies as st

from stadtherz.base.time import DAY, HOUR, MINUTE
from stadtherz.services.devices.rules import Watched, excused, is_over, outage

NOW = 100 * DAY
QUARTER = 15 * MINUTE


def group(gone: int, heard: int = 0, minutes: int = 46) -> list[Watched]:
    """Devices that report every quarter of an hour; those that have gone did so together."""
    silent = [Watched(n, NOW - minutes * MINUTE + n % 15 * MINUTE, QUARTER) for n in range(gone)]
    return silent + [Watched(100 + n, NOW - MINUTE, QUARTER) for n in range(heard)]


def test_as_soon_as_one_is_silent_all_that_are_late_fell_silent_together() -> None:
    found = outage(group(30), NOW)
    assert found is not None
    assert len(found.devices) > 20
    assert outage(group(30, minutes=40), NOW) is None


def test_fewer_than_five_or_not_more_than_four_fifths_are_devices_of_their_own() -> None:
    assert outage(group(4), NOW) is None
    assert outage(group(8, heard=2), NOW) is None
    assert outage(group(9, heard=2), NOW) is not None


def test_devices_that_died_one_after_another_are_no_outage() -> None:
    dead = [Watched(n, NOW - (n + 1) * DAY, QUARTER) for n in range(9)]
    assert outage(dead, NOW) is None


def test_slow_devices_that_are_not_due_yet_do_not_hide_an_outage() -> None:
    slow = [Watched(200 + n, NOW - 2 * HOUR, 4 * HOUR) for n in range(20)]
    assert outage(group(6) + slow, NOW) is not None


@given(st.integers(1, 40), st.integers(0, 40))
def test_an_outage_is_over_when_a_fifth_is_heard(members: int, heard: int) -> None:
    since = NOW - HOUR
    back = [Watched(n, NOW - MINUTE, QUARTER) for n in range(min(heard, members))]
    gone = [Watched(50 + n, since - MINUTE, QUARTER) for n in range(members - len(back))]
    assert is_over(back + gone, since) == (len(back) >= max(0.2 * members - 1e-9, 1))


def test_a_pause_excuses_only_what_fell_into_it() -> None:
    assert excused(100, [(50, 80)]) == 0
    assert excused(100, [(50, 150), (200, 260)]) == 110
    quiet = Watched(1, NOW - HOUR, QUARTER, excused=30 * MINUTE)
    assert not quiet.silent(NOW)
