"""How long the common questions take, and how the cost grows when there is ten times as much data.

    python -m bench.read [--quick]

The store is asked in this process, the HTTP interface in one of its own. The newest readings are
also fetched by a plain statement from rows of the same engine with one index, for comparison.
"""

import http.client
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import click
from django.db import connections, transaction

from bench import timing, town
from bench.server import served
from bench.town import Town
from stadtherz.base.expressions import Column, Kind, Order
from stadtherz.base.time import DAY, now_us
from stadtherz.store.public import (
    Bucketing,
    Reading,
    Selection,
    buckets,
    latest,
    select,
)

NEWEST = (Order(Column("phenomenon_start", Kind.TIME), descending=True),)
PAGE = 1000


@dataclass(frozen=True, slots=True)
class Size:
    """How much work a run does; `readings` at first, ten times as many at last."""

    gauges: int
    readings: int
    runs: int


FULL = Size(gauges=1000, readings=40_000, runs=15)
QUICK = Size(gauges=5, readings=100, runs=1)

Figures = dict[str, float]


@click.command()
@click.option("--quick", is_flag=True, help="Only show that it runs.")
def main(*, quick: bool) -> None:
    """Print the table of reads."""
    size = QUICK if quick else FULL
    place = town.build(size.gauges)
    source = town.readings(place, now_us() - 30 * DAY)
    _make_plain_table()
    _fill(town.year_of_hours(place.streams[0]), 365 * 24)
    _fill(source, size.readings)
    few = _measure(place, size.runs)
    _fill(source, size.readings * 9)
    many = _measure(place, size.runs)
    n = timing.rate(size.readings)
    head = ("milliseconds, median", f"at {n} readings", "at ten times as many", "growth")
    rows = [(what, *_shown(few[what], many[what])) for what in few]
    timing.show(f"Reads over {size.gauges} datastreams", head, rows)


def _shown(few: float, many: float) -> tuple[str, str, str]:
    return f"{few:.2f}", f"{many:.2f}", timing.ratio(many / few)


def _measure(place: Town, runs: int) -> Figures:
    asked = {what: timing.median_ms(ask, runs) for what, ask in _store_questions(place).items()}
    town.hand_over()
    with served() as url:
        for what, path in _http_questions(place).items():
            asked[what] = timing.median_ms(_asker(url, path), runs)
    return asked


def _store_questions(place: Town) -> dict[str, Callable[[], object]]:
    stream = place.streams[0]
    page = Selection(streams=frozenset({stream}), order=NEWEST, limit=PAGE)
    return {
        "plain statement: newest 1,000 of a stream": lambda: _newest_plainly(stream),
        "store: newest 1,000 of a stream": lambda: select(page),
        "store: latest of all streams": lambda: latest(place.streams),
        "store: a year by hour": lambda: buckets(stream, Bucketing.HOUR, "Europe/Berlin"),
    }


def _make_plain_table() -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("CREATE TABLE bench_rows (datastream bigint, time bigint, number float)")
        cursor.execute("CREATE INDEX bench_rows_time ON bench_rows (datastream, time)")


def _fill(source: Iterator[Reading], count: int) -> None:
    """The next readings of the source to the store, and as plain rows."""
    rows: list[tuple[int, int, float]] = []

    def noted() -> Iterator[Reading]:
        for reading in source:
            assert isinstance(reading.result, float)
            rows.append((reading.datastream, reading.phenomenon_time.start, reading.result))
            yield reading

    town.fill(noted(), count)
    with transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.executemany("INSERT INTO bench_rows VALUES (%s, %s, %s)", rows)


def _newest_plainly(stream: int) -> list[tuple[object, ...]]:
    text = "SELECT time, number FROM bench_rows WHERE datastream = %s ORDER BY time DESC LIMIT %s"
    with connections["default"].cursor() as cursor:
        cursor.execute(text, (stream, PAGE))
        rows: list[tuple[object, ...]] = cursor.fetchall()
    return rows


def _http_questions(place: Town) -> dict[str, str]:
    newest = "$orderby=phenomenonTime desc"
    return {
        "HTTP: newest 1,000 of a stream": (
            f"/Datastreams({place.streams[0]})/Observations?{newest}&$top={PAGE}"
        ),
        "HTTP: dashboard, 1,000 Things with place and latest reading": (
            f"/Things?$top={PAGE}&$expand=Locations,"
            f"Datastreams($expand=Observations({newest};$top=1))"
        ),
    }


def _asker(url: str, path: str) -> Callable[[], bytes]:
    """Asks over one connection that stays open."""
    address = urlsplit(url)
    line = http.client.HTTPConnection(address.hostname or "", address.port, timeout=120)
    target = "/sta/v1.1" + quote(path, safe="/?$=&(),;")

    def ask() -> bytes:
        line.request("GET", target)
        answer = line.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path} answered {answer.status}: {body[:300]!r}")
        return body

    return ask


if __name__ == "__main__":
    main()
