"""Batches of readings into the tables, inside a transaction that holds the writer's lock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from stadtherz.base.errors import Invalid
from stadtherz.sql.public import Sql, compose
from stadtherz.store.checks import ROW_COLUMNS, Row
from stadtherz.store.database import database, members, on_sqlite, rows_of, run
from stadtherz.store.latest import add_to_latest
from stadtherz.store.values import Receipt

_DATASTREAM, _FEATURE, _KEY = (ROW_COLUMNS.index(n) for n in ("datastream", "feature", "key"))
_COLUMNS = ", ".join(("id", *ROW_COLUMNS))
_TYPES = (
    *("bigint[]",) * 5,
    *("double precision[]", "jsonb[]", "bigint[]", "bigint[]", "bigint[]", "jsonb[]", "jsonb[]"),
    "text[]",
)

Batch = Sequence[Row]
Outcome = list[Receipt] | Invalid


def insert_batches(batches: Sequence[Batch]) -> list[Outcome]:
    """Keep what can be kept; a batch that names something unknown is left out as a whole."""
    known = _Known.of([row for batch in batches for row in batch])
    outcomes: list[Outcome] = []
    fresh: list[tuple[int, Row]] = []
    free = _Ids(sum(len(batch) for batch in batches))
    for batch in batches:
        mistake = known.mistake_in(batch)
        outcomes.append(mistake or [_receive(row, known, free, fresh) for row in batch])
    if fresh:
        _insert(fresh)
        add_to_latest(fresh)
    return outcomes


def check_references(row: Row) -> None:
    """Raise Invalid if the row names a datastream or a feature that does not exist."""
    if mistake := _Known.of([row]).mistake_in([row]):
        raise mistake


def _receive(row: Row, known: "_Known", free: "_Ids", fresh: list[tuple[int, Row]]) -> Receipt:
    key = (row[_DATASTREAM], row[_KEY])
    if row[_KEY] is not None and key in known.keys:
        return Receipt(known.keys[key], duplicate=True)
    new = free.take()
    fresh.append((new, row))
    if row[_KEY] is not None:
        known.keys[key] = new
    return Receipt(new)


@dataclass(frozen=True, slots=True)
class _Known:
    """What the database holds of the things that rows refer to."""

    streams: frozenset[int]
    features: frozenset[int]
    keys: dict[tuple[int, str], int]

    @classmethod
    def of(cls, rows: Sequence[Row]) -> "_Known":
        streams = {row[_DATASTREAM] for row in rows}
        features = {row[_FEATURE] for row in rows if row[_FEATURE] is not None}
        keyed = [(row[_DATASTREAM], row[_KEY]) for row in rows if row[_KEY] is not None]
        return cls(
            _existing("store_datastream", streams),
            _existing("store_featureofinterest", features),
            _known_keys(keyed) if keyed else {},
        )

    def mistake_in(self, batch: Batch) -> Invalid | None:
        for row in batch:
            if row[_DATASTREAM] not in self.streams:
                return Invalid("Datastream", f"there is no datastream {row[_DATASTREAM]}")
            if row[_FEATURE] is not None and row[_FEATURE] not in self.features:
                return Invalid("FeatureOfInterest", f"there is no feature {row[_FEATURE]}")
        return None


def _existing(table: str, ids: Iterable[int]) -> frozenset[int]:
    wanted = sorted(ids)
    if not wanted:
        return frozenset()
    found = rows_of(compose(f"SELECT id FROM {table} WHERE {{}}", members("id", wanted)))
    return frozenset(row[0] for row in found)


def _known_keys(keyed: Sequence[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """Ids of the readings that already have one of these keys."""
    if on_sqlite():
        pairs = "SELECT value ->> 0 AS datastream, value ->> 1 AS key FROM json_each(%s)"
        parameters: tuple[Any, ...] = (orjson.dumps(keyed).decode(),)
    else:
        pairs = "SELECT * FROM unnest(%s::bigint[], %s::text[]) AS pair(datastream, key)"
        parameters = tuple(map(list, zip(*keyed, strict=True)))
    # In SQLite, CROSS JOIN keeps the planner from reading the whole table for a few keys.
    select = (
        f"SELECT o.datastream, o.key, o.id FROM ({pairs}) wanted CROSS JOIN store_observation o "
        "WHERE o.datastream = wanted.datastream AND o.key = wanted.key"
    )
    return {(stream, key): found for stream, key, found in rows_of(Sql(select, parameters))}


class _Ids:
    """Ascending ids that nobody else gets, because the writer's lock is held."""

    def __init__(self, most: int) -> None:
        self._next = self._first(most)

    def take(self) -> int:
        self._next += 1
        return self._next - 1

    @staticmethod
    def _first(most: int) -> int:
        if on_sqlite():
            sequence = "SELECT seq + 1 FROM sqlite_sequence WHERE name = 'store_observation'"
            found = rows_of(Sql(sequence))
            return int(found[0][0]) if found else 1
        # One jump of the sequence reserves the whole stretch.
        sequence = "pg_get_serial_sequence('store_observation', 'id')"
        jump = Sql(f"SELECT setval({sequence}, nextval({sequence}) + %s)", (most,))
        return int(rows_of(jump)[0][0]) - most


def _insert(rows: Sequence[tuple[int, Row]]) -> None:
    flat = [(new, *row) for new, row in rows]
    if on_sqlite():
        marks = ", ".join(["%s"] * len(flat[0]))
        with database().cursor() as cursor:
            cursor.executemany(f"INSERT INTO store_observation ({_COLUMNS}) VALUES ({marks})", flat)
        return
    arrays = ", ".join(f"%s::{type_name}" for type_name in _TYPES)
    run(
        f"INSERT INTO store_observation ({_COLUMNS}) SELECT * FROM unnest({arrays})",
        [list(column) for column in zip(*flat, strict=True)],
    )
