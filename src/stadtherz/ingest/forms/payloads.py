"""The bytes that a message holds as text: what a codec or a byte map reads."""

import base64
import binascii
import re

from stadtherz.ingest.decode import MISSING
from stadtherz.ingest.forms.expressions import Expression, Message

HEX, BASE64 = "hex", "base64"
LARGEST = 4096  # bytes; LoRaWAN carries 242


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


def _of_hex(text: str) -> bytes:
    return bytes.fromhex(re.sub(r"^0[xX]|[\s:-]", "", text.strip()))


def _of_base64(text: str) -> bytes:
    plain = re.sub(r"\s", "", text).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error as problem:
        raise ValueError(str(problem)) from problem
