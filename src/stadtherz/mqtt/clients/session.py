"""What is remembered of a client beyond one connection (MQTT 5.0 §4.1)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from stadtherz.base.visibility import Visibility
from stadtherz.mqtt.clients.inbox import Inbox
from stadtherz.mqtt.clients.messages import NOWHERE, Place
from stadtherz.mqtt.clients.outbox import Outbox
from stadtherz.mqtt.wire.packets import Will, Wish

if TYPE_CHECKING:
    from stadtherz.mqtt.clients.conversation import Conversation
    from stadtherz.mqtt.news.groups import Group

Key = tuple[str, str]
"""Whose it is, and what the client calls itself: nobody comes into the session of another."""


class Wanted(NamedTuple):
    """A subscription: what was asked for, its identifier, and where the log and the announcements
    stood then; what lies before is not new to it.
    """

    wish: Wish
    identifier: int = 0
    since: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class Login:
    """Who a client is, and how to ask again whether that still holds."""

    visibility: Visibility
    again: Callable[[], Visibility]


@dataclass(slots=True, eq=False)
class Session:
    """`expiry`: seconds for which it outlives its connection.

    `place`: from where it has to catch up before it hears news with the others; None when it does.
    `caught_up`: up to where it has read for itself; `joined`: its number among those who then went on
    with the others. `before`: the rights with which it was served last, until it is told what it has lost.
    """

    key: Key
    login: Login
    outbox: Outbox
    expiry: int = 0
    wishes: dict[str, Wanted] = field(default_factory=dict)
    inbox: Inbox = field(default_factory=Inbox)
    conversation: "Conversation | None" = None
    groups: "dict[str, Group]" = field(default_factory=dict)
    place: Place | None = None
    catching_up: object | None = None  # the question that has been asked for it
    caught_up: Place = NOWHERE
    joined: int = 0
    left: float = 0.0  # monotonic time
    will: Will | None = None
    will_due: float | None = None
    before: Visibility | None = None

    @property
    def actor(self) -> str:
        return self.key[0]

    @property
    def client_id(self) -> str:
        return self.key[1]

    @property
    def lasting(self) -> bool:
        return self.expiry > 0
