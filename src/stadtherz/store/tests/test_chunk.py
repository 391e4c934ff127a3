"""A chunk gives back exactly what was put in, for ever, or says that it is damaged."""

import struct
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import starmap

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.store.sealed.block import BLOCK_COLUMNS, Block, Sheaf, stats
from stadtherz.store.sealed.chunk import (
    FORMAT,
    FORMATS,
    Chunk,
    Corrupt,
    Layout,
    bound,
    decode,
    encode,
    encode_each,
    version,
)
from stadtherz.store.sealed.codec import Codec
from stadtherz.store.values import NONE, Columns, Int64

STREAM = 7
NEW_YEAR = 1_767_225_600_000_000
SECOND, MINUTE = 1_000_000, 60_000_000

integers = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([NONE, 0, 1, 2**63 - 1])
times = st.integers(NEW_YEAR, NEW_YEAR + 5) | st.integers(-(2**55), 2**55)
floats = st.floats(width=64) | st.integers(-999, 999).map(lambda n: n / 10)


def block(
    starts: Int64,
    *,
    ends: Int64 | None = None,
    times: Int64 | None = None,
    features: Int64 | None = None,
    results: np.typing.NDArray[np.float64] | None = None,
    ids: Int64 | None = None,
) -> Block:
    none = np.full(len(starts), NONE)
    places = np.arange(len(starts))
    return Block(
        STREAM,
        id=(STREAM << 32) + 1 + places if ids is None else ids,
        phenomenon_start=starts,
        phenomenon_end=none if ends is None else ends,
        result_time=none if times is None else times,
        feature=none if features is None else features,
        result=places % 17 / 10 if results is None else results,
    )


def minutes(number: int = 100) -> Int64:
    return NEW_YEAR + np.arange(number) * MINUTE


def jittered(number: int = 1000) -> Int64:
    return minutes(number) + np.random.default_rng(1).integers(0, 4000, number) * 1000


def assert_comes_back(expected: Block) -> Chunk:
    chunk = Chunk(expected.datastream, encode(expected))
    found = chunk.block()
    assert len(chunk) == len(found) == len(expected)
    for name in BLOCK_COLUMNS:
        assert getattr(found, name).dtype == getattr(expected, name).dtype
        assert getattr(found, name).tobytes() == getattr(expected, name).tobytes(), name
        assert getattr(chunk, name) is getattr(found, name)
    return chunk


def rows(of_integers: st.SearchStrategy[int]) -> st.SearchStrategy[list[tuple[float, ...]]]:
    return st.lists(st.tuples(*[of_integers] * 5, floats), max_size=70)


def from_rows(values: list[tuple[float, ...]]) -> Block:
    columns = list(zip(*values, strict=True)) or [()] * 6
    dtypes = [np.float64 if name == "result" else np.int64 for name in BLOCK_COLUMNS]
    return Block(STREAM, *starmap(np.array, zip(columns, dtypes, strict=True)))


# --- round trips ---------------------------------------------------------------------------------


@given(rows(integers) | rows(times) | rows(times | st.just(NONE)))
def test_any_readings_come_back(values: list[tuple[float, ...]]) -> None:
    assert_comes_back(from_rows(values))


@given(st.integers(0, 2**32), st.integers(1, 2048), st.sampled_from([1, 1000, SECOND]))
def test_realistic_series_come_back(seed: int, number: int, unit: int) -> None:
    rng = np.random.default_rng(seed)
    starts = np.sort(minutes(number) + rng.integers(0, 90, number) * unit)
    late = starts + rng.integers(0, 9, number) * unit
    some = np.where(rng.random(number) < 0.9, late, NONE)
    results = np.round(rng.normal(0, 9, number), 1)
    assert_comes_back(block(starts, ends=late, times=some, features=some, results=results))


def test_one_reading_comes_back() -> None:
    assert_comes_back(block(minutes(1)))


def test_equal_instants_come_back() -> None:
    same = np.full(3000, NEW_YEAR)
    assert_comes_back(block(same, times=same + np.arange(3000)))


def test_a_distance_that_looks_like_no_value_comes_back() -> None:
    # From 2**62 to -2**62 it is -2**63, which is NONE.
    starts, times = np.array([2**62, 2**62]), np.array([-(2**62), 5])
    data = encode(block(starts, times=times))
    assert "result_time" not in decode(data).relative
    assert_comes_back(block(starts, times=times))


def test_missing_result_times_stay_missing() -> None:
    times = np.where(np.arange(100) % 3 == 0, NONE, minutes() + 5)
    chunk = assert_comes_back(block(minutes(), times=times))
    assert (chunk.result_time == NONE).sum() == 34


# --- size ----------------------------------------------------------------------------------------


