"""SMTP by single steps, so that there is a known moment at which a message changes hands.

By RFC 5321 §4.1.1.4 a server accepts a message when it has seen the line with the single dot, and
must forget everything if the connection ends before. So the caller is asked twice: `before_text` may
still withdraw when the server is ready, and `before_dot` notes that the last line goes next.

`Lines` keeps the line open for the next message. What an old line has failed at before the caller was
asked is tried once more on a new one; after that nothing is ever tried twice here.
"""

import re
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage

from stadtherz.alerts.channels.outcomes import NotHandedOver, PerhapsHandedOver
from stadtherz.base.mailserver import MailServer

# Shorter than a process may hold a message without having begun to hand it over (deliveries.claim).
_LINE_SECONDS = 5.0
PATIENT = 20.0
# For each of MAIL, RCPT and DATA where another relay could take the message: whatever is slower there.
BRISK = 5.0
# RFC 5321 §4.5.3.2.6 asks for 10 minutes here; a server that needs 2 is not going to answer.
ANSWER_SECONDS = 120.0


# Servers close a line after some minutes of silence, or after some messages; both cost an attempt.
_IDLE_SECONDS = 20.0
_MOST_ON_A_LINE = 100


def hand_over(
    server: MailServer,
    message: EmailMessage,
    *,
    sender: str,
    recipient: str,
    before_text: Callable[[], None],
    before_dot: Callable[[], None],
) -> None:
    """Give one message to the server, once, on a line of its own.

    Raises NotHandedOver if the server certainly does not have it, PerhapsHandedOver if nobody can
    know. What `before_text` raises ends the conversation and comes through unchanged. `before_dot`
    must be quick: between it and the dot lies the only moment whose outcome nobody can know.
    """
    with closing(Lines()) as lines:
        lines.hand_over(
            server,
            message,
            sender=sender,
            recipient=recipient,
            before_text=before_text,
            before_dot=before_dot,
        )


@dataclass(slots=True)
class _Line:
    smtp: smtplib.SMTP
    used: float
    messages: int = 0
    refused: bool = False  # the last message was, so the server must forget it

    @property
    def fresh(self) -> bool:
        return self.messages == 0

    @property
    def good(self) -> bool:
        quiet = time.monotonic() - self.used
        return quiet < _IDLE_SECONDS and self.messages < _MOST_ON_A_LINE


class Lines:
    """Lines to mail servers that stay open between messages; for one thread."""

    def __init__(self) -> None:
        self._lines: dict[MailServer, _Line] = {}

    def hand_over(
        self,
        server: MailServer,
        message: EmailMessage,
        *,
        sender: str,
        recipient: str,
        before_text: Callable[[], None],
        before_dot: Callable[[], None],
        patience: float = PATIENT,
    ) -> None:
        """As `hand_over` of this module. `patience` is how many seconds each answer before the text may take.

        The text and the answer to its dot have their own times: who gives up there may be told twice.
        """
        line = self._announced(server, sender, recipient, patience)
        kept = False
        try:
            with _before_the_dot():
                _expect(line.smtp.docmd("DATA"), {354}, alone=True)
            text = body(message)
            before_text()
            _wait(line.smtp, PATIENT)
            with _before_the_dot():
                line.smtp.send(text)
            reply = _dot(line.smtp, before_dot)
            kept = reply[0] == 250
            _expect(reply, {250}, alone=True)
        finally:
            # After anything unusual a new line is surer than any guess at what the server believes.
            if kept:
                self._keep(server, line)
            else:
                self._drop(server)

    def close(self) -> None:
        """Take leave of every server, without waiting for its answer: the outcomes are known."""
        for server, line in list(self._lines.items()):
            with suppress(OSError, smtplib.SMTPException):
                line.smtp.putcmd("QUIT")
            self._drop(server)

    def _announced(self, server: MailServer, sender: str, recipient: str, patience: float) -> _Line:
        """A line on which the server has taken sender and recipient. Raises NotHandedOver."""
        line = self._line(server, patience)
        try:
            return self._announce(line, sender, recipient)
        except NotHandedOver as problem:
            self._settle(server, line, problem)
            if line.fresh or problem.alone:
                raise
        line = self._line(server, patience)
        try:
            return self._announce(line, sender, recipient)
        except NotHandedOver as problem:
            self._settle(server, line, problem)
            raise

    def _announce(self, line: _Line, sender: str, recipient: str) -> _Line:
        with _before_the_dot():
            if line.refused:
                _expect(line.smtp.rset(), {250})
                line.refused = False
            _expect(line.smtp.mail(sender), {250})
            _expect(line.smtp.rcpt(recipient), {250, 251}, alone=True)
        return line

    def _settle(self, server: MailServer, line: _Line, problem: NotHandedOver) -> None:
        """A refused recipient says nothing about the line; anything else ends it."""
        if problem.alone and line.smtp.sock is not None:
            line.refused = True
            self._keep(server, line)
        else:
            self._drop(server)

    def _line(self, server: MailServer, patience: float) -> _Line:
        line = self._lines.get(server)
        if line is not None and line.good:
            _wait(line.smtp, patience)
            return line
        if line is not None:
            with suppress(OSError, smtplib.SMTPException):
                line.smtp.putcmd("QUIT")
            self._drop(server)
        made = self._lines[server] = _Line(_reached(server), time.monotonic())
        _wait(made.smtp, patience)
        return made

    def _keep(self, server: MailServer, line: _Line) -> None:
        if line.smtp.sock is None:
            self._drop(server)
            return
        line.used = time.monotonic()
        line.messages += 1

    def _drop(self, server: MailServer) -> None:
        line = self._lines.pop(server, None)
        if line is not None:
            line.smtp.close()


