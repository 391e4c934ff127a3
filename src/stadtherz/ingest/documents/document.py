"""From bytes to a document of JSON, or of XML as if it were JSON, within limits of size and depth."""

import zlib
from typing import Any

import orjson

from stadtherz.base.errors import Invalid
from stadtherz.ingest.documents import markup

LARGEST = 256 * 1024
DEEPEST = 32
ENCODINGS = frozenset({"", "identity", "gzip", "x-gzip"})
_BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
_GZIP_WINDOW = 16 + zlib.MAX_WBITS


def unpacked(body: bytes) -> bytes:
    """What was packed with gzip, as much of it as shows that it is too large; everything else as it is.

    What cannot be unpacked stays as it is, too, so that it is refused and kept.
    """
    if not body.startswith(_GZIP):
        return body
    found, rest = b"", body
    while rest.startswith(_GZIP) and len(found) <= LARGEST:  # it may be packed in several pieces
        piece = zlib.decompressobj(_GZIP_WINDOW)
        try:
            found += piece.decompress(rest, LARGEST + 1 - len(found))
        except zlib.error:
            return body
        if not piece.eof and len(found) <= LARGEST:
            return body
        rest = piece.unused_data
    return found


def parse(body: bytes) -> Any:
    """The document; raises Invalid where it is none or nested too deeply."""
    if body.startswith(_GZIP):
        raise Invalid("document", "is packed with gzip, and cannot be unpacked")
    if body[:100].removeprefix(_BOM).lstrip().startswith(b"<"):
        return markup.parse(body.removeprefix(_BOM).lstrip(), DEEPEST)
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as problem:
        raise Invalid("document", f"is not JSON: {problem}") from problem
    if body.count(b"{") + body.count(b"[") <= DEEPEST:  # as most; what stands in texts only adds
        return document
    level: list[Any] = [document]
    for _ in range(DEEPEST):
        level = [child for holder in level for child in _children(holder)]
        if not level:
            return document
    raise Invalid("document", f"is nested more than {DEEPEST} levels deep")


def _children(holder: Any) -> list[Any]:
    if isinstance(holder, dict):
        return list(holder.values())
    return holder if isinstance(holder, list) else []
