"""Summaries made anew from the sealed readings themselves."""

import numpy as np

from stadtherz.sql.public import compose
from stadtherz.store.database import members, rows_of
from stadtherz.store.readings import summaries
from stadtherz.store.readings.summaries import Summaries
from stadtherz.store.readings.view import View
from stadtherz.store.sealed.chunks import Directory, chunks_of
from stadtherz.store.values import NONE, Int64, or_none

_OF_ROWS = """
SELECT datastream, count(*), min(phenomenon_start),
    max(coalesce(phenomenon_end, phenomenon_start)), min(result_time), max(result_time),
    (SELECT n.id FROM store_row n WHERE n.datastream = o.datastream
        ORDER BY n.phenomenon_start DESC, n.id DESC LIMIT 1), max(phenomenon_start)
FROM store_row o WHERE {} GROUP BY datastream
"""


def summarise(streams: Int64, now: View) -> Summaries:
    """Summaries of datastreams (ascending) of which nothing is left in the tail."""
    held = now.sealed(streams)
    made = summaries.empty(streams)
    made["sealed"], made["next_sequence"] = now.end, held["next_sequence"]
    if not len(streams):
        return made
    directory = now.look_at_chunks().with_readings()
    for place, stream in enumerate(streams.tolist()):
        found = directory.of(streams[place : place + 1])
        if len(found):
            summaries.add(made, _of_chunks(stream, found))
    _add_rows(streams, made)
    return made


def _of_chunks(stream: int, found: Directory) -> Summaries:
    made = summaries.empty(np.array([stream], np.int64))
    (last,) = chunks_of(found.take(slice(len(found) - 1, len(found))))
    made["newest"], made["newest_start"] = last.id[-1], last.phenomenon_start[-1]
    made["newest_end"], made["newest_result_time"] = last.phenomenon_end[-1], last.result_time[-1]
    made["newest_feature"], made["newest_number"] = last.feature[-1], last.result[-1]
    stats = found.stats
    made["count"] = stats.n.sum()
    made["phenomenon_first"] = stats.t0[0]
    made["phenomenon_last"] = stats.last.max()
    firsts = stats.result_first[stats.result_first != NONE]
    made["result_first"] = firsts.min() if len(firsts) else NONE
    made["result_last"] = stats.result_last.max()
    return made


def _add_rows(streams: Int64, made: Summaries) -> None:
    for row in rows_of(compose(_OF_ROWS, members("datastream", streams.tolist()))):
        stream, number, first, last, result_first, result_last, newest, newest_start = row
        more = summaries.empty(np.array([stream], np.int64))
        more["count"], more["newest"], more["newest_start"] = number, newest, newest_start
        more["phenomenon_first"], more["phenomenon_last"] = first, last
        more["result_first"], more["result_last"] = or_none(result_first), or_none(result_last)
        summaries.add(made, more)
