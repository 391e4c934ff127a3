"""Subscriptions of one hub: who belongs to which group, and what those who come back have missed.

On the event loop's thread, but for what is handed to a thread and says so.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stadtherz.base.visibility import Visibility
from stadtherz.mqtt.clients.messages import NOWHERE, Message, Place
from stadtherz.mqtt.clients.session import Session, Wanted
from stadtherz.mqtt.meeting.shares import shared
from stadtherz.mqtt.meeting.verdicts import Asked, Look, Verdict, look, verdict_on, verdicts_on
from stadtherz.mqtt.news import announcements, boards, feed
from stadtherz.mqtt.news.groups import Group, Membership
from stadtherz.mqtt.news.heard import Heard
from stadtherz.mqtt.wire import outcomes
from stadtherz.mqtt.wire.packets import Subscribe, Unsubscribe, Wish
from stadtherz.mqtt.wire.properties import NONE, Kind, Properties, Property
from stadtherz.mqtt.wire.reasons import Reason
from stadtherz.store.public import log_after

if TYPE_CHECKING:
    from stadtherz.mqtt.clients.conversation import Conversation
    from stadtherz.mqtt.meeting.hub import Hub

_SLICE = 200  # readings that one who comes back catches up with at a time
_FILTERS = "too many topics with $filter and $expand are heard just now; leave them out"

Errand = Callable[[Callable[[], None]], None]


class Subscriptions:
    def __init__(self, hub: "Hub") -> None:
        self._hub = hub
        self._groups: dict[tuple[str, Visibility], Group] = {}
        self._errands: dict[Conversation, deque[Errand]] = {}
        self._since = NOWHERE  # nobody began to listen later
        self._joined = 0
        self._fresh: set[Session] = set()  # they came back, and no news has been read for them yet

    def listeners(self) -> feed.Listeners:
        """All groups as of now; also from another thread."""
        joined = self._joined  # first: whoever is counted is in the groups, too
        groups = [(group, group.members.copy()) for group in list(self._groups.values())]
        return feed.Listeners(groups, joined, self._since)

    # --- SUBSCRIBE and UNSUBSCRIBE, in the order in which they came ------------------------------

    def subscribe(self, conversation: "Conversation", packet: Subscribe) -> None:
        self._line_up(conversation, lambda then: self._subscribe(conversation, packet, then))

    def unsubscribe(self, conversation: "Conversation", packet: Unsubscribe) -> None:
        self._line_up(conversation, lambda then: self._unsubscribe(conversation, packet, then))

    def _line_up(self, conversation: "Conversation", errand: Errand) -> None:
        queue = self._errands.setdefault(conversation, deque())
        queue.append(errand)
        if len(queue) == 1:
            self._next(conversation)

    def _next(self, conversation: "Conversation") -> None:
        queue = self._errands.get(conversation)
        if not queue or conversation.ended:
            self._errands.pop(conversation, None)
            return

        def then() -> None:
            queue.popleft()
            self._next(conversation)

        queue[0](then)

    def _subscribe(
        self, conversation: "Conversation", packet: Subscribe, then: Callable[[], None]
    ) -> None:
        session = conversation.session
        assert session is not None
        identifier = packet.properties.get(Property.SUBSCRIPTION_ID, 0)
        room = self._hub.limits.subscriptions - len(session.wishes)
        visibility = session.login.visibility

        def done(verdicts: list[Verdict] | None, error: BaseException | None) -> None:
            if error is not None or verdicts is None:
                verdicts = [Verdict(w, Reason.UNSPECIFIED, str(error)) for w in packet.wishes]
            if not conversation.ended:
                self._judged(conversation, packet.packet_id, verdicts, identifier)
            then()

        topic = self._hub.limits.topic
        self._hub.asked(
            done, verdicts_on, packet.wishes, visibility, Asked(self._hub.root, room, topic)
        )

    def _judged(
        self,
        conversation: "Conversation",
        packet_id: int,
        verdicts: list[Verdict],
        identifier: int,
    ) -> None:
        session = conversation.session
        assert session is not None
        wanted: list[tuple[Group, Wish]] = []
        entering: list[tuple[str, Place]] = []
        verdicts = [self._affordable(verdict, session) for verdict in verdicts]
        for verdict in verdicts:
            wish = verdict.wish
            if verdict.found is None:
                if not verdict.reason.failed:  # for answers, which come to nobody else
                    session.wishes[wish.topic] = Wanted(wish, identifier)
                continue
            is_new = wish.topic not in session.wishes
            since = verdict.since if is_new else session.wishes[wish.topic].since
            session.wishes[wish.topic] = Wanted(wish, identifier, since)
            if shared(wish.topic):
                entering.append((wish.topic, since))
                continue
            group = self._take_in(session, verdict, verdict.found)
            if wish.handling == 0 or (wish.handling == 1 and is_new):
                wanted.append((group, wish))
        reasons = tuple(verdict.reason for verdict in verdicts)
        text = "; ".join(f"{v.wish.topic[:100]}: {v.text}" for v in verdicts if v.text)

        def answer() -> None:
            conversation.subscribed(Kind.SUBACK, packet_id, reasons, text)
            self._send_newest(session, conversation, wanted)

        def entered() -> None:
            if entering:
                self._hub.shares.enter(session, *entering.pop(), entered)
            elif session.lasting:
                self._hub.sessions.save(session, answer)
            else:
                answer()

        entered()

    def _take_in(self, session: Session, verdict: Verdict, found: Heard) -> Group:
        """The group; who is still reading what it has missed joins when it has."""
        if session.place is not None:
            return Group(found, session.login.visibility)
        return self._join(session, verdict, verdict.since)

    def _affordable(self, verdict: Verdict, session: Session) -> Verdict:
        """The verdict, unless too much would be asked of the database from now on."""
        found = verdict.found
        if found is None or not found.costly:
            return verdict
        if (found.topic, session.login.visibility) in self._groups:
            return verdict
        costly = sum(group.heard.costly for group in self._groups.values())
        if costly < self._hub.limits.filters:
            return verdict
        return Verdict(verdict.wish, Reason.QUOTA_EXCEEDED, _FILTERS)

    def _send_newest(
        self, session: Session, conversation: "Conversation", wanted: list[tuple[Group, Wish]]
    ) -> None:
        """What each topic holds now, as retained messages."""
        groups = [(group, wish.qos) for group, wish in wanted]

        def done(found: list[list[bytes]] | None, error: BaseException | None) -> None:
            if session.conversation is not conversation or found is None or error is not None:
                return
            for (group, qos), words in zip(groups, found, strict=True):
                wish = session.wishes.get(group.topic)
                held = NONE if wish is None else with_identifier(NONE, wish.identifier)
                for payload in words if wish is not None else ():
                    conversation.deliver(Message(group.topic, payload, True, held), qos)
            conversation.send_due()
            conversation.flush()

        if groups:
            self._hub.asked(done, _newest, [group for group, _ in groups])

    def _unsubscribe(
        self, conversation: "Conversation", packet: Unsubscribe, then: Callable[[], None]
    ) -> None:
        session = conversation.session
        assert session is not None
        reasons = []
        for topic in packet.topics:
            known = session.wishes.pop(topic, None) is not None
            reasons.append(Reason.SUCCESS if known else Reason.NO_SUBSCRIPTION)
            self._quit(session, topic)
            if shared(topic):
                self._hub.shares.quit(session, topic)

        def answer() -> None:
            conversation.subscribed(Kind.UNSUBACK, packet.packet_id, tuple(reasons))
            then()

        if session.lasting:
            self._hub.sessions.save(session, answer)
        else:
            answer()

    # --- groups ----------------------------------------------------------------------------------

    def _join(self, session: Session, verdict: Verdict, since: Place) -> Group:
        """Hear of it from there on; who hears of it already goes on from where it is."""
        found = verdict.found
        assert found is not None
        wish, identifier, _ = session.wishes[found.topic]
        group = session.groups.get(found.topic)
        if group is not None:
            since = group.members[session].since
            group.members[session] = Membership(wish.qos, identifier, since)
            return group
        key = (found.topic, session.login.visibility)
        group = self._groups.get(key)
        if group is None:
            group = Group(found, session.login.visibility, told=verdict.told)
        self._since = self._since.or_later(since)
        group.members[session] = Membership(wish.qos, identifier, since)
        self._groups[key] = group
        session.groups[found.topic] = group
        return group

    def _quit(self, session: Session, topic: str) -> None:
        group = session.groups.pop(topic, None)
        if group is None:
            return
        group.members.pop(session, None)
        if not group.members:
            self._groups.pop((group.topic, group.visibility), None)

    def heard(self, session: Session) -> Place:
        """Up to where everything was sent to it, or waits to be sent."""
        return self._hub.place.or_later(session.caught_up)

    def pause(self, session: Session) -> None:
        """Its connection has ended."""
        dropped = session.outbox.forget_next()
        session.place = dropped or session.place or self.heard(session)
        self._leave(session)

    def forget(self, session: Session) -> None:
        """It may see something else from now on: what was not sent yet is read again, and what was is not
        sent a second time as it was.
        """
        session.outbox.doubt()
        dropped = session.outbox.forget_waiting()
        session.place = dropped or session.place or self.heard(session)
        self._leave(session)

    def drop_doubtful(self, session: Session) -> None:
        """Before a new connection: what was sent and not received, and may be hidden by now, is read again."""
        dropped = session.outbox.drop_doubtful()
        if dropped is not None:
            session.place = dropped.or_earlier(session.place or dropped)

    def _leave(self, session: Session) -> None:
        for topic in tuple(session.groups):
            self._quit(session, topic)
        session.catching_up = None
        self._fresh.discard(session)

    # --- those who come back, and those who may see something else from now on --------------------

    def come_back(self, session: Session) -> None:
        """A session with subscriptions has a connection again: what it missed comes first."""
        if session.place is None:
            session.place = self._hub.place
        if session.before is None:
            self.catch_up(session)
        else:
            self.renew(session)

    def look_again(
        self,
        session: Session,
        then: Callable[[Look], None],
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        """End its subscriptions to what it may not hear any more, before it is sent anything else.

        `then` is told which; for one that comes back also whether something was hidden since it was served.
        """
        places = [each for each in (session.place, session.outbox.oldest()) if each is not None]
        since = min((each.change for each in places), default=None)
        wishes, visibility = dict(session.wishes), session.login.visibility

        def done(found: Look | None, error: BaseException | None) -> None:
            if found is None or error is not None:
                failed()
                return
            if visibility == session.login.visibility:
                self._end(session, found.ended)
            then(found)

        self._hub.asked(
            done,
            look,
            [wanted.wish for wanted in wishes.values()],
            visibility,
            self._hub.root,
            None if session.before is not None else since,
        )

    def _end(self, session: Session, topics: Iterable[str]) -> None:
        for topic in topics:
            session.wishes.pop(topic, None)
            self._quit(session, topic)
            if shared(topic):
                self._hub.shares.quit(session, topic)

    def access_changed(self, sessions: Iterable[Session]) -> None:
        """Something is hidden from somebody from now on: what waits is judged anew."""
        for session in sessions:
            session.outbox.doubt()
            if session.conversation is not None and session.outbox.waits and session.wishes:
                self.forget(session)
                self.catch_up(session)

    def passed(self, news: feed.News) -> None:
        """The news was read before some came back to the others: what it holds they read, too."""
        for session in tuple(self._fresh):
            if session.joined <= news.joined:
                self._fresh.discard(session)
            elif not news.reached.within(session.caught_up):
                self._leave(session)
                session.place = session.caught_up
                self.catch_up(session)

    def waits(self, session: Session) -> bool:
        """Whether news that is being told was read before the session came back."""
        return session in self._fresh

    def renew(self, session: Session) -> None:
        """Its rights have changed: what it may not see any more, it does not hear any more.

        Of what stands on a board it is told that it is gone; until it has received that, it is told again
        after coming back.
        """
        self.forget(session)
        before, now = session.before or session.login.visibility, session.login.visibility
        conversation = session.conversation
        topics = [topic for topic in session.wishes if boards.board_of(topic) is not None]

        def received() -> None:
            if session.login.visibility == now:
                session.before = None
                if session.lasting:
                    self._hub.sessions.save(session)

        def done(found: list[list[bytes]] | None, _error: BaseException | None) -> None:
            if conversation is None or session.conversation is not conversation:
                return
            farewells = zip(topics, found or (), strict=False)
            self._say_farewell(session, conversation, farewells, received)
            self.catch_up(session)
            conversation.send_due()
            conversation.flush()

        self._hub.asked(done, _farewells, topics, before, now)

    @staticmethod
    def _say_farewell(
        session: Session,
        conversation: "Conversation",
        farewells: Iterable[tuple[str, list[bytes]]],
        then: Callable[[], None],
    ) -> None:
        """`then` all of it has been received."""
        owed: set[_Received] = set()
        for topic, words in farewells:
            if (wanted := session.wishes.get(topic)) is None:
                continue
            held = with_identifier(NONE, wanted.identifier)
            for word in words:
                receipt = _Received(owed, then) if wanted.wish.qos else None
                message = Message(topic, word, properties=held, receipt=receipt)
                conversation.deliver(message, wanted.wish.qos)
        if not owed:
            then()

    def catch_up(self, session: Session) -> None:
        """The next part of what it missed; called again when it has taken that."""
        conversation, place = session.conversation, session.place
        if conversation is None or place is None or session.catching_up:
            return
        asked = session.catching_up = object()
        wishes = _own(session.wishes)

        def done(missed: "_Missed | None", error: BaseException | None) -> None:
            if session.catching_up is not asked:
                return
            session.catching_up = None
            if _own(session.wishes).keys() != wishes.keys():
                self.catch_up(session)
                return
            if missed is None or error is not None:
                conversation.end(Reason.SERVER_BUSY, "the database does not answer just now")
                return
            self._caught(session, conversation, missed)

        visibility, root = session.login.visibility, self._hub.root
        self._hub.asked(done, _missed, wishes.values(), visibility, place, root)

    def _caught(self, session: Session, conversation: "Conversation", missed: "_Missed") -> None:
        before = session.place
        for group, words, created in missed.told:
            wish, identifier, _ = session.wishes[group.topic]
            if wish.qos:
                held = with_identifier(kind_of_change(group, created=created), identifier)
                for word in words:
                    message = Message(group.topic, word, properties=held, behind=before)
                    session.outbox.add(message, wish.qos)
        session.place = missed.reached
        if self._hub.place.within(missed.reached):
            self._goes_on_with_others(session, missed)
        conversation.send_due()
        conversation.flush()

    def _goes_on_with_others(self, session: Session, missed: "_Missed") -> None:
        session.place, session.caught_up = None, missed.reached
        for verdict in missed.verdicts:
            if verdict.found is not None:
                self._join(session, verdict, missed.reached)
        self._joined += 1
        session.joined = self._joined
        self._fresh.add(session)


class _Received:
    """The receipt of a message: when all that are owed have come, `then` is called."""

    def __init__(self, owed: set["_Received"], then: Callable[[], None]) -> None:
        self._owed, self._then = owed, then
        owed.add(self)

    def __call__(self) -> None:
        self._owed.discard(self)
        if not self._owed:
            self._then()


def _own(wishes: Mapping[str, Wanted]) -> dict[str, Wanted]:
    """Those that are not shared."""
    return {topic: wanted for topic, wanted in wishes.items() if not shared(topic)}


# --- in threads ----------------------------------------------------------------------------------


def _newest(groups: Iterable[Group]) -> list[list[bytes]]:
    """What each holds now. Asks the database."""
    found: list[list[bytes]] = []
    for group in groups:
        try:
            found.append(group.newest())
        except Exception as error:  # noqa: BLE001 - a translator: one that fails spoils no other
            outcomes.of_subscribing(error)
            found.append([])
    return found


def _farewells(topics: Iterable[str], before: Visibility, now: Visibility) -> list[list[bytes]]:
    """What each board says to whoever sees less from now on. Asks the database."""
    found = [boards.board_of(topic) for topic in topics]
    return [[] if board is None else board.farewell(before, now) for board in found]


@dataclass(frozen=True, slots=True)
class _Missed:
    """What a session has missed since its place, or a part of it, and up to where that is."""

    verdicts: list[Verdict]
    told: feed.Told
    reached: Place


def _missed(wishes: Iterable[Wanted], visibility: Visibility, place: Place, root: str) -> _Missed:
    """Up to where another of them began, at most. Asks the database."""
    verdicts = [verdict_on(wanted.wish, visibility, root) for wanted in wishes]
    both = zip(wishes, verdicts, strict=True)
    groups = [(w.since, Group(v.found, visibility)) for w, v in both if v.found is not None]
    changing = [group for since, group in groups if since.change <= place.change]
    reading = [group for since, group in groups if since.log <= place.log]
    until_change = min((s.change for s, _ in groups if s.change > place.change), default=None)
    until_log = min((s.log for s, _ in groups if s.log > place.log), default=None)
    changes, change = announcements.since(place.change, until_change)
    told = feed.of_changes(changing, changes)
    streams = feed.streams_of(reading)
    piece = log_after(place.log, _SLICE, streams=streams, until=until_log)
    told += feed.of_readings(reading, piece.columns)
    return _Missed(verdicts, told, Place(piece.position, change))


# --- what goes with a message --------------------------------------------------------------------


def kind_of_change(group: Group, *, created: bool) -> Properties:
    """Whether something is new, where its messages say that."""
    if not group.heard.typed:
        return NONE
    return {Property.USER: [("type", "create" if created else "update")]}


GONE: Properties = {Property.USER: [("type", "delete")]}
"""What goes with the last word about an entity; only version 2.0 has one."""


def with_identifier(properties: Properties, identifier: int) -> Properties:
    if not identifier:
        return properties
    return {**properties, Property.SUBSCRIPTION_ID: [identifier]}
