"""Offers of one event loop on their way to the store: no thread waits for their commit.

What is offered in one turn of the loop goes to the writer together, and comes back together.
"""

import asyncio
from concurrent.futures import Future
from contextlib import suppress

from stadtherz.store import public as store
from stadtherz.store.public import Kept, Offer

_Waiting = list[tuple[Offer, "asyncio.Future[Kept | None]"]]


class Intake:
    """Where coroutines of one event loop hand in what they offer."""

    def __init__(self) -> None:
        self._waiting: _Waiting = []

    async def keep(self, offer: Offer) -> Kept | None:
        """What became of the offer, once it is on disk; None if nothing of it was kept.

        Raises what `store.append` does for want of a database.
        """
        loop = asyncio.get_running_loop()
        told: asyncio.Future[Kept | None] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._hand_in, loop)
        self._waiting.append((offer, told))
        return await told

    def _hand_in(self, loop: asyncio.AbstractEventLoop) -> None:
        waiting, self._waiting = self._waiting, []

        def come_back(outcome: Future[list[Kept | None]]) -> None:
            with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
                loop.call_soon_threadsafe(_tell, waiting, outcome)

        store.submit_offers([offer for offer, _ in waiting]).add_done_callback(come_back)


def _tell(waiting: _Waiting, outcome: Future[list[Kept | None]]) -> None:
    error = outcome.exception()
    kept = [None] * len(waiting) if error is not None else outcome.result()
    for (_, told), each in zip(waiting, kept, strict=True):
        if told.done():  # its client has gone
            continue
        if error is None:
            told.set_result(each)
        else:
            told.set_exception(error)
