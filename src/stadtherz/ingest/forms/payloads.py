"""The bytes that a message holds as text: what a codec or a byte map reads."""

import base64
import binascii
import re
from typing import Any

from stadtherz.ingest.forms.expressions import Expression, Message
from stadtherz.ingest.forms.leaves import leaves
from stadtherz.ingest.values.decode import MISSING

HEX, BASE64 = "hex", "base64"
LARGEST = 4096  # bytes; LoRaWAN carries 242
_MOST_LEAVES = 200
_PORT = re.compile(r"(.*[.\]])?(f_?port|fport_?up|lrnfport)", re.IGNORECASE)
_PLAIN_PORT = re.compile(r"(.*[.\]])?port")  # of what else counts frames
_COUNTER = re.compile(r"(.*[.\]])?(f_?cnt(_?up)?|fcount|counter_up|seqno)", re.IGNORECASE)


def payload_of(expression: Expression, kind: str, message: Message) -> bytes | None:
    """The bytes, None where the field is not there; raises ValueError for text that is none."""
    found = expression.value(message)
    if found is MISSING:
        return None
    if not isinstance(found, str):
        raise ValueError(str(found))
    payload = _of_hex(found) if kind == HEX else _of_base64(found)
    if len(payload) > LARGEST:
        raise ValueError(f"more than {LARGEST} bytes")
    return payload


def port_of(content: Any) -> int | None:
    """The port of LoRaWAN that a message names, which many codecs ask for; None where it names none."""
    found = dict(leaves(content, _MOST_LEAVES))
    counts = any(_COUNTER.fullmatch(path) for path in found)
    for path, value in found.items():
        is_plain = _PLAIN_PORT.fullmatch(path)
        beside = f"{path.removesuffix('port')}bytes" in found
        if _PORT.fullmatch(path) or (is_plain and (counts or beside)):
            text = str(value)
            if text.isascii() and text.isdecimal() and len(text) <= 3 and int(text) <= 255:
                return int(text)
    return None


def _of_hex(text: str) -> bytes:
    return bytes.fromhex(re.sub(r"^0[xX]|[\s:-]", "", text.strip()))


def _of_base64(text: str) -> bytes:
    plain = re.sub(r"\s", "", text).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error as problem:
        raise ValueError(str(problem)) from problem
