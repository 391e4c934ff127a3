"""What goes out to subscribers, until it has a packet of its own."""

from collections.abc import Callable
from typing import NamedTuple

from stadtherz.mqtt.wire.properties import NONE, Properties


class Place(NamedTuple):
    """Behind so many positions of the log and so many announced changes of entities."""

    log: int = 0
    change: int = 0

    def within(self, other: "Place") -> bool:
        """Whether whoever has come to the other has been here, too."""
        return self.log <= other.log and self.change <= other.change

    def or_later(self, other: "Place") -> "Place":
        """Behind what either of them lies behind."""
        return Place(max(self.log, other.log), max(self.change, other.change))

    def or_earlier(self, other: "Place") -> "Place":
        """Behind what both of them lie behind."""
        return Place(min(self.log, other.log), min(self.change, other.change))


NOWHERE = Place()
"""Before everything."""


class Message(NamedTuple):
    """`behind`: whoever has not acknowledged it comes back to this place.

    `receipt` is called when the client has received it, for messages that others might get instead.
    """

    topic: str
    payload: bytes
    retain: bool = False
    properties: Properties = NONE
    behind: Place | None = None
    receipt: Callable[[], None] | None = None
