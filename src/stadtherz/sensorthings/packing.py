"""Answers as gzip for clients that take it (RFC 9110 §8.4.1.3 and §12.5.3): JSON shrinks to a tenth."""

import gzip
import zlib
from collections.abc import Iterator, MutableMapping
from dataclasses import replace
from typing import Any

from stadtherz.sensorthings.conditions import SUFFIX
from stadtherz.sensorthings.get import Answer
from stadtherz.sensorthings.origin import header

Scope = MutableMapping[str, Any]
LEAST = 500
LEAST_WITH_TAG = 16_000
"""Bytes from which it is worth while. A packed answer needs a tag of its own, which only puzzles people
who compare tags, so entities are packed only where they bring much with them."""

_LEVEL = 4
_TEXTUAL = ("json", "text/", "xml")
_PACKED = ("content-encoding", "gzip")


def packed(answer: Answer, scope: Scope) -> Answer:
    """The answer, packed if that is possible and worth while."""
    if not any(kind in answer.content_type for kind in _TEXTUAL) or not _takes_gzip(scope):
        return answer
    if answer.more is not None:
        return _packed_stream(answer, answer.more)
    if answer.status != 200 or len(answer.body) < (LEAST_WITH_TAG if answer.tag else LEAST):
        return answer
    body = gzip.compress(answer.body, _LEVEL, mtime=0)
    headers = tuple(_own(name, value) for name, value in answer.headers)
    return replace(answer, body=body, headers=(*headers, _PACKED))


def _own(name: str, value: str) -> tuple[str, str]:
    return name, value[:-1] + SUFFIX + '"' if name == "etag" else value


def _packed_stream(answer: Answer, more: Iterator[bytes]) -> Answer:
    packer = zlib.compressobj(_LEVEL, wbits=31)  # 31: with the head and tail of gzip

    def pieces() -> Iterator[bytes]:
        for piece in more:
            if found := packer.compress(piece):
                yield found
        yield packer.flush()

    body = packer.compress(answer.body)
    return replace(answer, body=body, more=pieces(), headers=(*answer.headers, _PACKED))


def _takes_gzip(scope: Scope) -> bool:
    """Whether Accept-Encoding names gzip, or else everything, with a weight that is not nothing."""
    weights: dict[str, bool] = {}
    for part in header(scope, b"accept-encoding").lower().split(","):
        name, _, weight = part.replace(" ", "").partition(";q=")
        weights[name] = not weight or bool(weight.strip("0."))  # one of zero refuses
    return weights.get("gzip", weights.get("*", False))
