"""Readings of gauges as pairs of time and centimetres, from the store's columns."""

from collections.abc import Iterable

from stadtherz.base.time import Micros
from stadtherz.kit.public import Pair, numbers, since, with_doubts
from stadtherz.store.public import latest

__all__ = ["Pair", "newest", "newest_mark", "numbers", "since", "with_doubts"]


def newest(streams: Iterable[int]) -> dict[int, Pair]:
    """Each datastream's newest reading, where it is a number."""
    return {stream: (at, value) for stream, at, _key, value in numbers(latest(streams))}


def newest_mark(stream: int) -> tuple[Micros | None, int | None]:
    """Time and id of the datastream's newest reading, whatever it is; None where there is none."""
    columns = latest([stream])
    if not len(columns):
        return None, None
    return int(columns.phenomenon_start[0]), int(columns.id[0])
