"""The thread that follows what is new, readings by the log and entities by their announcements, and
puts it into words for the groups.

It goes on only after the loop has taken what it found, so nothing piles up in between; the log and the
announcements wait on disk.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress

from stadtherz.base.errors import StadtherzError
from stadtherz.mqtt import announcements
from stadtherz.mqtt.announcements import Change
from stadtherz.mqtt.groups import Group, by_stream
from stadtherz.mqtt.messages import Place
from stadtherz.store.public import Columns, log_after, log_end, wait_for_log
from stadtherz.stream.public import LOOK, Rounds

log = logging.getLogger(__name__)

_SLICE = 2_000  # readings
_BREATH = 0.02  # seconds after news: what is committed meanwhile goes out together
_HAND_OVER = 60.0  # seconds

Told = list[tuple[Group, list[bytes], bool]]
"""Groups with what they are told, and whether it is of something that was created."""


class Feed:
    """`groups` are asked for before each look; `hand_over` runs on the loop."""

    def __init__(
        self,
        groups: Callable[[], list[Group]],
        hand_over: Callable[[Told, Place, Place], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._groups = groups
        self._hand_over = hand_over
        self._loop = loop
        self._place = Place()
        self._reader: announcements.Reader | None = None
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
        if self._reader is None:
            self._reader = announcements.Reader(announcements.end())
            self._place = Place(log_end(), self._reader.place)
            self._tell([], self._place)
            self.ready.set()
        if not self._look(self._reader):
            wait_for_log(self._place.log, LOOK)
        self._rounds.pause(_BREATH)

    def _look(self, reader: announcements.Reader) -> bool:
        """Tell what is new; whether there was anything.

        The groups are asked for after the news is read: who joined before it was written is there.
        """
        changes = reader.news()
        end = log_end()
        if self._groups():
            piece = log_after(self._place.log, _SLICE)
            groups = self._groups()
            told = of_changes(groups, changes) + of_readings(groups, piece.columns)
            end = piece.position
        else:
            told = []
        reached = Place(end, reader.place)
        if reached == self._place and not told:
            return False
        self._tell(told, reached)
        return True

    def _tell(self, told: Told, reached: Place) -> None:
        taken: Future[None] = Future()

        def take(behind: Place) -> None:
            try:
                self._hand_over(told, behind, reached)
            finally:
                taken.set_result(None)

        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(take, self._place)
            while not self._rounds.ending:
                with suppress(TimeoutError):
                    taken.result(LOOK)
                    break
        self._place = reached


def streams_of(groups: Iterable[Group]) -> frozenset[int] | None:
    """The datastreams that any group hears of; None for all."""
    wanted: set[int] = set()
    for group in groups:
        if group.subscription.every:
            return None
        if group.subscription.stream is not None:
            wanted.add(group.subscription.stream)
    return frozenset(wanted)


def of_readings(groups: Iterable[Group], columns: Columns) -> Told:
    """What new readings mean for each of the groups."""
    if not len(columns):
        return []
    parts = by_stream(columns)
    told: Told = []
    for group in groups:
        subscription = group.subscription
        part = columns if subscription.every else parts.get(subscription.stream or 0)
        if part is None:
            continue
        with suppress(StadtherzError):  # gone, or hidden from them by now
            if words := group.of_readings(part):
                told.append((group, words, subscription.observations))
    return told


def of_changes(groups: Iterable[Group], changes: Iterable[Change]) -> Told:
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
