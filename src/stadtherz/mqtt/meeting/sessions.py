"""Sessions of one hub: who comes in, takes over, leaves, expires, and what is saved of them.

On the event loop's thread, but for what is handed to a thread and says so.
"""

import logging
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.db import Error, transaction

from stadtherz.base.visibility import ANONYMOUS
from stadtherz.mqtt.arrivals import answers, intake
from stadtherz.mqtt.clients import saving
from stadtherz.mqtt.clients.inbox import Taken
from stadtherz.mqtt.clients.limits import Limits
from stadtherz.mqtt.clients.messages import Place
from stadtherz.mqtt.clients.outbox import Outbox
from stadtherz.mqtt.clients.saving import Opened, Saved
from stadtherz.mqtt.clients.session import Key, Login, Session
from stadtherz.mqtt.meeting.shares import shared
from stadtherz.mqtt.meeting.verdicts import Look
from stadtherz.mqtt.news import announcements
from stadtherz.mqtt.wire.packets import V3, Connect, Publish
from stadtherz.mqtt.wire.properties import Properties, Property
from stadtherz.mqtt.wire.reasons import Reason
from stadtherz.store.public import log_end, move_cursor

if TYPE_CHECKING:
    from stadtherz.mqtt.clients.conversation import Conversation
    from stadtherz.mqtt.meeting.hub import Hub

log = logging.getLogger(__name__)

CURSOR = "mqtt"
_HELD_BACK = 1_000_000  # readings that the log keeps at most for clients that are away
_DEFAULT_WINDOW = 0xFFFF
_ENDED = "subscription-ended"  # in the CONNACK: what the client may not hear any more
_TOLD = 20

Snapshot = tuple[Key, Saved, bool]
"""A session as it is to be saved, and whether its client has just gone."""


