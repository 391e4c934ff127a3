"""One line to an SMS centre by SMPP 3.4, kept up in a thread of its own.

The thread binds, answers signs of life and asks for them, hears receipts and incoming messages, and
comes back when the line breaks. Whoever sends asks `ready` and then `submit`, from any other thread.
"""

import asyncio
import contextlib
import logging
import math
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass, field

from stadtherz.alerts.channels import smpp_pdu as pdus
from stadtherz.alerts.channels.heard import Hears
from stadtherz.alerts.channels.outcomes import NotHandedOver
from stadtherz.alerts.channels.smpp_heard import canonical
from stadtherz.alerts.channels.smpp_listening import Listening
from stadtherz.alerts.channels.smpp_pdu import Garbled, Head

logger = logging.getLogger(__name__)

_LONGEST_PAUSE = 60.0
_UNREAD = 1024 * 1024  # octets that wait for a centre that does not read
# Answers to a bind that speak of the centre's trouble: ESME_RSYSERR, ESME_RTHROTTLED, ESME_RX_T_APPN.
_LATER = frozenset({0x08, 0x58, 0x64})


_BINDS = {
    "transceiver": pdus.BIND_TRANSCEIVER,
    "transmitter": pdus.BIND_TRANSMITTER,
    "receiver": pdus.BIND_RECEIVER,
}


class NotWritten(Exception):
    """Not one octet has left: the centre does not have it."""


class NoAnswer(Exception):
    """It has left, and nobody can know what became of it."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where the centre is, who we are there, and how long things may take (in seconds)."""

    host: str
    port: int
    user: str
    secret: str = field(repr=False)
    tls: bool = True
    bind: str = "transceiver"  # or transmitter, receiver; a pair is two sessions
    system_type: str = ""
    alphabet: str = "gsm"
    ids: str = "same"
    alive: float = 30.0
    patience: float = 20.0  # with each answer
    first_pause: float = 1.0  # before the line is tried again; it doubles


@dataclass(frozen=True, slots=True)
class Answer:
    """What the centre says to a submit_sm; `message_id` as it will stand in the receipt."""

    status: int
    message_id: str


