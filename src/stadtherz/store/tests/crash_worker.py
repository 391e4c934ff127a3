"""A process that is killed: it opens a store folder, writes, and says what was acknowledged.

    python crash_worker.py prepare             make the tables and the datastreams
    python crash_worker.py work SEED STEPS     change things; a line of JSON before and after each
    python crash_worker.py write THREADS FIRST append from several threads until it is killed
    python crash_worker.py fill BATCHES        append; where that is refused, read and wait for a line
    python crash_worker.py read                tell everything that is there
    python crash_worker.py obey SEED           for each line of input, one of the changes of `work`
    python crash_worker.py watch               for each line of input, what `read` tells
    python crash_worker.py again ROWS          as `read`, after appending once more what may be there
    python crash_worker.py serve               become any of these in a child for each line of input

The store is found as by the product: STADTHERZ_DATA and STADTHERZ_ENGINE. Each reading carries a
number that nobody else has, so that a missing one and one that is there twice are both noticed.
"""

import json
import os
import random
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django
from django.conf import settings

from stadtherz.project.engine import database_settings

STREAMS = 4
_MINUTE = 60_000_000
_START = 1_790_000_000_000_000  # in September 2026


def set_up() -> None:
    """Django with nothing but the store: a process starts in half a second."""
    engine, data = os.environ.get("STADTHERZ_ENGINE", ""), Path(os.environ["STADTHERZ_DATA"])
    settings.configure(
        DATABASES={"default": database_settings(engine, data)},
        INSTALLED_APPS=["stadtherz.store"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        SECRET_KEY="of a test",
        DATA=data,
        USE_TZ=True,
    )
    django.setup()


def say(**facts: Any) -> None:
    """One line, out of the process before this returns."""
    os.write(1, (json.dumps(facts) + "\n").encode())


# --- the verbs -----------------------------------------------------------------------------------


def prepare() -> None:
    from django.core.management import call_command

    from stadtherz.store.tests.factories import stream, town

    call_command("migrate", verbosity=0)
    owner = town()
    say(streams=[stream(owner, name=f"s{i}") for i in range(STREAMS)])


def streams() -> list[int]:
    from stadtherz.store.models import Datastream

    return list(Datastream.objects.order_by("pk").values_list("pk", flat=True))


def reading_of(stream: int, number: int, at: int) -> Any:
    """A reading that is known by its number; every seventh is no plain one."""
    from stadtherz.base.time import Period
    from stadtherz.store.public import Reading

    result: Any = {"n": number} if number % 7 == 0 else number
    return Reading(stream, Period(at), result, key=f"k{number}")


def number_of(result: Any) -> int:
    return int(result["n"] if isinstance(result, dict) else result)


class Work:
    """A random but repeatable story of changes."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.streams = streams()
        self.number = 0
        self.kept: dict[int, tuple[int, int, int]] = {}  # id: stream, number, time

    def step(self) -> None:
        steps: list[Callable[[], None]] = [self.append] * 5
        steps += [self.seal] * 2 + [self.tend, self.delete, self.correct]
        self.chance.choice(steps)()

    def append(self) -> None:
        rows = [self._row() for _ in range(self.chance.choice([1, 3, 40]))]
        self.number += len(rows)
        append_rows(rows, self.kept)

    def _row(self) -> tuple[int, int, int]:
        number = self.number + self.chance.randrange(1_000_000) * 1_000
        self.number += 1
        return self.chance.choice(self.streams), number, self._time()

    def _time(self) -> int:
        if self.chance.random() < 0.2:  # late
            return _START + self.chance.randrange(1_000) * _MINUTE
        return _START + self.number * _MINUTE

    def seal(self) -> None:
        from stadtherz.store.public import seal

        seal()

    def tend(self) -> None:
        from stadtherz.store.public import tend

        tend()

    def delete(self) -> None:
        from stadtherz.store.public import delete_readings

        gone = self.chance.sample(sorted(self.kept), min(3, len(self.kept)))
        say(deleting=gone)
        delete_readings(gone)
        for identity in gone:
            del self.kept[identity]
        say(deleted=gone)

    def correct(self) -> None:
        from stadtherz.store.public import correct

        if not self.kept:
            return
        identity = self.chance.choice(sorted(self.kept))
        stream, _, at = self.kept[identity]
        _, number, _ = self._row()
        say(correcting=[identity, number])
        correct(identity, reading_of(stream, number, at))
        self.kept[identity] = (stream, number, at)
        say(corrected=[identity, number])


def append_rows(rows: list[tuple[int, int, int]], kept: dict[int, tuple[int, int, int]]) -> None:
    """Append readings given as (stream, number, time), telling before and after."""
    from stadtherz.store.public import append

    say(appending=rows)
    receipts = append([reading_of(*row) for row in rows])
    kept.update({r.id: row for r, row in zip(receipts, rows, strict=True)})
    say(appended=[[r.id, row[1]] for r, row in zip(receipts, rows, strict=True)], log=logged())


def logged() -> int:
    """Bytes of SQLite's write-ahead log; at an acknowledgement they are all on disk."""
    from django.db import connections

    path = Path(f"{connections['default'].settings_dict['NAME']}-wal")
    return path.stat().st_size if path.exists() else 0


def work(seed: str, steps: str) -> None:
    story = Work(int(seed))
    for _ in range(int(steps)):
        story.step()
    say(done=True)


def obey(seed: str) -> None:
    story = Work(int(seed))
    for _ in sys.stdin:
        story.step()
        say(done=True)


def watch() -> None:
    for _ in sys.stdin:
        read()
        say(done=True)


def write(threads: str, first: str) -> None:
    """Append for ever; the numbers begin with `first`."""
    from stadtherz.store.public import seal

    def run(thread: int) -> None:
        kept: dict[int, tuple[int, int, int]] = {}
        chance, own = random.Random(), streams()
        for i in range(10**6):
            number = int(first) + (i * int(threads) + thread) * 100
            size = chance.randint(1, 30)
            rows = [
                (chance.choice(own), n, _START + n * 1_000) for n in range(number, number + size)
            ]
            append_rows(rows, kept)

    for thread in range(int(threads)):
        threading.Thread(target=run, args=(thread,), daemon=True).start()
    while True:
        seal()


def fill(batches: str) -> None:
    """Append large batches one after the other, each until it is kept."""
    from stadtherz.base.errors import Unavailable
    from stadtherz.store.public import Selection, count

    own = streams()
    for batch in range(int(batches)):
        numbers = range(batch * 2_000, (batch + 1) * 2_000)
        rows = [(own[n % STREAMS], n, _START + n * 7_919) for n in numbers]
        while True:
            try:
                append_rows(rows, {})
                break
            except Unavailable as error:
                say(refused=str(error), retry=error.retry, readable=count(Selection()))
                sys.stdin.readline()
    say(done=True)


def read() -> None:
    from stadtherz.store.care.check import check
    from stadtherz.store.public import Selection, by_id, count, extents, scan, select

    found = select(Selection())
    rows = list(zip(found.id.tolist(), map(number_of, found.result), strict=True))
    pieces = list(scan(Selection()))
    say(
        rows=rows,
        counted=count(Selection()),
        extents=sum(extent.count for extent in extents(streams()).values()),
        by_id=len(by_id([row[0] for row in rows])),
        scanned=sorted(identity for piece in pieces for identity in piece.id.tolist()),
        problems=[str(problem) for problem in check()],
    )


def again(batches: str) -> None:
    from stadtherz.store.public import append

    for rows in json.loads(batches):
        receipts = append([reading_of(*row) for row in rows])
        say(again=[[r.id, row[1], r.duplicate] for r, row in zip(receipts, rows, strict=True)])
    read()


# --- many short lives ----------------------------------------------------------------------------


def serve() -> None:
    """Fork for each line of input; a child knows nothing of the store but has its modules.

    A line is JSON: the folder, the file for standard output, the verb with its arguments, whether
    the child is to stop before it starts, so that a tracer can take hold of it, and whether to
    wait for its end.
    """

    for line in sys.stdin:
        order = json.loads(line)
        wait = order.pop("wait")
        child = os.fork()
        if child == 0:
            _live(**order)
        say(pid=child, status=os.waitpid(child, 0)[1] if wait else None)


def _live(folder: str, output: str, verb: list[str], stopped: bool) -> None:
    from django.db import connections

    if connections["default"].vendor == "sqlite":
        database = connections["default"].settings_dict
        database["NAME"] = str(Path(folder) / Path(database["NAME"]).name)
    os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 1)
    if stopped:
        os.kill(os.getpid(), signal.SIGSTOP)
    VERBS[verb[0]](*verb[1:])
    os._exit(0)


VERBS: dict[str, Callable[..., None]] = {
    verb.__name__: verb for verb in (prepare, work, write, fill, read, obey, watch, again, serve)
}

if __name__ == "__main__":
    set_up()
    VERBS[sys.argv[1]](*sys.argv[2:])
