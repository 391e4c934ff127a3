"""Messages from one client: each is kept once, however often the client sends it (MQTT 5.0 §4.3).

QoS 2 says when a message is over, QoS 1 does not: the same identifier with the same content may be
the message sent again, or the next one that looks alike. Only what is marked as sent again (DUP) can
be a repetition, and only of a message whose acknowledgement the client may have missed.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from stadtherz.mqtt.wire.reasons import Reason

HEARD = 5.0
"""Seconds after which a client that is still talking has surely heard an acknowledgement."""

_MOST = 2_000  # messages remembered for their repetition


def content_of(topic: str, payload: bytes) -> int:
    """What tells messages apart, also after a restart."""
    told = hashlib.blake2b(topic.encode(), digest_size=8)
    told.update(b"\0")
    told.update(payload)
    return int.from_bytes(told.digest(), signed=True)


@dataclass(slots=True)
class Taken:
    """A message on its way; `reason` is there once it is known what became of it.

    `alike` counts messages just before it that had the same identifier and content. `restored`: it is
    known from before a restart.
    """

    packet_id: int
    qos: int
    content: int
    alike: int = 0
    restored: bool = False
    reason: Reason | None = None
    text: str = ""
    answered: float | None = None  # when


@dataclass(slots=True)
class Inbox:
    _once: dict[int, Taken] = field(default_factory=dict)  # QoS 2, until it is released
    _recent: dict[int, Taken] = field(default_factory=dict)  # the others, oldest first

    def known(self, packet_id: int, qos: int, content: int, *, dup: bool) -> Taken | None:
        """What this message repeats, if it does."""
        if qos == 2:
            open_one = self._once.get(packet_id)
            if open_one is not None and open_one.restored and open_one.content != content:
                return None  # its release came right before the restart, and was forgotten
            return open_one
        before = self._recent.get(packet_id)
        alike = before is not None and (before.qos, before.content) == (qos, content)
        return before if dup and alike else None

    def take(self, packet_id: int, qos: int, content: int) -> Taken:
        before = self._recent.pop(packet_id, None)
        alike = before is not None and (before.qos, before.content) == (qos, content)
        taken = Taken(packet_id, qos, content, before.alike + 1 if before and alike else 0)
        if qos == 2:
            self._once[packet_id] = taken
        else:
            self._remember(taken)
        return taken

    def _remember(self, taken: Taken) -> None:
        self._recent[taken.packet_id] = taken
        if len(self._recent) > _MOST:
            del self._recent[next(iter(self._recent))]

    def drop(self, taken: Taken) -> None:
        """It was not kept; the client will send it again, and then it is new."""
        held = self._once if taken.qos == 2 else self._recent
        if held.get(taken.packet_id) is taken:
            del held[taken.packet_id]

    def restore(self, opened: Iterable[tuple[int, int]]) -> None:
        """Packet identifiers and contents of messages that were kept and not released."""
        for packet_id, content in opened:
            taken = Taken(packet_id, 2, content, restored=True)
            taken.reason = Reason.SUCCESS
            self._once[packet_id] = taken

    def release(self, packet_id: int) -> bool:
        """PUBREL: the client will not send it again. False if there was none."""
        taken = self._once.pop(packet_id, None)
        if taken is None:
            return False
        self._remember(taken)  # the next one may look alike
        return True

    def heard(self, now: float) -> None:
        """The client has just sent something: what was answered a while ago, it has received."""
        recent = self._recent
        while recent:
            first = next(iter(recent.values()))
            if first.answered is None or now - first.answered < HEARD:
                return
            del recent[first.packet_id]
