"""Answers to requests (23-019 binding/mqtt, request_response; MQTT 5.0 §4.10).

A request names a topic for its answer. All such topics are below one level that we tell every client of,
and belong to the client alone: whatever others name theirs, nobody hears the answers of another.
"""

from dataclasses import dataclass

from stadtherz.base.errors import Invalid
from stadtherz.mqtt.arrivals.arrival import Arrival
from stadtherz.mqtt.clients.messages import Message
from stadtherz.mqtt.clients.session import Session
from stadtherz.mqtt.wire.properties import Properties, Property
from stadtherz.sensorthings.public import Request, Response, respond

LEVEL = "answers"
_PREFIX = f"{LEVEL}/"


def is_own(topic: str) -> bool:
    """Whether a topic, or a filter of topics, is for answers."""
    return topic.startswith(_PREFIX)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, and whom it is for."""

    arrival: Arrival
    topic: str
    response: Response

    def message(self) -> Message:
        told = {"status": str(self.response.status), "location": self.response.location}
        held: dict[int, object] = {
            Property.USER: [(name, value) for name, value in told.items() if value]
        }
        if self.response.media:
            held[Property.CONTENT_TYPE] = self.response.media
        correlation = self.arrival.properties.get(Property.CORRELATION_DATA)
        if correlation is not None:
            held[Property.CORRELATION_DATA] = correlation
        return Message(self.topic, self.response.body, properties=held)


def answered(arrival: Arrival, root: str) -> Answered:
    """The answer to a request. Asks the database.

    Raises:
        Invalid: for what is no request, or cannot be answered.
    """
    held = arrival.properties
    topic = held.get(Property.RESPONSE_TOPIC, "")
    if not is_own(topic) or "#" in topic or "+" in topic:
        raise Invalid("response topic", f"must be below {_PREFIX}; this needs MQTT 5.0")
    told = dict(held.get(Property.USER, ()))
    request = Request(
        told.get("url", ""),
        told.get("type", ""),
        arrival.payload,
        arrival.visibility,
        told.get("prefer", ""),
        held.get(Property.CONTENT_TYPE, ""),
    )
    return Answered(arrival, topic, respond(request, root))


def quality_of(session: Session, topic: str) -> tuple[int, Properties] | None:
    """How the session wants to hear what comes to the topic; None if it does not."""
    for wish, identifier, _ in session.wishes.values():
        if is_own(wish.topic) and _fits(wish.topic, topic):
            return wish.qos, {Property.SUBSCRIPTION_ID: [identifier]} if identifier else {}
    return None


def _fits(wanted: str, topic: str) -> bool:
    """Whether a topic is one of those that a filter stands for (MQTT 5.0 §4.7)."""
    levels = topic.split("/")
    for place, level in enumerate(wanted.split("/")):
        if level == "#":
            return True
        if place >= len(levels) or level not in ("+", levels[place]):
            return False
    return len(levels) == len(wanted.split("/"))
