"""A column of numbers as bytes and back, bit for bit; docs/explain/chunk-format.md draws the bytes.

The first byte names the codec, so that others can be added without touching what is written.
Three kinds of regularity make a column small: it is constant or a progression (two numbers say it
all), its numbers have a common unit (whole milliseconds, tenths of a degree), or they lie close
together. Pco and Zstandard do the rest; whichever result is the smallest is kept.
"""

import struct
import threading
from collections.abc import Callable, Iterator
from enum import IntEnum
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import zstandard
from pcodec import ChunkConfig, DeltaSpec, standalone

from stadtherz.base.errors import StadtherzError

Column = npt.NDArray[Any]  # int64 or float64
Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]


class Corrupt(StadtherzError):
    """These bytes are not what was written, or nothing here can read them."""


class Codec(IntEnum):
    """The first byte of a column. A number is never given to another codec later."""

    RAW = 0  # eight bytes a value
    CONSTANT = 1  # one value for all
    AFFINE = 2  # integers: start and step
    PCODEC = 3  # Pco (https://github.com/pcodec/pcodec), standalone format
    ZSTD = 4  # integers: the first value and Zstandard of the differences
    SCALED = 5  # integers: origin, unit and a column of multiples
    DECIMAL = 6  # floats: a power of ten, a column of integers, and the exceptions
    NARROW = 7  # integers: the first value, the least step, its unit, and steps of a few bytes


_FEW = 256  # values below which the first codec that fits will do: such chunks are joined soon
_RANGE = 1 << 63
ONE, TWO = struct.Struct("<q"), struct.Struct("<qq")
NARROW = struct.Struct("<qqQB")
_DECIMAL = struct.Struct("<BBI")


# --- bytes ---------------------------------------------------------------------------------------


def pack(values: Column) -> bytes:
    """The column, int64 or float64, as bytes; never more than one byte beyond eight a value."""
    values = np.ascontiguousarray(values)
    if not len(values):
        return bytes([Codec.RAW])
    bits = values.view(np.int64)
    if bits[0] == bits[-1] and (bits == bits[0]).all():
        return constant(values[:1])
    return _integers(values) if values.dtype == np.int64 else _floats(values)


def constant(one: Column) -> bytes:
    """The only value that there is, as an array."""
    return bytes([Codec.CONSTANT]) + _plain(one)


def affine(start: int, step: int) -> bytes:
    """A progression."""
    return bytes([Codec.AFFINE]) + TWO.pack(start, step)


def narrow(first: int, least: int, unit: int, width: int, steps: bytes | memoryview) -> bytes:
    """Each value is `least` and some units, `width` bytes each in `steps`, above the one before."""
    return b"".join([bytes([Codec.NARROW]), NARROW.pack(first, least, unit, width), steps])


def quotients(exponent: int, steps: bytes) -> bytes:
    """Floats that are integers, a column of which is given, divided by a power of ten."""
    return bytes([Codec.DECIMAL]) + _DECIMAL.pack(QUOTIENT, exponent, 0) + steps


def _plain(values: Column) -> bytes:
    return values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()


def raw(values: Column) -> bytes:
    """Eight bytes a value."""
    return bytes([Codec.RAW]) + _plain(values)


