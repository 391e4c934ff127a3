"""Messages to one client (MQTT 5.0 §4.3, §4.4, §4.9): in flight, waiting, and sent again."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, takewhile
from typing import NamedTuple

from stadtherz.mqtt.clients.messages import Message, Place
from stadtherz.mqtt.wire.packets import Ack, Publish
from stadtherz.mqtt.wire.properties import Kind


class Sending(NamedTuple):
    """A message with the quality in which this client gets it."""

    message: Message
    qos: int


class Outbox:
    """At most `window` messages wait for acknowledgement, at most `most` behind them."""

    def __init__(self, window: int, most: int) -> None:
        self.window = window
        self._most = most
        self._last_id = 0
        self._flying: dict[int, Sending | None] = {}  # None: received (PUBREC), to be released
        self._waiting: deque[Sending] = deque()
        self.broken_off = False  # not all of what belongs together was lined up
        self._sent: Place | None = None  # behind which the last one lies that was sent
        self._doubtful: set[int] = set()  # in flight, as somebody could see it then

    @property
    def full(self) -> bool:
        return len(self._waiting) >= self._most

    @property
    def flying(self) -> int:
        return len(self._flying)

    @property
    def busy(self) -> int:
        """How many messages the client has before it."""
        return len(self._flying) + len(self._waiting)

    @property
    def waits(self) -> bool:
        """Whether anything is lined up that was not sent yet."""
        return bool(self._waiting)

    @property
    def nearly_empty(self) -> bool:
        return len(self._waiting) < self._most // 4

    def add(self, message: Message, qos: int) -> None:
        """Line up; `due` tells what may go."""
        self._waiting.append(Sending(message, qos))

    def due(self) -> Iterator[Publish]:
        """What may be sent now, in order."""
        while self._waiting and (not self._waiting[0].qos or len(self._flying) < self.window):
            sending = self._waiting.popleft()
            packet_id = 0
            if sending.qos:
                packet_id = self._free_id()
                self._flying[packet_id] = sending
                self._sent = sending.message.behind or self._sent
            yield _packet(sending, packet_id)

    def again(self) -> Iterator[Publish | Ack]:
        """After a new connection: everything that was not acknowledged, as it was sent before."""
        for packet_id, sending in tuple(self._flying.items()):
            if sending is None:
                yield Ack(Kind.PUBREL, packet_id)
            else:
                yield _packet(sending, packet_id)._replace(dup=True)

    def doubt(self) -> None:
        """The client may see something else from now on: what is in flight is not sent a second time."""
        self._doubtful = {packet_id for packet_id, each in self._flying.items() if each is not None}

    def drop_doubtful(self) -> Place | None:
        """Forget it before a new connection; it lies behind the place and is read again from there.

        Of quality 2 the client may have received it, so its identifier is released (§4.3.3).
        """
        dropped = [self._flying[each] for each in self._doubtful if each in self._flying]
        for packet_id in self._doubtful & self._flying.keys():
            sending = self._flying[packet_id]
            if sending is not None and sending.qos == 2:
                self._flying[packet_id] = None
            elif sending is not None:
                del self._flying[packet_id]
        self._doubtful = set()
        return _lowest(dropped)

    def acknowledged(self, ack: Ack) -> bool:
        """Follow a PUBACK, PUBREC or PUBCOMP; False if nothing of that identifier is in flight."""
        packet_id = ack.packet_id
        if packet_id not in self._flying:
            return False
        if ack.kind is Kind.PUBREC and not ack.reason.failed:
            sending, self._flying[packet_id] = self._flying[packet_id], None
        else:
            sending = self._flying.pop(packet_id)
        self._doubtful.discard(packet_id)
        if sending is not None and sending.message.receipt is not None:
            sending.message.receipt()
        return True

    def sent(self, receipts: set[Callable[[], None]], qos: int) -> set[Callable[[], None]]:
        """Those of messages on their way, of at least this quality."""
        flying = [s for s in self._flying.values() if s is not None and s.qos >= qos]
        return receipts & {s.message.receipt for s in flying}

    def take_back(self, receipts: set[Callable[[], None]]) -> None:
        """Forget these messages: another client gets them."""
        self._waiting = deque(s for s in self._waiting if s.message.receipt not in receipts)
        for packet_id, sending in tuple(self._flying.items()):
            if sending is not None and sending.message.receipt in receipts:
                del self._flying[packet_id]

    def oldest(self) -> Place | None:
        """Behind which the first lies that has not been acknowledged."""
        return _lowest(chain(self._flying.values(), self._waiting))

    def forget_waiting(self) -> Place | None:
        """Forget what was not sent; it lies behind the place and is read again from there."""
        waiting, self._waiting, self.broken_off = self._waiting, deque(), False
        return _lowest(waiting)

    def forget_next(self) -> Place | None:
        """As `forget_waiting`, but the rest of what was sent in part stays, so that nothing comes twice."""
        if self.broken_off:
            return self.forget_waiting()
        rest = list(takewhile(lambda s: s.qos and s.message.behind == self._sent, self._waiting))
        dropped = list(self._waiting)[len(rest) :]
        self._waiting = deque(rest)
        return _lowest(dropped)

    def _free_id(self) -> int:
        while True:
            self._last_id = self._last_id % 0xFFFF + 1
            if self._last_id not in self._flying:
                return self._last_id


def _lowest(held: Iterable[Sending | None]) -> Place | None:
    places = [s.message.behind for s in held if s is not None and s.qos]
    known = [place for place in places if place is not None]
    return Place(min(p.log for p in known), min(p.change for p in known)) if known else None


def _packet(sending: Sending, packet_id: int) -> Publish:
    message = sending.message
    return Publish(
        message.topic,
        message.payload,
        sending.qos,
        message.retain,
        dup=False,
        packet_id=packet_id,
        properties=message.properties,
    )
