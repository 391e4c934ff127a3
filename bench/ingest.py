"""How fast readings become durable: through the store, and through the webhook of a network.

    python -m bench.ingest [--quick]

Every figure stands beside the same engine's own: plain rows into a table without any index, with
the same flush to disk at each commit, in the same run. The ratio is what carries over to other
machines. STADTHERZ_ENGINE chooses an (empty) PostgreSQL database.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice

import click
from django.db import connections, transaction

from bench import timing, town
from bench.posting import posted
from bench.server import served
from bench.town import Town
from stadtherz.base.time import now_us
from stadtherz.store.public import Reading, append

CALLERS = 32


@dataclass(frozen=True, slots=True)
class Size:
    """How much work a run does."""

    gauges: int
    devices: int
    single: int
    many: int
    uplinks: int


FULL = Size(gauges=1000, devices=100, single=1_500, many=60_000, uplinks=4_000)
QUICK = Size(gauges=10, devices=5, single=10, many=200, uplinks=20)


@click.command()
@click.option("--quick", is_flag=True, help="Only show that it runs.")
def main(*, quick: bool) -> None:
    """Print the ingest table."""
    size = QUICK if quick else FULL
    place = town.build(size.gauges, size.devices)
    _make_plain_table()
    source = town.readings(place, now_us())
    rows = [_compared(batch, size, source) for batch in (1, 100, 1000)]
    single = rows[0][2]
    rows.append(_together(size, source, single))
    town.hand_over()
    rows.append(_webhook(place, size, single))
    head = ("durable readings a second", "Stadtherz", "plain rows", "ratio")
    timing.show(f"Ingest over {size.gauges} datastreams", head, [_shown(*row) for row in rows])


Row = tuple[str, float, float]


def _shown(what: str, ours: float, plain: float) -> tuple[str, ...]:
    return what, timing.rate(ours), timing.rate(plain), timing.ratio(ours / plain)


def _compared(batch: int, size: Size, source: Iterator[Reading]) -> Row:
    """The store and the plain table in turn, batch by batch: noise of the machine hits both."""
    times = max((size.single if batch == 1 else size.many) // batch, 1)
    ours = plain = 0.0
    for _ in range(times):
        part = list(islice(source, batch))
        ours += timing.seconds(partial(append, part))
        plain += timing.seconds(partial(_insert_plainly, part))
    return f"one caller, batches of {batch}", times * batch / ours, times * batch / plain


def _together(size: Size, source: Iterator[Reading], plain: float) -> Row:
    """Many callers with one reading each: what a webhook looks like to the store."""
    single = [[reading] for reading in islice(source, size.single * 4)]
    with ThreadPoolExecutor(CALLERS) as pool:
        took = timing.seconds(lambda: list(pool.map(append, single)))
    return f"{CALLERS} callers, one reading each", len(single) / took, plain


def _webhook(place: Town, size: Size, plain: float) -> Row:
    """Uplinks by HTTP from another process, each acknowledged after it is on disk."""
    with served() as url:
        told = posted(place, url, size.uplinks, connections=CALLERS, session="bench")
    return f"webhook, {CALLERS} connections", size.uplinks / told["seconds"], plain


def _make_plain_table() -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("CREATE TABLE bench_plain (datastream bigint, time bigint, number float)")


def _insert_plainly(readings: Sequence[Reading]) -> None:
    rows = [
        (reading.datastream, reading.phenomenon_time.start, reading.result)
        for reading in readings
        if isinstance(reading.result, float)
    ]
    with transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.executemany("INSERT INTO bench_plain VALUES (%s, %s, %s)", rows)


if __name__ == "__main__":
    main()
