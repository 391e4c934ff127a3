"""A column comes back bit for bit, costs little, and bad bytes are refused."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stadtherz.store.sealed.codec import DECODERS, Codec, Column, Corrupt, pack, unpack
from stadtherz.store.sealed.narrow import pack_each
from stadtherz.store.values import NONE

MOST, LEAST = 2**63 - 1, -(2**63)

integers = st.integers(LEAST, MOST) | st.integers(-1000, 1000) | st.sampled_from([NONE, MOST])
decimals = st.builds(lambda steps, places: steps / 10**places, st.integers(-9999, 9999), st.just(2))
floats = st.floats(width=64) | decimals | st.sampled_from([-0.0, math.nan, math.inf, 3 * 0.1])


def ints(*values: int) -> Column:
    return np.array(values, dtype=np.int64)


def walk(number: int = 1000, *, seed: int = 1) -> Column:
    """Hundredths of a degree."""
    steps = np.random.default_rng(seed).integers(-9, 10, number)
    return (1500 + np.cumsum(steps)) / 100


def noise(number: int = 1000) -> Column:
    return np.random.default_rng(2).normal(0, 1, number)


def minutes(number: int = 1000, *, jitter: int = 0) -> Column:
    """Microseconds; the jitter in milliseconds."""
    late = np.random.default_rng(3).integers(0, jitter + 1, number) * 1000
    found: Column = 1_767_225_600_000_000 + np.arange(number) * 60_000_000 + late
    return found


def again_and_again(number: int = 1000, *, most: int = 100, length: int = 50) -> Column:
    """A pattern that no difference of neighbours explains."""
    pattern = np.random.default_rng(4).integers(-most, most, length)
    return np.resize(pattern, number)


def assert_comes_back(values: Column, codec: Codec = Codec.PCODEC) -> bytes:
    data = packed(codec, values)
    again = unpack(data, len(values), values.dtype)
    assert again.dtype == values.dtype
    assert again.tobytes() == values.tobytes()
    return data


def steps(number: int = 100) -> Column:
    """What is written of a slow sensor's times until they are joined with others."""
    return minutes(number, jitter=4000)


EXAMPLES = {
    Codec.RAW: ints(5, -7, 2**60),
    Codec.CONSTANT: np.full(1000, NONE),
    Codec.AFFINE: minutes(),
    Codec.PCODEC: noise(),
    Codec.ZSTD: again_and_again(),
    Codec.SCALED: minutes(jitter=4000),
    Codec.DECIMAL: walk(),
    Codec.NARROW: steps(),
}


def packed(codec: Codec, values: Column) -> bytes:
    """The column as the writer of that codec makes it."""
    if codec is not Codec.NARROW:
        return pack(values)
    (found,) = pack_each(values, np.array([0, len(values)]))
    return found


@given(st.lists(integers, max_size=80))
@example([LEAST, MOST])
@example([LEAST, 0, MOST, NONE])
@example([0, LEAST, 0])
def test_integers_come_back(values: list[int]) -> None:
    assert_comes_back(ints(*values))


@given(st.lists(floats, max_size=80))
@example([0.0, -0.0])
@example([-0.0] * 3)
def test_floats_come_back_bit_for_bit(values: list[float]) -> None:
    assert_comes_back(np.array(values, dtype=np.float64))


@given(st.integers(LEAST, MOST), st.integers(LEAST, MOST), st.integers(1, 100))
def test_progressions_come_back_also_where_they_overflow(
    start: int, step: int, number: int
) -> None:
    wrapped = [(start + step * i - LEAST) % 2**64 + LEAST for i in range(number)]
    assert_comes_back(ints(*wrapped))


@given(st.integers(0, 2**32), st.integers(65, 300), st.sampled_from([1, 7, 1000, 10**12]))
def test_long_columns_with_a_unit_come_back(seed: int, number: int, unit: int) -> None:
    steps = np.random.default_rng(seed).integers(-99_999, 99_999, number)
    assert_comes_back(steps * unit + seed)


@given(st.integers(0, 2**32), st.integers(65, 300), st.integers(0, 9), st.booleans())
def test_long_columns_of_decimals_come_back(
    seed: int, number: int, exponent: int, product: bool
) -> None:
    steps = np.random.default_rng(seed).integers(-99_999, 99_999, number)
    assert_comes_back(steps * float(f"1e-{exponent}") if product else steps / 10.0**exponent)


