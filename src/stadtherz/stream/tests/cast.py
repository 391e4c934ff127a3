"""What the stream's tests need: a datastream, readings, and consumers that go when they end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from stadtherz.base.time import Period
from stadtherz.base.vocabulary import WATER_LEVEL
from stadtherz.store.public import (
    LogSlice,
    NewStream,
    Reading,
    create_organisation,
    organisations,
    register_stream,
)
from stadtherz.stream.public import Consumer, register, unregister


def datastream(name: str = "Level") -> int:
    known = organisations()
    owner = known[0].id if known else create_organisation("lautern", "Lautern")
    return register_stream(
        NewStream(
            owner=owner,
            thing_name="Gauge",
            thing_description="",
            location=None,
            sensor_name="Radar",
            sensor_description="",
            observed=WATER_LEVEL,
            name=name,
            description="",
        )
    )


def reading(stream: int, number: float, key: str | None = None) -> Reading:
    return Reading(stream, Period(int(number)), number, key=key)


@contextmanager
def consuming(
    name: str, handle: Callable[[LogSlice], None], streams: Any = None, *, urgent: bool = False
) -> Iterator[Consumer]:
    """A consumer that is registered as long as the block runs."""
    consumer = Consumer(name, handle, streams, urgent)
    register(consumer)
    try:
        yield consumer
    finally:
        unregister(name)


class Notebook:
    """A handler that writes down the results it gets."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def __call__(self, piece: LogSlice) -> None:
        self.seen += list(piece.columns.result)
