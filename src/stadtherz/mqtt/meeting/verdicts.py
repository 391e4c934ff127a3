"""What becomes of topic filters: accepted, or refused with a reason; and accepted once, but not any more.

In threads; all of it asks the database.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from stadtherz.base.visibility import ANONYMOUS, Visibility
from stadtherz.mqtt.arrivals import answers
from stadtherz.mqtt.clients.messages import NOWHERE, Place
from stadtherz.mqtt.meeting.shares import SharedTopic, is_named, shared
from stadtherz.mqtt.news import announcements, boards
from stadtherz.mqtt.news.heard import Entities, Heard
from stadtherz.mqtt.wire import outcomes
from stadtherz.mqtt.wire.packets import Wish
from stadtherz.mqtt.wire.reasons import Reason
from stadtherz.sensorthings.public import VERSIONS, is_topic, subscription
from stadtherz.store.public import log_end

_WILDCARDS = (
    "wildcards are not possible here; subscribe to a set, such as v1.1/Observations or v1.1/Things"
)
_SHARED = "a share is $share/name/topic; its name has no wildcards"
_NO_SHARE = "sharing needs a token; those who show the same one share"
_GRANTED = (Reason.SUCCESS, Reason.GRANTED_1, Reason.GRANTED_2)


class Verdict(NamedTuple):
    """What became of one topic filter; `found` where it was accepted, with what a single thing was
    then, and where the log and the announcements stood.
    """

    wish: Wish
    reason: Reason
    text: str = ""
    found: Heard | None = None
    told: bytes | None = None
    since: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class Asked:
    root: str
    room: int
    longest: int


class Look(NamedTuple):
    """Subscriptions that are not allowed any more, and whether the client may see something else at all."""

    ended: list[str]
    differs: bool


_NOT_ANY_MORE = (Reason.NOT_AUTHORIZED, Reason.TOPIC_FILTER_INVALID)


def look(wishes: Iterable[Wish], visibility: Visibility, root: str, since: int | None) -> Look:
    """Nothing is looked at if nobody has hidden anything `since`; with None everything is. Asks the database."""
    if since is not None and not announcements.access_changed(since):
        return Look([], differs=False)
    verdicts = [verdict_on(wish, visibility, root) for wish in wishes]
    return Look([v.wish.topic for v in verdicts if v.reason in _NOT_ANY_MORE], differs=True)


def verdicts_on(wishes: Iterable[Wish], visibility: Visibility, asked: Asked) -> list[Verdict]:
    """Which of the topic filters are accepted. Asks the database."""
    verdicts: list[Verdict] = []
    for number, wish in enumerate(wishes):
        if number >= asked.room:
            verdicts.append(Verdict(wish, Reason.QUOTA_EXCEEDED, "too many subscriptions"))
        elif len(wish.topic) > asked.longest:
            text = f"a topic has at most {asked.longest} characters"
            verdicts.append(Verdict(wish, Reason.TOPIC_FILTER_INVALID, text))
        else:
            verdicts.append(verdict_on(wish, visibility, asked.root))
    return verdicts


def verdict_on(wish: Wish, visibility: Visibility, root: str) -> Verdict:
    topic = wish.topic
    if (share := shared(topic)) is not None:
        return _on_share(share, wish, visibility, root)
    if answers.is_own(topic):
        return Verdict(wish, _GRANTED[wish.qos])
    if "#" in topic or "+" in topic:
        return Verdict(wish, Reason.WILDCARDS_NOT_SUPPORTED, _WILDCARDS)
    board = boards.board_of(topic)
    if board is None and not is_topic(topic):
        known = ", ".join([*(f"{each}/" for each in VERSIONS), *boards.topics()])
        return Verdict(
            wish, Reason.TOPIC_FILTER_INVALID, f"there is nothing to hear outside {known}"
        )
    try:
        since = Place(log_end(), announcements.end())
        found: Heard = board or Entities(subscription(topic, visibility, root))
        told = next(iter(found.newest(visibility)), None) if found.single else None
    except Exception as error:  # noqa: BLE001 - a translator: the client is told
        return Verdict(wish, *outcomes.of_subscribing(error))
    return Verdict(wish, _GRANTED[wish.qos], "", found, told, since)


def _on_share(share: SharedTopic, wish: Wish, visibility: Visibility, root: str) -> Verdict:
    if not is_named(share):
        return Verdict(wish, Reason.TOPIC_FILTER_INVALID, _SHARED)
    if visibility.actor == ANONYMOUS.actor:
        return Verdict(wish, Reason.NOT_AUTHORIZED, _NO_SHARE)
    if shared(share.topic) or answers.is_own(share.topic):
        return Verdict(wish, Reason.TOPIC_FILTER_INVALID, _SHARED)
    verdict = verdict_on(wish._replace(topic=share.topic), visibility, root)
    return verdict._replace(wish=wish)
