"""`check`: is everything in the store as it should be, and what can be put right?

Works beside a running server: each datastream is looked at in a snapshot of its own, and memory
holds a few chunks at a time. Damaged readings cannot be brought back; their bytes are put aside,
their hours stay where they are sound, and the problem says which time of which datastream it is.
"""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import zstandard
from django.conf import settings
from django.db import DatabaseError, OperationalError

from stadtherz.sql.public import Sql
from stadtherz.store.care.mending import all_streams, check_stream
from stadtherz.store.care.problems import BACKUP, Problem, Report
from stadtherz.store.database import moving, on_sqlite, rows_of, run, snapshot
from stadtherz.store.readings import view
from stadtherz.store.readings.view import CHANGED, READINGS, SEALED, reading
from stadtherz.store.sealed.batch import decode, stream_of
from stadtherz.store.sealed.chunks import decoded
from stadtherz.store.sealed.codec import Corrupt
from stadtherz.store.state import remember, remembered
from stadtherz.store.values import Int64

__all__ = ["Problem", "check"]

_AT_ONCE = 100  # log rows
_UNREADABLE = (
    *(ValueError, TypeError, LookupError, MemoryError),
    *(struct.error, zstandard.ZstdError, Corrupt),
)
_PARTS = {
    SEALED: frozenset({"streams", "upto", "removed"}),
    CHANGED: frozenset({"streams", "ids", "removed", "gone"}),
}


def check(
    repair: bool = False,
    *,
    progress: Callable[[int, int], None] = lambda done, of: None,
    folder: Path | None = None,
) -> list[Problem]:
    """Look at everything, mend what can be if `repair`, and say what was not as it should be.

    `progress` hears how many datastreams are done, and of how many. Damaged bytes are put into
    `folder`, without it `damaged` in the data folder. Must not be called inside a transaction
    where others write.
    """
    report = Report(repair, folder or Path(settings.DATA) / "damaged")
    view.forget()  # what is on disk counts, not what this process remembers
    decoded.clear()
    _check_engine(report)
    if _check_log(report):
        _check_streams(report, progress)
    _check_keys(report)
    return report.problems


def _check_streams(report: Report, progress: Callable[[int, int], None]) -> None:
    with reading() as known:
        todo = all_streams(known).tolist()
    done = 0
    while done < len(todo):
        progress(done, len(todo))
        stream = todo[done]
        done += 1
        try:
            again = check_stream(stream, report)
        except DatabaseError as error:
            _tell_engine(error, stream, report)
        else:
            todo += sorted(again - set(todo[done:]))
    progress(done, len(todo))


# --- the engine ----------------------------------------------------------------------------------


def _check_engine(report: Report) -> None:
    """SQLite's own look at its file; PostgreSQL looks at every page that it reads."""
    if not on_sqlite():
        return
    for (line,) in rows_of(Sql("PRAGMA quick_check(10)")):
        if line != "ok":
            _tell_engine(line, None, report)


def _tell_engine(what: object, stream: int | None, report: Report) -> None:
    if isinstance(what, OperationalError) and "locked" in str(what):
        raise what
    advice = f"the file itself is damaged: look at the disk, then restore; {BACKUP}"
    report.add(stream, "database", str(what).strip(), mendable=False, advice=advice)


# --- the log -------------------------------------------------------------------------------------


def _check_log(report: Report) -> bool:
    """Look at every row of the log; False if what is not sealed cannot be read."""
    before: int | None = None
    readable = True
    for last, number, kind, payload in _log_rows():
        begin = last - (number if kind == READINGS else max(number, 1))
        if before is None:
            _check_sealed(begin, report)
        elif begin != before:
            what = f"positions {before + 1} to {last} do not follow each other"
            report.add(None, f"log row {last}", what, mendable=False, advice=_ADVICE)
        fault = _fault_in(last, number, kind, payload)
        if fault:
            readable &= _put_aside(last, last - (before or begin), payload, fault, report)
        before = last
    _check_end(before, report)
    return readable


_ADVICE = f"readings may be missing, {BACKUP}"


def _log_rows() -> Iterator[tuple[int, int, int, bytes]]:
    text = (
        "SELECT last, number, kind, payload FROM store_log WHERE last > %s ORDER BY last LIMIT %s"
    )
    last = -1
    while rows := rows_of(Sql(text, (last, _AT_ONCE))):
        for last, number, kind, payload in rows:
            yield last, number, kind, bytes(payload)


