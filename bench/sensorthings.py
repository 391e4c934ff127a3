"""How fast a SensorThings server is: ours, or any other that is running.

    python -m bench.sensorthings [--quick] [--readings 20000000] [--only writes]
    python -m bench.sensorthings --url http://127.0.0.1:8080/FROST-Server/v1.1 --pid 4711

Without --url our own server is started on an empty folder, or on the empty PostgreSQL database that
STADTHERZ_ENGINE names. Another server must be empty, too. With --pid (several times for several
processes) its processor time and memory are measured; since client and server share the machine,
compare these before the times. Prints a table, and the same as JSON.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

import click

from bench import sensorthings_world as worlds
from bench import timing
from bench.sensorthings_line import Request, Server, Timing, again, load
from bench.sensorthings_process import Processes
from bench.sensorthings_world import END, World

CLIENTS = 16
PAGE = 1000
NEWEST = "$orderby=phenomenonTime desc"


@dataclass(frozen=True, slots=True)
class Size:
    """How much work a run does."""

    things: int
    readings: int
    posts: int
    batches: int
    batch: int
    pages: int
    asks: int
    rest: float


FULL = Size(
    things=1000,
    readings=1_000_000,
    posts=20_000,
    batches=40,
    batch=5_000,
    pages=400,
    asks=40,
    rest=300,
)
QUICK = Size(things=3, readings=50, posts=20, batches=2, batch=10, pages=2, asks=2, rest=1)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `cpu_ms` is the server's, for each request; None where not measured."""

    what: str
    value: float | None
    unit: str
    p50_ms: float | None = None
    p95_ms: float | None = None
    cpu_ms: float | None = None


@click.command()
@click.option("--url", help="Service root of a running, empty server, such as …/v1.1.")
@click.option("--header", "headers", multiple=True, help="To show, e.g. 'Authorization: …'.")
@click.option("--pid", "pids", type=int, multiple=True, help="Process of that server.")
@click.option("--readings", type=int, help="In the long datastream.")
@click.option("--things", type=int, help="Each with one datastream.")
@click.option("--only", type=click.Choice(["questions", "writes"]), help="One half of it.")
@click.option("--quick", is_flag=True, help="Only show that it runs.")
def main(
    *,
    url: str | None,
    headers: tuple[str, ...],
    pids: tuple[int, ...],
    readings: int | None,
    things: int | None,
    only: str | None,
    quick: bool,
) -> None:
    """Print the table of SensorThings over HTTP."""
    size = QUICK if quick else FULL
    size = size if readings is None else replace(size, readings=readings)
    size = size if things is None else replace(size, things=things)
    with _server(url, headers, pids) as (server, processes):
        figures = list(_measured(server, processes, size, only))
    head = ("SensorThings", "value", "p50 ms", "p95 ms", "server CPU ms")
    title = f"{size.things} Things, {timing.rate(size.readings)} readings in one datastream"
    timing.show(title, head, [_row(figure) for figure in figures])
    click.echo("\n" + json.dumps([asdict(figure) for figure in figures]))


@contextmanager
def _server(
    url: str | None, headers: tuple[str, ...], pids: tuple[int, ...]
) -> Iterator[tuple[Server, Processes]]:
    if url is not None:
        yield Server(url.rstrip("/"), headers), Processes(pids)
        return
    from bench.sensorthings_own import own  # noqa: PLC0415 - loads Django, which another server needs not

    with own() as (server, pid):
        yield server, Processes((pid,))


def _row(figure: Figure) -> tuple[str, ...]:
    value = "not offered" if figure.value is None else f"{figure.value:,.0f} {figure.unit}"
    others = (figure.p50_ms, figure.p95_ms, figure.cpu_ms)
    return figure.what, value, *("" if n is None else f"{n:.2f}" for n in others)


def _measured(
    server: Server, processes: Processes, size: Size, only: str | None
) -> Iterator[Figure]:
    yield Figure("memory when empty", processes.memory(), "MB")
    world = worlds.build(server, size.things, size.readings)
    processes.rest(size.rest)
    run = _Run(server, processes, size, world)
    if only != "writes":
        yield from run.questions()
    if only != "questions":
        yield from run.writes()
    yield Figure("memory at most", processes.most_memory(), "MB")


