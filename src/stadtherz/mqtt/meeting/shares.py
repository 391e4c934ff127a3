"""Shared subscriptions (MQTT 5.0 §4.8.2): of those who share one, each message goes to one.

To the rest of the door a share is one client more, with a session, a place and an outbox of its own. What
it is sent it hands to whoever of its members has least to do; what a member has not acknowledged when it
goes is handed to another. When all are away it waits like any session that lasts.

Those share who show the same token: they have the same rights, and nobody takes messages from others.
On the event loop's thread.
"""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from stadtherz.mqtt.clients.conversation import Conversation
from stadtherz.mqtt.clients.messages import Message, Place
from stadtherz.mqtt.clients.outbox import Outbox
from stadtherz.mqtt.clients.saving import Saved, sees_the_same
from stadtherz.mqtt.clients.session import Key, Login, Session, Wanted
from stadtherz.mqtt.wire.packets import Ack, Publish, Wish
from stadtherz.mqtt.wire.properties import Kind, Property
from stadtherz.mqtt.wire.reasons import Reason

if TYPE_CHECKING:
    from stadtherz.mqtt.meeting.hub import Hub

log = logging.getLogger(__name__)

PREFIX = "$share/"
_AGAIN = 1.0  # seconds until one that had to stop goes on
_ANYTHING, _ONCE, _NOTHING = 1, 2, 3  # the lowest quality of messages that a member keeps


class SharedTopic(NamedTuple):
    name: str
    topic: str


def shared(topic: str) -> SharedTopic | None:
    """The name of the share and what is heard there; None for other topic filters."""
    if not topic.startswith(PREFIX):
        return None
    name, _, rest = topic.removeprefix(PREFIX).partition("/")
    return SharedTopic(name, rest)


def is_share(session: Session) -> bool:
    """Whether it is a share's own: clients have no such names."""
    return session.client_id.startswith(PREFIX)


def is_named(found: SharedTopic) -> bool:
    return bool(found.name) and not {"+", "#"} & set(found.name)


def _key(actor: str, topic: str) -> Key:
    """Topics may be longer than the names of clients, and no client has such a name."""
    return (actor, PREFIX + hashlib.sha256(topic.encode()).hexdigest())


