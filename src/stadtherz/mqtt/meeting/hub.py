"""The meeting point of all connections: sessions, subscriptions, arrivals and news.

Everything here runs on the event loop's thread. What asks the database is handed to threads and comes
back; by then the client may have gone.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

from stadtherz.base.errors import Unauthenticated
from stadtherz.base.time import now_us
from stadtherz.base.visibility import ANONYMOUS, Visibility
from stadtherz.mqtt.arrivals import answers
from stadtherz.mqtt.arrivals.answers import Answered
from stadtherz.mqtt.arrivals.arrival import Arrival, may_be_of_before
from stadtherz.mqtt.arrivals.intake import Intake
from stadtherz.mqtt.clients.conversation import Conversation
from stadtherz.mqtt.clients.inbox import Taken
from stadtherz.mqtt.clients.limits import Limits
from stadtherz.mqtt.clients.messages import Message, Place
from stadtherz.mqtt.clients.session import Login, Session
from stadtherz.mqtt.meeting import subscribing
from stadtherz.mqtt.meeting.sessions import Sessions
from stadtherz.mqtt.meeting.shares import Shares, is_share
from stadtherz.mqtt.meeting.verdicts import Look
from stadtherz.mqtt.news.deletions import Deletions, Gone
from stadtherz.mqtt.news.feed import Feed, News
from stadtherz.mqtt.news.groups import Group, Members
from stadtherz.mqtt.wire import outcomes
from stadtherz.mqtt.wire.packets import Connect, Publish, Subscribe, Unsubscribe
from stadtherz.mqtt.wire.properties import Properties
from stadtherz.mqtt.wire.reasons import Reason
from stadtherz.store.public import Threads

log = logging.getLogger(__name__)

WhoIs = Callable[[str, str, str], Visibility]
"""User name, password and address to what they may see. Raises Unauthenticated. Asks the database."""

_THREADS = 4
_TICK = 1.0
_RECHECK = 60.0  # seconds after which everybody's rights are looked at again
_TIDY = 30.0
_PER_MINUTE = 60.0


class Hub:
    def __init__(
        self, who_is: WhoIs, root: str, limits: Limits | None = None, *, strangers: bool = True
    ) -> None:
        self.limits = limits or Limits()
        self.loop = asyncio.get_running_loop()
        self.root = root
        self._began = time.monotonic()
        self.intake = Intake(root, self._settled, self._busy, self._answer)
        self.sessions = Sessions(self)
        self.subscriptions = subscribing.Subscriptions(self)
        self.shares = Shares(self)
        self.place = Place()
        self._who_is = who_is
        self._strangers = strangers
        self._conversations: set[Conversation] = set()
        self._unknown: Counter[str] = Counter()  # connections that have shown no token, by address
        self._stuck: dict[Conversation, float] = {}
        self._touched: set[Conversation] = set()
        self._refusals: dict[Session, float] = {}
        self._threads = Threads("mqtt-asks", _THREADS)
        self._feed = Feed(self.subscriptions.listeners, self._news, self.loop)
        self._deletions = Deletions(
            lambda: self.subscriptions.listeners().groups, self._gone, self.loop
        )
        self._ticking: asyncio.Task[None] | None = None
        self._stopping = False
        self._access_changed = False

    # --- from beginning to end -------------------------------------------------------------------

    async def start(self) -> None:
        await self.ask(self.sessions.begin)
        self._feed.start()
        self._deletions.start()
        await asyncio.to_thread(self._feed.ready.wait, 10.0)
        self._ticking = asyncio.create_task(self._tick())

    async def stop(self) -> None:
        """Tell everybody to come back later; what was taken is on disk and acknowledged by then."""
        self._stopping = True
        self._deletions.stop()
        if self._ticking is not None:
            self._ticking.cancel()
        await asyncio.to_thread(self.intake.stop)
        await asyncio.sleep(0)  # what the threads brought back
        for conversation in tuple(self._conversations):
            conversation.end(Reason.SERVER_SHUTTING_DOWN, with_will=False)
        await asyncio.to_thread(self._feed.stop)
        await self.ask(self.sessions.end)
        await asyncio.to_thread(self._threads.stop)

    def ask(self, work: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
        """Run what asks the database in a thread."""
        return asyncio.wrap_future(self._threads.submit(work, *arguments))

    def asked(
        self,
        done: Callable[[Any, BaseException | None], None],
        work: Callable[..., Any],
        *args: Any,
    ) -> None:
        """As `ask`, for those who cannot wait: `done` is called with the answer or the error."""

        def told(future: Future[Any]) -> None:
            error = future.exception()
            done(None if error is not None else future.result(), error)

        def come_back(future: Future[Any]) -> None:
            with suppress(RuntimeError):
                self.loop.call_soon_threadsafe(told, future)

        with suppress(RuntimeError):  # the threads have ended
            self._threads.submit(work, *args).add_done_callback(come_back)

    # --- connections -----------------------------------------------------------------------------

    def welcome(self, conversation: Conversation) -> bool:
        """Whether there is room for one more connection; it counts until it leaves."""
        address = conversation.wire.address
        full = len(self._conversations) >= self.limits.connections
        if self._stopping or full or self._unknown[address] >= self.limits.strangers:
            return False
        self._conversations.add(conversation)
        self._unknown[address] += 1
        return True

    def enter(self, conversation: Conversation, asked: Connect) -> None:
        """A CONNECT that could be read: find out who it is."""

        def done(login: Login | None, error: BaseException | None) -> None:
            if conversation.ended:
                return
            if login is None:
                conversation.end(*_refusal(error))
                return
            self.sessions.enter(conversation, asked, login)

        self.asked(done, self._login, asked, conversation.wire.address)

    def _login(self, asked: Connect, address: str) -> Login:
        user, password = asked.username or "", (asked.password or b"").decode(errors="replace")
        if user.startswith("sh_") and not password:
            password = user  # devices with one field for the credentials
        if not (user or password) and not self._strangers:
            raise Unauthenticated("show a token as the password")

        def again() -> Visibility:
            return self._who_is(user, password, address)

        return Login(again(), again)

    def entered(self, conversation: Conversation) -> None:
        """A client has shown who it is."""
        session = conversation.session
        if session is not None and session.login.visibility.actor != ANONYMOUS.actor:
            self._forget_stranger(conversation)

    def leave(self, conversation: Conversation, *, with_will: bool) -> None:
        """The connection has ended, or is about to."""
        if conversation not in self._conversations:
            return
        session = conversation.session
        if session is None or session.login.visibility.actor == ANONYMOUS.actor:
            self._forget_stranger(conversation)
        self._conversations.discard(conversation)
        self.intake.waiters.discard(conversation)
        self._touched.discard(conversation)
        self._stuck.pop(conversation, None)
        if session is not None and session.conversation is conversation:
            self._refusals.pop(session, None)
            self.sessions.leave(session, with_will=with_will)

    def _forget_stranger(self, conversation: Conversation) -> None:
        address = conversation.wire.address
        self._unknown[address] -= 1
        if self._unknown[address] <= 0:
            del self._unknown[address]

    def watch_stuck(self, conversation: Conversation) -> None:
        self._stuck.setdefault(conversation, time.monotonic())

    def unwatch_stuck(self, conversation: Conversation) -> None:
        self._stuck.pop(conversation, None)

    # --- arrivals --------------------------------------------------------------------------------

    def publish(self, conversation: Conversation, packet: Publish, taken: Taken | None) -> None:
        session = conversation.session
        assert session is not None
        again = packet.dup and may_be_of_before(self._began)
        self.arrive(session, packet, taken, conversation, again=again)

    def arrive(
        self,
        session: Session,
        packet: Publish,
        taken: Taken | None = None,
        conversation: Conversation | None = None,
        *,
        again: bool = False,
    ) -> None:
        """A message of a client, or its will."""
        arrival = Arrival(
            packet.topic,
            packet.payload,
            session.login.visibility,
            now_us(),
            "\0".join(session.key),
            taken,
            conversation,
            again,
            packet.properties,
        )
        self.intake.put(arrival)

    def _answer(self, found: Answered) -> None:
        """Hand the answer to a request to the client that sent it, if it still listens."""
        asking = found.arrival.conversation
        session = None if asking is None else asking.session
        conversation = None if session is None else session.conversation
        if session is None or conversation is None:
            return
        if (wanted := answers.quality_of(session, found.topic)) is None:
            return
        qos, properties = wanted
        message = found.message()
        held = {**message.properties, **properties}
        conversation.deliver(message._replace(properties=held), qos)
        conversation.send_due()
        conversation.flush()

    def _settled(self, arrival: Arrival, reason: Reason, text: str) -> None:
        conversation, taken = arrival.conversation, arrival.taken
        if reason.failed:
            self._tell_refused(arrival, reason, text)
        if conversation is None:
            return
        session = conversation.session
        opens = taken is not None and taken.qos == 2 and not reason.failed
        if opens and session is not None and session.lasting and taken is not None:
            self.sessions.opened(session, taken, lambda: self._known(arrival, reason, text))
        else:
            self._known(arrival, reason, text)

    def _known(self, arrival: Arrival, reason: Reason, text: str) -> None:
        """What became of it may be told."""
        conversation, taken = arrival.conversation, arrival.taken
        assert conversation is not None
        if taken is not None:
            taken.reason, taken.text = reason, text
        if taken is None and reason is Reason.NOT_AUTHORIZED:
            conversation.end(reason, text)
        elif not conversation.ended:
            self._touch(conversation)
        elif taken is not None:
            self._answer_elsewhere(conversation)

    def _answer_elsewhere(self, gone: Conversation) -> None:
        """The client came back meanwhile, and may wait for this on its new connection."""
        session = gone.session
        if session is not None and session.conversation is not None:
            self._touch(session.conversation)

    def _touch(self, conversation: Conversation) -> None:
        """Acknowledge once for everything that this turn of the loop brings."""
        if not self._touched:
            self.loop.call_soon(self._acknowledge)
        self._touched.add(conversation)

    def _acknowledge(self) -> None:
        touched, self._touched = self._touched, set()
        for conversation in touched:
            conversation.acknowledge()
            conversation.flush()

    def _busy(self, arrival: Arrival) -> None:
        """It could not be kept: without an acknowledgement the client sends it again."""
        conversation, taken = arrival.conversation, arrival.taken
        if taken is not None and conversation is not None and conversation.session is not None:
            conversation.session.inbox.drop(taken)
            conversation.end(Reason.SERVER_BUSY, "the database does not answer just now")

    def _tell_refused(self, arrival: Arrival, reason: Reason, text: str) -> None:
        """Version 3.1.1 has no way to hear of it, so the log must tell; once in a while is enough."""
        session = arrival.conversation.session if arrival.conversation is not None else None
        now = time.monotonic()
        if session is not None:
            if now - self._refusals.get(session, -_PER_MINUTE) < _PER_MINUTE:
                return
            self._refusals[session] = now
        who = arrival.sender.replace("\0", " ")
        log.warning(
            "A message of %s to %s was refused: %s", who, arrival.topic[:200], text or reason
        )

    # --- subscriptions ---------------------------------------------------------------------------

    def subscribe(self, conversation: Conversation, packet: Subscribe) -> None:
        self.subscriptions.subscribe(conversation, packet)

    def unsubscribe(self, conversation: Conversation, packet: Unsubscribe) -> None:
        self.subscriptions.unsubscribe(conversation, packet)

    def _news(self, news: News) -> None:
        """What the feed found between two places."""
        self.place = news.reached
        self.subscriptions.passed(news)
        if news.access:
            self._access_changed = True
            self.subscriptions.access_changed(self.sessions.all())
        woken: set[Conversation] = set()
        for group, words, created, members in news.told:
            plain = subscribing.kind_of_change(group, created=created)
            woken |= self._tell(group, words, members, plain, news.behind)
        self._send(woken)

    def _gone(self, told: list[Gone]) -> None:
        """What has just been deleted."""
        woken: set[Conversation] = set()
        for group, words, members in told:
            group.told = None
            woken |= self._tell(group, words, members, subscribing.GONE, self.place)
        self._send(woken)

    def _tell(
        self, group: Group, words: list[bytes], members: Members, plain: Properties, behind: Place
    ) -> set[Conversation]:
        """Hand words to those members of a group who are there; their connections."""
        woken: set[Conversation] = set()
        for session in members:
            member, conversation = group.members.get(session), session.conversation
            if conversation is None or member is None or self.subscriptions.waits(session):
                continue
            held = subscribing.with_identifier(plain, member.identifier)
            for word in words:
                message = Message(group.topic, word, properties=held, behind=behind)
                conversation.deliver(message, member.qos)
            woken.add(conversation)
        return woken

    @staticmethod
    def _send(woken: set[Conversation]) -> None:
        for conversation in woken:
            conversation.send_due()
            conversation.flush()

    # --- now and then ----------------------------------------------------------------------------

    async def _tick(self) -> None:
        tidied = rechecked = time.monotonic()
        while True:
            await asyncio.sleep(_TICK)
            now = time.monotonic()
            try:
                self._end_silent(now)
                self.sessions.tick(now)
                if self._access_changed:
                    self._access_changed = False
                    self.look_again(self.sessions.all())
                if now - tidied >= _TIDY:
                    tidied = now
                    await self.ask(self.sessions.tidy, self.sessions.places(), self.place)
                if now - rechecked >= _RECHECK:
                    rechecked = now
                    self.recheck()
            except Exception:  # the worker loop: it must go on
                log.exception("Tidying up after MQTT clients failed")

    def _end_silent(self, now: float) -> None:
        for conversation in tuple(self._conversations):
            due = conversation.deadline
            if due is not None and due < now:
                conversation.end(Reason.KEEP_ALIVE_TIMEOUT, "nothing was heard for too long")
        for conversation, since in tuple(self._stuck.items()):
            if now - since > self.limits.stuck:
                conversation.end(Reason.QUOTA_EXCEEDED, "what was sent was not taken")

    def recheck(self) -> None:
        """Look again at what everybody may do; on the loop's thread, when rights have changed."""
        sessions = [s for s in self.sessions.all() if s.conversation is not None]

        def done(found: Any, error: BaseException | None) -> None:
            for session, visibility in zip(sessions, found or (), strict=False):
                self._rights(session, visibility)

        self.asked(done, _rights_of, sessions)

    def _rights(self, session: Session, visibility: Visibility | None) -> None:
        conversation = session.conversation
        if conversation is None:
            return
        if visibility is None:
            session.expiry = 0
            conversation.end(Reason.NOT_AUTHORIZED, "the token is no longer valid")
        elif visibility != session.login.visibility:
            session.before = session.before or session.login.visibility
            session.login = Login(visibility, session.login.again)
            self.subscriptions.renew(session)
            self.look_again([session])

    def look_again(self, sessions: Iterable[Session]) -> None:
        """Whether those who are there may still hear what they have subscribed to."""

        def looked(session: Session, found: Look) -> None:
            if found.ended and session.lasting:
                self.sessions.save(session)

        for session in sessions:
            # Of a share its members decide.
            if session.conversation is not None and session.wishes and not is_share(session):
                self.subscriptions.look_again(session, partial(looked, session))

    def rights_changed(self) -> None:
        """From any thread: somebody's rights may be different from now on."""
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self.recheck)


def _rights_of(sessions: list[Session]) -> list[Visibility | None]:
    """What each may see by now; None for those whose token is not valid any more."""
    found: list[Visibility | None] = []
    for session in sessions:
        try:
            found.append(session.login.again())
        except Unauthenticated:
            found.append(None)
    return found


def _refusal(error: BaseException | None) -> tuple[Reason, str]:
    if isinstance(error, Unauthenticated):
        return Reason.BAD_CREDENTIALS, str(error)
    if error is not None and outcomes.is_passing(error):
        return Reason.SERVER_UNAVAILABLE, "the database does not answer just now"
    log.error("A client could not be let in", exc_info=error)
    return Reason.UNSPECIFIED, ""
