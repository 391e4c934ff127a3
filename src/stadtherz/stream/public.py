"""The door of `stream`: durable consumers of the log, news for live pages, endless answers, and threads that
follow what is new."""

from stadtherz.stream.consumers import (
    Consumer,
    consumers_at_end,
    drain,
    register,
    unread,
    unregister,
)
from stadtherz.stream.dispatcher import start_dispatcher, stop_dispatcher
from stadtherz.stream.events import HEADERS as EVENT_HEADERS
from stadtherz.stream.events import Connections, close_live_streams, endless
from stadtherz.stream.live import bell, growth, listen, nudge, nudges, ring
from stadtherz.stream.rounds import LOOK, Rounds

__all__ = [
    "EVENT_HEADERS",
    "LOOK",
    "Connections",
    "Consumer",
    "Rounds",
    "bell",
    "close_live_streams",
    "consumers_at_end",
    "drain",
    "endless",
    "growth",
    "listen",
    "nudge",
    "nudges",
    "register",
    "ring",
    "start_dispatcher",
    "stop_dispatcher",
    "unread",
    "unregister",
]