@dataclass(frozen=True, slots=True)
class _Run:
    server: Server
    processes: Processes
    size: Size
    world: World

    def questions(self) -> Iterator[Figure]:
        size, long = self.size, self.world.long.path
        newest = f"{long}/Observations?{NEWEST}&$top={PAGE}"
        array = f"{newest}&$resultFormat=dataArray"
        yield self._rate("newest 1,000 of a datastream", newest, size.pages, clients=4)
        yield self._rate("the same, one client", newest, size.pages)
        yield self._rate("newest 1,000 as dataArray", array, size.pages, clients=4)
        yield self._rate("the same as dataArray, one client", array, size.pages)
        for what, path in self._paths().items():
            yield self._median(what, path)

    def _paths(self) -> dict[str, str]:
        long, hours = self.world.long.path, self.world.hours.path
        middle = END - timedelta(minutes=self.size.readings // 2)
        times = _between(middle, middle + timedelta(days=7))
        latest = f"$expand=Observations({NEWEST};$top=1)"
        year = _between(END - timedelta(days=365), END)
        return {
            "1,000 Things with place and newest reading": (
                f"/Things?$top={PAGE}&$expand=Locations,Datastreams({latest})"
            ),
            "a week of one datastream where result > 95": (
                f"{long}/Observations?$filter={times} and result gt 95&$top=100"
            ),
            "the same over all datastreams": (
                f"/Observations?$filter={times} and result gt 95&$top=100"
            ),
            "hourly means of a year": (
                f"{hours}/Observations?$apply=filter({year})/groupby("
                "(bucket(phenomenonTime,'hour')),aggregate(result with average as mean))"
            ),
            "newest reading of all datastreams": (
                f"/Datastreams?$top={PAGE}&$select=id&$expand=Observations"
                f"({NEWEST};$top=1;$select=phenomenonTime,result)"
            ),
            "one Thing": f"{long}/Thing",
        }

    def writes(self) -> Iterator[Figure]:
        size, world = self.size, self.world
        posts = [worlds.single(world, number) for number in range(size.posts)]
        yield self._of("single posts, 16 clients", "a second", lambda: self._load(posts, CLIENTS))
        batches = worlds.later(world, size.batches, many=size.batch)
        bulk = [worlds.bulk(rows) for rows in batches]
        yield self._of(
            "CreateObservations, readings", "a second", lambda: self._load(bulk, 1), size.batch
        )

    def _load(self, requests: list[Request], clients: int) -> Timing:
        return load(self.server, requests, clients=clients)

    def _rate(self, what: str, path: str, times: int, *, clients: int = 1) -> Figure:
        requests = list(again(path, times))
        self._load(requests[: 2 * clients], clients)
        return self._of(what, "pages a second", lambda: self._load(requests, clients))

    def _of(self, what: str, unit: str, work: Callable[[], Timing], each: int = 1) -> Figure:
        before = self.processes.seconds()
        timing = work()
        return self._figure(what, timing.rate * each, unit, timing, before)

    def _median(self, what: str, path: str) -> Figure:
        """Of a question that some servers do not know."""
        if self.server.line().ask(Request(path)).status >= 300:
            return Figure(what, None, "ms")
        before = self.processes.seconds()
        timing = self._load(list(again(path, self.size.asks)), 1)
        return self._figure(what, timing.part(0.5), "ms", timing, before)

    def _figure(
        self, what: str, value: float, unit: str, timing: Timing, before: float | None
    ) -> Figure:
        after = self.processes.seconds()
        spent = None if before is None or after is None else after - before
        cpu = None if spent is None else 1000 * spent / len(timing.each)
        return Figure(what, value, unit, timing.part(0.5), timing.part(0.95), cpu)


def _between(start: datetime, end: datetime) -> str:
    times = [moment.isoformat(timespec="seconds").replace("+00:00", "Z") for moment in (start, end)]
    return f"phenomenonTime ge {times[0]} and phenomenonTime lt {times[1]}"


if __name__ == "__main__":
    main()
