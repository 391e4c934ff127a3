"""Checks or imports a whole file, portion by portion, and goes on where it was.

Readings of a portion, corrections and the place where to go on are one transaction, so a process that dies
loses nothing and repeats nothing. A lease says who works on an import; the transaction looks whether it still
holds, so two processes never write the same portion.
"""

import logging
import os
import platform
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.db import Error, transaction

from stadtherz.base.errors import Conflict, Invalid, StadtherzError, Unavailable
from stadtherz.base.time import SECOND, now_us
from stadtherz.ingest.tables import keeping, targets
from stadtherz.ingest.tables.ledger import InStore, Judged, Remembered, Values, corrections, judge
from stadtherz.ingest.tables.models import TableImport
from stadtherz.ingest.tables.reasons import NOTES, BadTable
from stadtherz.ingest.tables.report import Report
from stadtherz.ingest.tables.rules import Form, Rules, rules_of, told
from stadtherz.ingest.tables.understanding import Portion, Problem, Understanding
from stadtherz.store.public import (
    NONE,
    NewColumns,
    append_columns,
    correct_all,
    features_for,
    latest,
    moving,
    seal,
    tend,
)

logger = logging.getLogger(__name__)

State = TableImport.State
Tell = Callable[[TableImport], object]

_LEASE = 30 * SECOND
_SEALED_EVERY = 131_072  # readings; what is not sealed yet is held in memory by every process


class Taken(Exception):
    """Somebody else works on this import, or it was stopped."""


