"""The thread that follows what is new, readings by the log and entities by their announcements, and
puts it into words for the groups.

It goes on only after the loop has taken what it found, so nothing piles up in between; the log and the
announcements wait on disk.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import NamedTuple

from stadtherz.base.errors import StadtherzError
from stadtherz.base.hurry import give_way
from stadtherz.mqtt.clients.messages import Place
from stadtherz.mqtt.news import announcements
from stadtherz.mqtt.news.announcements import Change
from stadtherz.mqtt.news.groups import Group, Members, Membership, by_stream
from stadtherz.store.public import Columns, log_after, log_end, wait_for_log
from stadtherz.stream.public import LOOK, Rounds

log = logging.getLogger(__name__)

_SLICE = 2_000  # readings
# Seconds after news: what is committed meanwhile goes out together. Where nobody listens there is time, since
# whoever begins to listen hears of what is written from then on, wherever we stand.
_BREATH, _REST = 0.02, 0.25

Told = list[tuple[Group, list[bytes], bool]]
"""Groups with what they are told, and whether it is of something that was created."""


class Listeners(NamedTuple):
    """Who listened at a moment, and how many had come back to the others by then.

    `since`: nobody of them began to listen later.
    """

    groups: list[tuple[Group, Members]]
    joined: int
    since: Place

    def next(self, behind: Place, reached: Place) -> Place:
        """Up to where those who listen behind the first place are the same."""
        if self.since.within(behind):
            return reached
        held = [member.since for _, members in self.groups for member in members.values()]
        return Place(
            min((s.log for s in held if s.log > behind.log), default=reached.log),
            min((s.change for s in held if s.change > behind.change), default=reached.change),
        )

    def who(self, hears: "Hears", behind: Place) -> list[tuple[Group, Members]]:
        """Those to whom what lies behind the place is new."""
        if self.since.within(behind):
            return self.groups
        found = [
            (group, {s: m for s, m in members.items() if hears(m, behind)})
            for group, members in self.groups
        ]
        return [(group, members) for group, members in found if members]


Hears = Callable[[Membership, Place], bool]


def _hears_changes(member: Membership, behind: Place) -> bool:
    return member.since.change <= behind.change


def _hears_readings(member: Membership, behind: Place) -> bool:
    return member.since.log <= behind.log


class News(NamedTuple):
    """What happened between two places, for those to whom it is new.

    `joined`: how many had come back to the others when it was read. `heard`: whether anybody listened.
    `access`: whether something was hidden from somebody, or opened.
    """

    behind: Place
    reached: Place
    joined: int = 0
    told: Sequence[tuple[Group, list[bytes], bool, Members]] = ()
    heard: bool = True
    access: bool = False


class Feed:
    """`listeners` are asked for at each look; `hand_over` runs on the loop."""

    def __init__(
        self,
        listeners: Callable[[], Listeners],
        hand_over: Callable[[News], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._listeners = listeners
        self._hand_over = hand_over
        self._loop = loop
        self._place: Place | None = None
        self._rounds = Rounds(
            "mqtt-feed",
            self._round,
            log,
            away="What is new cannot be read",
            broken="A round of the MQTT feed failed",
        )
        self.start, self.stop = self._rounds.start, self._rounds.stop
        self.ready = threading.Event()

    def _round(self) -> None:
        if self._place is None:
            place = Place(log_end(), announcements.end())
            self._tell(News(place, place))
            self._place = place
            self.ready.set()
        give_way()
        news = self._look(self._place)
        if news is None:
            wait_for_log(self._place.log, LOOK)
        else:
            self._tell(news)
            self._place = news.reached
        self._rounds.pause(_BREATH if news is None or news.heard else _REST)

    def _look(self, behind: Place) -> News | None:
        """What is new behind the place; None if nothing is.

        Who listens is asked after the news is read: who joined before it was written is there. It goes
        up to where somebody began to listen, at most, so that everybody hears either all or nothing.
        """
        changes, change = announcements.since(behind.change)
        end = log_end()
        listeners = self._listeners()
        piece = None
        if listeners.groups:
            piece = log_after(behind.log, _SLICE)
            end = piece.position
            listeners = self._listeners()
        until = listeners.next(behind, Place(end, change))
        if until.change < change:
            changes, change = announcements.since(behind.change, until.change)
        if piece is not None and until.log < end:
            piece = log_after(behind.log, _SLICE, until=until.log)
            end = piece.position
        reached = Place(end, change)
        if reached == behind:
            return None
        hear_changes = dict(listeners.who(_hears_changes, behind))
        hear_readings = dict(listeners.who(_hears_readings, behind))
        told = [(*each, hear_changes[each[0]]) for each in of_changes(hear_changes, changes)]
        if piece is not None:
            found = of_readings(hear_readings, piece.columns)
            told += [(*each, hear_readings[each[0]]) for each in found]
        return News(
            behind,
            reached,
            listeners.joined,
            told,
            heard=bool(listeners.groups),
            access=any(each.of_access for each in changes),
        )

    def _tell(self, news: News) -> None:
        taken: Future[None] = Future()

        def take() -> None:
            try:
                self._hand_over(news)
            finally:
                taken.set_result(None)

        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(take)
            while not self._rounds.ending:
                with suppress(TimeoutError):
                    taken.result(LOOK)
                    break


def streams_of(groups: Iterable[Group]) -> frozenset[int] | None:
    """The datastreams that any group hears of; None for all."""
    wanted: set[int] = set()
    for group in groups:
        if group.heard.every:
            return None
        if group.heard.stream is not None:
            wanted.add(group.heard.stream)
    return frozenset(wanted)


def of_readings(groups: Iterable[Group], columns: Columns) -> Told:
    """What new readings mean for each of the groups."""
    if not len(columns):
        return []
    parts = by_stream(columns)
    told: Told = []
    for group in groups:
        heard = group.heard
        part = columns if heard.every else parts.get(heard.stream or 0)
        if part is None:
            continue
        with suppress(StadtherzError):  # gone, or hidden from them by now
            if words := group.of_readings(part):
                told.append((group, words, heard.observations))
    return told


def of_changes(groups: Collection[Group], changes: Collection[Change]) -> Told:
    """What changed entities mean for each of the groups."""
    told: Told = []
    for created in (True, False):
        changed: dict[str, set[int]] = {}
        for change in changes:
            if change.created == created:
                changed.setdefault(change.entity, set()).add(change.key)
        for group in groups if changed else ():
            with suppress(StadtherzError):
                if words := group.of_changes(changed):
                    told.append((group, words, created))
    return told
