"""Values from the database, remembered for seconds: what every delivery asks for and hardly ever changes.

What has become too old is looked up together, for all keys that were asked for lately: a lookup for each
would cost as much as the deliveries. Who asks while somebody looks again gets what is known so far.
"""

import threading
from collections.abc import Callable, Hashable, Mapping
from typing import Generic, TypeVar

from stadtherz.base.time import SECOND, Micros, now_us

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

FRESH: Micros = 3 * SECOND
"""So long a value is taken as it was read."""

_MOST = 500  # looked up together
_MOST_ASKED = 50_000


class NotKnown(Exception):
    """The value is not at hand, or not as it is now: `find` it in a thread."""


class Remembered(Generic[K, V]):
    """`load` asks for the values of some keys, given what was known of each, and leaves out what is not there.

    A key that has no value is never remembered.
    """

    def __init__(self, load: Callable[[Mapping[K, V | None]], Mapping[K, V]]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._generation = 0
        self._known: dict[K, tuple[Micros, V]] = {}
        self._asked: set[K] = set()  # since they were looked up for others, or at all

    def find(self, key: K) -> V | None:
        """The value, or None if there is none. Asks the database."""
        now = now_us()
        with self._lock:
            value = self._fresh(key, now)
            if value is not None:
                return value
            generation = self._generation
            wanted = self._due(key, now)
        found = self._load(wanted)
        with self._lock:
            if key in found:
                self._asked.add(key)
            # A change during the load emptied this: what was loaded may be the old state.
            if generation == self._generation:
                for each in wanted:
                    self._known.pop(each, None)
                self._known.update((each, (now, value)) for each, value in found.items())
        return found.get(key)

    def known(self, key: K) -> V:
        """As `find`, without asking the database; raises NotKnown if that takes it."""
        with self._lock:
            value = self._fresh(key, now_us())
            if value is None:
                if len(self._asked) < _MOST_ASKED:
                    self._asked.add(key)
                raise NotKnown
        return value

    def clear(self) -> None:
        """Something has changed."""
        with self._lock:
            self._generation += 1
            self._known.clear()

    def _fresh(self, key: K, now: Micros) -> V | None:
        entry = self._known.get(key)
        if entry is None or abs(now - entry[0]) >= FRESH:
            return None
        self._asked.add(key)
        return entry[1]

    def _due(self, key: K, now: Micros) -> dict[K, V | None]:
        """What to look up, with what is known of it: until then the others go on with that."""
        wanted: dict[K, V | None] = {key: None}
        for each in self._asked:
            if len(wanted) == _MOST:
                break
            entry = self._known.get(each)
            if entry is None or abs(now - entry[0]) > FRESH // 2:
                wanted[each] = None
        self._asked.difference_update(wanted)
        for each in wanted:
            if each in self._known:
                wanted[each] = self._known[each][1]
                self._known[each] = (now, self._known[each][1])
        return wanted
