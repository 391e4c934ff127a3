"""SMTP by single steps, so that there is a known moment at which a message changes hands.

By RFC 5321 §4.1.1.4 a server accepts a message when it has seen the line with the single dot, and
must forget everything if the connection ends before. So the caller is asked twice: `before_text` may
still withdraw when the server is ready, and `before_dot` notes that the last line goes next.
"""

import re
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage

from stadtherz.alerts.channels.outcomes import NotHandedOver, PerhapsHandedOver
from stadtherz.base.mailserver import MailServer

# Shorter than a process may hold a message without having begun to hand it over (deliveries.claim).
_LINE_SECONDS = 5.0
_COMMAND_SECONDS = 20.0
# RFC 5321 §4.5.3.2.6 asks for 10 minutes here; a server that needs 2 is not going to answer.
ANSWER_SECONDS = 120.0


def hand_over(
    server: MailServer,
    message: EmailMessage,
    *,
    sender: str,
    recipient: str,
    before_text: Callable[[], None],
    before_dot: Callable[[], None],
) -> None:
    """Give one message to the server, once.

    Raises NotHandedOver if the server certainly does not have it, PerhapsHandedOver if nobody can
    know. What `before_text` raises ends the conversation and comes through unchanged. `before_dot`
    must be quick: between it and the dot lies the only moment whose outcome nobody can know.
    """
    with _connection(server) as smtp:
        with _before_the_dot():
            _expect(smtp.mail(sender), {250})
            _expect(smtp.rcpt(recipient), {250, 251}, alone=True)
            _expect(smtp.docmd("DATA"), {354}, alone=True)
        text = body(message)
        before_text()
        with _before_the_dot():
            smtp.send(text)
        _expect(_dot(smtp, before_dot), {250}, alone=True)
        _take_leave(smtp)


def body(message: EmailMessage) -> bytes:
    """The message as it goes over the line, dots doubled (RFC 5321 §4.5.2), without the last dot."""
    raw = re.sub(rb"\r?\n", b"\r\n", message.as_bytes())
    stuffed = re.sub(rb"(?m)^\.", b"..", raw)
    return stuffed if stuffed.endswith(b"\r\n") else stuffed + b"\r\n"


def _dot(smtp: smtplib.SMTP, before_dot: Callable[[], None]) -> tuple[int, bytes]:
    if smtp.sock is not None:
        smtp.sock.settimeout(ANSWER_SECONDS)
    before_dot()
    try:
        smtp.send(b".\r\n")
        return smtp.getreply()
    except (OSError, smtplib.SMTPException) as error:
        raise PerhapsHandedOver(f"no answer after the end of the message: {error}") from error


def _take_leave(smtp: smtplib.SMTP) -> None:
    """Say QUIT without waiting for the answer: the outcome is known."""
    with suppress(OSError, smtplib.SMTPException):
        smtp.putcmd("QUIT")


@contextmanager
def _connection(server: MailServer) -> Iterator[smtplib.SMTP]:
    smtp = _reached(server)
    try:
        yield smtp
    finally:
        smtp.close()


def check(server: MailServer) -> None:
    """Look whether the server is there and takes our name and password. Raises NotHandedOver."""
    with _connection(server) as smtp:
        _take_leave(smtp)


def _reached(server: MailServer) -> smtplib.SMTP:
    """A line to the server, greeted and logged in. Raises NotHandedOver."""
    try:
        return _connect(server)
    except smtplib.SMTPAuthenticationError as error:
        raise NotHandedOver(_words(error), permanent=True, account=True) from error
    except (OSError, smtplib.SMTPException) as error:
        raise NotHandedOver(_words(error), unreached=True) from error


def _connect(server: MailServer) -> smtplib.SMTP:
    context = ssl.create_default_context()
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
        smtp.sock.settimeout(_COMMAND_SECONDS)
    except BaseException:
        smtp.close()
        raise
    return smtp


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