def _integers(values: Int64) -> bytes:
    if (progression := _progression(values)) is not None:
        return affine(*progression)
    if len(values) < _FEW:
        return min(raw(values), _pco(values, _STEPS), key=len)
    unit = _unit(values)
    if unit < 2:
        return _compressed(values)
    origin = int(values[0])
    head = bytes([Codec.SCALED]) + TWO.pack(origin, unit)
    return head + _compressed((values - origin) // unit)


def _progression(values: Int64) -> tuple[int, int] | None:
    """Start and step of an arithmetic progression that does not overflow, or None."""
    start, last = int(values[0]), int(values[-1])
    step = int(values[1]) - start if len(values) > 1 else 0
    if start + step * (len(values) - 1) != last or not -_RANGE <= step < _RANGE:
        return None
    return (start, step) if (np.diff(values) == step).all() else None


def _unit(values: Int64) -> int:
    """The greatest number that divides all distances; 1 where the distances overflow."""
    if int(values.max()) - int(values.min()) >= _RANGE:
        return 1
    steps = np.diff(values)
    # Most columns without a unit show it at once.
    if int(np.gcd.reduce(steps[:_FEW])) == 1:
        return 1
    return int(np.gcd.reduce(steps))


def _floats(values: Float64) -> bytes:
    found = _decimal(values)
    if found is not None and len(found) <= 8 * len(values):
        return found
    return min([raw(values), *(_pco(values, deltas) for deltas in (_STEPS, _SINGLE))], key=len)


# --- decimals ------------------------------------------------------------------------------------

# Sensors speak in decimals, and there are two ways of making a double of one: 3 / 10 is not
# 3 * 0.1. Powers are read from text, because only that gives the same double everywhere.
QUOTIENT, PRODUCT = 0, 1
POWERS = np.array([float(f"1e{exponent}") for exponent in range(10)])
_PARTS = np.array([float(f"1e-{exponent}") for exponent in range(10)])
_EXACT = 2.0**53  # integers below are doubles, too
_SAMPLE = 32  # values that decide about form and exponent
_MOST_EXCEPTIONS = 1 / 16


def _decimal(values: Float64) -> bytes | None:
    """The column as multiples of a power of ten; None where too few of its values are.

    Exceptions are -0.0, infinities, a sensor's "no value": what is no multiple, bit for bit.
    """
    sample = values[:: len(values) // _SAMPLE + 1]
    for exponent, form in chain(_written(sample), _likely(sample)):
        steps, fits = multiples(values, exponent, form)
        places = np.flatnonzero(~fits)
        if len(places) <= len(values) * _MOST_EXCEPTIONS:
            head = bytes([Codec.DECIMAL]) + _DECIMAL.pack(form, exponent, len(places))
            exceptions = places.astype("<u4").tobytes() + _plain(values[places])
            return head + exceptions + pack(_filled(steps, fits))
    return None


def decimals(sample: Float64) -> int | None:
    """How many decimals people would write these numbers with; None if they would not."""
    texts = [repr(value).partition(".")[2] for value in sample.tolist()]
    if not all(text.isdigit() for text in texts):
        return None
    return max(0 if text == "0" else len(text) for text in texts)


def _written(sample: Float64) -> Iterator[tuple[int, int]]:
    """The form that a number has which was read from text; mostly it spares trying all others."""
    exponent = decimals(sample)
    if exponent is not None and exponent < len(POWERS):
        yield exponent, QUOTIENT


def _likely(sample: Float64) -> Iterator[tuple[int, int]]:
    """Exponents and forms that nearly all of a sample has, the smallest exponent first."""
    exponents = np.arange(len(POWERS))[:, None]
    enough = len(sample) * (1 - 2 * _MOST_EXCEPTIONS)
    fits = [multiples(sample, exponents, form)[1] for form in (QUOTIENT, PRODUCT)]
    numbers = np.array([np.count_nonzero(fit, axis=1) for fit in fits])
    yield from map(tuple, np.argwhere(enough <= numbers.T).tolist())


def multiples(values: Float64, exponent: Any, form: int) -> tuple[Float64, npt.NDArray[np.bool_]]:
    """The integers, and which values come back from them."""
    with np.errstate(over="ignore", invalid="ignore"):
        steps: Float64 = np.rint(values * POWERS[exponent]) + 0.0  # an integer has no -0.0
        again = steps.copy()
        _scale(again, exponent, form)
        same: npt.NDArray[np.bool_] = again.view(np.int64) == values.view(np.int64)
        return steps, same & (np.abs(steps) < _EXACT)


def _scale(steps: Float64, exponent: Any, form: int) -> None:
    """Steps of a power of ten become numbers."""
    if form == QUOTIENT:
        steps /= POWERS[exponent]
    else:
        steps *= _PARTS[exponent]


def _filled(steps: Float64, fits: npt.NDArray[np.bool_]) -> Int64:
    """As integers; an exception repeats what stands before it, which costs the least."""
    if fits.all():
        return steps.astype(np.int64)
    places = np.maximum.accumulate(np.where(fits, np.arange(len(steps)), 0))
    places[places == 0] = np.argmax(fits)
    return steps[places].astype(np.int64)


# --- compressors ---------------------------------------------------------------------------------

_SINGLE = ChunkConfig(compression_level=8, delta_spec=DeltaSpec.no_op())
_STEPS = ChunkConfig(compression_level=8, delta_spec=DeltaSpec.try_consecutive(1))
_LEVEL = 3
WIDTHS = (1, 2, 4, 8)
_ZSTD = struct.Struct("<qB")
_local = threading.local()


def _compressed(values: Int64) -> bytes:
    best = min((_pco(values, config) for config in (_STEPS, _SINGLE)), key=len)
    if len(best) > 8 * len(values):
        best = raw(values)
    # Zstandard wins where values or patterns come again, and then only by a good margin, since it
    # takes longer to read. Noise is not worth the attempt.
    if len(best) > len(values):
        return best
    other = _zstd(values)
    return other if len(other) < len(best) * 7 // 8 else best


def _pco(values: Column, config: ChunkConfig) -> bytes:
    compressed: bytes = standalone.simple_compress(values, config)
    return bytes([Codec.PCODEC]) + compressed


def _zstd(values: Int64) -> bytes:
    steps = np.zeros_like(values)
    steps[1:] = values[1:] - values[:-1]
    folded = ((steps << 1) ^ (steps >> 63)).view(np.uint64)  # small negative ones become small
    width = next(size for size in WIDTHS if int(folded.max()) < 1 << 8 * size)
    table = folded.astype(f"<u{width}").view(np.uint8).reshape(-1, width)
    head = bytes([Codec.ZSTD]) + _ZSTD.pack(int(values[0]), width)
    return head + _compressor().compress(table.T.tobytes())


def _compressor() -> zstandard.ZstdCompressor:
    """This thread's own, because they must not be shared."""
    if not hasattr(_local, "compressor"):
        _local.compressor = zstandard.ZstdCompressor(level=_LEVEL)
    found: zstandard.ZstdCompressor = _local.compressor
    return found


def _decompressor() -> zstandard.ZstdDecompressor:
    if not hasattr(_local, "decompressor"):
        _local.decompressor = zstandard.ZstdDecompressor()
    found: zstandard.ZstdDecompressor = _local.decompressor
    return found


# --- and back ------------------------------------------------------------------------------------

Decoder = Callable[[memoryview, Column], None]
"""Fills an array, whose length and type are those of the column, from the bytes behind the first."""

_ONE = {"i": ONE, "f": struct.Struct("<d")}
UNREADABLE = (
    *(ValueError, TypeError, IndexError, OverflowError, RuntimeError),
    *(struct.error, zstandard.ZstdError),
)


def unpack(data: bytes | memoryview, count: int, dtype: np.dtype[Any]) -> Column:
    """The column of `count` values, int64 or float64. Raises Corrupt."""
    values = np.empty(count, dtype)
    unpack_into(data, values)
    return values


def unpack_into(data: bytes | memoryview, out: Column) -> None:
    """Fill an array of int64 or float64, as long as the column, with its values. Raises Corrupt."""
    try:
        _fill(memoryview(data), out)
    except UNREADABLE as error:
        raise Corrupt(f"a column cannot be read: {error}") from error


def _fill(data: memoryview, out: Column) -> None:
    if not len(data):
        raise Corrupt("a column has no bytes")
    decoder = DECODERS.get(data[0])
    if decoder is None:
        raise Corrupt(f"the codec {data[0]} is not known here")
    decoder(data[1:], out)


def _from_raw(data: memoryview, out: Column) -> None:
    if len(data) != len(out) * 8:
        raise Corrupt(f"{len(out)} raw values have {len(data)} bytes")
    out[:] = np.frombuffer(data, out.dtype.newbyteorder("<"))


def _from_constant(data: memoryview, out: Column) -> None:
    (value,) = _ONE[out.dtype.kind].unpack(data)
    out.fill(value)


def _from_affine(data: memoryview, out: Column) -> None:
    _expect_integers(out)
    start, step = TWO.unpack(data)
    out[:] = np.arange(len(out), dtype=np.int64)
    _stretch(out, start, step)


def _expect_integers(out: Column) -> None:
    if out.dtype.kind != "i":
        raise Corrupt("a column of integers was not expected")


def _stretch(out: Int64, start: int, step: int) -> None:
    """Multiples of a step become values."""
    if step != 1:
        out *= step
    out += start


def _from_pcodec(data: memoryview, out: Column) -> None:
    progress = standalone.simple_decompress_into(bytes(data), out)
    if progress.n_processed != len(out) or not progress.finished:
        raise Corrupt(f"a column has {progress.n_processed} values, not {len(out)}")


def _from_zstd(data: memoryview, out: Column) -> None:
    _expect_integers(out)
    first, width = _ZSTD.unpack_from(data)
    data = data[_ZSTD.size :]
    if width not in WIDTHS or zstandard.frame_content_size(data) != len(out) * width:
        raise Corrupt(f"a column does not have {len(out)} values of {width} bytes")
    table = _decompressor().decompress(data)
    if width > 1:
        table = np.frombuffer(table, np.uint8).reshape(width, len(out)).T.tobytes()
    folded = np.frombuffer(table, f"<u{width}")
    steps = (folded >> 1) ^ -(folded & 1)
    signed = steps.astype(f"u{width}", copy=False).view(f"i{width}")
    np.cumsum(signed, dtype=np.int64, out=out)
    _stretch(out, first, 1)


def _from_scaled(data: memoryview, out: Column) -> None:
    _expect_integers(out)
    origin, unit = TWO.unpack_from(data)
    _fill(data[TWO.size :], out)
    _stretch(out, origin, unit)


def _from_narrow(data: memoryview, out: Column) -> None:
    _expect_integers(out)
    first, least, unit, width = NARROW.unpack_from(data)
    if width not in WIDTHS or len(data) != NARROW.size + width * (len(out) - 1):
        raise Corrupt(f"a column does not have {len(out)} values of {width} bytes")
    steps = out.view(np.uint64)
    steps[1:] = np.frombuffer(data, f"<u{width}", offset=NARROW.size)
    steps *= np.uint64(unit)
    out += least
    out[0] = first
    np.cumsum(out, out=out)


def _from_decimal(data: memoryview, out: Column) -> None:
    form, exponent, exceptions = _DECIMAL.unpack_from(data)
    if out.dtype.kind != "f" or form not in (QUOTIENT, PRODUCT):
        raise Corrupt(f"decimals of the form {form} are not known here")
    begin = _DECIMAL.size + 12 * exceptions
    steps = np.empty(len(out), np.int64)
    _fill(data[begin:], steps)
    out[:] = steps
    _scale(out, exponent, form)
    if exceptions:
        middle = _DECIMAL.size + 4 * exceptions
        places = np.frombuffer(data[_DECIMAL.size : middle], "<u4")
        out[places] = np.frombuffer(data[middle:begin], "<f8")


DECODERS: dict[int, Decoder] = {
    Codec.RAW: _from_raw,
    Codec.CONSTANT: _from_constant,
    Codec.AFFINE: _from_affine,
    Codec.PCODEC: _from_pcodec,
    Codec.ZSTD: _from_zstd,
    Codec.SCALED: _from_scaled,
    Codec.DECIMAL: _from_decimal,
    Codec.NARROW: _from_narrow,
}
"""How each codec is read; what is not in here is refused by its number."""
