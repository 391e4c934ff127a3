"""The raw engine that the store is compared with, and what the disk had to take.

On SQLite plain rows live in a file of their own, so that no checkpoint of one writes pages of the
other; on PostgreSQL in tables of their own. `bench_log` has no index: nothing durable is cheaper.
`bench_rows` has the one index that questions about a datastream need.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.db import connections, transaction

from bench.store_series import Part

RAW = "raw"
_FILE = "raw.sqlite3"
_TABLES = ("bench_log", "bench_rows")


def open_raw(folder: Path) -> None:
    """Make the connection known; creates the tables if they are not there."""
    settings = dict(connections.databases["default"])
    if settings["ENGINE"].endswith("sqlite3"):
        settings["NAME"] = str(folder / _FILE)
    connections.databases[RAW] = settings
    columns = "(datastream bigint, time bigint, number double precision)"
    for table in _TABLES:
        _run(f"CREATE TABLE IF NOT EXISTS {table} {columns}")
    _run("CREATE TABLE IF NOT EXISTS bench_streams (id bigint PRIMARY KEY)")


def on_sqlite() -> bool:
    return connections["default"].vendor == "sqlite"


def _run(text: str, parameters: Any = ()) -> None:
    with connections[RAW].cursor() as cursor:
        cursor.execute(text, parameters)


def asked(text: str, parameters: Any = (), alias: str = RAW) -> list[tuple[Any, ...]]:
    """All rows of a statement."""
    with connections[alias].cursor() as cursor:
        cursor.execute(text, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


# --- writing -------------------------------------------------------------------------------------

Rows = list[tuple[int, int, float]]


def rows_of(part: Part) -> Rows:
    """The readings as rows, made before the clock runs."""
    return list(zip(part.stream.tolist(), part.time.tolist(), part.number.tolist(), strict=True))


def insert(rows: Rows, table: str = "bench_log") -> None:
    """Keep the rows durably in one commit."""
    with transaction.atomic(RAW), connections[RAW].cursor() as cursor:
        cursor.executemany(f"INSERT INTO {table} VALUES (%s, %s, %s)", rows)


def fill(parts: Iterator[Part], streams: list[int]) -> dict[str, float]:
    """Fill `bench_rows`; bytes a reading without and with the index."""
    number = 0
    before = _size("bench_rows")
    for part in parts:
        insert(rows_of(part), "bench_rows")
        number += len(part)
    without = _size("bench_rows") - before
    _run("CREATE INDEX bench_rows_time ON bench_rows (datastream, time)")
    with connections[RAW].cursor() as cursor:
        cursor.executemany("INSERT INTO bench_streams VALUES (%s)", [(s,) for s in streams])
    _run("ANALYZE")
    return {"rows": without / number, "indexed": (_size("bench_rows") - before) / number}


def _size(table: str) -> int:
    if not on_sqlite():
        return int(asked("SELECT pg_total_relation_size(%s)", (table,))[0][0])
    return _used_pages(RAW)


# --- sizes ---------------------------------------------------------------------------------------


def _used_pages(alias: str) -> int:
    """Bytes of the file's pages that hold something."""
    pages, free, size = (
        asked(f"PRAGMA {name}", alias=alias)[0][0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def store_size() -> int:
    """Bytes of the tables of readings; on SQLite of the whole file, without free pages."""
    if on_sqlite():
        return _used_pages("default")
    text = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relname LIKE 'store_%%'"
    return int(asked(text, alias="default")[0][0])


def chunk_bytes() -> dict[str, int]:
    """What the chunks say of themselves."""
    text = (
        "SELECT count(*), coalesce(sum(n), 0), coalesce(sum(length(data)), 0), "
        "coalesce(sum(length(rollup)), 0) FROM store_chunk"
    )
    names = ("chunks", "readings", "data", "rollups")
    return dict(zip(names, map(int, asked(text, alias="default")[0]), strict=True))


# --- what the disk had to take -------------------------------------------------------------------


def written() -> int:
    """Bytes written so far: by this process, or to PostgreSQL's log."""
    if not on_sqlite():
        text = "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"
        return int(asked(text, alias="default")[0][0])
    return _process_io()["write_bytes"] or _process_io()["wchar"]


def written_as() -> str:
    """How `written` counts."""
    if not on_sqlite():
        return "WAL of PostgreSQL"
    return "write_bytes" if _process_io()["write_bytes"] else "wchar"


def _process_io() -> dict[str, int]:
    lines = Path("/proc/self/io").read_text().splitlines()
    return {name: int(number) for name, number in (line.split(": ") for line in lines)}


def memory() -> dict[str, float]:
    """Resident memory of this process now and at its peak, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    held = dict(line.split(":", 1) for line in lines)
    return {name: int(held[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM")}


def drop_file_cache(folder: Path) -> bool:
    """Have engine and system forget the database's files; False where they are not ours."""
    if not on_sqlite():
        return False
    for alias in {"default", RAW} & set(connections.databases):
        asked("PRAGMA shrink_memory", alias=alias)  # what the engine holds itself
    for path in folder.glob("*.sqlite3*"):
        with suppress(FileNotFoundError):
            file = os.open(path, os.O_RDONLY)
            os.fsync(file)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(file)
    return True


# --- questions -----------------------------------------------------------------------------------


def newest(stream: int, number: int) -> list[tuple[Any, ...]]:
    text = "SELECT time, number FROM bench_rows WHERE datastream = %s ORDER BY time DESC LIMIT %s"
    return asked(text, (stream, number))


def latest() -> list[tuple[Any, ...]]:
    return asked(
        "SELECT id, (SELECT number FROM bench_rows WHERE datastream = id ORDER BY time DESC LIMIT 1) "
        "FROM bench_streams"
    )


_HOURS = "time / 3600000000, count(*), avg(number), min(number), max(number) FROM"
_ALL = "bench_streams CROSS JOIN bench_rows"  # so that SQLite seeks each stream by the index


def by_hour(stream: int) -> list[tuple[Any, ...]]:
    text = f"SELECT {_HOURS} bench_rows WHERE datastream = %s GROUP BY 1"
    return asked(text, (stream,))


def all_by_hour(start: int, end: int) -> list[tuple[Any, ...]]:
    text = (
        f"SELECT datastream, {_HOURS} {_ALL} "
        "WHERE datastream = id AND time >= %s AND time < %s GROUP BY 1, 2"
    )
    return asked(text, (start, end))


_ABOVE = f"FROM {_ALL} WHERE datastream = id AND time >= %s AND time < %s AND number > %s"


def count_above(limit: float, start: int, end: int) -> list[tuple[Any, ...]]:
    return asked(f"SELECT count(*) {_ABOVE}", (start, end, limit))


def page_above(limit: float, start: int, end: int) -> list[tuple[Any, ...]]:
    text = f"SELECT datastream, time, number {_ABOVE} ORDER BY datastream, time LIMIT 100"
    return asked(text, (start, end, limit))
