"""Columns of texts say what the values one by one would say."""

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.base.time import EARLIEST, LATEST, iso
from stadtherz.sensorthings.answers import texts
from stadtherz.store.public import NONE

_TIMES = st.integers(EARLIEST, LATEST) | st.integers(-(10**12), 10**12).map(lambda ms: ms * 1000)
_COLUMNS = st.lists(st.just(b"x") | st.just(b"") | st.none() | st.booleans(), max_size=6)


def _shown(time: int) -> str:
    text = iso(time)
    return text if "." in text else f"{text[:-1]}.000Z"


def _read(column: texts.Column, size: int) -> list[object]:
    found: list[object] = orjson.loads(b"[" + b",".join(texts.listed(column, size)) + b"]")
    return found


@given(st.lists(_TIMES | st.just(NONE)) | st.lists(_TIMES))
def test_instants_are_iso_texts_with_milliseconds(times: list[int]) -> None:
    column = texts.instants(np.array(times, np.int64))
    assert _read(column, len(times)) == [None if t == NONE else _shown(t) for t in times]


@given(st.lists(st.tuples(_TIMES, _TIMES | st.just(NONE))))
def test_periods_are_starts_and_ends(pairs: list[tuple[int, int]]) -> None:
    starts, ends = np.array(pairs, np.int64).reshape(-1, 2).T
    expected = [_shown(a) if b == NONE else f"{_shown(a)}/{_shown(b)}" for a, b in pairs]
    assert _read(texts.periods(starts, ends), len(pairs)) == expected


@given(st.lists(st.integers(-(2**62), 2**62) | st.just(NONE)) | st.lists(st.integers(100, 999)))
def test_integers_are_numbers_or_null(values: list[int]) -> None:
    column = texts.integers(np.array(values, np.int64))
    assert _read(column, len(values)) == [None if v == NONE else v for v in values]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-99, 99).map(float)))
def test_results_are_numbers_and_whole_ones_have_no_fraction(values: list[float]) -> None:
    shown = texts.results(np.array(values, np.float64))
    assert _read(shown, len(values)) == values
    assert not any(text.endswith(b".0") or text == b"-0" for text in shown)


@pytest.mark.parametrize("size", [0, 1, 3])
@given(kinds=_COLUMNS)
def test_rows_hold_one_text_of_each_column(size: int, kinds: list[object]) -> None:
    """True stands for a list, False for a table, None for a list that differs in length."""
    columns: list[texts.Column] = []
    for place, kind in enumerate(kinds):
        rows = [f"{place}{row}".encode() for row in range(size)]
        if isinstance(kind, bytes):
            columns.append(kind)
        elif kind is False and size:
            columns.append(np.frombuffer(b"".join(rows), np.uint8).reshape(size, -1))
        else:
            columns.append([b"-" * i + row for i, row in enumerate(rows)] if kind is None else rows)
    expected = [
        b"".join(row) for row in zip(*(texts.listed(c, size) for c in columns), strict=True)
    ]
    assert b"".join(texts.layout(columns, size)) == b",".join(expected or [b""] * size)
