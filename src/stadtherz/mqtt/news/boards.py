"""Boards: what the city tells under topics of its own, besides the standard's, such as its warnings.

Who keeps a board opens it once when the process starts, and announces each change within the transaction
that makes it. Who has just subscribed gets what stands on it, as retained messages; then each change
comes once, in order, also to who was away with a session that lasts.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from stadtherz.base.time import now_us
from stadtherz.base.visibility import Visibility
from stadtherz.mqtt.models import Announcement
from stadtherz.store.public import Columns


@dataclass(frozen=True, slots=True)
class Board:
    """`standing` is what is on it now and `told` what the announced changes with these keys say, both as
    documents for who has these rights, in order. `kinds` are the names under which changes are announced.
    `farewell` is for who had the first rights and has the second from now on.
    """

    topic: str
    kinds: Collection[str]
    standing: Callable[[Visibility], list[bytes]]
    told: Callable[[Mapping[str, Collection[int]], Visibility], list[bytes]]
    farewell: Callable[[Visibility, Visibility], list[bytes]]
    stream: None = None
    every: bool = False
    observations: bool = False
    single: bool = False
    costly: bool = False
    typed: bool = False

    def newest(self, visibility: Visibility) -> list[bytes]:
        return self.standing(visibility)

    def of_readings(self, columns: Columns, visibility: Visibility) -> list[bytes]:
        """Nothing: whoever keeps it follows the readings and announces what comes of them."""
        return []

    def of_changes(
        self, changed: Mapping[str, Collection[int]], visibility: Visibility
    ) -> list[bytes]:
        own = {kind: changed[kind] for kind in self.kinds if changed.get(kind)}
        return self.told(own, visibility) if own else []

    def of_going(self, kind: str, keys: Collection[int], visibility: Visibility) -> list[bytes]:
        return []


_boards: dict[str, Board] = {}


def open_board(board: Board) -> None:
    _boards[board.topic] = board


def board_of(topic: str) -> Board | None:
    return _boards.get(topic)


def topics() -> list[str]:
    return sorted(_boards)


def announce(kind: str, key: int) -> None:
    """Something on a board of this kind has changed; call it within the transaction that did it."""
    Announcement.objects.create(entity=kind, key=key, created=False, at=now_us())