class Sessions:
    def __init__(self, hub: "Hub") -> None:
        self._hub = hub
        self._limits: Limits = hub.limits
        self._known: dict[Key, Session] = {}
        self._on_disk: set[Key] = set()
        self._unsaved: dict[Key, tuple[Session, bool]] = {}
        self._waiting: list[Callable[[], None]] = []  # for the next save
        self._saving = False
        self._opening: list[tuple[Opened, Callable[[], None]]] = []
        self._opens = False
        self._released: list[tuple[Key, int]] = []

    def all(self) -> list[Session]:
        return list(self._known.values())

    def begin(self) -> None:
        """What is on disk from before. Asks the database."""
        saving.start()
        saving.forget_old()
        self._on_disk = saving.keys()
        if not self._on_disk:
            move_cursor(CURSOR, log_end())

    def end(self) -> None:
        """Save what is not saved yet. Asks the database; the loop stands still for it."""
        _write(self._snapshots())
        saving.close_messages(self._released)

    # --- coming in -------------------------------------------------------------------------------

    def enter(self, conversation: "Conversation", asked: Connect, login: Login) -> None:
        client_id = asked.client_id or f"stadtherz-{secrets.token_hex(8)}"
        key = (login.visibility.actor, client_id)
        before = self._known.get(key)
        if before is not None and before.conversation is not None:
            before.conversation.end(Reason.SESSION_TAKEN_OVER, "another connection has come")
            before = self._known.get(key)
        if asked.clean:
            self.drop(key)
            self._admit(conversation, asked, self._new(key, login), present=False)
        elif before is not None:
            if before.login.visibility != login.visibility:
                before.before = before.before or before.login.visibility
                self._hub.subscriptions.forget(before)
            before.login = login
            self._look_again(conversation, asked, before, login)
        elif key in self._on_disk:
            self._load(conversation, asked, key, login)
        else:
            self._admit(conversation, asked, self._new(key, login), present=False)

    def _new(self, key: Key, login: Login) -> Session:
        outbox = Outbox(self._limits.outgoing, self._limits.waiting)
        return Session(key, login, outbox)

    def _load(self, conversation: "Conversation", asked: Connect, key: Key, login: Login) -> None:
        def done(saved: Saved | None, error: BaseException | None) -> None:
            if conversation.ended:
                return
            if error is not None:
                conversation.end(Reason.SERVER_UNAVAILABLE, "the database does not answer")
                return
            if key in self._known:  # another connection of the same client was quicker
                self.enter(conversation, asked, login)
                return
            session = self._new(key, login)
            if saved is None:
                self._admit(conversation, asked, session, present=False)
                return
            session.wishes, session.place = saved.wishes, saved.place
            session.inbox.restore(saved.opened)
            if saved.rights and not saving.sees_the_same(saved.rights, login.visibility):
                session.before = saved.rights
            self._look_again(conversation, asked, session, login)

        self._hub.asked(done, saving.load, *key)

    def _look_again(
        self, conversation: "Conversation", asked: Connect, session: Session, login: Login
    ) -> None:
        """Before one who was away is let in: what may it still hear?"""
        if not session.wishes:
            self._admit(conversation, asked, session, present=True)
            return

        def looked(found: Look) -> None:
            if conversation.ended:
                return
            known = self._known.get(session.key, session)
            if known is not session or session.conversation is not None:
                self.enter(conversation, asked, login)  # another connection was quicker
                return
            if found.differs:
                self._hub.subscriptions.forget(session)
            self._hub.subscriptions.drop_doubtful(session)
            self._admit(conversation, asked, session, present=True, ended=found.ended)

        def failed() -> None:
            conversation.end(Reason.SERVER_UNAVAILABLE, "the database does not answer")

        self._hub.subscriptions.look_again(session, looked, failed)

    def _admit(
        self,
        conversation: "Conversation",
        asked: Connect,
        session: Session,
        *,
        present: bool,
        ended: Sequence[str] = (),
    ) -> None:
        self._known[session.key] = session
        session.conversation = conversation
        session.expiry = self._expiry(asked, session)
        session.will, session.will_due = asked.will, None
        wanted = asked.properties.get(Property.RECEIVE_MAXIMUM, _DEFAULT_WINDOW)
        session.outbox.window = min(wanted, self._limits.outgoing)
        properties = self._welcoming(asked, session)
        if ended:
            properties = {**properties, Property.USER: [(_ENDED, topic) for topic in ended[:_TOLD]]}

        def opened() -> None:
            if conversation.ended:
                return
            conversation.open(session, present=present, properties=properties)
            self._hub.entered(conversation)
            self._come_back(session)

        if session.lasting:
            self.save(session, opened)
        else:
            self._forget_on_disk(session.key)
            opened()

    def _come_back(self, session: Session) -> None:
        if session.wishes:
            self._hub.subscriptions.come_back(session)
        for topic in tuple(session.wishes):
            if shared(topic):
                self._hub.shares.enter(session, topic, self._hub.place, lambda: None)

    def _expiry(self, asked: Connect, session: Session) -> int:
        """How long it outlives the connection; what belongs to nobody does not."""
        if session.actor == ANONYMOUS.actor:
            return 0
        if asked.version == V3:
            return 0 if asked.clean else self._limits.session
        wanted: int = asked.properties.get(Property.SESSION_EXPIRY, 0)
        return min(wanted, self._limits.session)

    def _welcoming(self, asked: Connect, session: Session) -> Properties:
        """What version 5.0 is told in the CONNACK."""
        limits = self._limits
        told: dict[int, Any] = {
            Property.RECEIVE_MAXIMUM: limits.incoming,
            Property.MAXIMUM_PACKET_SIZE: limits.packet,
            Property.TOPIC_ALIAS_MAXIMUM: limits.aliases,
            Property.WILDCARDS_AVAILABLE: 0,
            Property.SHARED_AVAILABLE: 1,
        }
        if not asked.client_id:
            told[Property.ASSIGNED_CLIENT_ID] = session.client_id
        if asked.properties.get(Property.REQUEST_RESPONSE_INFORMATION):
            told[Property.RESPONSE_INFORMATION] = answers.LEVEL
        if asked.properties.get(Property.SESSION_EXPIRY, 0) != session.expiry:
            told[Property.SESSION_EXPIRY] = session.expiry
        return told

    # --- going -----------------------------------------------------------------------------------

    def leave(self, session: Session, *, with_will: bool) -> None:
        """Its connection has ended."""
        self._hub.shares.leave(session)
        self._hub.subscriptions.pause(session)
        session.conversation = None
        session.left = time.monotonic()
        self._begin_will(session, with_will=with_will)
        if session.lasting:
            self.save(session, left=True)
        else:
            self.drop(session.key)

    def _begin_will(self, session: Session, *, with_will: bool) -> None:
        will = session.will
        if will is None or not with_will:
            session.will = None
            return
        delay = min(will.properties.get(Property.WILL_DELAY, 0), session.expiry)
        session.will_due = time.monotonic() + delay
        if not delay:
            self._publish_will(session)

    def _publish_will(self, session: Session) -> None:
        """The last message of a client that has vanished; nobody waits for what becomes of it."""
        will, session.will, session.will_due = session.will, None, None
        if will is not None:
            self._hub.arrive(session, Publish(will.topic, will.payload))

    def drop(self, key: Key) -> None:
        """Forget the session."""
        session = self._known.pop(key, None)
        if session is not None:
            self._hub.shares.gone(session)
            if session.will_due is not None:
                self._publish_will(session)
        self._forget_on_disk(key)

    def tick(self, now: float) -> None:
        """Publish wills that are due, and forget sessions that have expired."""
        self._close()
        for session in self.all():
            if session.conversation is not None:
                continue
            if session.will_due is not None and session.will_due <= now:
                self._publish_will(session)
            if now - session.left > session.expiry:
                self._hub.shares.expired(session)
                self.drop(session.key)

    # --- messages with quality 2 -----------------------------------------------------------------

    def opened(self, session: Session, taken: Taken, then: Callable[[], None]) -> None:
        """Remember on disk that the client may send this again; `then` it may be acknowledged."""
        self._opening.append(((*session.key, taken.packet_id, taken.content), then))
        if not self._opens:
            self._opens = True
            self._hub.loop.call_soon(self._open)

    def _open(self) -> None:
        opening, self._opening = self._opening, []

        def done(_: Any, error: BaseException | None) -> None:
            self._opens = bool(self._opening)
            if self._opens:
                self._open()
            _noted(None, error)
            for _opened, then in opening:
                then()

        self._hub.asked(done, saving.open_messages, [opened for opened, _ in opening])

    def released(self, session: Session, packet_id: int) -> None:
        """The client will not send it again; that is written down when there is time."""
        if session.lasting:
            self._released.append((session.key, packet_id))

    def _close(self) -> None:
        released, self._released = self._released, []
        if released:
            self._hub.asked(_noted, saving.close_messages, released)

    # --- of shares, which are sessions, too ------------------------------------------------------

    def add(self, session: Session) -> None:
        self._known[session.key] = session

    def is_on_disk(self, key: Key) -> bool:
        return key in self._on_disk

    def load(self, key: Key, done: Callable[[Saved | None, BaseException | None], None]) -> None:
        self._hub.asked(done, saving.load, *key)

    # --- on disk ---------------------------------------------------------------------------------

    def save(
        self, session: Session, then: Callable[[], None] | None = None, *, left: bool = False
    ) -> None:
        """Save soon, together with others; `then` is called when it is on disk."""
        self._unsaved[session.key] = (session, left)
        if then is not None:
            self._waiting.append(then)
        if not self._saving:
            self._saving = True
            self._hub.loop.call_soon(self._save)

    def _forget_on_disk(self, key: Key) -> None:
        self._unsaved.pop(key, None)
        if key in self._on_disk:
            self._on_disk.discard(key)
            self._hub.asked(_noted, saving.forget, *key)

    def _snapshots(self) -> list[Snapshot]:
        unsaved, self._unsaved = self._unsaved, {}
        return [(key, self._saved(session), left) for key, (session, left) in unsaved.items()]

    def _saved(self, session: Session) -> Saved:
        rights = session.before or session.login.visibility
        return Saved(session.expiry, dict(session.wishes), self._served(session), rights=rights)

    def _served(self, session: Session) -> Place:
        return session.outbox.oldest() or session.place or self._hub.subscriptions.heard(session)

    def _save(self) -> None:
        snapshots, waiting, self._waiting = self._snapshots(), self._waiting, []
        self._on_disk.update(key for key, _, _ in snapshots)

        def done(_: Any, error: BaseException | None) -> None:
            self._saving = bool(self._unsaved)
            if self._saving:
                self._save()
            _noted(None, error)
            for then in waiting:
                then()

        self._hub.asked(done, _write, snapshots)

    def places(self) -> list[tuple[Key, Place]]:
        """How far lasting sessions that are connected have been served."""
        return [
            (s.key, self._served(s))
            for s in self._known.values()
            if s.lasting and s.conversation is not None and s.wishes
        ]

    def tidy(self, places: Iterable[tuple[Key, Place]], reached: Place) -> None:
        """Note how far everybody is, and remove what is old. In a thread; asks the database."""
        with transaction.atomic():
            saving.move(places)
            lowest = saving.lowest()
            position = reached.log if lowest is None else min(lowest, reached.log)
            move_cursor(CURSOR, max(position, reached.log - _HELD_BACK))
        announcements.forget_old()
        intake.forget_old()
        saving.forget_old()


def _write(snapshots: Iterable[Snapshot]) -> None:
    with transaction.atomic():
        for (actor, client_id), saved, left in snapshots:
            saving.save(actor, client_id, saved, left=left)


def _noted(_: Any, error: BaseException | None) -> None:
    """Without a saved session a client has to begin anew after a crash, and no more than that."""
    if isinstance(error, Error):
        log.warning("MQTT sessions could not be saved: %s", error)
    elif error is not None:
        log.error("MQTT sessions could not be saved", exc_info=error)
