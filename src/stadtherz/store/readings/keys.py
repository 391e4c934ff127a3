"""By which repetitions are recognised: digests of keys, remembered for a while.

A digest has 64 bits of BLAKE2b over the datastream and the key. Those of unsealed readings are in
the log and in memory; at the end of a sealing they become a run, sorted for searching. Runs that
grew old are forgotten: a network repeats a message within minutes or days, never after months. For
readings from before that, a repetition is one with the same instant and the same number.
"""

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from stadtherz.base.time import DAY, Micros, now_us
from stadtherz.sql.public import Sql
from stadtherz.store.database import members, rows_of, run
from stadtherz.store.state import remember
from stadtherz.store.values import Int64

REMEMBERED = 35 * DAY
"""How long a key is known after its reading arrived."""

_RUNS = 8  # more are joined into one
_LARGEST = 1_000_000  # digests in a run

Digests = npt.NDArray[np.uint64]


def digest(datastream: int, key: str) -> int:
    """The key of a datastream as a number, never 0."""
    text = f"{datastream} {key}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest()) or 1


@dataclass(frozen=True, slots=True)
class Run:
    """Ascending digests and the ids of their readings."""

    digests: Digests
    ids: Int64

    def find(self, wanted: Digests) -> dict[int, int]:
        places = np.maximum(np.searchsorted(self.digests, wanted, "right") - 1, 0)
        hits = np.flatnonzero(self.digests[places] == wanted)
        return dict(zip(wanted[hits].tolist(), self.ids[places[hits]].tolist(), strict=True))


@dataclass(slots=True)
class Keys:
    """What is known: keys of unsealed readings, and the runs of the others."""

    unsealed: dict[int, int] = field(default_factory=dict)  # digest to id

    def add(self, digests: Digests, ids: Int64) -> None:
        keyed = digests != 0
        if keyed.any():
            self.unsealed.update(zip(digests[keyed].tolist(), ids[keyed].tolist(), strict=True))

    def find(self, wanted: Digests) -> dict[int, int]:
        """The ids of readings with these keys; where a key was used again, the latest."""
        found: dict[int, int] = {}
        for row in rows_of(Sql("SELECT id, born, number FROM store_key ORDER BY id")):
            found |= _run(*row).find(wanted)
        return found | {key: self.unsealed[key] for key in wanted.tolist() if key in self.unsealed}


@lru_cache(maxsize=64)
def _run(key: int, born: Micros, number: int) -> Run:
    del born, number  # tell this run from one that had its id and was rolled back
    ((digests, ids),) = rows_of(Sql("SELECT digests, ids FROM store_key WHERE id = %s", (key,)))
    return Run(np.frombuffer(bytes(digests), np.uint64), np.frombuffer(bytes(ids), np.int64))


def seal(digests: Digests, ids: Int64) -> None:
    """Keep these keys as a run, join small runs, and forget old ones."""
    if len(digests):
        order = np.lexsort((ids, digests))
        _insert(now_us(), digests[order], ids[order])
        _join()
    _forget()


def _insert(born: Micros, digests: Digests, ids: Int64) -> None:
    values: tuple[Any, ...] = (born, len(digests), digests.tobytes(), ids.tobytes())
    run("INSERT INTO store_key (born, number, digests, ids) VALUES (%s, %s, %s, %s)", values)


def _join() -> None:
    """Many small runs of about the same age become one."""
    text = "SELECT id, born, number FROM store_key ORDER BY id DESC"
    small = [
        row for row in rows_of(Sql(text)) if row[2] < _LARGEST // 2 and row[1] > now_us() - DAY
    ]
    if len(small) < _RUNS:
        return
    runs = [_run(*row) for row in reversed(small)]
    digests = np.concatenate([r.digests for r in runs])
    ids = np.concatenate([r.ids for r in runs])
    order = np.lexsort((ids, digests))
    listed = members("id", [row[0] for row in small])
    run(f"DELETE FROM store_key WHERE {listed.text}", listed.parameters)
    for begin in range(0, len(order), _LARGEST):
        part = order[begin : begin + _LARGEST]
        _insert(now_us(), digests[part], ids[part])


def _forget() -> None:
    old = rows_of(Sql("SELECT max(born) FROM store_key WHERE born < %s", (now_us() - REMEMBERED,)))
    if old[0][0] is not None:
        run("DELETE FROM store_key WHERE born <= %s", (old[0][0],))
        remember("forgotten", old[0][0])
