"""The door of `stream`: durable consumers of the log, news for live pages, and endless answers."""

from stadtherz.stream.consumers import Consumer, consumers_at_end, drain, register, unregister
from stadtherz.stream.dispatcher import start_dispatcher, stop_dispatcher
from stadtherz.stream.events import HEADERS as EVENT_HEADERS
from stadtherz.stream.events import Connections, close_live_streams, endless
from stadtherz.stream.live import growth, listen, nudge, nudges

__all__ = [
    "EVENT_HEADERS",
    "Connections",
    "Consumer",
    "close_live_streams",
    "consumers_at_end",
    "drain",
    "endless",
    "growth",
    "listen",
    "nudge",
    "nudges",
    "register",
    "start_dispatcher",
    "stop_dispatcher",
    "unregister",
]