def test_every_codec_is_written_and_read() -> None:
    assert set(EXAMPLES) == set(Codec) == set(DECODERS)
    for codec, values in EXAMPLES.items():
        assert assert_comes_back(values, codec)[0] == codec


def test_a_strided_column_comes_back() -> None:
    assert_comes_back(minutes(jitter=9)[::3])


@pytest.mark.parametrize("most", [50, 10_000, 10**9, 2**62])
def test_patterns_of_any_width_come_back(most: int) -> None:
    assert assert_comes_back(again_and_again(600, most=most, length=9))[0] == Codec.ZSTD


def test_exceptions_among_decimals_cost_little() -> None:
    values = walk()
    odd = values.copy()
    odd[[0, 17, 500, 999]] = [math.nan, -0.0, 1e300, math.pi]
    assert assert_comes_back(odd)[0] == Codec.DECIMAL
    assert len(pack(odd)) < len(pack(values)) + 4 * 16


def test_three_tenths_and_three_times_a_tenth_are_both_small() -> None:
    steps = np.arange(1000) * 7 % 500
    quotients, products = steps / 10, steps * 0.1
    assert quotients.tobytes() != products.tobytes()
    for values in (quotients, products):
        assert assert_comes_back(values)[0] == Codec.DECIMAL


def test_regular_times_cost_seventeen_bytes() -> None:
    assert len(pack(minutes(2048))) == 17


def test_milliseconds_cost_no_more_than_they_say() -> None:
    # A jitter of 0 to 4,000 ms is 12 bits; the difference of two has one bit more.
    assert len(pack(minutes(2048, jitter=4000))) < 2048 * 1.75


def test_hundredths_cost_less_than_a_byte_for_steps_of_nine() -> None:
    assert len(pack(walk(2048))) < 2048


@given(st.lists(integers, max_size=40) | st.lists(floats, max_size=40))
def test_a_column_never_costs_more_than_its_values(values: list[float]) -> None:
    integral = all(isinstance(value, int) for value in values)
    column = np.array(values, dtype=np.int64 if integral else np.float64)
    assert len(pack(column)) <= 1 + 8 * max(len(values), 1)


@pytest.mark.parametrize("codec", [8, 99, 255])
def test_an_unknown_codec_is_named(codec: int) -> None:
    with pytest.raises(Corrupt, match=f"codec {codec} "):
        unpack(bytes([codec, 0, 0]), 1, np.dtype(np.int64))


def test_no_bytes_are_refused() -> None:
    with pytest.raises(Corrupt):
        unpack(b"", 0, np.dtype(np.int64))


@pytest.mark.parametrize("codec", [c for c in Codec if c not in (Codec.CONSTANT, Codec.AFFINE)])
@pytest.mark.parametrize("wrong", [-1, 1])
def test_another_number_of_values_is_refused(codec: Codec, wrong: int) -> None:
    values = EXAMPLES[codec]
    with pytest.raises(Corrupt):
        unpack(packed(codec, values), len(values) + wrong, values.dtype)


@pytest.mark.parametrize(
    "codec", [Codec.AFFINE, Codec.PCODEC, Codec.ZSTD, Codec.SCALED, Codec.NARROW]
)
def test_integers_are_not_read_as_floats(codec: Codec) -> None:
    values = EXAMPLES[codec]
    other = np.dtype(np.float64 if values.dtype == np.int64 else np.int64)
    with pytest.raises(Corrupt):
        unpack(packed(codec, values), len(values), other)


@given(st.sampled_from(list(Codec)), st.data())
def test_bad_bytes_raise_nothing_but_corrupt(codec: Codec, data: st.DataObject) -> None:
    values = EXAMPLES[codec][:70] if codec is not Codec.PCODEC else EXAMPLES[codec]
    bad = bytearray(packed(codec, values))
    for _ in range(data.draw(st.integers(1, 3))):
        bad[data.draw(st.integers(0, len(bad) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(bad)))
    try:
        found = unpack(bytes(bad[:cut]), len(values), values.dtype)
    except Corrupt:
        return
    assert len(found) == len(values)