def body(message: EmailMessage) -> bytes:
    """The message as it goes over the line, dots doubled (RFC 5321 §4.5.2), without the last dot."""
    raw = re.sub(rb"\r?\n", b"\r\n", message.as_bytes())
    stuffed = re.sub(rb"(?m)^\.", b"..", raw)
    return stuffed if stuffed.endswith(b"\r\n") else stuffed + b"\r\n"


def _wait(smtp: smtplib.SMTP, seconds: float) -> None:
    """How long the next answers may take each."""
    if smtp.sock is not None:
        smtp.sock.settimeout(seconds)


def _dot(smtp: smtplib.SMTP, before_dot: Callable[[], None]) -> tuple[int, bytes]:
    _wait(smtp, ANSWER_SECONDS)
    before_dot()
    try:
        smtp.send(b".\r\n")
        return smtp.getreply()
    except (OSError, smtplib.SMTPException) as error:
        raise PerhapsHandedOver(f"no answer after the end of the message: {error}") from error


def check(server: MailServer) -> None:
    """Look whether the server is there and takes our name and password. Raises NotHandedOver."""
    smtp = _reached(server)
    with suppress(OSError, smtplib.SMTPException):
        smtp.putcmd("QUIT")
    smtp.close()


def _reached(server: MailServer) -> smtplib.SMTP:
    """A line to the server, greeted and logged in. Raises NotHandedOver."""
    try:
        return _connect(server)
    except smtplib.SMTPAuthenticationError as error:
        raise NotHandedOver(_words(error), permanent=True, account=True) from error
    except (OSError, smtplib.SMTPException) as error:
        raise NotHandedOver(_words(error), unreached=True) from error


def _connect(server: MailServer) -> smtplib.SMTP:
    # Reading the authorities of the machine takes longer than the rest of a plain conversation.
    context = _trust(server.ca) if server.tls or server.starttls else None
    if server.tls:
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, timeout=_LINE_SECONDS, context=context
        )
    else:
        smtp = smtplib.SMTP(server.host, server.port, timeout=_LINE_SECONDS)
    try:
        smtp.ehlo_or_helo_if_needed()
        if server.starttls:
            smtp.starttls(context=context)
            smtp.ehlo()
        if server.user:
            smtp.login(server.user, server.password)
        assert smtp.sock is not None
        # The dot goes by itself; without this the kernel holds it back until the text is acknowledged.
        smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _trust(ca: str) -> ssl.SSLContext:
    """Whom we believe: the authorities that the machine knows, and the one in the file `ca`."""
    context = ssl.create_default_context()
    if ca:
        context.load_verify_locations(cafile=ca)
    return context


@contextmanager
def _before_the_dot() -> Iterator[None]:
    try:
        yield
    except (OSError, smtplib.SMTPException) as error:
        raise NotHandedOver(_words(error)) from error


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return _answer(error.smtp_code, error.smtp_error)
    return f"{type(error).__name__}: {error}"


def _answer(code: int, text: bytes | str) -> str:
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    return f"{code} {text}"[:500]


def _expect(reply: tuple[int, bytes], wanted: set[int], *, alone: bool = False) -> None:
    """Raise unless the server agreed; a 5xx about this message is its last word."""
    code, text = reply
    if code not in wanted:
        raise NotHandedOver(_answer(code, text), permanent=500 <= code < 600, alone=alone)
