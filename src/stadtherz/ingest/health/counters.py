"""Lost uplinks from frame counters. Pure: the same set of uplinks gives the same figures in any order.

A device counts its uplinks. Sorted by the time at which the network heard them, they fall into sessions:
the counter starts again after a join or a new battery. Within a session, lost is what is missing
between its lowest and its highest counter; a repeated uplink counts once, a late one fills its gap. What
was lost between two sessions nobody can know, so it counts as nothing.
"""

import struct
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from stadtherz.base.time import MINUTE, SECOND

Heard = tuple[int, int]
"""When (seconds since the day began) and with which counter."""

LARGEST_GAP = 16_384  # MAX_FCNT_GAP of LoRaWAN 1.0: beyond it, it is another session
REORDERED = 16  # a network delivers at most so many uplinks in the wrong order …
LATE_S = 5 * MINUTE // SECOND  # … and at most so much later
MOST_A_DAY = 5_000  # of one device are looked at; it may have sent more

_PAIR = struct.Struct("<II")


@dataclass(frozen=True, slots=True)
class Tally:
    """Uplinks of a day. `low` is the lowest counter of its first session, `high` the highest of its last."""

    received: int = 0
    lost: int = 0
    resets: int = 0
    low: int | None = None
    high: int | None = None


@dataclass(slots=True)
class _Session:
    counters: set[int]
    top: int
    top_at: int

    def takes(self, second: int, counter: int) -> bool:
        if counter > self.top:
            return counter - self.top <= LARGEST_GAP
        return self.top - counter <= REORDERED and second - self.top_at <= LATE_S

    def add(self, second: int, counter: int) -> None:
        self.counters.add(counter)
        if counter > self.top:
            self.top, self.top_at = counter, second

    @property
    def low(self) -> int:
        return min(self.counters)

    @property
    def lost(self) -> int:
        return self.top - self.low + 1 - len(self.counters)


def tally(heard: Iterable[Heard]) -> Tally:
    """The figures of a set of uplinks."""
    sessions: list[_Session] = []
    for second, counter in sorted(set(heard)):
        if sessions and sessions[-1].takes(second, counter):
            sessions[-1].add(second, counter)
        else:
            sessions.append(_Session({counter}, counter, second))
    if not sessions:
        return Tally()
    return Tally(
        received=sum(len(session.counters) for session in sessions),
        lost=sum(session.lost for session in sessions),
        resets=len(sessions) - 1,
        low=sessions[0].low,
        high=sessions[-1].top,
    )


def total(days: Sequence[Tally]) -> Tally:
    """Several days in their order, with what was lost around midnight."""
    known = [day for day in days if day.low is not None]  # its device counts
    lost, resets = sum(day.lost for day in known), sum(day.resets for day in known)
    for before, after in pairwise(known):
        assert before.high is not None
        assert after.low is not None
        step = after.low - before.high
        if 0 < step <= LARGEST_GAP:
            lost += step - 1
        elif step > 0 or -step > REORDERED:
            resets += 1
    return Tally(
        received=sum(day.received for day in days),
        lost=lost,
        resets=resets,
        low=known[0].low if known else None,
        high=known[-1].high if known else None,
    )


def share(received: int, lost: int) -> float | None:
    """Lost uplinks in percent of those sent; None where nothing was heard."""
    return 100 * lost / (received + lost) if received else None


@dataclass(slots=True)
class Day:
    """The uplinks of one day, which may come in any order. `heard` is what a table keeps: sorted pairs."""

    heard: bytes = b""
    tally: Tally = field(default_factory=Tally)

    def add(self, second: int, counter: int) -> bool:
        """Whether this is an uplink that was not yet counted."""
        new = (second, counter)
        if len(self.heard) >= MOST_A_DAY * _PAIR.size:
            return False
        if not self.heard:
            self.tally = Tally(1, 0, 0, counter, counter)
        elif self._follows(new):
            self._advance(counter)
        else:
            return self._sort_in(new)
        self.heard += _PAIR.pack(*new)
        return True

    def add_all(self, news: Sequence[Heard]) -> Sequence[bool]:
        """As `add` for one after the other: which of them were not yet counted."""
        if not self._all_follow(news):
            return [self.add(*new) for new in news]
        first, last, now = news[0][1], news[-1][1], self.tally
        if self.heard:
            assert now.high is not None
            lost = now.lost + last - now.high - len(news)
            self.tally = Tally(now.received + len(news), lost, now.resets, now.low, last)
        else:
            self.tally = Tally(len(news), last - first + 1 - len(news), 0, first, last)
        self.heard += b"".join(_PAIR.pack(*new) for new in news)
        return [True] * len(news)

    def _all_follow(self, news: Sequence[Heard]) -> bool:
        """Whether they simply come next, each after the other, and there is room for them."""
        if not news or len(self.heard) + len(news) * _PAIR.size > MOST_A_DAY * _PAIR.size:
            return False
        if self.heard and not self._follows(news[0]):
            return False
        return all(
            before[0] <= after[0] and 0 < after[1] - before[1] <= LARGEST_GAP
            for before, after in pairwise(news)
        )

    def _follows(self, new: Heard) -> bool:
        """Whether it simply comes next, as nearly all do; then nothing has to be counted again."""
        newest: Heard = _PAIR.unpack_from(self.heard, len(self.heard) - _PAIR.size)
        if newest[1] != self.tally.high or newest[0] > new[0]:
            return False
        return 0 < new[1] - newest[1] <= LARGEST_GAP

    def _advance(self, counter: int) -> None:
        now = self.tally
        assert now.high is not None
        lost = now.lost + counter - now.high - 1
        self.tally = Tally(now.received + 1, lost, now.resets, now.low, counter)

    def _sort_in(self, new: Heard) -> bool:
        pairs: list[Heard] = list(_PAIR.iter_unpack(self.heard))
        place = bisect_left(pairs, new)
        if pairs[place : place + 1] == [new]:
            return False
        pairs.insert(place, new)
        before, self.tally = self.tally.received, tally(pairs)
        self.heard = b"".join(_PAIR.pack(*pair) for pair in pairs)
        return self.tally.received > before
