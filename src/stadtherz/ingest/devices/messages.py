"""The last messages of a device as they came, packed: MessagePack in Zstandard."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import zstandard
from django.conf import settings

from stadtherz.base.time import DAY, Micros, now_us
from stadtherz.ingest.documents.shapes import work_out

LARGEST = 16 * 1024  # bytes of a document that are kept
MOST_UNPACKED = 64 * 1024 * 1024

STORED, DUPLICATE, REFUSED, EVENT = "stored", "duplicate", "refused", "event"


class Message(msgspec.Struct, array_like=True, frozen=True):
    """One message: its document, what became of it, and the values that were taken out of it.

    `outcome` is one of the four words above; `reason` names the refusal or the event. `values` are
    (datastream, result).
    """

    received: Micros
    body: bytes
    size: int  # of the document; `body` may be only its beginning
    outcome: str
    reason: str = ""
    facts: dict[str, Any] = {}
    values: tuple[tuple[int, Any], ...] = ()
    f_cnt: int | None = None


def most_kept() -> int:
    """How many messages of a device are kept."""
    return int(settings.STADTHERZ["messages_kept"])


def oldest_kept() -> Micros:
    """What was received before is forgotten."""
    return now_us() - int(settings.STADTHERZ["message_days"]) * DAY


def message(
    received: Micros,
    body: bytes,
    outcome: tuple[str, str, Mapping[str, Any]],
    values: Sequence[tuple[int, Any]] = (),
    f_cnt: int | None = None,
) -> Message:
    word, reason, facts = outcome
    kept = body[:LARGEST]
    return Message(received, kept, len(body), word, reason, dict(facts), tuple(values), f_cnt)


def compressor() -> zstandard.ZstdCompressor:
    """One for many messages, used by one thread."""
    return zstandard.ZstdCompressor(level=1)


def pack(messages: Sequence[Message], small: zstandard.ZstdCompressor) -> bytes:
    return small.compress(msgspec.msgpack.encode(messages, enc_hook=str))


def unpack(packed: bytes) -> list[Message]:
    """Raises zstandard.ZstdError or msgspec.MsgspecError where the bytes are broken."""
    work_out(Message)
    plain = zstandard.decompress(packed, max_output_size=MOST_UNPACKED)
    return msgspec.msgpack.decode(plain, type=list[Message])
