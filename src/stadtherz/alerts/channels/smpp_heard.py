"""Reading a deliver_sm: receipts as Appendix B describes them and as others write them, and texts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from stadtherz.alerts.channels import gsm, smpp_pdu
from stadtherz.alerts.channels.heard import Receipt, State
from stadtherz.alerts.channels.smpp_pdu import Deliver

_KIND = 0x3C  # bits 5-2 of esm_class (5.2.12)
_TEXT, _RECEIPT, _ON_THE_WAY = 0x00, 0x04, 0x20
_TELLS_BOTH = {smpp_pdu.RECEIPTED_MESSAGE_ID, smpp_pdu.MESSAGE_STATE}
_FIELD = re.compile(r"\b(id|stat|err):\s*([^\s:]+)", re.IGNORECASE)

# 5.2.28 and Appendix B; UNKNOWN (7) says nothing.
_BY_NUMBER: Mapping[int, State] = {
    1: State.BUFFERED,
    2: State.DELIVERED,
    3: State.UNDELIVERED,
    4: State.UNDELIVERED,
    5: State.UNDELIVERED,
    6: State.BUFFERED,
    8: State.UNDELIVERED,
}
# By their first letters, since some write DELIVRD and some DELIVERED.
_BY_NAME: Mapping[str, State] = {
    "ENRO": State.BUFFERED,
    "ACCE": State.BUFFERED,
    "BUFF": State.BUFFERED,
    "DELI": State.DELIVERED,
    "EXPI": State.UNDELIVERED,
    "DELE": State.UNDELIVERED,
    "UNDE": State.UNDELIVERED,
    "REJE": State.UNDELIVERED,
}


@dataclass(frozen=True, slots=True)
class Part:
    """A text, or one of `total` parts of it; `reference` tells which belong together."""

    sender: str
    text: str
    reference: int = 0
    number: int = 1
    total: int = 1


def canonical(message_id: str, *, hexadecimal: bool) -> str:
    """The id as it is kept, where a centre writes it in two ways.

    >>> canonical("1A2B", hexadecimal=True), canonical("0006699", hexadecimal=False)
    ('6699', '6699')
    """
    try:
        return str(int(message_id, 16 if hexadecimal else 10))
    except ValueError:
        return message_id


def read(deliver: Deliver, alphabet: str) -> Receipt | Part | None:
    """What it is; None for what says nothing to us, such as binary data or a state nobody knows."""
    kind = deliver.esm_class & _KIND
    if kind in (_RECEIPT, _ON_THE_WAY) or deliver.extras.keys() >= _TELLS_BOTH:
        return _receipt(deliver)
    return _part(deliver, alphabet) if kind == _TEXT else None


def _receipt(deliver: Deliver) -> Receipt | None:
    told: dict[str, str] = {}
    for name, value in _FIELD.findall(deliver.message.decode("latin-1")):
        told.setdefault(name.lower(), value)  # the end repeats our own text
    known = deliver.extras.get(smpp_pdu.RECEIPTED_MESSAGE_ID, b"").rstrip(b"\0").decode("latin-1")
    number = deliver.extras.get(smpp_pdu.MESSAGE_STATE, b"")
    state = _BY_NUMBER.get(number[0]) if number else _BY_NAME.get(told.get("stat", "").upper()[:4])
    message_id = known.strip() or told.get("id", "")
    if state is None or not message_id:
        return None
    why = f"{told.get('stat', '')} {told.get('err', '')}".strip()
    return Receipt(message_id[:64], state, why[:100] if state is State.UNDELIVERED else "")


def _part(deliver: Deliver, alphabet: str) -> Part | None:
    message, place = deliver.message, _sar(deliver.extras)
    if deliver.esm_class & smpp_pdu.HAS_HEADER and message:
        header, message = message[1 : 1 + message[0]], message[1 + message[0] :]
        place = _concatenation(header) or place
    text = _decoded(message, deliver.data_coding, alphabet)
    if text is None:
        return None
    reference, total, number = place or (0, 1, 1)
    if not 1 <= number <= total:
        reference, total, number = 0, 1, 1
    return Part(deliver.source, text, reference, number, total)


def _concatenation(header: bytes) -> tuple[int, int, int] | None:
    """Reference, total and number out of a user data header (3GPP TS 23.040, 9.2.3.24)."""
    at = 0
    while at + 2 <= len(header):
        element, length = header[at], header[at + 1]
        data = header[at + 2 : at + 2 + length]
        if element in (0x00, 0x08) and len(data) == length == (3 if element == 0 else 4):
            return int.from_bytes(data[:-2]), data[-2], data[-1]
        at += 2 + length
    return None


def _sar(extras: Mapping[int, bytes]) -> tuple[int, int, int] | None:
    wanted = (smpp_pdu.SAR_REFERENCE, smpp_pdu.SAR_TOTAL, smpp_pdu.SAR_NUMBER)
    if not all(tag in extras for tag in wanted):
        return None
    reference, total, number = (int.from_bytes(extras[tag]) for tag in wanted)
    return reference, total, number


def _decoded(message: bytes, coding: int, alphabet: str) -> str | None:
    """By data_coding (5.2.19); None for what is no text."""
    if coding == 0x03 or (coding == 0x00 and alphabet == "latin1-default"):
        return message.decode("latin-1")
    if coding == 0x01:
        return message.decode("ascii", "replace")
    if coding < 0x40 and coding & 0x0C == 0x08:
        return message.decode("utf-16-be", "replace")
    if coding == 0x00 or 0xF0 <= coding <= 0xF3 or (coding & 0xEC) == 0:
        return gsm.decode(message)
    return None
