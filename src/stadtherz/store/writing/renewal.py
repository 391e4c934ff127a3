"""Chunks that an older version wrote are written again in the newest format, some at a time."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from stadtherz.sql.public import Sql
from stadtherz.store.database import rows_of, writing
from stadtherz.store.sealed import chunk
from stadtherz.store.sealed.chunks import Directory, readable, row_of
from stadtherz.store.state import remember, remembered
from stadtherz.store.writing.exchange import Exchange, exchange

_AT_ONCE = 32  # chunks in one transaction


def steps() -> Iterator[Callable[[], object]]:
    """What is to be done, in transactions; nothing if it was done before.

    Old chunks can be read for ever, so nobody has to wait for this. A damaged one stays as it is:
    `stadtherz store check` names it.
    """
    if remembered("format") >= chunk.FORMAT:
        return
    text = "SELECT id FROM store_chunk WHERE substr(data, 1, 1) < %s ORDER BY datastream, t0"
    old = [row[0] for row in rows_of(Sql(text, (bytes([chunk.FORMAT]),)))]
    for begin in range(0, len(old), _AT_ONCE):
        yield partial(exchange, partial(_renewed, old[begin : begin + _AT_ONCE]))
    yield partial(_finish, chunk.FORMAT)


def _renewed(keys: list[int], found: Directory) -> Exchange:
    found = found.take(np.isin(found.key, keys))
    blocks = readable(found)
    done = [key for key, block in zip(found.key.tolist(), blocks, strict=True) if block]
    return Exchange(done, [row_of(block) for block in blocks if block])


def _finish(version: int) -> None:
    with writing():
        remember("format", version)
