"""A datastream's chunks, rows and summary: looked at in one snapshot, mended in one transaction.

What is mended is exchanged as any change is, so a running server learns of it from the log.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from stadtherz.sql.public import Sql, compose
from stadtherz.store.care.inspection import (
    Finding,
    Sequences,
    State,
    chunk_rows,
    heaps,
    hours_left,
    inspect,
    keys_of,
    ordered,
    readings_of,
)
from stadtherz.store.care.problems import BACKUP, Report
from stadtherz.store.database import members, moving, on_sqlite, rows_of
from stadtherz.store.readings import summaries, view
from stadtherz.store.readings.view import View, ascending, reading
from stadtherz.store.sealed import chunks
from stadtherz.store.sealed.batch import SEQUENCE_BITS, SEQUENCES, stream_of
from stadtherz.store.sealed.block import BLOCK_COLUMNS, Block, Sheaf
from stadtherz.store.sealed.chunks import thinned_row
from stadtherz.store.sealed.merge import split
from stadtherz.store.values import Int64
from stadtherz.store.writing.exchange import Change, Exchange
from stadtherz.store.writing.repair import summarise
from stadtherz.store.writing.seal import seal_within

_ROWS = 10_000  # ids of rows looked at together
_COMPARED = (
    *("count", "newest", "newest_start", "phenomenon_first", "phenomenon_last"),
    *("result_first", "result_last"),
)
_OF_NUMBERS = ("newest_end", "newest_result_time", "newest_feature")


@dataclass(slots=True)
class Health:
    """What one look at a datastream gave."""

    stream: int
    exists: bool
    broken: list[Finding] = field(default_factory=list)
    heaps: list[list[Finding]] = field(default_factory=list)  # to be put together anew
    twice: list[int] = field(default_factory=list)  # ids
    following: int = 1  # the number within the datastream that the next reading may have
    summary: str = ""  # what is wrong with it
    remains: str = ""  # what is left of a datastream that is gone
    bad_json: list[int] = field(default_factory=list)  # ids

    @property
    def mendable(self) -> bool:
        damaged = any(finding.state is not State.DOUBTFUL for finding in self.broken)
        return bool(damaged or self.heaps or self.summary or self.remains)


def check_stream(stream: int, report: Report) -> set[int]:
    """Look at a datastream, mend it if asked to; other datastreams that got readings by that."""
    with reading() as known:
        health = examine(stream, known)
    others: set[int] = set()
    if report.repair and health.mendable:
        with moving():
            now = view.current().copy()
            health = examine(stream, now)  # a server may have been at it since
            others = _mend(health, now, report)
    _tell(health, report)
    return others


# --- looking -------------------------------------------------------------------------------------


def examine(stream: int, known: View) -> Health:
    """Everything about a datastream, within the snapshot of `known`."""
    health = Health(stream, bool(existing([stream])))
    met = Sequences(stream)
    readable: list[Finding] = []
    for row in chunk_rows(keys_of(stream)):
        finding, block = inspect(row)
        if finding.state is not State.SOUND:
            health.broken.append(finding)
        if block is not None:
            readable.append(finding)
            health.twice += met.meet(block.id).tolist()
    _see_others(stream, known, met, health)
    health.heaps = [heap for heap in heaps(readable) if _is_amiss(heap)]
    health.following = max(met.highest, _highest_row(stream)) + 1
    if not health.exists:
        health.remains = _remains(stream, known)
    elif not health.broken and not health.heaps:
        health.summary = _look_at_summary(stream, known, health)
    return health


def existing(streams: Iterable[int]) -> set[int]:
    """Those of the datastreams that exist."""
    listed = members("id", streams)
    return {row[0] for row in rows_of(compose("SELECT id FROM store_datastream WHERE {}", listed))}


def _is_amiss(heap: Sequence[Finding]) -> bool:
    """Whether these chunks overlap, or one of them is wrong."""
    return len(heap) > 1 or heap[0].state is State.WRONG


def _see_others(stream: int, known: View, met: Sequences, health: Health) -> None:
    """Readings of the log that are not sealed yet, and those in the row table."""
    tail = known.tail.of(np.array([stream], np.int64))
    health.twice += met.meet(tail["id"][tail["plain"]]).tolist()
    met.highest = max(met.highest, int((tail["id"] & SEQUENCES).max(initial=0)))
    last = 0
    text = "SELECT id FROM store_row WHERE datastream = %s AND id > %s ORDER BY id LIMIT %s"
    while found := rows_of(Sql(text, (stream, last, _ROWS))):
        health.twice += met.meet(np.array([row[0] for row in found], np.int64)).tolist()
        last = found[-1][0]
    if on_sqlite():  # PostgreSQL does not let in what is no JSON
        health.bad_json = _bad_json(stream)


def _bad_json(stream: int) -> list[int]:
    conditions = " OR ".join(
        f"({name} IS NOT NULL AND NOT json_valid({name}))"
        for name in ("result", "result_quality", "parameters")
    )
    text = f"SELECT id FROM store_row WHERE datastream = %s AND ({conditions}) LIMIT 10"
    return [row[0] for row in rows_of(Sql(text, (stream,)))]


def _highest_row(stream: int) -> int:
    """The greatest number of this datastream in the row table, wherever a correction moved it."""
    bounds = stream << SEQUENCE_BITS, (stream + 1) << SEQUENCE_BITS
    text = "SELECT max(id) FROM store_row WHERE id >= %s AND id < %s"
    highest = rows_of(Sql(text, bounds))[0][0]
    return 0 if highest is None else int(highest) & SEQUENCES


def _look_at_summary(stream: int, known: View, health: Health) -> str:
    """What is wrong with the summary; empty if nothing is."""
    streams = np.array([stream], np.int64)
    known.look_at_chunks()
    made = summarise(streams, known)
    unsealed = known.unsealed([stream])
    if len(unsealed):
        summaries.add(made, summaries.of_readings(unsealed))
    (held,) = known.summaries(streams)
    (true,) = made
    wrong = [name for name in _COMPARED if held[name] != true[name]]
    if not _same_number(held["newest_number"], true["newest_number"]):
        wrong.append("newest_number")
    elif not np.isnan(true["newest_number"]):
        wrong += [name for name in _OF_NUMBERS if held[name] != true[name]]
    if held["next_sequence"] < health.following:
        wrong.append("next_sequence")
    return ", ".join(wrong)


def _same_number(a: float, b: float) -> bool:
    return bool(a == b or (np.isnan(a) and np.isnan(b)))


def _remains(stream: int, known: View) -> str:
    """What is there of a datastream that does not exist."""
    names = {"chunk": "chunks", "row": "rows", "stream": "a summary", "policy": "a policy"}
    found = [
        told
        for table, told in names.items()
        if rows_of(Sql(f"SELECT 1 FROM store_{table} WHERE datastream = %s LIMIT 1", (stream,)))
    ]
    if len(known.tail.of(np.array([stream], np.int64))):
        found.append("unsealed readings")
    return ", ".join(found)


def _owners(heap: Sequence[Finding]) -> set[int]:
    """The datastreams that the ids of these chunks name."""
    return set(chain.from_iterable(finding.owners for finding in heap))


def _owners_exist(heap: Sequence[Finding]) -> bool:
    owners = _owners(heap)
    return owners <= existing(owners)


# --- telling -------------------------------------------------------------------------------------


def _tell(health: Health, report: Report) -> None:
    stream = health.stream
    for finding in health.broken:
        _tell_chunk(stream, finding, report)
    for heap in health.heaps:
        if len(heap) > 1:
            named = ", ".join(str(finding.key) for finding in heap)
            known = _owners_exist(heap)
            report.add(stream, f"chunks {named}", "they overlap in time", mendable=known)
    for key in health.twice[:10] if not health.heaps else ():
        advice = "report it as a defect, with what happened before"
        report.add(stream, f"reading {key}", "it is there twice", mendable=False, advice=advice)
    for key in health.bad_json:
        advice = f"correct or delete the reading; {BACKUP}"
        report.add(stream, f"row {key}", "its JSON cannot be read", mendable=False, advice=advice)
    if health.summary:
        report.add(stream, "summary", f"it is wrong: {health.summary}")
    if health.remains:
        report.add(stream, "datastream", f"it is gone, but left {health.remains}")


def _tell_chunk(stream: int, finding: Finding, report: Report) -> None:
    where = f"chunk {finding.key}"
    what = "; ".join(finding.faults)
    if finding.state is State.LOST:
        kind = "hours" if finding.thinned else "readings"
        advice = f"the {kind} from {finding.period} are lost, {BACKUP}"
        report.add(stream, where, what, advice=advice)
    elif finding.state is State.DOUBTFUL:
        advice = f"the hours from {finding.period} may be wrong, {BACKUP}"
        report.add(stream, where, what, mendable=False, advice=advice)
    else:
        unknown = finding.owners - existing(finding.owners)
        advice = "the datastream that its readings name does not exist" if unknown else ""
        report.add(stream, where, what, mendable=not unknown, advice=advice)


# --- mending -------------------------------------------------------------------------------------


def _mend(health: Health, now: View, report: Report) -> set[int]:
    """Put right what can be; the other datastreams that got readings by that."""
    stream = health.stream
    change = Change(now)
    touched = {stream}
    for heap in health.heaps:
        if _owners_exist(heap):
            touched |= _owners(heap)
            change.exchange(_put_together(heap))
    for finding in health.broken:
        if finding.state is State.LOST or (finding.state is State.WRONG and finding.thinned):
            change.exchange(_save(finding, report))
    if not health.exists:
        change.remove_stream(stream)
        touched.discard(stream)
    _correct_sequence(health, now)
    change.streams |= touched
    seal_within(ascending(touched), now)
    change.settle([] if health.exists else [stream])
    return touched - {stream}


def _put_together(heap: Sequence[Finding]) -> Exchange:
    """The readings of some chunks in new ones, each once, the younger chunk's before the older's."""
    found = sorted(chunk_rows([f.key for f in heap]), key=lambda row: row.key, reverse=True)
    blocks = [readings_of(row) for row in found]
    columns = Sheaf.bound(blocks).columns
    _, places = np.unique(columns["id"], return_index=True)
    exchange = Exchange([row.key for row in found], [])
    whole = Block(blocks[0].datastream, **columns).take(places)
    owners = stream_of(whole.id)
    for owner in np.unique(owners).tolist():
        own = whole.take(owners == owner)
        own = Block(owner, *(getattr(own, name) for name in BLOCK_COLUMNS))
        exchange.rows.extend(chunks.row_of(piece) for piece in split(ordered(own)))
    return exchange


def _save(finding: Finding, report: Report) -> Exchange:
    """Take a damaged chunk out; its hours stay if they are sound."""
    (row,) = chunk_rows([finding.key])
    if finding.state is State.WRONG:
        return Exchange([row.key], [thinned_row(row.datastream, row.rollup or b"")])
    report.keep(f"chunk-{row.key}", row.data or row.rollup or b"")
    hours = hours_left(row)
    return Exchange([row.key], [thinned_row(row.datastream, hours)] if hours else [])


def _correct_sequence(health: Health, now: View) -> None:
    """See to it that no id is given out a second time."""
    streams = np.array([health.stream], np.int64)
    held = summaries.read(streams)
    if health.exists and held["next_sequence"][0] < health.following:
        held["next_sequence"] = health.following
        summaries.write(held)
        now.known = now.known[now.known["datastream"] != health.stream]


def all_streams(known: View) -> Int64:
    """Every datastream that exists or has left something."""
    tables = " UNION ".join(
        f"SELECT datastream FROM store_{table}" for table in ("chunk", "row", "stream", "policy")
    )
    found = [row[0] for row in rows_of(Sql(f"SELECT id FROM store_datastream UNION {tables}"))]
    return np.union1d(np.array(found, np.int64), known.tail.streams())
