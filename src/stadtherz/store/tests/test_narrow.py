"""Many short columns at once are the same bytes' worth as one by one, and come back bit for bit."""

from itertools import chain, pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stadtherz.store.sealed.codec import Codec, Column, Corrupt, pack, unpack
from stadtherz.store.sealed.narrow import pack_each, unpack_each
from stadtherz.store.tests.test_codec import LEAST, MOST, decimals, floats, integers, minutes, noise
from stadtherz.store.values import NONE

constants = st.builds(lambda value, number: [value] * number, integers, st.integers(1, 9))
runs = st.builds(
    lambda start, step, number: [start + step * i for i in range(number)],
    st.integers(-(2**60), 2**60),
    st.integers(-(2**40), 2**40),
    st.integers(1, 9),
)
some_integers = st.lists(st.lists(integers, min_size=1, max_size=20) | constants | runs, min_size=1)
some_floats = st.lists(
    st.lists(floats, min_size=1, max_size=20) | st.lists(decimals, min_size=1, max_size=20),
    min_size=1,
)


def bound(columns: list[list[float]], dtype: type) -> tuple[Column, Column]:
    """The columns one behind the other, and where each begins and the last ends."""
    return np.array([*chain(*columns)], dtype), np.cumsum([0, *map(len, columns)])


def assert_come_back(values: Column, edges: Column) -> list[bytes]:
    packed = pack_each(values, edges)
    assert len(packed) == len(edges) - 1
    for data, (a, b) in zip(packed, pairwise(edges.tolist()), strict=True):
        assert unpack(data, b - a, values.dtype).tobytes() == values[a:b].tobytes()
    again = unpack_each(packed, edges, values.dtype)
    assert again.dtype == values.dtype
    assert again.tobytes() == values.tobytes()
    return packed


@given(some_integers)
@example([[LEAST, MOST], [0, LEAST, 0]])
@example([[NONE], [NONE, NONE], [5, NONE, 7]])
@example([[0, 2**40, 1], [1, 2, 3], [0, 300, 1]])
def test_integers_come_back(columns: list[list[int]]) -> None:
    assert_come_back(*bound(columns, np.int64))


@given(some_floats)
@example([[0.0, -0.0], [0.1, 0.2, 0.4], [3 * 0.1, 0.5]])
@example([[float("nan"), 1.5], [1.0, 2.0, 5.0]])
def test_floats_come_back_bit_for_bit(columns: list[list[float]]) -> None:
    assert_come_back(*bound(columns, np.float64))


@given(some_integers)
def test_what_others_packed_is_read_together_with_it(columns: list[list[int]]) -> None:
    values, edges = bound(columns, np.int64)
    own = pack_each(values, edges)
    theirs = [pack(values[a:b]) for a, b in pairwise(edges.tolist())]
    mixed = [pair[place % 2] for place, pair in enumerate(zip(own, theirs, strict=True))]
    assert unpack_each(mixed, edges, values.dtype).tobytes() == values.tobytes()


@given(some_floats)
def test_floats_that_others_packed_are_read_together_with_it(columns: list[list[float]]) -> None:
    values, edges = bound(columns, np.float64)
    own = pack_each(values, edges)
    theirs = [pack(values[a:b]) for a, b in pairwise(edges.tolist())]
    mixed = [pair[place % 2] for place, pair in enumerate(zip(own, theirs, strict=True))]
    assert unpack_each(mixed, edges, values.dtype).tobytes() == values.tobytes()


def test_regular_columns_cost_what_they_cost_alone() -> None:
    values, edges = np.r_[np.full(50, 7), minutes(50)], np.array([0, 50, 100])
    constant, progression = assert_come_back(values, edges)
    assert (constant, progression) == (pack(values[:50]), pack(values[50:]))


def test_a_jitter_of_seconds_costs_two_bytes_a_value() -> None:
    values = minutes(100, jitter=4000)
    (data,) = assert_come_back(values, np.array([0, 100]))
    assert data[0] == Codec.NARROW
    assert len(data) == 26 + 99 * 2


def test_decimals_and_noise_lie_side_by_side() -> None:
    tenths = np.round(np.sin(np.arange(60)) * 20, 1)
    quick, slow = assert_come_back(np.r_[tenths, noise(60)], np.array([0, 60, 120]))
    assert quick[0] == Codec.DECIMAL
    assert len(quick) < 7 + 26 + 60 * 2
    assert slow == pack(noise(60))


@given(some_integers)
def test_no_column_costs_more_than_its_values(columns: list[list[int]]) -> None:
    values, edges = bound(columns, np.int64)
    for data, size in zip(pack_each(values, edges), np.diff(edges).tolist(), strict=True):
        assert len(data) <= max(1 + 8 * size, 17)


@given(some_integers, st.data())
def test_bad_bytes_raise_nothing_but_corrupt(columns: list[list[int]], data: st.DataObject) -> None:
    values, edges = bound(columns, np.int64)
    packed = [bytearray(part) for part in pack_each(values, edges)]
    bad = data.draw(st.sampled_from(packed))
    bad[data.draw(st.integers(0, len(bad) - 1))] = data.draw(st.integers(0, 255))
    del bad[data.draw(st.integers(0, len(bad))) :]
    try:
        found = unpack_each(packed, edges, values.dtype)
    except Corrupt:
        return
    assert len(found) == len(values)


def test_steps_that_are_too_short_are_refused() -> None:
    values = minutes(100, jitter=4000)
    (data,) = pack_each(values, np.array([0, 100]))
    with pytest.raises(Corrupt):
        unpack_each([data], np.array([0, 101]), values.dtype)
