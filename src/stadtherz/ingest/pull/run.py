"""One round of a source: its entities, then the measurements of each datastream; told in the source's row."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.db.models import F

from stadtherz.base.errors import Invalid, StadtherzError
from stadtherz.base.time import MINUTE, Micros, now_us
from stadtherz.ingest.pull import again
from stadtherz.ingest.pull.entities import Copies
from stadtherz.ingest.pull.models import PulledStream, PullSource
from stadtherz.ingest.pull.readings import StreamPull
from stadtherz.ingest.pull.web import Origin
from stadtherz.ingest.pull.words import Problem, PullProblem
from stadtherz.ingest.trust import vault

logger = logging.getLogger(__name__)

MOST_STREAMS = 10_000
LEASE: Micros = 2 * MINUTE  # after a kill, another process goes on so much later
_LONGEST_WAIT: Micros = 360 * MINUTE
_TURN_S = 600.0  # then another source has its turn


@dataclass(slots=True)
class Round:
    """What a round brought; `problem` is the last thing that went wrong, `done` whether all was fetched."""

    streams: int = 0
    readings: int = 0
    skipped: int = 0
    corrected: int = 0
    removed: int = 0
    done: bool = False
    problem: Problem | None = None
    facts: dict[str, Any] | None = None
    passing: bool = False


Tell = Callable[[Round], None]


def run_source(
    source: PullSource,
    *,
    stopped: Callable[[], bool] = lambda: False,
    tell: Tell = lambda _: None,
    turn_s: float = _TURN_S,
) -> Round:
    """Fetch what is new; never raises for what the other server does. `tell` hears of every page."""
    found = Round()
    until = time.monotonic() + turn_s
    try:
        _fetch(source, found, lambda: stopped() or time.monotonic() > until, tell)
    except PullProblem as problem:
        found.problem, found.facts = problem.problem, problem.facts
        found.passing = problem.passing
    except (DatabaseError, StadtherzError) as problem:
        logger.warning("what was pulled could not be stored: %s", problem)
        found.problem, found.facts, found.passing = Problem.STORE, {}, True
    except Exception as problem:
        logger.exception("pulling from %s failed", source.url)
        told = type(problem).__name__
        found.problem, found.facts = Problem.UNEXPECTED, {"told": told}
    _conclude(source, found)
    return found


def _fetch(source: PullSource, found: Round, enough: Callable[[], bool], tell: Tell) -> None:
    try:
        token = vault.opened(source.secret)
    except Invalid as problem:
        raise PullProblem(Problem.SECRET) from problem
    origin = Origin(source.url, token, private=settings.PULL_PRIVATE)
    copies = Copies(source, origin)
    try:
        for stream in copies.streams():
            found.streams += 1
            if found.streams > MOST_STREAMS:
                raise PullProblem(Problem.TOO_MANY, host=origin.host, count=MOST_STREAMS)
            if enough():
                return
            _fetch_stream(source, stream, origin, found, enough, tell)
            if not enough() and again.is_due(source, stream):
                _compare(source, stream, origin, found)
        found.done = not enough()
    finally:
        origin.close()
        if copies.troubles:
            found.problem, found.facts = copies.troubles[-1]
        elif found.skipped:
            found.problem, found.facts = Problem.READINGS, {"count": found.skipped}


def _compare(source: PullSource, stream: PulledStream, origin: Origin, found: Round) -> None:
    """The last days once more; what goes wrong there does not keep the other datastreams from coming."""
    try:
        told = again.look_again(source, stream, origin)
    except PullProblem as problem:
        if problem.passing:
            raise
        again.put_off(stream)
        found.problem, found.facts = problem.problem, problem.facts
        return
    found.readings += told.new
    found.corrected += told.corrected
    found.removed += told.removed
    row = PullSource.objects.filter(pk=source.pk)
    row.update(readings=F("readings") + told.new, next_due=now_us() + LEASE)


def _fetch_stream(
    source: PullSource,
    stream: PulledStream,
    origin: Origin,
    found: Round,
    enough: Callable[[], bool],
    tell: Tell,
) -> None:
    for step in StreamPull(stream, origin).steps():
        found.readings += step.new
        found.skipped += step.skipped
        row = PullSource.objects.filter(pk=source.pk)
        row.update(readings=F("readings") + step.new, next_due=now_us() + LEASE)
        tell(found)
        if enough():
            return


def _conclude(source: PullSource, found: Round) -> None:
    """What the row tells from now on, and when the next round is due."""
    now = now_us()
    told: dict[str, Any] = {"next_due": now + source.every * MINUTE}
    if found.done:
        told |= {"ok_at": now, "failures": 0, "streams": found.streams, "problem": ""}
    elif found.problem is None:
        told |= {"next_due": now}  # its turn was over
    if found.problem is not None:
        told |= {"problem": found.problem.value, "facts": found.facts, "problem_at": now}
        if not found.done:
            told |= {
                "failures": source.failures + 1,
                "next_due": now + _wait(source, passing=found.passing),
            }
    PullSource.objects.filter(pk=source.pk).update(**told)


def _wait(source: PullSource, *, passing: bool) -> Micros:
    """Twice as long each time; what will not pass by itself is not tried before its usual time."""
    doubled = MINUTE << min(source.failures, 12)
    usual = source.every * MINUTE
    return min(doubled if passing else max(doubled, usual), max(_LONGEST_WAIT, usual))
