"""An export says the same in each format, and holds a part of the readings at a time."""

import csv
import io
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.base.errors import Unavailable
from stadtherz.base.time import DAY, EARLIEST, HOUR, LATEST, iso
from stadtherz.store.readings.export import CSV_HEADER, as_arrow, as_csv, as_parquet
from stadtherz.store.values import NONE, Columns

times = st.integers(EARLIEST, LATEST) | st.integers(0, DAY).map(lambda t: t // 1000 * 1000)
some_times = st.just(NONE) | times
documents = st.sampled_from([None, {"a": [1, "x,y"]}, 'say "so"', "two\r\nlines", "Ü", [], True])
results = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-9, 9) | documents


def part_of(rows: list[tuple[Any, ...]]) -> Columns:
    """Readings with start, end, result time, result, feature and document as given."""
    starts, ends, result_times, given, features, others = (
        list(column) for column in (zip(*rows, strict=True) if rows else [()] * 6)
    )
    plain = all(isinstance(value, float) for value in given)
    values = np.empty(len(rows), dtype=np.float64 if plain else object)
    values[:] = given
    return Columns(
        id=np.arange(len(rows)) + (7 << 32),
        datastream=np.full(len(rows), 7),
        phenomenon_start=np.array(starts, np.int64),
        phenomenon_end=np.array(ends, np.int64),
        result_time=np.array(result_times, np.int64),
        result=values,
        feature=np.array(features, np.int64),
        valid_start=np.array(ends, np.int64),
        valid_end=np.array(ends, np.int64),
        result_quality=None if plain else others,
        parameters=None,
    )


columns = st.lists(
    st.tuples(times, some_times, some_times, results, st.sampled_from([NONE, 3]), documents),
    max_size=12,
).map(part_of)


def plain(number: int, *, start: int = 0) -> Columns:
    none = np.full(number, NONE)
    return Columns(
        id=np.arange(start, start + number),
        datastream=np.full(number, 1),
        phenomenon_start=np.arange(start, start + number) * HOUR,
        phenomenon_end=none,
        result_time=none,
        result=np.arange(number) / 10,
        feature=none,
        valid_start=none,
        valid_end=none,
    )


def period(start: int, end: int) -> str:
    if start == NONE:
        return ""
    return iso(start) if end == NONE else f"{iso(start)}/{iso(end)}"


def as_json(value: Any) -> str:
    return "" if value is None else orjson.dumps(value).decode()


def expected_lines(part: Columns) -> list[list[str]]:
    """The same, one reading after the other."""
    qualities = part.result_quality or [None] * len(part)
    return [
        [
            str(part.id[i]),
            "7",
            period(int(part.phenomenon_start[i]), int(part.phenomenon_end[i])),
            period(int(part.result_time[i]), NONE),
            as_json(part.result.tolist()[i]),
            "" if part.feature[i] == NONE else str(part.feature[i]),
            period(int(part.valid_start[i]), int(part.valid_end[i])),
            as_json(qualities[i]),
            "",
        ]
        for i in range(len(part))
    ]


@given(st.lists(columns, max_size=3))
def test_csv_says_what_each_reading_says(parts: list[Columns]) -> None:
    text = b"".join(as_csv(parts)).decode()
    header, *lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert tuple(header) == CSV_HEADER
    assert lines == [line for part in parts for line in expected_lines(part)]


def test_csv_has_one_line_per_reading_that_ends_as_the_standard_wants() -> None:
    lines = b"".join(as_csv([plain(2)])).split(b"\r\n")
    assert lines[1:] == [
        b"0,1,1970-01-01T00:00:00Z,,0.0,,,,",
        b"1,1,1970-01-01T01:00:00Z,,0.1,,,,",
        b"",
    ]


def test_readings_years_apart_have_their_own_dates_in_csv() -> None:
    row = (NONE, NONE, 1.0, NONE, None)
    text = b"".join(as_csv([part_of([(EARLIEST, *row), (LATEST, *row)])]))
    assert b"0001-01-01T00:00:00Z" in text
    assert b"9999-12-31T23:59:59.999999Z" in text


def table_from_arrow(parts: list[Columns]) -> pa.Table:
    return pa.ipc.open_stream(b"".join(as_arrow(parts))).read_all()


def table_from_parquet(parts: list[Columns]) -> pa.Table:
    return pq.read_table(io.BytesIO(b"".join(as_parquet(parts))))


@pytest.mark.parametrize("table", [table_from_arrow, table_from_parquet])
@given(st.lists(columns, max_size=3))
def test_tables_say_what_each_reading_says(table: Any, parts: list[Columns]) -> None:
    found = table(parts)
    read = {name: found.column(name) for name in found.column_names}
    for name in ("id", "datastream", "feature"):
        assert read[name].to_pylist() == whole(parts, name)
    for name in ("phenomenon_start", "phenomenon_end", "result_time", "valid_start", "valid_end"):
        assert read[name].type == pa.timestamp("us", "UTC")
        assert read[name].cast(pa.int64()).to_pylist() == whole(parts, name)
    given_results = [value for part in parts for value in part.result.tolist()]
    numbers = [v if isinstance(v, int | float) and v is not True else None for v in given_results]
    others = [as_json(v) or None if n is None else None for v, n in zip(given_results, numbers, strict=True)]  # fmt: skip
    assert read["result"].to_pylist() == numbers
    assert read["result_json"].to_pylist() == others
    qualities = [q for part in parts for q in part.result_quality or [None] * len(part)]
    assert read["result_quality"].to_pylist() == [as_json(q) or None for q in qualities]
    assert read["parameters"].null_count == len(found)


def whole(parts: list[Columns], name: str) -> list[int | None]:
    values = [value for part in parts for value in getattr(part, name).tolist()]
    return [None if value == NONE else value for value in values]


def test_no_readings_are_a_table_without_rows() -> None:
    for found in (table_from_arrow([]), table_from_parquet([])):
        assert len(found) == 0
        assert found.schema.field("result").type == pa.float64()


def test_datastreams_with_few_readings_share_a_row_group() -> None:
    data = b"".join(as_parquet(plain(10, start=10 * i) for i in range(50)))
    assert pq.ParquetFile(io.BytesIO(data)).num_row_groups == 1


@pytest.mark.parametrize("export", [as_csv, as_arrow, as_parquet])
def test_bytes_leave_before_the_last_reading_is_read(export: Any) -> None:
    """What was read and has not left yet never grows beyond a few parts."""
    read = 0

    def parts() -> Iterator[Columns]:
        nonlocal read
        for i in range(40):
            read += 1
            yield plain(10_000, start=i * 10_000)

    pieces = export(parts())
    longest = before = 0
    for _ in pieces:
        longest, before = max(longest, read - before), read
    assert read == 40
    assert longest <= 8


@pytest.mark.parametrize("export", [as_arrow, as_parquet])
def test_without_pyarrow_the_error_names_the_extra(
    export: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(Unavailable, match=r"stadtherz\[export\]"):
        export([])
