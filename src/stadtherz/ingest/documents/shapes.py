"""Shapes of documents, worked out by one thread.

msgspec works a class out when it is first used, and ends the whole process (a null pointer) when two threads
do so at the same time: as two messages that come together right after the start.
"""

import threading
from contextlib import suppress
from typing import Any

import msgspec

_lock = threading.Lock()
_ready: set[Any] = set()


def work_out(shape: Any) -> None:
    """Must be called before a shape is used for converting or decoding; costs nothing the second time."""
    if shape in _ready:
        return
    with _lock:
        with suppress(msgspec.ValidationError):  # nothing needs not fit; the shape is known by then
            msgspec.convert(None, shape)
        _ready.add(shape)