class _Nobody:
    """The wire of a share, which has none."""

    address = ""

    def write(self, data: bytes) -> None: ...
    def close(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...


class _Given(NamedTuple):
    member: Session
    packet: Publish


class Share(Conversation):
    """The members that are there, and who has which message."""

    def __init__(self, hub: "Hub", session: Session, topic: str) -> None:
        super().__init__(_Nobody(), hub)
        self.deadline = None
        self.session: Session = session
        self.topic = topic
        self.members: dict[Session, Wanted] = {}
        self._given: dict[int, _Given] = {}
        self._turn = 0
        self._turns: dict[Session, int] = {}
        self._touched: set[Conversation] = set()

    # --- what the hub calls ----------------------------------------------------------------------

    def send_due(self) -> None:
        """Hand out what may go now."""
        outbox = self.session.outbox
        outbox.window = outbox.flying + sum(self._room(member) for member in self.members)
        for packet in outbox.due():
            self._give(packet)
        if self.session.place is not None and outbox.nearly_empty:
            self.hub.subscriptions.catch_up(self.session)

    def flush(self) -> None:
        touched, self._touched = self._touched, set()
        for conversation in touched:
            conversation.send_due()
            conversation.flush()

    def end(self, reason: Reason, text: str = "", *, with_will: bool = True) -> None:
        """Its members do not take what comes, or the database is away: it is read again later."""
        if self.ended:
            return
        self.ended = True
        self.hub.sessions.leave(self.session, with_will=with_will)
        self.hub.loop.call_later(_AGAIN, self.hub.shares.resume, self)

    # --- members ---------------------------------------------------------------------------------

    def begin(self) -> None:
        """There is somebody: what was handed out and not acknowledged comes first."""
        self.ended = False
        self.session.conversation = self
        self.hub.subscriptions.drop_doubtful(self.session)
        for packet in self.session.outbox.again():
            if isinstance(packet, Publish) and packet.packet_id not in self._given:
                self._give(packet._replace(dup=False))
        self.hub.subscriptions.come_back(self.session)
        self.send_due()
        self.flush()

    def remove(self, member: Session, keeps: int) -> None:
        """What it has not acknowledged goes to others, but not what was sent to it in the quality that
        it keeps, or a higher one.
        """
        self.members.pop(member, None)
        self._turns.pop(member, None)
        mine = {n: given.packet for n, given in self._given.items() if given.member is member}
        receipts: set[Callable[[], None]] = {Receipt(self, number) for number in mine}
        kept = member.outbox.sent(receipts, keeps)
        member.outbox.take_back(receipts - kept)
        for number, packet in mine.items():
            if Receipt(self, number) not in kept:
                del self._given[number]
                if self.members:
                    self._give(packet)

    def _room(self, member: Session) -> int:
        conversation = member.conversation
        if conversation is None or conversation.ended:
            return 0
        return max(0, member.outbox.window - member.outbox.busy)

    def _give(self, packet: Publish) -> None:
        member = min(
            self.members,
            key=lambda each: (each.outbox.busy - each.outbox.window, self._turns.get(each, 0)),
        )
        self._turn += 1
        self._turns[member] = self._turn
        wish, identifier, _ = self.members[member]
        properties = packet.properties
        if identifier:
            properties = {**properties, Property.SUBSCRIPTION_ID: [identifier]}
        number = packet.packet_id
        receipt = Receipt(self, number)
        message = Message(packet.topic, packet.payload, properties=properties, receipt=receipt)
        conversation = member.conversation
        assert conversation is not None
        self._given[number] = _Given(member, packet)
        if not wish.qos:
            receipt()
        self._touched.add(conversation)
        conversation.deliver(message, wish.qos)

    def received(self, number: int) -> None:
        """A member has acknowledged it."""
        if self._given.pop(number, None) is None:
            return
        self.session.outbox.acknowledged(Ack(Kind.PUBACK, number))
        if not self.ended:
            self.hub.loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        if not self.ended and self.members:
            self.send_due()
            self.flush()


@dataclass(frozen=True, slots=True)
class Receipt:
    """Called when a member has received what it was handed."""

    share: Share
    number: int

    def __call__(self) -> None:
        self.share.received(self.number)


class Shares:
    """All shares of a hub."""

    def __init__(self, hub: "Hub") -> None:
        self._hub = hub
        self._shares: dict[Key, Share] = {}
        self._loading: dict[Key, list[Callable[[], None]]] = {}

    def enter(self, member: Session, topic: str, since: Place, then: Callable[[], None]) -> None:
        """A member is there, or has come back; `then` it hears of it."""
        key = _key(member.actor, topic)
        share = self._shares.get(key)
        if share is not None:
            self._add(share, member, topic)
            then()
            return

        def go_on() -> None:
            if member.conversation is not None and topic in member.wishes:
                self.enter(member, topic, since, then)

        if key in self._loading:
            self._loading[key].append(go_on)
        elif self._hub.sessions.is_on_disk(key):
            self._loading[key] = [go_on]
            self._load(key, member, topic)
        else:
            self._new(key, member, topic, since)
            go_on()

    def _load(self, key: Key, member: Session, topic: str) -> None:
        def done(saved: Saved | None, error: BaseException | None) -> None:
            waiting = self._loading.pop(key)
            if error is not None:
                if member.conversation is not None:
                    reason = "the database does not answer just now"
                    member.conversation.end(Reason.SERVER_BUSY, reason)
                return
            place = None if saved is None else saved.place
            since = self._hub.place if place is None else place
            share = self._new(key, member, topic, since)
            share.session.place = place
            rights = None if saved is None else saved.rights
            if rights and not sees_the_same(rights, member.login.visibility):
                share.session.before = rights
            for go_on in waiting:
                go_on()

        self._hub.sessions.load(key, done)

    def _new(self, key: Key, member: Session, topic: str, since: Place) -> Share:
        found = shared(topic)
        assert found is not None
        limits = self._hub.limits
        session = Session(key, member.login, Outbox(limits.outgoing, limits.waiting))
        session.wishes[found.topic] = Wanted(Wish(found.topic, 1), 0, since)
        session.place = since
        share = self._shares[key] = Share(self._hub, session, topic)
        share.ended = True
        self._hub.sessions.add(session)
        return share

    def _add(self, share: Share, member: Session, topic: str) -> None:
        session = share.session
        share.members[member] = member.wishes[topic]
        self._follow(share, member.login)
        session.expiry = max(session.expiry, member.expiry)
        if session.lasting:
            self._hub.sessions.save(session)
        if share.ended:
            share.begin()

    def _follow(self, share: Share, login: Login) -> None:
        """It may see what its members may."""
        session = share.session
        before, session.login = session.login.visibility, login
        if before == login.visibility:
            return
        session.before = session.before or before
        if share.ended:
            self._hub.subscriptions.forget(session)
        else:
            self._hub.subscriptions.renew(session)

    def leave(self, member: Session) -> None:
        """Its connection has ended; what it has begun to receive in quality 2 it finishes (§4.8.2)."""
        for share in self._of(member):
            self._remove(share, member, keeps=_ONCE if member.lasting else _NOTHING)

    def quit(self, member: Session, topic: str) -> None:
        """It wants to hear no more of it; what is on its way still comes (§3.10.4)."""
        share = self._shares.get(_key(member.actor, topic))
        if share is not None:
            self._remove(share, member, keeps=_ANYTHING)
            self._forget_unwanted(share)

    def gone(self, member: Session) -> None:
        """It is forgotten, and does not come back."""
        for share in self._of(member):
            self._remove(share, member, keeps=_NOTHING)
            if share.topic in member.wishes:
                self._forget_unwanted(share)

    def _of(self, member: Session) -> list[Share]:
        mine = [s for s in self._shares.values() if s.session.actor == member.actor]
        return [s for s in mine if s.session is not member]

    def _forget_unwanted(self, share: Share) -> None:
        key, topic = share.session.key, share.topic
        wanted = any(s.actor == key[0] and topic in s.wishes for s in self._hub.sessions.all())
        if not wanted:
            self._shares.pop(key, None)
            self._hub.sessions.drop(key)

    def _remove(self, share: Share, member: Session, keeps: int) -> None:
        share.remove(member, keeps)
        share.flush()
        if share.members or share.ended:
            return
        share.ended = True
        self._hub.sessions.leave(share.session, with_will=False)
        if not share.session.lasting:
            self._shares.pop(share.session.key, None)

    def expired(self, session: Session) -> None:
        """The session of a share has outlived its time."""
        self._shares.pop(session.key, None)

    def resume(self, share: Share) -> None:
        """Go on, if there is still somebody."""
        known = self._shares.get(share.session.key) is share
        if known and share.ended and share.members:
            self._hub.sessions.add(share.session)
            share.begin()
