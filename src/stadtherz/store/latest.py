"""The row per datastream that knows its newest reading, extents and count."""

from collections.abc import Iterable, Sequence
from typing import Any

from stadtherz.store.checks import Row
from stadtherz.store.database import database, members, on_sqlite, run

_UPSERT = """
INSERT INTO store_latest AS held (datastream, newest, newest_start, phenomenon_first,
    phenomenon_last, result_first, result_last, count)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (datastream) DO UPDATE SET
    newest = CASE WHEN {newer} THEN excluded.newest ELSE held.newest END,
    newest_start = CASE WHEN {newer} THEN excluded.newest_start ELSE held.newest_start END,
    phenomenon_first = {least}(held.phenomenon_first, excluded.phenomenon_first),
    phenomenon_last = {greatest}(held.phenomenon_last, excluded.phenomenon_last),
    result_first = {least}(coalesce(held.result_first, excluded.result_first),
        coalesce(excluded.result_first, held.result_first)),
    result_last = {greatest}(coalesce(held.result_last, excluded.result_last),
        coalesce(excluded.result_last, held.result_last)),
    count = held.count + excluded.count
"""
# Of two readings for the same instant the later arrival wins.
_NEWER = "excluded.newest_start >= held.newest_start"

_SUMMARY = """
INSERT INTO store_latest (datastream, newest, newest_start, phenomenon_first, phenomenon_last,
    result_first, result_last, count)
SELECT o.datastream,
    (SELECT n.id FROM store_observation n WHERE n.datastream = o.datastream
        ORDER BY n.phenomenon_start DESC, n.id DESC LIMIT 1),
    max(o.phenomenon_start), min(o.phenomenon_start),
    max(coalesce(o.phenomenon_end, o.phenomenon_start)),
    min(o.result_time), max(o.result_time), count(*)
FROM store_observation o WHERE {streams} GROUP BY o.datastream
"""


def add_to_latest(rows: Iterable[tuple[int, Row]]) -> None:
    """Take new readings, given as (id, row) in the order of ids, into account."""
    summaries: dict[int, list[Any]] = {}
    for key, row in rows:
        stream, start, end, result_time = row[:4]
        last = start if end is None else end
        held = summaries.get(stream)
        if held is None:
            summaries[stream] = [stream, key, start, start, last, result_time, result_time, 1]
        else:
            _merge(held, key, start, last, result_time)
    _upsert([summaries[stream] for stream in sorted(summaries)])


def _merge(held: list[Any], key: int, start: int, last: int, result_time: int | None) -> None:
    if start >= held[2]:
        held[1:3] = key, start
    held[3] = min(held[3], start)
    held[4] = max(held[4], last)
    if result_time is not None:
        held[5] = result_time if held[5] is None else min(held[5], result_time)
        held[6] = result_time if held[6] is None else max(held[6], result_time)
    held[7] += 1


def _upsert(summaries: Sequence[Sequence[Any]]) -> None:
    least, greatest = ("min", "max") if on_sqlite() else ("least", "greatest")
    text = _UPSERT.format(newer=_NEWER, least=least, greatest=greatest)
    with database().cursor() as cursor:
        cursor.executemany(text, summaries)


def repair_latest(streams: Iterable[int]) -> None:
    """Compute the rows of these datastreams anew from their readings."""
    wanted = sorted(set(streams))
    held = members("datastream", wanted)
    run(f"DELETE FROM store_latest WHERE {held.text}", held.parameters)
    read = members("o.datastream", wanted)
    run(_SUMMARY.format(streams=read.text), read.parameters)
