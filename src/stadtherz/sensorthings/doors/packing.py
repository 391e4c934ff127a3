"""Answers packed for clients that take it (RFC 9110 §8.4.1 and §12.5.3): JSON shrinks to a tenth.

As zstd (RFC 8878), which is quicker and smaller, or gzip, which everybody knows.
"""

import gzip
import zlib
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

import zstandard

from stadtherz.sensorthings.answers.get import Answer
from stadtherz.sensorthings.headers.conditions import suffix
from stadtherz.sensorthings.headers.origin import header

Scope = MutableMapping[str, Any]
LEAST = 500
LEAST_WITH_TAG = 16_000
"""Bytes from which it is worth while. A packed answer needs a tag of its own, which only puzzles people
who compare tags, so entities are packed only where they bring much with them."""

_GZIP_LEVEL, _ZSTD_LEVEL = (
    4,
    3,
)  # zstd looks back 2 MB at this level; readers need hold 8 MB only (RFC 9659)
_TEXTUAL = ("json", "text/", "xml")


class _Packer(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


class _Coding(NamedTuple):
    name: str
    at_once: Callable[[bytes], bytes]
    bit_by_bit: Callable[[], _Packer]


_CODINGS = (  # of two that a client likes as much, the first
    _Coding(
        "zstd",
        lambda body: zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(body),
        lambda: zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compressobj(),
    ),
    _Coding(
        "gzip",
        lambda body: gzip.compress(body, _GZIP_LEVEL, mtime=0),
        lambda: zlib.compressobj(_GZIP_LEVEL, wbits=31),  # 31: with the head and tail of gzip
    ),
)


def packed(answer: Answer, scope: Scope) -> Answer:
    """The answer, packed if that is possible and worth while."""
    if not any(kind in answer.content_type for kind in _TEXTUAL):
        return answer
    coding = _coding(header(scope, b"accept-encoding"))
    if coding is None:
        return answer
    if answer.more is not None:
        return _packed_stream(answer, answer.more, coding)
    if answer.status != 200 or len(answer.body) < (LEAST_WITH_TAG if answer.tag else LEAST):
        return answer
    headers = tuple(_own(name, value, coding) for name, value in answer.headers)
    body = coding.at_once(answer.body)
    return replace(answer, body=body, headers=(*headers, ("content-encoding", coding.name)))


def _own(name: str, value: str, coding: _Coding) -> tuple[str, str]:
    return name, value[:-1] + suffix(coding.name) + '"' if name == "etag" else value


def _packed_stream(answer: Answer, more: Iterator[bytes], coding: _Coding) -> Answer:
    packer = coding.bit_by_bit()

    def pieces() -> Iterator[bytes]:
        for piece in more:
            if found := packer.compress(piece):
                yield found
        yield packer.flush()

    body = packer.compress(answer.body)
    headers = (*answer.headers, ("content-encoding", coding.name))
    return replace(answer, body=body, more=pieces(), headers=headers)


def _coding(accepted: str) -> _Coding | None:
    """What the client likes best of what we can do; None if that is the answer as it is."""
    if not accepted:
        return None
    weights = dict(map(_weight, accepted.lower().split(",")))
    if "*" in weights:
        weights.setdefault("gzip", weights["*"])
    best = max(_CODINGS, key=lambda coding: weights.get(coding.name, 0.0))
    weight = weights.get(best.name, 0.0)
    return best if weight > 0 and weight >= weights.get("identity", 0.0) else None


def _weight(part: str) -> tuple[str, float]:
    """The coding and how much it is liked: from 0, not at all, to 1 (RFC 9110 §12.4.2)."""
    name, _, weight = part.replace(" ", "").partition(";q=")
    try:
        return name, min(max(float(weight or 1), 0.0), 1.0)
    except ValueError:
        return name, 1.0
