"""Dealing with each deliver_sm: the centre gets its thanks when what it told is on disk here."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any

from stadtherz.alerts.channels import smpp_pdu as pdus
from stadtherz.alerts.channels.heard import Heard, Hears, Incoming, Receipt, Unknown
from stadtherz.alerts.channels.smpp_heard import Part, canonical, read
from stadtherz.alerts.channels.smpp_pdu import Garbled, Head

logger = logging.getLogger(__name__)

_MOST_AT_ONCE = 200  # deliver_sm that are not answered yet
# A receipt may be faster than our own commit of the id that it names.
_UNKNOWN_PAUSES = (0.2, 1.0, 3.0)
# A centre that sends the second part only when it has our thanks for the first waits so long for it.
_PARTS_SECONDS = 2.0


@dataclass(slots=True)
class _Group:
    """Parts of one message that are there."""

    complete: asyncio.Event
    parts: dict[int, Part] = field(default_factory=dict)

    def add(self, part: Part) -> None:
        self.parts[part.number] = part
        if len(self.parts) == part.total:
            self.complete.set()

    def text(self) -> str:
        return "".join(part.text for _number, part in sorted(self.parts.items()))


class Listening:
    """Belongs to one session; everything but `hears` happens in its event loop."""

    def __init__(self, alphabet: str, ids: str, hears: Hears, worker: Executor) -> None:
        self._alphabet = alphabet
        self._ids = ids
        self._hears = hears
        self._worker = worker
        self._tasks: set[asyncio.Task[Any]] = set()
        self._groups: dict[tuple[str, int, int], tuple[_Group, asyncio.Task[int]]] = {}

    def take(self, head: Head, body: bytes, write: Callable[[bytes], None]) -> None:
        """Begin to deal with one; the thanks go by `write`."""
        if len(self._tasks) >= _MOST_AT_ONCE:
            write(_thanks(head, pdus.TRY_AGAIN))
        else:
            self._start(self._dealt_with(head, body, write))

    async def end(self) -> None:
        """Whatever is not on disk yet stays with the centre, which got no thanks for it."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _dealt_with(self, head: Head, body: bytes, write: Callable[[bytes], None]) -> None:
        try:
            found = read(pdus.deliver(body), self._alphabet)
        except Garbled as problem:
            logger.warning("the SMS centre sent a broken message: %s", problem)
            write(pdus.pdu(pdus.GENERIC_NACK, head.sequence, status=pdus.INVALID_LENGTH))
            return
        write(_thanks(head, await self._status(found)))

    async def _status(self, found: Receipt | Part | None) -> int:
        if found is None:
            return pdus.OK
        if isinstance(found, Receipt):
            return await self._keep(self._named(found))
        if found.total == 1:
            return await self._keep(Incoming(found.sender, found.text))
        return await self._gather(found)

    def _named(self, receipt: Receipt) -> Receipt:
        if self._ids == "same":
            return receipt
        known_as = canonical(receipt.message_id, hexadecimal=self._ids == "receipt-hex")
        return replace(receipt, message_id=known_as)

    async def _gather(self, part: Part) -> int:
        """All parts of a message have the same fate."""
        key = (part.sender, part.reference, part.total)
        if key not in self._groups:
            group = _Group(asyncio.Event())
            self._groups[key] = group, self._start(self._finish(key, group))
        group, finish = self._groups[key]
        group.add(part)
        return await asyncio.shield(finish)

    async def _finish(self, key: tuple[str, int, int], group: _Group) -> int:
        """What is there after a while is all. Without its beginning it answers nothing."""
        try:
            await asyncio.wait_for(group.complete.wait(), _PARTS_SECONDS)
        except TimeoutError:
            logger.warning("an SMS came without %d of its parts", key[2] - len(group.parts))
        del self._groups[key]
        if 1 not in group.parts:
            return pdus.OK
        return await self._keep(Incoming(key[0], group.text()))

    async def _keep(self, heard: Heard) -> int:
        loop = asyncio.get_running_loop()
        for pause in (*_UNKNOWN_PAUSES, None):
            try:
                after = await loop.run_in_executor(self._worker, self._hears, heard)
            except Unknown:
                if pause is None:
                    break  # of a trial, or an answer: nobody waits for it
                await asyncio.sleep(pause)
            except Exception:  # the line must live on, and the centre keeps what it told
                logger.exception("what the SMS centre told could not be kept")
                return pdus.TRY_AGAIN
            else:
                if after is not None:
                    self._start(self._do(after))
                break
        return pdus.OK

    async def _do(self, after: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._worker, after)

    def _start(self, doing: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("hearing an SMS failed", exc_info=task.exception())


def _thanks(head: Head, status: int) -> bytes:
    return pdus.pdu(pdus.DELIVER_SM | pdus.RESPONSE, head.sequence, b"\0", status)
