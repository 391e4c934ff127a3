"""A message that has come in, and the keys by which it is recognised if it comes again.

A client sends again what it missed the acknowledgement of. While this process lives, the session's
inbox knows. After a crash only the store does: a reading carries a key made of the message and of the
moment it came, and what is marked as sent again is looked for under the keys of the moments before.
"""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stadtherz.base.time import MINUTE, SECOND, Micros
from stadtherz.base.visibility import Visibility
from stadtherz.mqtt.clients.inbox import HEARD, Taken
from stadtherz.mqtt.wire.properties import Properties

if TYPE_CHECKING:
    from stadtherz.mqtt.clients.conversation import Conversation

_MOMENT: Micros = 4 * SECOND
"""Within one, two messages that look alike are told apart by counting; the inbox remembers longer."""

AGAIN: Micros = 15 * MINUTE
"""How long before a message that is sent again its first sending is looked for."""

assert _MOMENT < HEARD * SECOND


@dataclass(frozen=True, slots=True)
class Arrival:
    """`taken` None: QoS 0, nobody waits for what becomes of it."""

    topic: str
    payload: bytes
    visibility: Visibility
    received: Micros
    sender: str
    taken: Taken | None = None
    conversation: "Conversation | None" = None
    again: bool = False
    properties: Properties = field(default_factory=dict)

    @property
    def key(self) -> str | None:
        """What its reading is recognised by."""
        taken = self.taken
        if taken is None:
            return None
        return _key(self._digest(taken), self.received // _MOMENT, taken.alike)

    def earlier_keys(self) -> Iterator[str]:
        """Under which a first sending would be found."""
        if self.taken is not None:
            digest = self._digest(self.taken)
            last = self.received // _MOMENT
            for moment in range(last, last - AGAIN // _MOMENT, -1):
                yield _key(digest, moment, 0)

    def _digest(self, taken: Taken) -> str:
        told = hashlib.blake2b(digest_size=12)
        head = f"{self.sender}\0{taken.qos}\0{taken.packet_id}\0{self.topic}\0"
        told.update(head.encode())
        told.update(self.payload)
        return told.hexdigest()


def _key(digest: str, moment: int, alike: int) -> str:
    return f"mqtt:{digest}:{moment}:{alike}" if alike else f"mqtt:{digest}:{moment}"


def may_be_of_before(began: float) -> bool:
    """Whether a first sending may have reached whoever was there before this hub began (monotonic clock)."""
    return (time.monotonic() - began) * SECOND < AGAIN
