"""SMS through the SMS centre of a network or provider, by SMPP 3.4 and without anybody between.

A message of several parts is handed over part by part. What comes after the first part is tried for
longer, since the centre already has a piece; if it cannot be had, the message may have arrived and
nobody repeats it, since then the first piece would come twice. See docs/decisions/0031-straight-to-the-sms-centre.md.
"""

import itertools
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from stadtherz.alerts.channels import gsm
from stadtherz.alerts.channels import smpp_pdu as pdus
from stadtherz.alerts.channels.kinds import KINDS
from stadtherz.alerts.channels.outcomes import NotHandedOver, PerhapsHandedOver
from stadtherz.alerts.channels.smpp_pdu import Numbering
from stadtherz.alerts.channels.smpp_session import Account, NoAnswer, NotWritten, Session
from stadtherz.alerts.channels.sms import split, units
from stadtherz.base.errors import Invalid

# ESME_RSYSERR, ESME_RMSGQFUL, ESME_RSUBMITFAIL, ESME_RTHROTTLED, ESME_RX_T_APPN
_LATER = frozenset({0x08, 0x14, 0x45, 0x58, 0x64})
_FAILED = 0x45  # ESME_RSUBMITFAIL: this one, for whatever reason
# About this message: ESME_RINVMSGLEN, ESME_RINVDSTADR, ESME_RX_P_APPN, ESME_RX_R_APPN. What else is refused
# is the account's fault or a setting's, and every message would be.
_MESSAGE = frozenset({0x01, 0x0B, 0x65, 0x66})
_FIRST_PATIENCE, _PATIENCE = 5.0, 60.0  # seconds for the first part, and for those after it
_PAUSES = (0.25, 0.5, 1.0, 2.0)
_references = itertools.count(secrets.randbelow(256))


@dataclass(frozen=True, slots=True)
class Wishes:
    """How messages are written for this centre."""

    source: Numbering
    receiver_ton: int = 1
    receiver_npi: int = 1
    alphabet: str = "gsm"
    ttl: int = 60
    receipts: bool = True


@dataclass(frozen=True, slots=True)
class Smpp:
    """A centre with this city's account. `session` gives the line, which others use as well.

    `hearing` gives the line by which the centre tells us something, if that is another one.
    """

    account: Account
    wishes: Wishes
    session: Callable[[], Session]
    hearing: Callable[[], Session | None] = lambda: None

    def send(self, to: str, text: str, key: str, *, goes_next: Callable[[], None]) -> str:
        """Hand one message over; the centre's id of its last part, which gives the receipt.

        `goes_next` is called right before the first octet leaves. Raises NotHandedOver or
        PerhapsHandedOver.
        """
        bodies = written(to, text, self.wishes, next(_references) % 256)
        session = self.session()
        session.ready()
        goes_next()
        known_as = _first(session, bodies[0])
        for number, body in enumerate(bodies[1:], 2):
            known_as = _further(session, body, f"part {number} of {len(bodies)}")
        return known_as or key

    def check(self) -> None:
        """Look whether the line stands. Raises NotHandedOver."""
        self.session().ready()
        if (other := self.hearing()) is not None:
            other.ready()

    def knock(self, seconds: float) -> None:
        """Ask whether the centre answers on the line that stands. Raises NotHandedOver."""
        session = self.session()
        session.ready(seconds)
        session.knock(seconds)

    def answer(self, to: str, text: str) -> None:
        """Send what nobody waits for: once, and without a receipt."""
        quiet = Smpp(self.account, _without_receipts(self.wishes), self.session)
        quiet.send(to, text, "", goes_next=lambda: None)


def smpp_account(settings: Mapping[str, Any], secret: str) -> Account:
    """From a gateway's settings. Raises Invalid, which names one."""
    given, _none = KINDS["smpp"].read(settings)
    for name in ("host", "user", "system_type"):
        if not str(given[name]).isascii():
            raise Invalid(name, "must be plain letters")
    if not secret.isascii():
        raise Invalid("secret", "must be plain letters")
    wanted = ("host", "port", "user", "tls", "bind", "system_type", "alphabet", "ids", "alive")
    return Account(secret=secret, **{name: given[name] for name in wanted})


def smpp_wishes(settings: Mapping[str, Any]) -> Wishes:
    """The other settings of it."""
    given, _none = KINDS["smpp"].read(settings)
    return Wishes(
        source=_numbering(given["sender"], given["sender_ton"], given["sender_npi"]),
        receiver_ton=given["receiver_ton"],
        receiver_npi=given["receiver_npi"],
        alphabet=given["alphabet"],
        ttl=given["ttl"],
        receipts=given["receipts"],
    )