def lengths(data: bytes) -> dict[str, int]:
    return {name: len(column) for name, column in decode(data).columns.items()}


def test_constant_distances_cost_nothing() -> None:
    starts = jittered()
    found = lengths(encode(block(starts, ends=starts + MINUTE, times=starts + 5)))
    assert found["phenomenon_end"] == found["result_time"] == 9
    assert found["id"] == 17


def test_result_times_of_a_batch_are_kept_as_they_are() -> None:
    sent = NEW_YEAR + (np.arange(1000) // 50 + 1) * 50 * MINUTE
    data = encode(block(jittered(), times=sent))
    assert "result_time" not in decode(data).relative
    assert lengths(data)["result_time"] < 200


def test_regular_readings_cost_at_most_two_and_a_half_bytes() -> None:
    rng = np.random.default_rng(5)
    results = np.round(15 + rng.normal(0, 0.5, 2048), 2)
    starts = minutes(2048)
    data = encode(block(starts, times=starts + 5 * SECOND, results=results))
    assert len(data) <= 2.5 * 2048


def test_readings_with_jitter_cost_at_most_five_bytes() -> None:
    rng = np.random.default_rng(5)
    starts = jittered(2048)
    times = starts + 2 * SECOND + rng.integers(0, 3000, 2048) * 1000
    results = np.round(15 + rng.normal(0, 0.5, 2048), 2)
    assert len(encode(block(starts, times=times, results=results))) <= 5 * 2048


# --- reading -------------------------------------------------------------------------------------


def test_a_column_is_decoded_when_asked_for() -> None:
    chunk = Chunk(STREAM, encode(block(minutes())))
    assert chunk.nbytes == 0
    assert chunk.result is chunk.result
    assert chunk.nbytes == 800


def test_a_chunk_has_all_columns() -> None:
    chunk = Chunk(STREAM, memoryview(encode(block(minutes(3)))))
    assert all(hasattr(chunk, name) for name in Columns.__dataclass_fields__)
    assert chunk.datastream.tolist() == [STREAM] * 3
    assert chunk.valid_start.tolist() == chunk.valid_end.tolist() == [NONE] * 3
    assert chunk.result_quality is None
    assert chunk.parameters is None


def test_nobody_can_write_to_a_chunk() -> None:
    chunk = Chunk(STREAM, encode(block(minutes())))
    with pytest.raises(ValueError, match="read-only"):
        chunk.result[0] = 5


def test_many_threads_may_read_a_chunk() -> None:
    expected = block(jittered(), results=np.resize([1.0, 2.5, -7.0], 1000))
    chunk = Chunk(STREAM, encode(expected))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: chunk.block(), range(50)))
    for name in BLOCK_COLUMNS:
        assert all((getattr(b, name) == getattr(expected, name)).all() for b in found)


@pytest.mark.parametrize("places", [slice(1, 3), np.array([2, 0]), np.arange(4) > 1])
def test_some_readings_of_a_block(places: object) -> None:
    whole = block(minutes(4))
    some = whole.take(places)
    assert some.id.tolist() == whole.id[places].tolist()
    assert some.datastream_column.tolist() == [STREAM] * 2


def test_statistics_of_a_block() -> None:
    found = stats(
        block(
            minutes(3),
            ends=np.array([NEW_YEAR + 9 * MINUTE, NONE, NONE]),
            times=np.array([NONE, 20, 10]),
            features=np.array([4, NONE, 3]),
            results=np.array([2.0, -1.0, 0.5]),
            ids=np.array([9, 8, 7]),
        )
    )
    assert (found.t0, found.t1, found.last) == (
        NEW_YEAR,
        NEW_YEAR + 2 * MINUTE,
        NEW_YEAR + 9 * MINUTE,
    )
    assert (found.n, found.id_min, found.id_max) == (3, 7, 9)
    assert (found.low, found.high) == (-1.0, 2.0)
    assert (found.result_first, found.result_last, found.result_nulls) == (10, 20, 1)
    assert (found.feature_min, found.feature_max) == (3, 4)


def test_statistics_without_result_times_and_features() -> None:
    found = stats(block(minutes(3)))
    assert (found.result_first, found.result_last, found.result_nulls) == (None, None, 3)
    assert (found.feature_min, found.feature_max) == (None, None)
    assert found.last == found.t1


# --- damage --------------------------------------------------------------------------------------

SOUND = encode(block(jittered(60), times=minutes(60)))


@given(st.integers(0, len(SOUND) - 1), st.integers(1, 255))
def test_a_changed_byte_is_noticed(place: int, change: int) -> None:
    data = bytearray(SOUND)
    data[place] ^= change
    with pytest.raises(Corrupt):
        Chunk(STREAM, bytes(data))