def _fault_in(last: int, number: int, kind: int, payload: bytes) -> str:
    """What is wrong with a row of the log by itself; empty if nothing is."""
    try:
        if kind == READINGS:
            batch = decode(payload, last)
            if len(batch) != number or not number:
                return f"it holds {len(batch)} readings, the row says {number}"
            return "" if _follow(batch.readings["id"]) else "its ids are damaged"
        event: Any = orjson.loads(payload)
        return "" if _PARTS[kind] <= event.keys() else "it is no event that is known"
    except (*_UNREADABLE, AttributeError) as error:
        return f"it cannot be read ({error or type(error).__name__})"


def _follow(ids: Int64) -> bool:
    """Whether the ids of each datastream follow one another, as a commit gives them out."""
    streams = stream_of(ids)
    order = np.argsort(streams, kind="stable")
    same = np.diff(streams[order]) == 0
    return bool((ids > 0).all() and (np.diff(ids[order])[same] == 1).all())


def _put_aside(last: int, number: int, payload: bytes, fault: str, report: Report) -> bool:
    """Let an empty event take the place of a row that cannot be read; whether the log is whole."""
    sealed = last <= remembered("sealed")
    advice = "its readings are sealed; consumers that had not come so far miss them"
    if not sealed:
        advice = f"{number} readings that were not sealed yet are lost, {BACKUP}"
    report.add(None, f"log row {last}", fault, advice=advice)
    if not report.repair:
        return sealed
    report.keep(f"log-{last}", payload)
    nothing: dict[str, Any] = {"streams": [], "ids": [], "removed": [], "gone": []}
    with moving():
        text = "UPDATE store_log SET kind = %s, number = %s, payload = %s WHERE last = %s"
        run(text, (CHANGED, number, orjson.dumps(nothing), last))
    view.forget()
    return True


def _check_sealed(begin: int, report: Report) -> None:
    """Nothing that is not sealed may be missing before the log's first row."""
    sealed = remembered("sealed")
    if begin > sealed:
        what = f"it begins behind position {begin}, but only {sealed} are sealed"
        report.add(None, "log", what, mendable=False, advice=_ADVICE)


def _check_end(last: int | None, report: Report) -> None:
    """What counts as sealed must lie within the log."""
    if last is None:
        return
    with snapshot():
        sealed = remembered("sealed")
        end, first = rows_of(Sql("SELECT max(last), min(last) FROM store_log"))[0]
    if sealed <= end:
        return
    what = f"{sealed} positions count as sealed, but the log ends at {end}"
    report.add(None, "log", what)
    if report.repair:
        with moving():
            remember("sealed", first - 1)
        view.forget()


# --- keys ----------------------------------------------------------------------------------------


def _check_keys(report: Report) -> None:
    """Runs of digests must ascend, else repetitions are not found."""
    for (key,) in rows_of(Sql("SELECT id FROM store_key ORDER BY id")):
        text = "SELECT number, digests, ids FROM store_key WHERE id = %s"
        for number, digests, ids in rows_of(Sql(text, (key,))):
            _check_run(key, number, bytes(digests), bytes(ids), report)


def _check_run(key: int, number: int, digests: bytes, ids: bytes, report: Report) -> None:
    where = f"keys {key}"
    if not len(digests) == len(ids) == 8 * number:
        advice = "repetitions of its readings are told by their instant and number only"
        report.add(None, where, f"it is not {number} keys long", advice=advice)
        if report.repair:
            report.keep(f"keys-{key}", digests + ids)
            run("DELETE FROM store_key WHERE id = %s", (key,))
        return
    held, named = np.frombuffer(digests, np.uint64), np.frombuffer(ids, np.int64)
    if (held[1:] >= held[:-1]).all():
        return
    report.add(None, where, "its keys do not ascend")
    if report.repair:
        order = np.lexsort((named, held))
        # Processes remember a run by its id and birth.
        text = "UPDATE store_key SET born = born + 1, digests = %s, ids = %s WHERE id = %s"
        run(text, (held[order].tobytes(), named[order].tobytes(), key))