@dataclass(slots=True)
class Counts:
    """What became of the values so far; `first` and `last` are instants."""

    rows: int = 0
    new: int = 0
    same: int = 0
    changed: int = 0
    missing: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    first: int | None = None
    last: int | None = None
    targets: list[int] = field(default_factory=list)  # those that got a value
    lines: int = 0  # of the report

    def add(self, portion: Portion, judged: Judged) -> None:
        self.rows += portion.rows
        self.missing += portion.missing
        self.new += len(judged.new)
        self.same += judged.same
        self.changed += len(judged.changed)
        if portion.times:
            low, high = min(portion.times), max(portion.times)
            self.first = low if self.first is None else min(self.first, low)
            self.last = high if self.last is None else max(self.last, high)
            self.targets = sorted({*self.targets, *portion.targets})

    def note(self, problems: Iterable[Problem]) -> None:
        for each in problems:
            kind = self.notes if each.code in NOTES else self.refused
            kind[each.code] = kind.get(each.code, 0) + 1

    def plain(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


# --- what people start ---------------------------------------------------------------------------


def start_check(row: TableImport) -> None:
    """Let the whole file be looked at. Raises Conflict while something is done with it."""
    _start(row, State.CHECKING, checked=None, rows_total=_estimate(row))


def start_import(row: TableImport) -> None:
    """Let the file be imported, from where it was stopped. Raises Conflict while it is at work."""
    goes_on = row.state == State.FAILED and bool(row.place)
    fresh: dict[str, Any] = {} if goes_on else {"place": {}, "rows_done": 0, "counts": {}}
    total = row.rows_total if row.rows_total is not None else _estimate(row)
    _start(row, State.IMPORTING, rows_total=total, **fresh)


def stop_work(row: TableImport) -> None:
    """End after the portion at hand; what was imported stays, and it can go on later."""
    problem = {"code": "stopped", "facts": {}}
    found = TableImport.objects.filter(pk=row.pk, state__in=TableImport.WORKING)
    found.update(state=State.FAILED, problem=problem, holder="", held_until=0, finished_at=now_us())
    row.refresh_from_db()


def set_rules(row: TableImport, rules: Rules, *, mapping_name: str = "") -> None:
    """Say what the file means; what was found before no longer counts.

    Raises Conflict while something is done with the file, BadTable for a datastream of others.
    """
    targets.check_owned(row.owner_id, rules)
    targets.in_units(row.owner_id, rules)
    free = TableImport.objects.filter(pk=row.pk).exclude(state__in=TableImport.WORKING)
    changed = free.update(
        form=told(rules.form),
        rules=told(rules),
        mapping_name=mapping_name,
        state=State.READY if rules.targets else State.OPEN,
        checked=None,
        counts={},
        place={},
        rows_done=0,
        problem=None,
        finished_at=None,
    )
    if not changed:
        raise Conflict("the file is at work; stop it first")
    row.refresh_from_db()


def _start(row: TableImport, state: State, **values: Any) -> None:
    if not row.rules:
        raise Invalid("mapping", "there is none yet")
    keeping.file_of(row)
    free = TableImport.objects.filter(pk=row.pk).exclude(state__in=TableImport.WORKING)
    values |= {"problem": None, "finished_at": None, "holder": "", "held_until": 0}
    if state == State.CHECKING:
        values |= {"rows_done": 0, "counts": {}, "place": {}}
    if not free.update(state=state, **values):
        raise Conflict("the file is at work already")
    row.refresh_from_db()


def _estimate(row: TableImport) -> int | None:
    """About how many rows there are; a workbook does not tell without being read."""
    form = rules_of(row.rules).form if row.rules else Form()
    if form.kind != "csv" or form.encoding.startswith("utf-16"):
        return None
    lines = sum(block.count(b"\n") for block in keeping.blocks_of(keeping.file_of(row)))
    return max(1, lines - form.first + 1)


# --- who works -----------------------------------------------------------------------------------


def name_of_holder() -> str:
    """What nobody else calls itself."""
    return f"{platform.node()[:30]}/{os.getpid()}/{secrets.token_hex(8)}"


def _has_died(holder: str) -> bool:
    """Whether a process of this machine was killed, so that nobody needs to wait for its lease."""
    node, _, rest = holder.partition("/")
    number = rest.partition("/")[0]
    if node != platform.node()[:30] or not number.isdecimal():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def claim(holder: str, number: int | None = None) -> TableImport | None:
    """An import that waits, or whose worker has died; nobody else gets it for the time of a lease."""
    now = now_us()
    waiting = TableImport.objects.filter(state__in=TableImport.WORKING)
    if number is not None:
        waiting = waiting.filter(pk=number)
    for row in waiting.order_by("created_at", "pk"):
        if row.held_until >= now and not _has_died(row.holder):
            continue
        same = TableImport.objects.filter(
            pk=row.pk, state=row.state, holder=row.holder, held_until=row.held_until
        )
        if same.update(holder=holder, held_until=now + _LEASE):
            return TableImport.objects.get(pk=row.pk)
    return None


def run(
    row: TableImport, *, until: Callable[[], bool] = lambda: False, tell: Tell = lambda row: None
) -> None:
    """Do what the state of a claimed import says, to its end or until `until` is true."""
    try:
        _check(row, until, tell) if row.state == State.CHECKING else _import(row, until, tell)
    except Taken:
        logger.info("table import %s was stopped or taken over", row.pk)
    except BadTable as problem:
        _fail(row, problem.code, problem.facts)
    except (Unavailable, Error, OSError) as problem:
        _after_failure(row, problem)
    except StadtherzError as problem:
        _fail(row, "store", {"told": str(problem)})
    except Exception:  # a worker: the next file may be better
        logger.exception("table import %s failed", row.pk)
        _fail(row, "bug", {})
    row.refresh_from_db()


def _after_failure(row: TableImport, problem: Exception) -> None:
    """The database or the disk: it goes on with the next try."""
    if isinstance(problem, Unavailable) and not problem.retry:
        _fail(row, "store", {"told": str(problem)})
        return
    logger.warning("table import %s is interrupted and goes on later: %s", row.pk, problem)


def _fail(row: TableImport, code: str, facts: Mapping[str, Any]) -> None:
    try:
        _advance(
            row,
            state=State.FAILED,
            problem={"code": code, "facts": dict(facts)},
            finished_at=now_us(),
        )
    except Taken:
        logger.info("table import %s was stopped meanwhile", row.pk)


def _advance(row: TableImport, **values: Any) -> None:
    """Change an import that is still ours. Raises Taken if it is not."""
    ours = TableImport.objects.filter(pk=row.pk, holder=row.holder, state=row.state)
    until = 0 if "state" in values else now_us() + _LEASE
    if not ours.update(held_until=until, **values):
        raise Taken
    for name, value in values.items():
        setattr(row, name, value)


def _release(row: TableImport) -> None:
    TableImport.objects.filter(pk=row.pk, holder=row.holder).update(held_until=0, holder="")


# --- a check -------------------------------------------------------------------------------------


def _check(row: TableImport, until: Callable[[], bool], tell: Tell) -> None:
    """What an import would do; nothing is stored."""
    rules = rules_of(row.rules)
    targets.check_owned(row.owner_id, rules)
    streams = [
        -1 - place if stream is None else stream
        for place, stream in enumerate(targets.known_streams(row.owner_id, rules))
    ]
    counts, seen = Counts(), Remembered()
    read_as = targets.in_units(row.owner_id, rules)
    understanding = Understanding(keeping.file_of(row), read_as)
    with closing(_report(row)) as report:
        for portion in understanding.portions():
            values = _values(portion, streams)
            judged = judge(values, (InStore(), seen), replace=rules.replace)
            seen.add(values.taken(_kept(judged, rules)))
            _conclude(portion, judged, counts, report, rules)
            _advance(row, rows_done=counts.rows, counts=counts.plain())
            tell(row)
            if until():
                _release(row)
                return
    if not counts.rows:
        raise BadTable("no_data")
    _advance(
        row,
        state=State.CHECKED,
        counts=counts.plain(),
        checked=counts.plain(),
        rows_total=counts.rows,
        rows_done=counts.rows,
    )
    tell(row)


def _kept(judged: Judged, rules: Rules) -> list[int]:
    return [*judged.new, *(place for place, _held in judged.changed if rules.replace)]


def _report(row: TableImport) -> Report:
    place = row.place
    return Report(keeping.report_of(row), place.get("report", 0), row.counts.get("lines", 0))


def _values(portion: Portion, streams: list[int]) -> Values:
    numbering = np.array(streams, np.int64)
    return Values(
        numbering[np.array(portion.targets, np.int64)],
        np.array(portion.times, np.int64),
        np.array(portion.values, np.float64),
    )


def _conclude(
    portion: Portion, judged: Judged, counts: Counts, report: Report, rules: Rules
) -> None:
    """Count a portion and write what has to be told of it, by its lines."""
    differing = list(_differing(portion, judged, rules))
    problems = sorted([*portion.problems, *differing], key=lambda each: each.row)
    counts.add(portion, judged)
    counts.note(problems)
    report.add(problems)
    counts.lines = report.lines


def _differing(portion: Portion, judged: Judged, rules: Rules) -> Iterator[Problem]:
    code = "changed" if rules.replace else "kept"
    for place, held in judged.changed:
        target = rules.targets[portion.targets[place]].source
        value = f"{portion.values[place]:.12g}"
        before = held.value
        shown = f"{before:.12g}" if isinstance(before, float) else str(before)
        yield Problem(portion.lines[place], target, value, code, {"before": shown})


# --- an import -----------------------------------------------------------------------------------


def _import(row: TableImport, until: Callable[[], bool], tell: Tell) -> None:
    rules = _ready(row)
    streams = [target.datastream for target in rules.targets if target.datastream is not None]
    features = features_for(set(streams))
    counts = Counts(**row.counts)
    unsealed = 0
    read_as = targets.in_units(row.owner_id, rules)
    understanding = Understanding(keeping.file_of(row), read_as, state=row.place.get("clock"))
    with closing(_report(row)) as report:
        for portion in understanding.portions(after=row.rows_done):
            values = _values(portion, streams)
            with moving():
                judged = _store(values, features, rules)
                _conclude(portion, judged, counts, report, rules)
                place = {"report": report.size, "clock": understanding.clock.state}
                _advance(row, rows_done=counts.rows, counts=counts.plain(), place=place)
            tell(row)
            unsealed = _tidied(unsealed + len(judged.new), streams)
            if until():
                _release(row)
                return
    if not counts.rows:
        raise BadTable("no_data")
    now = now_us()
    _advance(row, state=State.DONE, finished_at=now, rows_total=counts.rows, counts=counts.plain())
    tell(row)


def _ready(row: TableImport) -> Rules:
    """The rules after every datastream is there."""
    rules = rules_of(row.rules)
    targets.check_owned(row.owner_id, rules)
    if not rules.targets:
        raise BadTable("no_target")
    with transaction.atomic():
        made = targets.make(row.owner_id, rules)
        if made != rules:
            _advance(row, rules=told(made))
    return made


def _store(values: Values, features: Mapping[int, int | None], rules: Rules) -> Judged:
    """Keep what is new, correct what is to be replaced; within the caller's transaction."""
    stored = InStore()
    judged = judge(values, (stored,), replace=rules.replace)
    if judged.new:
        append_columns(_columns(values.taken(judged.new), features))
    if rules.replace and judged.changed:
        changed = corrections(judged.changed, values, stored)
        if changed:
            correct_all(changed)
    return judged


def _columns(values: Values, features: Mapping[int, int | None]) -> NewColumns:
    places = {
        s: NONE if (f := features.get(s)) is None else f for s in set(values.streams.tolist())
    }
    feature = np.array([places[stream] for stream in values.streams.tolist()], np.int64)
    return NewColumns(values.streams, values.times, values.values, feature=feature)


def _tidied(unsealed: int, streams: list[int]) -> int:
    """Seal what has gathered; how much has not been sealed yet.

    What was kept within our own transaction is news to this process like that of another one, so it
    looks at once, while there is little to read.
    """
    if transaction.get_connection().in_atomic_block:
        return unsealed
    if unsealed < _SEALED_EVERY:
        latest(streams[:1])
        return unsealed
    seal()
    tend()
    return 0
