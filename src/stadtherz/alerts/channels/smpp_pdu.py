"""Messages of SMPP 3.4 as bytes, and what is read out of bytes that somebody else wrote.

Only what a client needs. Reading takes nothing for granted: providers have statuses, parameters and
lengths of their own, and none of them may end the line. Sections are those of SMPP v3.4 issue 1.2.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

RESPONSE = 0x80000000
GENERIC_NACK = 0x80000000
BIND_RECEIVER = 0x00000001
BIND_TRANSMITTER = 0x00000002
SUBMIT_SM = 0x00000004
DELIVER_SM = 0x00000005
UNBIND = 0x00000006
BIND_TRANSCEIVER = 0x00000009
OUTBIND = 0x0000000B
ENQUIRE_LINK = 0x00000015
ALERT_NOTIFICATION = 0x00000102

OK = 0x00000000
INVALID_LENGTH = 0x00000002
INVALID_COMMAND = 0x00000003
TRY_AGAIN = 0x00000064  # ESME_RX_T_APPN: the centre keeps it and comes back

HAS_HEADER = 0x40  # esm_class: the text begins with a user data header

# Statuses (5.1.3) that staff may read; providers have more of their own.
STATUSES: Mapping[int, str] = {
    0x03: "ESME_RINVCMDID", 0x04: "ESME_RINVBNDSTS", 0x05: "ESME_RALYBND, already bound",
    0x08: "ESME_RSYSERR", 0x0A: "ESME_RINVSRCADR, wrong sender", 0x0B: "ESME_RINVDSTADR, wrong receiver",
    0x0D: "ESME_RBINDFAIL", 0x0E: "ESME_RINVPASWD, wrong password", 0x0F: "ESME_RINVSYSID, wrong system id",
    0x14: "ESME_RMSGQFUL, queue full", 0x15: "ESME_RINVSERTYP", 0x43: "ESME_RINVESMCLASS",
    0x45: "ESME_RSUBMITFAIL", 0x48: "ESME_RINVSRCTON", 0x49: "ESME_RINVSRCNPI", 0x50: "ESME_RINVDSTTON",
    0x51: "ESME_RINVDSTNPI", 0x53: "ESME_RINVSYSTYP", 0x58: "ESME_RTHROTTLED, too fast",
    0x62: "ESME_RINVEXPIRY", 0x64: "ESME_RX_T_APPN", 0x65: "ESME_RX_P_APPN", 0x66: "ESME_RX_R_APPN",
}  # fmt: skip

RECEIPTED_MESSAGE_ID = 0x001E
MESSAGE_STATE = 0x0427
MESSAGE_PAYLOAD = 0x0424
SAR_REFERENCE = 0x020C
SAR_TOTAL = 0x020E
SAR_NUMBER = 0x020F

HEADER = 16
LONGEST = 70_000  # message_payload has at most 64 KiB
_LAST_SEQUENCE = 0x7FFFFFFF


class Garbled(Exception):
    """Bytes that are no message of SMPP."""


@dataclass(frozen=True, slots=True)
class Head:
    length: int
    command: int
    status: int
    sequence: int

    @property
    def answers(self) -> bool:
        return bool(self.command & RESPONSE)


@dataclass(frozen=True, slots=True)
class Deliver:
    """A deliver_sm: a receipt, or what somebody has written to us."""

    source: str
    esm_class: int
    data_coding: int
    message: bytes
    extras: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Numbering:
    """Type of number and numbering plan (5.2.5, 5.2.6) with the number or name itself."""

    ton: int
    npi: int
    number: str

    def written(self) -> bytes:
        return bytes((self.ton, self.npi)) + text(self.number)


def head(raw: bytes) -> Head:
    """Raises Garbled for a length that no message can have."""
    found = Head(*struct.unpack(">4I", raw))
    if not HEADER <= found.length <= LONGEST:
        raise Garbled(f"a message of {found.length} octets")
    return found


def pdu(command: int, sequence: int, body: bytes = b"", status: int = OK) -> bytes:
    return struct.pack(">4I", HEADER + len(body), command, status, sequence) + body


def following(sequence: int) -> int:
    """The next sequence number; 0 is nobody's."""
    return 1 if sequence >= _LAST_SEQUENCE else sequence + 1


def status_name(status: int) -> str:
    """What staff can look up.

    >>> status_name(0x0E), status_name(0x0410)
    ('ESME_RINVPASWD, wrong password', '0x00000410')
    """
    return STATUSES.get(status, f"0x{status:08X}")


def text(given: str) -> bytes:
    """A C-octet string."""
    return given.encode("ascii", "replace").replace(b"\0", b"?") + b"\0"


def bind(user: str, secret: str, system_type: str) -> bytes:
    """The body of a bind; no range of addresses: the account tells what is ours."""
    return text(user) + text(secret) + text(system_type) + b"\x34\0\0\0"


def submit(
    source: Numbering,
    destination: Numbering,
    message: bytes,
    *,
    esm_class: int = 0,
    data_coding: int = 0,
    validity: str = "",
    receipt: bool = False,
) -> bytes:
    """The body of a submit_sm (4.4.1)."""
    if len(message) > 254:
        raise ValueError("a part of a message has at most 254 octets")
    return b"".join(
        (
            text(""),  # service_type: the centre's default
            source.written(),
            destination.written(),
            bytes((esm_class, 0, 0)),
            text(""),  # schedule_delivery_time: at once
            text(validity),
            bytes((int(receipt), 0, data_coding, 0, len(message))),
            message,
        )
    )


def lasting(minutes: int) -> str:
    """So many minutes from now (7.1.1.2), by the centre's own clock.

    >>> lasting(60), lasting(3 * 24 * 60 + 5)
    ('000000010000000R', '000003000500000R')
    """
    days, rest = divmod(minutes, 24 * 60)
    return f"0000{days:02}{rest // 60:02}{rest % 60:02}00000R"


def message_id(body: bytes) -> str:
    """What a submit_sm_resp calls our message; empty if it does not tell."""
    return body.partition(b"\0")[0].decode("latin-1").strip()[:64]


def deliver(body: bytes) -> Deliver:
    """A deliver_sm's body (4.6.1). Raises Garbled where it ends too early."""
    reader = _Reader(body)
    reader.string()  # service_type
    reader.octets(2)
    source = reader.string()
    reader.octets(2)
    reader.string()  # ourselves
    esm_class = reader.octets(3)[0]
    reader.string()
    reader.string()
    coding = reader.octets(4)[2]
    message = reader.octets(reader.octets(1)[0])
    extras = reader.extras()
    return Deliver(source, esm_class, coding, message or extras.get(MESSAGE_PAYLOAD, b""), extras)


class _Reader:
    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def octets(self, number: int) -> bytes:
        found = self._body[self._at : self._at + number]
        if len(found) < number:
            raise Garbled("it ends too early")
        self._at += number
        return found

    def string(self) -> str:
        end = self._body.find(b"\0", self._at)
        if end < 0:
            raise Garbled("a text without an end")
        found = self._body[self._at : end]
        self._at = end + 1
        return found.decode("latin-1")

    def extras(self) -> dict[int, bytes]:
        """The optional parameters; broken ones end the list, since they only add to what is known."""
        found: dict[int, bytes] = {}
        while self._at + 4 <= len(self._body):
            tag, length = struct.unpack(">2H", self.octets(4))
            if self._at + length > len(self._body):
                break
            found[tag] = self.octets(length)
        return found
