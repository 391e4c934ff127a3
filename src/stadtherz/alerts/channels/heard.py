"""What comes back from a gateway: that a message has arrived or not, and what somebody has written."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """What the network says of a message of ours."""

    BUFFERED = "buffered"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"


@dataclass(frozen=True, slots=True)
class Receipt:
    """`message_id` is what `send` gave back for the message."""

    message_id: str
    state: State
    error: str = ""


@dataclass(frozen=True, slots=True)
class Incoming:
    """An SMS that somebody has sent to us."""

    sender: str
    text: str


Heard = Receipt | Incoming


class Unknown(Exception):
    """The message of a receipt is not known; it may be on its way to the disk."""


# Deals with what was heard, and returns when that is on disk: what may be done after the gateway has been
# told so, such as answering. Raises Unknown for a receipt of nothing we know.
Hears = Callable[[Heard], Callable[[], None] | None]