class Session:
    """`hears` is called in another thread of the session, for one thing after the other.

    `leaves` is called in that thread at the end.
    """

    def __init__(
        self, account: Account, hears: Hears, leaves: Callable[[], None] = lambda: None
    ) -> None:
        self.account = account
        self._leaves = leaves
        self._state = threading.Condition()
        self._bound = False
        self._trying = True
        self._tried_at = 0.0
        self._bound_at = math.inf
        self._fault: NotHandedOver | None = None
        self._loop = asyncio.new_event_loop()
        self._hurry = asyncio.Event()
        self._ends = False
        self._writer: asyncio.StreamWriter | None = None
        self._binding: asyncio.Task[asyncio.StreamReader] | None = None
        self._sequence = 0
        self._waiting: dict[int, asyncio.Future[tuple[Head, bytes]]] = {}
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="smpp heard")
        self._listening = Listening(account.alphabet, account.ids, hears, self._worker)
        self._thread = threading.Thread(target=self._run, name="smpp", daemon=True)
        self._thread.start()

    # --- for others, from their threads -----------------------------------------------------------

    @property
    def bound(self) -> bool:
        with self._state:
            return self._bound

    @property
    def fault(self) -> NotHandedOver | None:
        """Why the line does not stand; None while it does, or has not been tried yet."""
        with self._state:
            return None if self._bound else self._fault

    def ready(self, seconds: float = 5.0) -> None:
        """Return when the line stands. Raises NotHandedOver if it cannot be had in that time.

        Where it has just been refused, that comes at once: others wait behind this message.
        """
        with self._state:
            if self._fault is not None:
                seconds = min(seconds, 2.0)
            deadline = time.monotonic() + seconds
            self._try_now()
            while not self._bound and self._trying and deadline > time.monotonic():
                self._state.wait(deadline - time.monotonic())
            if not self._bound:
                raise self._fault or NotHandedOver("the SMS centre does not answer", unreached=True)

    def _try_now(self) -> None:
        """End the pause, unless the account is refused (it could be locked) or it has just been tried."""
        refused = self._fault is not None and self._fault.account
        rested = time.monotonic() - self._tried_at >= self.account.first_pause
        if not self._bound and not self._trying and rested and not refused:
            self._trying = True
            self._loop.call_soon_threadsafe(self._hurry.set)

    def submit(self, body: bytes) -> Answer:
        """Send one submit_sm. Raises NotWritten or NoAnswer."""
        if not self._thread.is_alive() or self._ends:
            raise NotWritten("the line was closed")
        head, answer = self._asked(pdus.SUBMIT_SM, body, self.account.patience)
        if head.status != pdus.OK:
            return Answer(head.status, "")
        known_as = pdus.message_id(answer)
        if self.account.ids != "same":
            known_as = canonical(known_as, hexadecimal=self.account.ids == "answer-hex")
        return Answer(pdus.OK, known_as)

    def knock(self, seconds: float) -> None:
        """Ask whether the other end lives; a line without an answer is begun anew. Raises NotHandedOver."""
        try:
            self._asked(pdus.ENQUIRE_LINK, b"", seconds)
        except (NotWritten, NoAnswer) as problem:
            raise NotHandedOver(str(problem), unreached=True) from problem

    def _asked(self, command: int, body: bytes, patience: float) -> tuple[Head, bytes]:
        asking = self._ask(command, body, patience)
        try:
            asked = asyncio.run_coroutine_threadsafe(asking, self._loop)
        except RuntimeError:  # its end came between
            asking.close()
            raise NotWritten("the line was closed") from None
        try:
            return asked.result(patience + 5)
        except (TimeoutError, CancelledError):
            raise NoAnswer("the line ended before the answer") from None

    def end(self) -> None:
        """Take leave of the centre; what it tells from now on it must tell again."""
        with contextlib.suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(self._stop)
        self._thread.join(timeout=10)
        self._worker.submit(self._leaves)
        self._worker.shutdown()

    # --- the thread --------------------------------------------------------------------------------

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._live())

    def _stop(self) -> None:
        self._ends = True
        self._hurry.set()
        if self._bound and self._writer is not None:
            self._write(pdus.pdu(pdus.UNBIND, self._next()))
            self._loop.call_later(2.0, self._writer.transport.abort)
        elif self._binding is not None:
            self._binding.cancel()

    async def _live(self) -> None:
        pause = self.account.first_pause
        while not self._ends:
            self._hurry.clear()
            self._bound_at = math.inf
            try:
                self._binding = self._loop.create_task(self._bind())
                await self._talk(await asyncio.wait_for(self._binding, self.account.patience))
            except asyncio.CancelledError:
                if not self._ends:
                    raise
            except NotHandedOver as refused:
                self._says(str(refused), account=refused.account)
            except (OSError, EOFError, TimeoutError, Garbled) as problem:
                self._says(_plainly(problem))
            finally:
                self._hang_up()
            if self._lived():
                pause = self.account.first_pause
            elif not self._ends:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._hurry.wait(), pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            self._note(bound=False, trying=not self._ends)
        await self._listening.end()

    def _lived(self) -> bool:
        """A line that stood for a while and broke is tried again at once."""
        return time.monotonic() - self._bound_at >= self.account.first_pause

    def _says(self, reason: str, *, account: bool = False) -> None:
        if not self._ends and str(self._fault) != reason:
            logger.warning("SMS centre %s: %s", self.account.host, reason)
        with self._state:
            self._fault = NotHandedOver(reason, account=account, unreached=True)
            self._tried_at = time.monotonic()
        self._note(bound=False, trying=self._lived())

    def _note(self, *, bound: bool, trying: bool) -> None:
        with self._state:
            self._bound, self._trying = bound, trying
            if bound:
                self._fault = None
            self._state.notify_all()

    async def _bind(self) -> asyncio.StreamReader:
        account = self.account
        context = ssl.create_default_context() if account.tls else None
        reader, self._writer = await asyncio.open_connection(
            account.host, account.port, ssl=context
        )
        body = pdus.bind(account.user, account.secret, account.system_type)
        command = _BINDS[account.bind]
        self._write(pdus.pdu(command, self._next(), body))
        while True:  # an outbind may come first
            head, _body = await _received(reader)
            if head.command in (command | pdus.RESPONSE, pdus.GENERIC_NACK):
                break
        if head.status != pdus.OK or head.command == pdus.GENERIC_NACK:
            raise NotHandedOver(
                f"the SMS centre refuses the account: {pdus.status_name(head.status)}",
                account=head.status not in _LATER,
            )
        logger.info("bound to the SMS centre %s", account.host)
        self._bound_at = time.monotonic()
        self._note(bound=True, trying=True)
        return reader

    async def _talk(self, reader: asyncio.StreamReader) -> None:
        """Hear what comes until the line ends."""
        while True:
            head, body = await self._heard(reader)
            if head.command == pdus.UNBIND:
                self._write(pdus.pdu(pdus.UNBIND | pdus.RESPONSE, head.sequence))
                raise EOFError("the SMS centre took leave")
            if head.command == pdus.UNBIND | pdus.RESPONSE:
                return
            self._take(head, body)

    async def _heard(self, reader: asyncio.StreamReader) -> tuple[Head, bytes]:
        """The next message. A line that has been silent for long is asked whether it lives."""
        coming = self._loop.create_task(_received(reader))
        try:
            done, _open = await asyncio.wait({coming}, timeout=self.account.alive)
            if not done:
                self._write(pdus.pdu(pdus.ENQUIRE_LINK, self._next()))
                done, _open = await asyncio.wait({coming}, timeout=self.account.patience)
            if not done:
                raise TimeoutError("the SMS centre gives no sign of life")
            return coming.result()
        finally:
            coming.cancel()

    def _take(self, head: Head, body: bytes) -> None:
        if head.answers:
            waiting = self._waiting.get(head.sequence)
            if waiting is not None and not waiting.done():
                waiting.set_result((head, body))
        elif head.command == pdus.ENQUIRE_LINK:
            self._write(pdus.pdu(pdus.ENQUIRE_LINK | pdus.RESPONSE, head.sequence))
        elif head.command == pdus.DELIVER_SM:
            self._listening.take(head, body, self._write)
        elif head.command not in (pdus.ALERT_NOTIFICATION, pdus.OUTBIND):
            self._write(pdus.pdu(pdus.GENERIC_NACK, head.sequence, status=pdus.INVALID_COMMAND))

    async def _ask(self, command: int, body: bytes, patience: float) -> tuple[Head, bytes]:
        writer = self._writer
        if writer is None or writer.is_closing() or not self._bound or self._ends:
            raise NotWritten("the line was closed")
        sequence = self._next()
        waiting = self._waiting[sequence] = self._loop.create_future()
        try:
            writer.write(pdus.pdu(command, sequence, body))
            return await asyncio.wait_for(waiting, patience)
        except TimeoutError:
            writer.transport.abort()  # who is silent for so long may be gone: begin anew
            raise NoAnswer("no answer of the SMS centre") from None
        finally:
            del self._waiting[sequence]

    def _hang_up(self) -> None:
        """What was written and is not answered will not be."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
            if self._ends:
                writer.transport.abort()
            else:
                self._loop.call_later(2.0, writer.transport.abort)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(NoAnswer("the line broke before the answer"))

    def _write(self, message: bytes) -> None:
        writer = self._writer
        if writer is None or writer.is_closing():
            return
        if writer.transport.get_write_buffer_size() > _UNREAD:
            writer.transport.abort()
            return
        writer.write(message)

    def _next(self) -> int:
        self._sequence = pdus.following(self._sequence)
        return self._sequence


async def _received(reader: asyncio.StreamReader) -> tuple[Head, bytes]:
    head = pdus.head(await reader.readexactly(pdus.HEADER))
    return head, await reader.readexactly(head.length - pdus.HEADER)


def _plainly(problem: Exception) -> str:
    if isinstance(problem, asyncio.IncompleteReadError):
        return "the SMS centre closed the line"
    if isinstance(problem, TimeoutError) and not str(problem):
        return "the SMS centre does not answer"
    return f"{type(problem).__name__}: {problem}"
