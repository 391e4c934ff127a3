"""Subscriptions of one hub: who belongs to which group, and what those who come back have missed.

On the event loop's thread, but for what is handed to a thread and says so.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from stadtherz.base.visibility import Visibility
from stadtherz.mqtt import announcements, answers, feed, outcomes
from stadtherz.mqtt.groups import Group, Membership
from stadtherz.mqtt.messages import NOWHERE, Message, Place
from stadtherz.mqtt.packets import Subscribe, Unsubscribe, Wish
from stadtherz.mqtt.properties import NONE, Kind, Properties, Property
from stadtherz.mqtt.reasons import Reason
from stadtherz.mqtt.session import Session
from stadtherz.sensorthings.public import (
    VERSIONS,
    Subscription,
    is_topic,
    newest,
    subscription,
)
from stadtherz.store.public import log_after, log_end

if TYPE_CHECKING:
    from stadtherz.mqtt.conversation import Conversation
    from stadtherz.mqtt.hub import Hub

_SLICE = 200  # readings that one who comes back catches up with at a time
_WILDCARDS = (
    "wildcards are not possible here; subscribe to a set, such as v1.1/Observations or v1.1/Things"
)
_SHARED = "shared subscriptions are not possible here"
_FILTERS = "too many topics with $filter and $expand are heard just now; leave them out"
_GRANTED = (Reason.SUCCESS, Reason.GRANTED_1, Reason.GRANTED_2)

Errand = Callable[[Callable[[], None]], None]


class Verdict(NamedTuple):
    """What became of one topic filter; `found` where it was accepted, with what a single thing was
    then, and where the log and the announcements stood.
    """

    wish: Wish
    reason: Reason
    text: str = ""
    found: Subscription | None = None
    told: bytes | None = None
    since: Place = NOWHERE


class Subscriptions:
    def __init__(self, hub: "Hub") -> None:
        self._hub = hub
        self._groups: dict[tuple[str, Visibility], Group] = {}
        self._errands: dict[Conversation, deque[Errand]] = {}

    def snapshot(self) -> list[Group]:
        """All groups as of now; also from another thread."""
        return list(self._groups.values())

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
            done, _verdicts, packet.wishes, visibility, _Asked(self._hub.root, room, topic)
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
        verdicts = [self._affordable(verdict, session) for verdict in verdicts]
        for verdict in verdicts:
            wish = verdict.wish
            if verdict.found is None:
                if not verdict.reason.failed:  # for answers, which come to nobody else
                    session.wishes[wish.topic] = (wish, identifier)
                continue
            is_new = wish.topic not in session.wishes
            session.wishes[wish.topic] = (wish, identifier)
            group = self._join(session, verdict, identifier)
            if wish.handling == 0 or (wish.handling == 1 and is_new):
                wanted.append((group, wish))
        reasons = tuple(verdict.reason for verdict in verdicts)
        text = "; ".join(f"{v.wish.topic[:100]}: {v.text}" for v in verdicts if v.text)

        def answer() -> None:
            conversation.subscribed(Kind.SUBACK, packet_id, reasons, text)
            self._send_newest(session, wanted)

        if session.lasting:
            self._hub.sessions.save(session, answer)
        else:
            answer()

    def _affordable(self, verdict: Verdict, session: Session) -> Verdict:
        """The verdict, unless too much would be asked of the database from now on."""
        found = verdict.found
        if found is None or not found.costly:
            return verdict
        if (found.topic, session.login.visibility) in self._groups:
            return verdict
        costly = sum(group.subscription.costly for group in self._groups.values())
        if costly < self._hub.limits.filters:
            return verdict
        return Verdict(verdict.wish, Reason.QUOTA_EXCEEDED, _FILTERS)

    def _send_newest(self, session: Session, wanted: list[tuple[Group, Wish]]) -> None:
        """The last value of each topic, as a retained message."""
        groups = [(group, wish.qos) for group, wish in wanted]

        def done(found: list[bytes | None] | None, error: BaseException | None) -> None:
            conversation = session.conversation
            if conversation is None or found is None or error is not None:
                return
            for (group, qos), payload in zip(groups, found, strict=True):
                member = group.members.get(session)
                if payload is not None and member is not None:
                    held = with_identifier(NONE, member.identifier)
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

        def answer() -> None:
            conversation.subscribed(Kind.UNSUBACK, packet.packet_id, tuple(reasons))
            then()

        if session.lasting:
            self._hub.sessions.save(session, answer)
        else:
            answer()

    # --- groups ----------------------------------------------------------------------------------

    def _join(self, session: Session, verdict: Verdict, identifier: int) -> Group:
        found, wish = verdict.found, verdict.wish
        assert found is not None
        self._quit(session, found.topic)
        key = (found.topic, session.login.visibility)
        group = self._groups.get(key)
        if group is None:
            group = Group(found, session.login.visibility, told=verdict.told)
            self._groups[key] = group
        group.members[session] = Membership(wish.qos, identifier, verdict.since)
        session.groups[found.topic] = group
        return group

    def _quit(self, session: Session, topic: str) -> None:
        group = session.groups.pop(topic, None)
        if group is None:
            return
        group.members.pop(session, None)
        if not group.members:
            self._groups.pop((group.topic, group.visibility), None)

    def leave(self, session: Session) -> None:
        """Its connection has ended."""
        for topic in tuple(session.groups):
            self._quit(session, topic)
        session.catching_up = False

    # --- those who come back, and those who may see something else from now on --------------------

    def come_back(self, session: Session) -> None:
        """A session with subscriptions has a connection again: what it missed comes first."""
        if session.place is None:
            session.place = self._hub.place
        self.catch_up(session)

    def is_ahead(self, session: Session, behind: Place, reached: Place) -> bool:
        """Whether a part of this news has been heard while catching up; then the rest is read, too."""
        caught_up, session.caught_up = session.caught_up, None
        if caught_up is None or not behind.log < caught_up.log < reached.log:
            return False
        self.leave(session)
        session.place = caught_up
        self.catch_up(session)
        return True

    def renew(self, session: Session) -> None:
        """Its rights have changed: what it may not see any more, it does not hear any more."""
        for topic in tuple(session.groups):
            self._quit(session, topic)
        if session.place is None:
            session.place = session.outbox.oldest_waiting() or self._hub.place
        self.catch_up(session)

    def catch_up(self, session: Session) -> None:
        """The next part of what it missed; called again when it has taken that."""
        conversation, place = session.conversation, session.place
        if conversation is None or place is None or session.catching_up:
            return
        session.catching_up = True
        visibility = session.login.visibility

        def done(missed: "_Missed | None", error: BaseException | None) -> None:
            if session.conversation is not conversation or session.login.visibility != visibility:
                session.catching_up = False
                self.catch_up(session)
                return
            if missed is None or error is not None:
                conversation.end(Reason.SERVER_BUSY, "the database does not answer just now")
                return
            session.catching_up = False
            self._caught(session, conversation, missed)

        wishes = [wish for wish, _ in session.wishes.values()]
        self._hub.asked(done, _missed, wishes, visibility, place, self._hub.root)

    def _caught(self, session: Session, conversation: "Conversation", missed: "_Missed") -> None:
        before = session.place
        for group, words, created in missed.told:
            wish, identifier = session.wishes.get(group.topic, (None, 0))
            if wish is not None and wish.qos:
                held = with_identifier(kind_of_change(group, created=created), identifier)
                for word in words:
                    message = Message(group.topic, word, properties=held, behind=before)
                    conversation.deliver(message, wish.qos)
        session.place = missed.reached
        if self._hub.place.within(missed.reached):
            self._goes_on_with_others(session, missed)
        conversation.send_due()
        conversation.flush()

    def _goes_on_with_others(self, session: Session, missed: "_Missed") -> None:
        session.place, session.caught_up = None, missed.reached
        for verdict in missed.verdicts:
            if verdict.found is not None and verdict.wish.topic in session.wishes:
                identifier = session.wishes[verdict.wish.topic][1]
                self._join(session, verdict._replace(since=missed.reached), identifier)


# --- in threads ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Asked:
    root: str
    room: int
    longest: int


def _verdicts(wishes: Iterable[Wish], visibility: Visibility, asked: _Asked) -> list[Verdict]:
    """Which of the topic filters are accepted. Asks the database."""
    verdicts: list[Verdict] = []
    for number, wish in enumerate(wishes):
        if number >= asked.room:
            verdicts.append(Verdict(wish, Reason.QUOTA_EXCEEDED, "too many subscriptions"))
        elif len(wish.topic) > asked.longest:
            text = f"a topic has at most {asked.longest} characters"
            verdicts.append(Verdict(wish, Reason.TOPIC_FILTER_INVALID, text))
        else:
            verdicts.append(_verdict(wish, visibility, asked.root))
    return verdicts


def _verdict(wish: Wish, visibility: Visibility, root: str) -> Verdict:
    topic = wish.topic
    if topic.startswith("$share/"):
        return Verdict(wish, Reason.SHARED_NOT_SUPPORTED, _SHARED)
    if answers.is_own(topic):
        return Verdict(wish, _GRANTED[wish.qos])
    if "#" in topic or "+" in topic:
        return Verdict(wish, Reason.WILDCARDS_NOT_SUPPORTED, _WILDCARDS)
    if not is_topic(topic):
        text = f"there is nothing to hear outside {', '.join(f'{each}/' for each in VERSIONS)}"
        return Verdict(wish, Reason.TOPIC_FILTER_INVALID, text)
    try:
        since = Place(log_end(), announcements.end())
        found = subscription(topic, visibility, root)
        told = newest(found, visibility) if found.route.last.single else None
    except Exception as error:  # noqa: BLE001 - a translator: the client is told
        return Verdict(wish, *outcomes.of_subscribing(error))
    return Verdict(wish, _GRANTED[wish.qos], "", found, told, since)


def _newest(groups: Iterable[Group]) -> list[bytes | None]:
    """The last value of each. Asks the database."""
    found: list[bytes | None] = []
    for group in groups:
        try:
            found.append(group.newest())
        except Exception as error:  # noqa: BLE001 - a translator: one that fails spoils no other
            outcomes.of_subscribing(error)
            found.append(None)
    return found


@dataclass(frozen=True, slots=True)
class _Missed:
    """What a session has missed since its place, or a part of it, and up to where that is."""

    verdicts: list[Verdict]
    told: feed.Told
    reached: Place


def _missed(wishes: Iterable[Wish], visibility: Visibility, place: Place, root: str) -> _Missed:
    """Asks the database."""
    verdicts = [_verdict(wish, visibility, root) for wish in wishes]
    groups = [Group(v.found, visibility) for v in verdicts if v.found is not None]
    end = announcements.end()
    told = feed.of_changes(groups, announcements.since(place.change))
    piece = log_after(place.log, _SLICE, streams=feed.streams_of(groups))
    told += feed.of_readings(groups, piece.columns)
    return _Missed(verdicts, told, Place(piece.position, max(end, place.change)))


# --- what goes with a message --------------------------------------------------------------------


def kind_of_change(group: Group, *, created: bool) -> Properties:
    """Version 2.0 says whether something is new (23-019, pub_sub); version 1.1 has no word for it."""
    if not group.subscription.where.urls.face.odata:
        return NONE
    return {Property.USER: [("type", "create" if created else "update")]}


def with_identifier(properties: Properties, identifier: int) -> Properties:
    if not identifier:
        return properties
    return {**properties, Property.SUBSCRIPTION_ID: [identifier]}