def test_every_flipped_bit_is_noticed() -> None:
    for place in range(len(SOUND) * 8):
        data = bytearray(SOUND)
        data[place // 8] ^= 1 << place % 8
        with pytest.raises(Corrupt):
            Chunk(STREAM, data)


def test_every_truncation_is_noticed() -> None:
    for length in range(len(SOUND)):
        with pytest.raises(Corrupt):
            Chunk(STREAM, SOUND[:length])


@given(st.binary(min_size=1, max_size=20))
def test_bytes_too_many_are_noticed(more: bytes) -> None:
    with pytest.raises(Corrupt):
        Chunk(STREAM, SOUND + more)


@given(st.binary(max_size=80))
def test_any_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(Corrupt):
        Chunk(STREAM, data)


def signed(data: bytes) -> bytes:
    """As if these bytes had been written on purpose."""
    return data + struct.pack("<I", zlib.crc32(data))


@given(st.data())
def test_nonsense_under_a_good_checksum_is_refused_or_complete(data: st.DataObject) -> None:
    body = bytearray(SOUND[:-4])
    place = data.draw(st.sampled_from([*range(1, 2), *range(6, len(body))]))  # not the number
    body[place] = data.draw(st.integers(0, 255))
    try:
        found = Chunk(STREAM, signed(bytes(body))).block()
    except Corrupt:
        return
    assert all(len(getattr(found, name)) == 60 for name in BLOCK_COLUMNS)


def test_a_damaged_column_is_named_and_the_others_are_read() -> None:
    body = bytearray(SOUND[:-4])
    body[-len(decode(SOUND).columns["result"])] = 99
    chunk = Chunk(STREAM, signed(bytes(body)))
    assert len(chunk.phenomenon_start) == 60
    with pytest.raises(Corrupt, match="result: the codec 99 is not known"):
        _ = chunk.result


@pytest.mark.parametrize("unknown", [0, FORMAT + 1, 255])
def test_an_unknown_version_is_named(unknown: int) -> None:
    with pytest.raises(Corrupt, match=f"version {unknown} "):
        Chunk(STREAM, bytes([unknown]) + SOUND[1:])


# --- many at once --------------------------------------------------------------------------------

rows = st.lists(st.tuples(times, integers, integers, integers, floats), min_size=1, max_size=9)


@given(st.lists(rows, min_size=1, max_size=5))
def test_many_blocks_come_back_together_and_alone(parts: list[list[tuple[float, ...]]]) -> None:
    blocks = []
    for part in parts:
        starts, ends, times, features = np.array([row[:4] for row in part], np.int64).T
        results = np.array([row[4] for row in part])
        blocks.append(block(starts, ends=ends, times=times, features=features, results=results))
    chunks = [Chunk(STREAM, data) for data in encode_each(Sheaf.bound(blocks))]
    for expected, alone, together in zip(blocks, chunks, bound(chunks), strict=True):
        for name in BLOCK_COLUMNS:
            wanted = getattr(expected, name).tobytes()
            assert getattr(alone.block(), name).tobytes() == wanted, name
            assert getattr(together, name).tobytes() == wanted, name


@pytest.mark.parametrize("kind", [np.ones, np.zeros])
def test_a_fixed_delay_costs_nine_bytes_in_a_quick_chunk(kind: Callable[[int], Int64]) -> None:
    starts = jittered(50)
    (data,) = encode_each(Sheaf.bound([block(starts, times=starts + 1000 * kind(50).astype(int))]))
    assert len(decode(data).columns["result_time"]) == 9


def test_quick_and_thorough_chunks_are_read_together() -> None:
    blocks = [block(jittered(40)), block(minutes(300)), block(jittered(7))]
    quick = encode_each(Sheaf.bound(blocks[:2]))
    chunks = [Chunk(STREAM, data) for data in (*quick, encode(blocks[2]))]
    assert [found.id.tolist() for found in bound(chunks)] == [b.id.tolist() for b in blocks]


# --- for ever ------------------------------------------------------------------------------------


def recorded() -> Block:
    """The readings in RECORDED, which between them need every codec."""
    i = np.arange(100)
    results = (2000 + i * i % 37) / 100
    results[3] = -0.0
    return block(
        NEW_YEAR + i * MINUTE + i * i * 7919 % 4001 * 1000,
        ends=NEW_YEAR + i * MINUTE + i * i * 7919 % 4001 * 1000 + MINUTE,
        times=np.where(i % 7 == 0, NONE, NEW_YEAR + i * MINUTE + i**3 * 104_729 % 9_000_011),
        features=i * i % 11 % 3 + 40,
        results=results,
    )


def recorded_raw() -> Block:
    return block(np.array([NEW_YEAR, NEW_YEAR + 1, NEW_YEAR + 3]), results=np.array([0.1, np.e, 7]))


def recorded_passing() -> Block:
    i = np.arange(6)
    starts = NEW_YEAR + i * MINUTE + i * i * 7919 % 4001 * 1000
    results = np.array([20.1, 20.3, -4.5, 20.0, 19.9, 20.2])
    return block(starts, times=starts + 2 * SECOND, results=results)


RECORDED = bytes.fromhex(
    "010c6400000011000000d70000000900000032010000260000007b0000000201000000070000000100000000"
    "000000050040204648470600e8030000000000000370636f210300061904010463000010010180e46d000000"
    "0000c0060000000000000080e5ddb3e13329c6ba0c5680d64d14e901231f91d361ef2a4c59a1e4e35be6c8c9"
    "d80e8f2000d877550eaa27b431d6bb2e569c62cb25e90fe9dd99e362cf8b38e5a1f5035e2a49d2e80f6f81ec"
    "6378660eb869b40aeebc5096a0eacb3609122d5ea2f363f1cb3c6525a733606e490af110d3e0f0eb78772eba"
    "adb442f6bdb4f5a46a4fe83814ed1f7bfb6a542b41ed25b853622e0be30812f520f57379884ebcf134000100"
    "879303000000000370636f210300061904010463000000270090000000000000000000d869d0c5ffffffff7f"
    "18684b960e877bf83e7807580000005cf13b28b9cebcb1de45e46c45fcc441c1526205a4b96464b54f7d0ded"
    "20a5b4a6c5b52d89c1acd5254519787ff6a32bc20370380df0ddfc215ea7b68649a30e0a1a8daa294cfc1ae6"
    "bffe60ea452200d8e813e9704cab5510c336ff3fd5affb21c40e3d1bb9c9a0ca4c34b268d9a3e033c7acd136"
    "ba540b55eda996e1fe1543278e4d74c0131a3d6b2559aebc5c7e5994f39f2d8a1792b2a905b1b92047560584"
    "d87ddf0a32b749a5b6e0a51ac54ad634eaa9516a2526b9e638daa5654d0ef86c7a164542774c86fa6037a3e2"
    "d958bcd174ac4529da926bf1716b51e577f17aabbed41ed9d1110053041d585c92c78238ef0dea35b45098e6"
    "50773e02000428000000000000000128b52ffd20649d0000600002000104030004030200010100e5a9240106"
    "0002010000000300000000000000000000800370636f2103000619040104630000001000803e000000000000"
    "3400404010504632dba12961b50ca2c7719e382c55a868c7c690199410011010099491cc76684a582d83e871"
    "9c270e4b152adab13164062544000444026524b31d9a1256cb207a1ce789c35285004e00e1ce"
)
RECORDED_RAW = bytes.fromhex(
    "0100030000001100000019000000090000000900000009000000190000000201000000070000000100000000"
    "0000000000402046484706000140204648470600034020464847060001000000000000008001000000000000"
    "0080010000000000000080009a9999999999b93f6957148b0abf05400000000000001c401efd81e2"
)
RECORDED_PASSING = bytes.fromhex(
    "01080600000011000000240000000900000009000000090000002b0000000201000000070000000100000000"
    "000000070040204648470600082188030000"
    + "0000e803000000000000023912f2014c01a6000000010000000000000080"
    "0180841e00000000000100000000000000800600010000000007c90000000000000008ffffffffffffff0100"
    "00000000000002fa000000ed01f700fb00b8985961"
)
"""What a sealing writes of a slow sensor."""


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (RECORDED, recorded()),
        (RECORDED_RAW, recorded_raw()),
        (RECORDED_PASSING, recorded_passing()),
    ],
)
def test_what_was_written_in_version_1_is_read_for_ever(data: bytes, expected: Block) -> None:
    found = Chunk(STREAM, data).block()
    for name in BLOCK_COLUMNS:
        assert getattr(found, name).tobytes() == getattr(expected, name).tobytes(), name


def test_the_recorded_chunks_need_every_codec() -> None:
    found = set()
    for data in (RECORDED, RECORDED_RAW, RECORDED_PASSING):
        for column in decode(data).columns.values():
            found.add(column[0])
            if column[0] == Codec.DECIMAL:
                found.add(column[7 + 12 * column[3]])
    assert found == set(Codec)


def test_a_second_version_stands_beside_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    def read_2(data: bytes) -> Layout:
        return FORMATS[1](b"\x01" + data[1:])

    monkeypatch.setitem(FORMATS, 2, read_2)
    old = encode(block(minutes()))
    new = b"\x02" + old[1:]
    assert version(new) == 2
    assert Chunk(STREAM, new).block().id.tolist() == Chunk(STREAM, old).block().id.tolist()
