"""Many short columns as bytes at once, and back; `codec.unpack` reads each of them, too.

What a sealing writes of a slow sensor is short, and soon joined with its neighbours. Here the steps
from value to value are cut to as few whole bytes as the widest needs: not as small as `codec.pack`
makes them, but a step of numpy costs hardly more for a thousand columns than for one.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from stadtherz.store.sealed import codec
from stadtherz.store.sealed.buckets import places_of
from stadtherz.store.sealed.codec import WIDTHS, Codec, Column, Float64, Int64

_EXPONENTS = range(6)  # decimals that sensors have
_UNKNOWN = -1


def pack_each(values: Column, edges: Int64) -> list[bytes]:
    """Columns, int64 or float64, as bytes: each goes from one edge to the next and is not empty."""
    return list(_integers(values, edges) if values.dtype == np.int64 else _floats(values, edges))


def _integers(values: Int64, edges: Int64) -> Iterator[bytes]:
    """A constant, a progression or steps; sums and differences wrap at 64 bits, as in reading."""
    begins, lengths = edges[:-1], np.diff(edges)
    steps = np.diff(values, prepend=values[:1])
    second = np.minimum(begins + 1, len(values) - 1)
    steps[begins] = np.where(lengths > 1, steps[second], 0)  # so that they do not widen the rest
    if not steps.any():  # the commonest columns: no end, one feature, one delay
        yield from (codec.constant(values[a : a + 1]) for a in begins.tolist())
        return
    least = np.minimum.reduceat(steps, begins)
    above = (steps - np.repeat(least, lengths)).view(np.uint64)
    top = np.maximum.reduceat(above, begins)
    unit = np.ones_like(top)
    if top.any():
        unit = np.maximum(np.gcd.reduceat(above, begins), 1)
        above //= np.repeat(unit, lengths)
        top //= unit
    width = np.choose(np.searchsorted(_LIMITS, top, "right"), WIDTHS)
    narrowed = {
        w: memoryview(above.astype(f"<u{w}").view(np.uint8)) for w in np.unique(width).tolist()
    }
    heads = (column.tolist() for column in (values[begins], least, unit, width, top))
    spans = pairwise(edges.tolist())
    for (a, b), first, step, one, size, most in zip(spans, *heads, strict=True):
        if most:
            found = codec.narrow(first, step, one, size, narrowed[size][(a + 1) * size : b * size])
            yield found if len(found) <= 8 * (b - a) else codec.raw(values[a:b])
        else:
            yield codec.affine(first, step) if step else codec.constant(values[a : a + 1])


_LIMITS = np.array([1 << 8 * width for width in WIDTHS[:-1]], np.uint64)


def _floats(values: Float64, edges: Int64) -> Iterator[bytes]:
    """Decimals where all values are; the rest one by one."""
    exponents, steps = _decimals(values, edges)
    begins, lengths = edges[:-1], np.diff(edges)
    bits = values.view(np.int64)
    even = np.logical_and.reduceat(bits == np.repeat(bits[begins], lengths), begins)
    packed = _integers(steps, edges)
    for (a, b), exponent, same, integers in zip(
        pairwise(edges.tolist()), exponents.tolist(), even.tolist(), packed, strict=True
    ):
        if same:
            yield codec.constant(values[a : a + 1])
        elif exponent == _UNKNOWN:
            yield codec.pack(values[a:b])
        else:
            yield codec.quotients(exponent, integers)


def _decimals(values: Float64, edges: Int64) -> tuple[Int64, Int64]:
    """With how many decimals each column can be written (or _UNKNOWN), and its multiples."""
    begins, lengths = edges[:-1], np.diff(edges)
    exponents = np.full(len(lengths), _UNKNOWN)
    found = np.zeros(len(values), np.int64)
    for exponent in _EXPONENTS:
        open_ = exponents == _UNKNOWN
        if not open_.any():
            break
        steps, fits = codec.multiples(values, exponent, codec.QUOTIENT)
        now = open_ & np.logical_and.reduceat(fits, begins)
        exponents[now] = exponent
        here = np.repeat(now, lengths)
        found[here] = steps[here]
    return exponents, found


# --- and back ------------------------------------------------------------------------------------


def unpack_each(datas: Sequence[bytes], edges: Int64, dtype: np.dtype[Any]) -> Column:
    """The columns one behind the other, as `codec.unpack` reads each of them. Raises Corrupt."""
    out = np.empty(int(edges[-1]), dtype)
    fill = _fill_floats if dtype.kind == "f" else _fill_integers
    try:
        others = fill(datas, edges, out)
    except codec.UNREADABLE as error:
        raise codec.Corrupt(f"a column cannot be read: {error}") from error
    for place in others:
        codec.unpack_into(datas[place], out[edges[place] : edges[place + 1]])
    return out


def _fill_integers(datas: Sequence[bytes], edges: Int64, out: Int64) -> list[int]:
    """Fill in what is a constant, a progression or steps; the places of the other columns."""
    heads, sizes = _heads(datas, _INTEGERS), np.array([*map(len, datas)])
    lengths, coded = np.diff(edges), heads["codec"]
    narrow = coded == Codec.NARROW
    body = np.where(narrow, heads["width"].astype(np.int64) * (lengths - 1), 0)
    known = (sizes == _SIZES[coded] + body) & (~narrow | np.isin(heads["width"], WIDTHS))
    heads["least"][~known | (coded == Codec.CONSTANT)] = 0
    steps = np.repeat(heads["least"], lengths).view(np.uint64)
    for width in WIDTHS:
        places = np.flatnonzero(known & narrow & (heads["width"] == width))
        wide = np.frombuffer(
            b"".join([datas[i][_INTEGERS.itemsize :] for i in places.tolist()]), f"<u{width}"
        )
        others = lengths[places] - 1  # than the first of each
        steps[places_of(edges[places] + 1, others)] += wide * np.repeat(
            heads["unit"][places], others
        )
    np.cumsum(steps.view(np.int64), out=out)
    begins = edges[:-1]
    out -= np.repeat(out[begins] - heads["first"], lengths)
    return np.flatnonzero(~known).tolist()


_INTEGERS = np.dtype(
    [("codec", "u1"), ("first", "<i8"), ("least", "<i8"), ("unit", "<u8"), ("width", "u1")]
)
_FLOATS = np.dtype([("codec", "u1"), ("form", "u1"), ("exponent", "u1"), ("exceptions", "<u4")])
_SIZES = np.zeros(256, np.int64)
_SIZES[[Codec.CONSTANT, Codec.AFFINE, Codec.NARROW]] = (9, 17, 26)
"""Bytes of a column of that codec, without its steps; 0 if others have to read it."""


def _heads(datas: Sequence[bytes], layout: np.dtype[Any]) -> npt.NDArray[Any]:
    """The first bytes of each column; what is behind the end of a short one means nothing."""
    size = layout.itemsize
    return np.frombuffer(bytearray().join([data[:size].ljust(size) for data in datas]), layout)


def _fill_floats(datas: Sequence[bytes], edges: Int64, out: Float64) -> list[int]:
    """Fill in what is quotients without exceptions; the places of the other columns."""
    heads = _heads(datas, _FLOATS)
    known = (heads["codec"] == Codec.DECIMAL) & (heads["form"] == codec.QUOTIENT)
    known &= heads["exceptions"] == 0
    behind, pairs = _FLOATS.itemsize, zip(datas, known.tolist(), strict=True)
    integers = [data[behind:] if fits else _ZERO for data, fits in pairs]
    out[:] = unpack_each(integers, edges, np.dtype(np.int64))
    out /= np.repeat(codec.POWERS[np.where(known, heads["exponent"], 0)], np.diff(edges))
    return np.flatnonzero(~known).tolist()


_ZERO = codec.constant(np.zeros(1, np.int64))
