"""The same question to the store and to the oracle: the answers must be equal."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from stadtherz.base.errors import Invalid
from stadtherz.base.expressions import And
from stadtherz.sql.public import beyond
from stadtherz.sql.tests.evaluate import value_of
from stadtherz.store import public
from stadtherz.store.public import (
    NONE,
    Bucketing,
    Columns,
    Selection,
    buckets,
    by_id,
    count,
    extents,
    latest,
    select,
)
from stadtherz.store.tests.oracle.buckets import Bucket
from stadtherz.store.tests.oracle.table import RowTable, total

Plain = list[dict[str, Any]]


def plainly(columns: Columns) -> Plain:
    """The readings one by one; equal numbers and truths stay apart."""
    names = [name for name in Columns.__slots__ if getattr(columns, name) is not None]
    lists = {name: list(getattr(columns, name)) for name in names}
    rows = []
    for place in range(len(columns)):
        row = {name: lists[name][place] for name in names}
        rows.append({name: _plain(value) for name, value in row.items() if value is not None})
    return rows


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    return (type(value).__name__, value) if isinstance(value, bool) else value


def agree(found: Columns, expected: Columns) -> None:
    assert plainly(found) == plainly(expected)
    if len(expected):
        assert found.result.dtype == expected.result.dtype
        assert (found.parameters is None) == (expected.parameters is None)
        assert (found.result_quality is None) == (expected.result_quality is None)


def on_streams(oracle: RowTable, streams: Iterable[int]) -> None:
    """All readings, the newest, and the extents of these datastreams."""
    own = frozenset(streams)
    agree(select(Selection(own)), oracle.select(Selection(own)))
    agree(latest(own), oracle.latest(own))
    assert extents(own) == oracle.extents(own)


def on_selection(oracle: RowTable, selection: Selection) -> None:
    try:
        expected = oracle.select(selection)
    except Invalid:  # such a condition is refused; another test says which
        return
    agree(select(selection), expected)
    assert count(selection) == oracle.count(selection)


def on_pages(oracle: RowTable, selection: Selection, size: int) -> None:
    """Pages, each beyond the last row of the one before, are together the whole."""
    whole = plainly(oracle.select(selection))
    terms = total(selection.order)
    first = replace(selection, limit=size)
    page, read = select(first), Plain()
    while len(page) == size and len(read) <= len(whole):
        read += plainly(page)
        behind = beyond(terms, [value_of(term.by, _last(page)) for term in terms])
        page = select(replace(first, where=And((first.where, behind))))
    assert read + plainly(page) == whole


def _last(page: Columns) -> dict[str, Any]:
    """The last row as the evaluator of trees wants it."""
    row: dict[str, Any] = {}
    for name in Columns.__slots__:
        values = getattr(page, name)
        value = None if values is None else values[len(page) - 1]
        row[name] = value.item() if isinstance(value, np.generic) else value
        row[name] = None if isinstance(row[name], int) and row[name] == NONE else row[name]
    return row


def on_scan(oracle: RowTable, selection: Selection, size: int) -> None:
    expected = plainly(oracle.select(selection))
    expected.sort(key=lambda row: (row["datastream"], row["phenomenon_start"], row["id"]))
    pieces = list(public.scan(selection, size=size))
    assert [row for piece in pieces for row in plainly(piece)] == expected


def on_ids(oracle: RowTable, ids: list[int]) -> None:
    agree(by_id([*ids, 0, 2**62]), oracle.by_id(ids))


def on_buckets(
    oracle: RowTable, of: int, width: Bucketing, zone: str, start: int | None, end: int | None
) -> None:
    held = oracle.buckets(of, width, zone, start=start, end=end)
    _equal_buckets(buckets(of, width, zone, start=start, end=end), held)
    if not all(bucket.whole for bucket in held):
        return  # hours do not tell quantiles
    found = buckets(of, width, zone, start=start, end=end, quantiles=(0.1, 0.5))
    _equal_buckets(found, held)
    for share, values in found.quantiles.items():
        assert values == pytest.approx([bucket.quantile(share) for bucket in held])


def _equal_buckets(found: Any, held: list[Bucket]) -> None:
    """Sums may differ by rounding, because roll-ups add in another order."""
    assert found.start.tolist() == [bucket.start for bucket in held]
    assert found.count.tolist() == [len(bucket.numbers) for bucket in held]
    assert found.minimum.tolist() == [min(bucket.numbers) for bucket in held]
    assert found.maximum.tolist() == [max(bucket.numbers) for bucket in held]
    for place, bucket in enumerate(held):
        assert found.first[place] in bucket.firsts
        assert found.last[place] in bucket.lasts
    assert found.total == pytest.approx([sum(bucket.numbers) for bucket in held])
    assert found.mean == pytest.approx([np.mean(bucket.numbers) for bucket in held])
