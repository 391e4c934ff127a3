"""The store's interface over one plain row table: slow, obvious, and what the store must agree with.

It holds the same readings under the same ids, because the ids come from the store's receipts. The
table belongs to the tests: `create` makes it, `drop` removes it.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction

from stadtherz.base.errors import Invalid
from stadtherz.base.expressions import Column, Kind, Order
from stadtherz.base.time import DAY, HOUR, Micros, Period
from stadtherz.sql.public import (
    Source,
    Sql,
    compile_condition,
    compile_order,
    compose,
    dialect_of,
)
from stadtherz.store.database import database, on_sqlite, rows_of, run
from stadtherz.store.public import (
    READING_COLUMNS,
    Bucketing,
    Columns,
    Extent,
    Reading,
    Receipt,
    Selection,
)
from stadtherz.store.sealed.batch import SEQUENCE_BITS
from stadtherz.store.tests.oracle.buckets import WHOLE, Bucket, Number, grouped
from stadtherz.store.tests.oracle.rows import NAMES, columns_of, row_of
from stadtherz.store.writing.policies import Policy

_SELECTED = ", ".join(NAMES)
_NEVER_NULL = frozenset({"id", "datastream", "phenomenon_start"})
_MOST = 2**63 - 1
_ALL = Sql("(1 = 1)")


def _resolve(column: Column) -> Source:
    if column.name not in READING_COLUMNS:
        raise Invalid("$filter", f"{column.name} is not a property of an observation")
    kind = READING_COLUMNS[column.name]
    number = Sql("number") if column.name == "result" else None
    return Source(Sql(column.name), kind, number, nullable=column.name not in _NEVER_NULL)


def _within(values: Iterable[int]) -> Sql:
    """The integers as a list for IN; they are numbers, so they may stand in the text."""
    return Sql("(" + ", ".join(str(int(value)) for value in values) + ")")


def _among(column: str, values: Iterable[int]) -> Sql:
    listed = sorted(set(values))
    return compose(f"{column} IN {{}}", _within(listed)) if listed else Sql("(1 = 0)")


class RowTable:
    """The readings in `oracle_observation`, on the same database as the store.

    What thinning leaves of readings stays in memory.
    """

    def __init__(self) -> None:
        self.thinned: dict[int, list[Number]] = {}
        self.aged: set[int] = set()  # thinned or forgotten
        self._thinnings = 0

    # --- the table -------------------------------------------------------------------------------

    def create(self) -> None:
        json, table = ("text", "TABLE") if on_sqlite() else ("jsonb", "UNLOGGED TABLE")
        self.drop()
        run(
            f"CREATE {table} oracle_observation (id bigint PRIMARY KEY, datastream bigint NOT NULL, "
            "phenomenon_start bigint NOT NULL, phenomenon_end bigint, result_time bigint, "
            f"number double precision, result {json}, feature bigint, valid_start bigint, "
            f"valid_end bigint, result_quality {json}, parameters {json}, "
            "key_stream bigint, key text)"
        )

    def drop(self) -> None:
        run("DROP TABLE IF EXISTS oracle_observation")

    # --- changes ---------------------------------------------------------------------------------

    def append(self, readings: Sequence[Reading], receipts: Sequence[Receipt]) -> None:
        """Take the readings over, and make sure that the receipts are what they must be."""
        with transaction.atomic():
            for reading, receipt in zip(readings, receipts, strict=True):
                self._take(reading, receipt)

    def _take(self, reading: Reading, receipt: Receipt) -> None:
        known = self.with_key(reading.datastream, reading.key)
        assert receipt.duplicate == (known is not None), (reading, receipt, known)
        if known is None:
            self._insert(receipt.id, reading)
        else:
            assert receipt.id == known

    def with_key(self, datastream: int, key: str | None) -> int | None:
        """The reading that arrived with the key in this datastream, wherever it is now."""
        if key is None:
            return None
        condition = Sql("key_stream = %s AND key = %s", (datastream, key))
        found = rows_of(compose("SELECT id FROM oracle_observation WHERE {}", condition))
        return int(found[0][0]) if found else None

    def _insert(self, identity: int, reading: Reading) -> None:
        row = (*row_of(identity, reading), reading.datastream, reading.key)
        marks = ", ".join(["%s"] * len(row))
        run(f"INSERT INTO oracle_observation ({_SELECTED}, key_stream, key) VALUES ({marks})", row)

    def correct(self, identity: int, changed: Reading) -> None:
        """Replace everything but the id and the key."""
        assigned = ", ".join(f"{name} = %s" for name in NAMES[1:])
        values = (*row_of(identity, changed)[1:], identity)
        assert run(f"UPDATE oracle_observation SET {assigned} WHERE id = %s", values) == 1

    def delete_readings(self, ids: Iterable[int]) -> int:
        return self._delete(_among("id", ids))

    def delete_where(self, selection: Selection) -> int:
        return self._delete(self._where(selection))

    def delete_stream(self, stream: int) -> int:
        self.thinned.pop(stream, None)
        return self._delete(_among("datastream", [stream]))

    def keep(self, stream: int, policy: Policy, today: Micros) -> None:
        """Carry out the policy."""
        if policy.raw_days is not None:
            self.thin(stream, today - policy.raw_days * DAY)
        if policy.hourly_days is not None:
            self.forget(stream, today - policy.hourly_days * DAY)

    def thin(self, stream: int, cutoff: Micros) -> None:
        """Of readings from before the cutoff only hours are left, if they are plain numbers."""
        self._thinnings += 1
        plain = compose(
            f"{{}} AND id >> {SEQUENCE_BITS} = {int(stream)} AND number IS NOT NULL "
            "AND coalesce(valid_start, valid_end) IS NULL "
            "AND result_quality IS NULL AND parameters IS NULL",
            self._before(stream, cutoff),
        )
        self.thinned.setdefault(stream, []).extend(
            Number(start // HOUR * HOUR, self._thinnings, (start, identity), value)
            for start, identity, value in self._numbers(plain)
        )
        self._age(stream, cutoff)

    def forget(self, stream: int, cutoff: Micros) -> None:
        """Nothing is left of readings from before the cutoff."""
        hours = self.thinned.pop(stream, [])
        self.thinned[stream] = [number for number in hours if number.time >= cutoff]
        self._age(stream, cutoff)

    def _age(self, stream: int, cutoff: Micros) -> None:
        before = self._before(stream, cutoff)
        self.aged.update(self._columns(before, Sql("id")).id.tolist())
        self._delete(before)

    def _before(self, stream: int, cutoff: Micros) -> Sql:
        return compose(
            "{} AND {}", _among("datastream", [stream]), Sql("phenomenon_start < %s", (cutoff,))
        )

    def _numbers(self, condition: Sql) -> list[tuple[int, int, float]]:
        template = "SELECT phenomenon_start, id, number FROM oracle_observation WHERE {}"
        return rows_of(compose(template, condition))  # type: ignore[return-value]

    def _delete(self, condition: Sql) -> int:
        return run(f"DELETE FROM oracle_observation WHERE {condition.text}", condition.parameters)

    # --- answers ---------------------------------------------------------------------------------

    def _where(self, selection: Selection) -> Sql:
        condition = compile_condition(selection.where, _resolve, dialect_of(database()))
        if selection.streams is None:
            return condition
        return compose("({} AND {})", _among("datastream", selection.streams), condition)

    def _columns(self, condition: Sql, order: Sql, limit: int = _MOST, skip: int = 0) -> Columns:
        page = f"LIMIT {limit} OFFSET {skip}"
        template = f"SELECT {_SELECTED} FROM oracle_observation WHERE {{}} ORDER BY {{}} {page}"
        return columns_of(rows_of(compose(template, condition, order)))

    def select(self, selection: Selection) -> Columns:
        terms = total(selection.order)
        order = compile_order(terms, _resolve, dialect_of(database()))
        limit = _MOST if selection.limit is None else selection.limit
        return self._columns(self._where(selection), order, limit, selection.skip)

    def count(self, selection: Selection) -> int:
        counted = compose(
            "SELECT count(*) FROM oracle_observation WHERE {}", self._where(selection)
        )
        return int(rows_of(counted)[0][0])

    def by_id(self, ids: Iterable[int]) -> Columns:
        return self._columns(_among("id", ids), Sql("id"))

    def of(self, stream: int) -> Columns:
        """All readings of a datastream in the order of time."""
        return self._columns(_among("datastream", [stream]), Sql("phenomenon_start, id"))

    def ids(self) -> list[int]:
        return [row[0] for row in rows_of(Sql("SELECT id FROM oracle_observation ORDER BY id"))]

    def latest(self, streams: Iterable[int]) -> Columns:
        newest = [list(self.of(stream).id)[-1:] for stream in streams]
        return self._columns(_among("id", (i for ids in newest for i in ids)), Sql("datastream"))

    def extents(self, streams: Iterable[int]) -> dict[int, Extent]:
        template = (
            "SELECT datastream, count(*), min(phenomenon_start), "
            "max(coalesce(phenomenon_end, phenomenon_start)), min(result_time), max(result_time) "
            "FROM oracle_observation WHERE {} GROUP BY datastream"
        )
        rows = rows_of(compose(template, _among("datastream", streams)))
        return {row[0]: _extent(*row[1:]) for row in rows}

    def buckets(
        self,
        stream: int,
        width: Bucketing,
        zone: str,
        *,
        start: Micros | None = None,
        end: Micros | None = None,
    ) -> list[Bucket]:
        """Readings by their time, thinned ones by their hour."""
        condition = compose("{} AND number IS NOT NULL", _among("datastream", [stream]))
        numbers = [Number(t, WHOLE, (t, i), value) for t, i, value in self._numbers(condition)]
        if width not in (Bucketing.MINUTE, Bucketing.QUARTER):
            numbers += self.thinned.get(stream, [])
        after, before = (-_MOST if start is None else start), (_MOST if end is None else end)
        return grouped([n for n in numbers if after <= n.time < before], width, zone)


def total(order: Sequence[Order]) -> tuple[Order, ...]:
    """The order with the id as its last term, in the direction of the one before."""
    descending = order[-1].descending if order else False
    return (*order, Order(Column("id", Kind.NUMBER), descending))


def _extent(number: int, first: int, last: int, *results: Any) -> Extent:
    result_time = None if None in results else Period(*results)
    return Extent(number, Period(first, last), result_time)