def written(to: str, text: str, wishes: Wishes, reference: int) -> list[bytes]:
    """The bodies of the submit_sm that bring this text; only the last asks for a receipt."""
    wide = wishes.alphabet == "ucs2" or units(text) is None
    if wishes.alphabet.startswith("latin1"):
        wide = wide or not _is_latin1(text)
    pieces = split(text, ucs2=wide)
    destination = Numbering(wishes.receiver_ton, wishes.receiver_npi, to.removeprefix("+"))
    return [
        pdus.submit(
            wishes.source,
            destination,
            _header(reference, len(pieces), number)
            + _coded(piece, "ucs2" if wide else wishes.alphabet),
            esm_class=pdus.HAS_HEADER if len(pieces) > 1 else 0,
            data_coding=0x08 if wide else 0x03 if wishes.alphabet == "latin1" else 0x00,
            validity=pdus.lasting(wishes.ttl),
            receipt=wishes.receipts and number == len(pieces),
        )
        for number, piece in enumerate(pieces, 1)
    ]


def _without_receipts(wishes: Wishes) -> Wishes:
    return Wishes(
        wishes.source, wishes.receiver_ton, wishes.receiver_npi, wishes.alphabet, wishes.ttl, False
    )


def _numbering(sender: str, ton: int, npi: int) -> Numbering:
    """Letters are a name (5), +49… is international (1), and a short number is the network's own (3)."""
    if re.fullmatch(r"\+\d+", sender):
        found = Numbering(1, 1, sender[1:])
    elif sender.isdigit():
        found = Numbering(3, 0, sender) if len(sender) <= 6 else Numbering(1, 1, sender)
    elif not sender:
        found = Numbering(0, 0, "")
    else:
        if len(sender) > 11 or not sender.isascii():
            raise Invalid("sender", "is a number, or up to 11 plain letters")
        found = Numbering(5, 0, sender)
    return Numbering(found.ton if ton < 0 else ton, found.npi if npi < 0 else npi, found.number)


def _is_latin1(text: str) -> bool:
    return all(ord(letter) < 0x100 for letter in text)


def _header(reference: int, total: int, number: int) -> bytes:
    """The user data header of one of several parts (3GPP TS 23.040, 9.2.3.24.1)."""
    return b"" if total == 1 else bytes((5, 0, 3, reference, total, number))


def _coded(text: str, alphabet: str) -> bytes:
    if alphabet == "ucs2":
        return text.encode("utf-16-be")
    return gsm.encode(text) if alphabet == "gsm" else text.encode("latin-1")


def _first(session: Session, body: bytes) -> str:
    """Nothing of the message is there yet: what is refused has not been handed over."""
    deadline = time.monotonic() + _FIRST_PATIENCE
    try:
        return _taken(session, body, deadline)
    except NotWritten as lost:
        raise NotHandedOver(str(lost), unreached=True) from lost


def _further(session: Session, body: bytes, which: str) -> str:
    """A piece is there already, so a line that broke is waited for."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            session.ready(max(deadline - time.monotonic(), 0))
            return _taken(session, body, deadline)
        except NotWritten:
            continue
        except NotHandedOver as refused:
            if refused.permanent or refused.account or time.monotonic() >= deadline:
                raise PerhapsHandedOver(f"{which} was refused: {refused}") from refused
            time.sleep(0.5)


def _taken(session: Session, body: bytes, deadline: float) -> str:
    """The centre's id. Too fast for the centre is tried again, more slowly, until the deadline."""
    pauses = itertools.chain(_PAUSES, itertools.repeat(_PAUSES[-1]))
    while True:
        try:
            answer = session.submit(body)
        except NoAnswer as silence:
            raise PerhapsHandedOver(str(silence)) from silence
        if answer.status == pdus.OK:
            return answer.message_id
        pause = next(pauses)
        if answer.status not in _LATER or time.monotonic() + pause > deadline:
            raise _refusal(answer.status)
        time.sleep(pause)


def _refusal(status: int) -> NotHandedOver:
    said = f"the SMS centre refuses: {pdus.status_name(status)}"
    if status in _LATER:
        return NotHandedOver(said, alone=status == _FAILED)
    return NotHandedOver(said, permanent=True, account=status not in _MESSAGE)
