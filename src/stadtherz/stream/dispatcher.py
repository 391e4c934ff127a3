"""The threads that run the consumers of this process as soon as the log grows.

What people wait for has a thread of its own, so that it need not wait until all the others have had
their turn and rested. A consumer whose handler fails is tried again after 0.2 s, then twice as long, up
to 30 s; the others go on. Several processes may dispatch: a lock on its cursor keeps each consumer to one
of them at a time.
"""

import logging
import time
from dataclasses import dataclass, field

from stadtherz.base.hurry import give_way
from stadtherz.store.public import commit_lazily, cursor, log_end, wait_for_log
from stadtherz.stream.consumers import Consumer, Pace, glance, registered, step
from stadtherz.stream.rounds import LOOK, Rounds

log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 30.0  # seconds
# Seconds after a round that found anything new, even if nobody wanted it: what is committed meanwhile
# shares the next one, and those who commit get the processor, and on SQLite the disk, in between.
_BREATH, _URGENT_BREATH = 0.08, 0.02
# Times as long as a round held up those who write, unless a consumer is behind: a fifth of the time is its.
_REST = 4
_LAZINESS = 10_000  # readings of no interest a cursor may lag behind: moving it costs a commit


@dataclass(slots=True)
class _State:
    """What the dispatcher knows of a consumer: what it looked at in vain, its pause and its pace."""

    passed: int = 0
    until: float = 0.0
    pause: float = 0.0
    pace: Pace = field(default_factory=Pace)

    def prolong(self) -> None:
        self.pause = min(max(self.pause * 2, _FIRST_PAUSE), _LONGEST_PAUSE)
        self.until = time.monotonic() + self.pause


class Dispatcher:
    """Runs the urgent consumers, or the others, in a thread of its own until told to stop."""

    def __init__(self, *, urgent: bool = False) -> None:
        self._urgent = urgent
        self._breath = _URGENT_BREATH if urgent else _BREATH
        self._states: dict[str, _State] = {}
        self._seen = 0  # end of the log when the last round began
        self._rounds = Rounds(
            "stream-urgent" if urgent else "stream-dispatcher",
            self._round,
            log,
            away="The log cannot be read",
            broken="A round of the reactors failed",
        )
        self.start, self.stop = self._rounds.start, self._rounds.stop

    def _round(self) -> None:
        end = log_end()
        for state in self._states.values():
            state.pace.held = 0.0
        grown, self._seen = end != self._seen, end
        if self._run_all(end) or grown:
            paces = [state.pace for state in self._states.values()]
            rest = 1 if any(pace.behind for pace in paces) else _REST
            self._rounds.pause(
                max(self._breath, min(rest * sum(pace.held for pace in paces), LOOK))
            )
        else:
            wait_for_log(end, LOOK)

    def _run_all(self, end: int) -> bool:
        """One step of each consumer; whether any of them had something to do. `end` is the log's."""
        mine = [each for each in registered() if each.urgent is self._urgent]
        worked = [self._try(consumer, end) for consumer in mine]
        return any(worked)

    def _try(self, consumer: Consumer, end: int) -> bool:
        state = self._states.setdefault(consumer.name, _State())
        seen_all = state.passed >= end
        if self._rounds.ending or seen_all or time.monotonic() < state.until:
            return False
        if not self._urgent:
            give_way()
        try:
            worked = _has_news(consumer, state, end) and _step(consumer, state)
        except Exception:
            state.prolong()
            log.exception("%s failed, next try in %.1f s", consumer.name, state.pause)
            return False
        state.pause = 0.0
        return worked


def _step(consumer: Consumer, state: _State) -> bool:
    commit_lazily()  # cursor and effects are lost together, and then come again
    return step(consumer, wait=False, pace=state.pace)


def _has_news(consumer: Consumer, state: _State, end: int) -> bool:
    """Whether a step is worth its commit; remembers how far there was nothing of interest."""
    durable = cursor(consumer.name) or 0
    piece = glance(consumer, max(durable, state.passed), until=end)
    if len(piece.columns):
        return True
    state.passed = piece.position
    return piece.position - durable > _LAZINESS


_running: list[Dispatcher] = []


def start_dispatcher() -> None:
    """Start the threads, if they do not run yet."""
    if not _running:
        _running.extend(Dispatcher(urgent=urgent) for urgent in (True, False))
        for each in _running:
            each.start()


def stop_dispatcher() -> None:
    """Let the threads finish their step, and end them."""
    while _running:
        _running.pop().stop()
