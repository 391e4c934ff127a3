"""The door of `stream`: durable consumers of the log, and news for live pages."""

from stadtherz.stream.consumers import Consumer, consumers_at_end, drain, register, unregister
from stadtherz.stream.dispatcher import start_dispatcher, stop_dispatcher
from stadtherz.stream.live import listen

__all__ = [
    "Consumer",
    "consumers_at_end",
    "drain",
    "listen",
    "register",
    "start_dispatcher",
    "stop_dispatcher",
    "unregister",
]
