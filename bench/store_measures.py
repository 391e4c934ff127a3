"""All measurements in turn, each as lines of the table."""

import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from bench.store_figures import Figure, Target
from bench.store_series import START, YEAR
from bench.store_site import Site, Worker
from stadtherz.base.time import DAY, HOUR

_A_YEAR = 50_116_066  # readings of the full town in a year


@dataclass(frozen=True, slots=True)
class Size:
    """How much work a run does."""

    readings: int
    streams: int
    every_minute: int
    few: int  # readings of the small store
    year: int  # microseconds of the first stream's history
    runs: int
    batch: int
    batches: int  # of the timed ingest; together just too few for the background to seal
    rounds: int
    singles: int
    commits: int  # of the full log

    def scaled(self, readings: int | None) -> "Size":
        return self if readings is None else replace(self, readings=readings)

    def span(self, readings: int) -> int:
        """The time in which the whole town says that much, in whole hours."""
        each_hour = self.every_minute * 60 + (self.streams - self.every_minute) * 60 / 43
        return max(int(readings / each_hour), 1) * HOUR


FULL = Size(
    readings=_A_YEAR,
    streams=2_000,
    every_minute=50,
    few=1_000_000,
    year=YEAR,
    runs=25,
    batch=1_000,
    batches=130,
    rounds=16,  # enough that small chunks are joined at least once
    singles=1_000,
    commits=6_500,
)
QUICK = Size(
    readings=4_000,
    streams=10,
    every_minute=2,
    few=3_000,
    year=3 * DAY,
    runs=1,
    batch=10,
    batches=4,
    rounds=1,
    singles=3,
    commits=5,
)

Sites = dict[str, Site]
Say = Callable[[str], None]


STAGES = ("sizes", "questions", "cold", "ingest", "sealing", "crash")


def measure(
    sites: Sites, size: Size, stages: Sequence[str], *, regular: bool, in_order: bool, say: Say
) -> Iterator[Figure]:
    """The stages in this order, in which nothing spoils what comes after it."""
    told = _filled(sites, size, regular=regular, in_order=in_order, say=say)
    work: dict[str, Callable[[], Iterable[Figure]]] = {
        "sizes": lambda: _sizes(told),
        "questions": lambda: _questions(sites, size),
        "cold": lambda: _cold(sites, size),
        "ingest": lambda: _ingest(sites, size),
        "sealing": lambda: _sealing(sites, size),
        "crash": lambda: _crash(sites, size),
    }
    for stage in STAGES:
        if stage in stages:
            say(stage)
            yield from work[stage]()


# --- filling -------------------------------------------------------------------------------------


def _filled(
    sites: Sites, size: Size, *, regular: bool, in_order: bool, say: Say
) -> dict[str, dict[str, Any]]:
    """Fill the three stores; what each tells of it."""
    end = START + size.year
    tenth = replace(
        size, streams=size.streams // 10 or 1, every_minute=size.every_minute // 10 or 1
    )
    alone = size.year // DAY * 1440  # readings that the first stream has of its own
    spans = {
        "small": (size, size.span(max(size.few - alone, size.streams)), START, regular),
        "regular": (tenth, tenth.span(size.few), None, True),
        "large": (size, size.span(size.readings), START, regular),
    }
    told = {}
    for name, (town, span, first, even) in spans.items():
        say(f"filling the {name} store")
        begin = max(end - span, START)
        plan = {
            "every_minute": town.every_minute,
            "first": begin if first is None else first,
            "begin": begin,
            "end": end,
            "regular": even,
            "in_order": in_order,
        }
        told[name] = sites[name].fill(plan, town.streams, raw=name == "small")
    return told


def _sizes(told: dict[str, dict[str, Any]]) -> list[Figure]:
    large, small = told["large"], told["small"]
    raw, indexed = small["raw"]["rows"], small["raw"]["indexed"]

    def figure(what: str, key: str, target: Target | None, beside: float) -> Figure:
        value, few = (t[key] / t["readings"] for t in (large, small))
        return Figure(what, "B", value, few, beside, value / beside, target)

    even = told["regular"]["size"] / told["regular"]["readings"]
    return [
        Figure("readings filled", "readings", large["readings"], small["readings"]),
        Figure("filled and sealed, bulk", "readings/s", _pace(large), _pace(small)),
        figure("bytes a reading, all tables and indexes", "size", Target(5), indexed),
        figure("bytes a reading, packed columns alone", "data", None, raw),
        figure("bytes a reading, roll-ups", "rollups", None, raw),
        Figure("bytes a reading, regular times", "B", even, None, raw, even / raw, Target(2.5)),
        Figure("memory at the end of the fill", "MiB", large["VmRSS"], small["VmRSS"]),
        Figure("memory at most in the fill", "MiB", large["VmHWM"], small["VmHWM"]),
    ]


def _pace(told: dict[str, Any]) -> float:
    return float(told["readings"] / (told["appending"] + told["sealing"] + told["tending"]))


# --- questions -----------------------------------------------------------------------------------

# what to ask, its line, whether nothing is decoded before, the target, whether both stores can tell
_QUESTIONS: tuple[tuple[str, str, bool, float | None, bool], ...] = (
    ("newest", "newest 1,000 of a minute stream, again", False, 0.5, True),
    ("newest", "newest 1,000 of a minute stream, first time", True, 0.5, True),
    ("newest_seldom", "newest 1,000 of a seldom stream, first time", True, 0.5, False),
    ("latest", "latest of all streams", False, 2, True),
    ("year", "a year by hour, from roll-ups", True, 5, True),
    ("year_raw", "a year by hour, without roll-ups", True, 80, True),
    ("day", "all streams, one day by hour", True, 30, True),
    ("two_days", "predicate, all streams, 2 days: count", True, None, True),
    ("two_days_page", "predicate, all streams, 2 days: page of 100", True, None, True),
    ("month", "predicate, all streams, 30 days: count", True, 120, False),
    ("month_half", "predicate that half fulfil, 30 days: count", True, 120, False),
    ("month_page", "predicate, all streams, 30 days: page of 100", True, 120, False),
    ("month_newest", "predicate, all streams, 30 days: newest 100", True, 120, False),
)

Asked = list[dict[str, float]]


def _questions(sites: Sites, size: Size) -> Iterator[Figure]:
    """Each question to both stores in turn, and how much memory they hold afterwards."""
    with sites["large"].worker() as large, sites["small"].worker() as small:
        for worker in (large, small):
            worker.tell("seal_all")  # an earlier run may have left something in the log
        for question in _QUESTIONS:
            yield _question(large, small, size.runs, *question)
        much, few = (worker.tell("memory")["VmRSS"] for worker in (large, small))
    yield Figure("memory after all questions", "MiB", much, few)


def _question(
    large: Worker,
    small: Worker,
    runs: int,
    name: str,
    what: str,
    fresh: bool,
    target: float | None,
    both: bool,
) -> Figure:
    much: Asked = []
    few: Asked = []
    for run in range(-1, runs):  # the first one warms up
        much.append(large.tell("ask", name=name, run=run + 1, fresh=fresh))
        if both:
            few.append(small.tell("ask", name=name, run=run + 1, fresh=fresh))
    return _compared(what, much[1:], few[1:], None if target is None else Target(target))


def _compared(what: str, much: Asked, few: Asked, target: Target | None) -> Figure:
    small, raw = _median(few, "ours"), _median(few, "raw")
    ratio = small / raw if small and raw else None
    return Figure(what, "ms", _median(much, "ours"), small, raw, ratio, target)


def _median(asked: Asked, key: str) -> float | None:
    values = [times[key] for times in asked if key in times]
    return statistics.median(values) if values else None


def _cold(sites: Sites, size: Size) -> list[Figure]:
    """With nothing of the files in memory; the process knows its store."""
    with sites["large"].worker() as large, sites["small"].worker() as small:
        for worker in (large, small):
            worker.tell("first")
        runs = range(1, size.runs + 1)
        pairs = [[w.tell("ask_cold", run=run) for w in (large, small)] for run in runs]
    much, few = zip(*pairs, strict=True)
    what = "newest 1,000 of a minute stream, cold file cache"
    return [_compared(what, list(much), list(few), Target(25))]


# --- ingest --------------------------------------------------------------------------------------

Round = dict[str, Any]


def _ingest(sites: Sites, size: Size) -> list[Figure]:
    with sites["large"].worker() as large, sites["small"].worker() as small:
        workers = (large, small)
        batch = {"size": size.batch, "times": size.batches}
        many = _in_turn(workers, size.rounds, "ingest", **batch)
        keyed = _in_turn(workers, 1, "ingest", keyed=True, **batch)
        crowd = _in_turn(workers, 1, "together", callers=32, **batch)
        single = _in_turn(workers, 1, "ingest", size=1, times=size.singles)
        singles = _in_turn(workers, 1, "together", size=1, times=size.singles * 4, callers=32)
    prototype = Target(0.34, "ratio", at_least=True)
    return [
        _rate("1 caller, batches of 1,000, sealing included", many, "ours", prototype),
        _rate("1 caller, batches of 1,000, sealing left out", many, "appending"),
        _rate("1 caller, batches of 1,000 with keys, sealing included", keyed, "ours"),
        _rate("1 caller, batches of 1,000 with keys, sealing left out", keyed, "appending"),
        _rate("32 callers, batches of 1,000, sealing left out", crowd, "ours"),
        _rate("1 caller, one reading each", single, "appending"),
        _rate("32 callers, one reading each", singles, "ours"),
        _written(many),
    ]


def _in_turn(
    workers: Sequence[Worker], rounds: int, task: str, **arguments: Any
) -> list[list[Round]]:
    """So many rounds of the task, each by every worker: the answers of each worker."""
    told: list[list[Round]] = [[] for _ in workers]
    for _ in range(rounds):
        for worker, answers in zip(workers, told, strict=True):
            answers.append(worker.tell(task, **arguments))
    return told


def _sum(rounds: list[Round], key: str) -> float:
    return float(sum(round_[key] for round_ in rounds))


def _rate(what: str, told: list[list[Round]], key: str, target: Target | None = None) -> Figure:
    large, small = (_sum(rounds, "readings") / _sum(rounds, key) for rounds in told)
    raw = _sum(told[0], "readings") / _sum(told[0], "raw")
    return Figure(what, "readings/s", large, small, raw, large / raw, target)


def _written(told: list[list[Round]]) -> Figure:
    large, small = (_sum(rounds, "written") / _sum(rounds, "readings") for rounds in told)
    raw = _sum(told[0], "raw_written") / _sum(told[0], "readings")
    what = f"bytes written a reading, sealing included ({told[0][0]['written_as']})"
    ratio = large / raw if raw else None
    return Figure(what, "B", large, small, raw, ratio, Target(150))


def _sealing(sites: Sites, size: Size) -> list[Figure]:
    """How long a single reading takes to become durable while everything else is sealed."""
    with sites["large"].worker() as large, sites["small"].worker() as small:
        batch = {"size": size.batch, "times": size.batches}
        told = _in_turn((large, small), 1, "beside_sealing", **batch)
    much, few = (_gathered(rounds) for rounds in told)
    parts = (("median", 0.5), ("99 %", 0.99), ("longest", 1.0))
    return [
        _latency(f"a single append {when}, {part}", kind, share, much, few)
        for kind, when in (("quiet", "without sealing"), ("beside", "beside sealing"))
        for part, share in parts
    ]


def _gathered(rounds: list[Round]) -> dict[str, list[float]]:
    return {key: sorted(chain.from_iterable(r[key] for r in rounds)) for key in rounds[0]}


def _latency(
    what: str, kind: str, share: float, much: dict[str, list[float]], few: dict[str, list[float]]
) -> Figure:
    large, small = _quantile(much[kind], share), _quantile(few[kind], share)
    raw = _quantile(much[f"{kind}_raw"], share)
    return Figure(what, "ms", large, small, raw, large / raw if large and raw else None)


def _quantile(ordered: list[float], share: float) -> float | None:
    """None if the sealing was over before anybody wrote."""
    return ordered[int(share * (len(ordered) - 1))] if ordered else None


# --- starts --------------------------------------------------------------------------------------


def _crash(sites: Sites, size: Size) -> list[Figure]:
    """Processes killed with a full log, and how long the next one takes to its first answer."""
    started: dict[str, dict[str, float]] = {}
    for name in ("large", "small"):
        victim = sites[name].start()
        victim.tell("open_raw")
        victim.tell("full_log", size=max(size.batch // 50, 1), times=size.commits)
        victim.kill()
        started[name] = _started(sites[name])
        started[name] |= {f"cold {k}": v for k, v in _started(sites[name], cold=True).items()}
    large, small = started["large"], started["small"]
    lines: tuple[tuple[str, str, Target | None], ...] = (
        ("start after kill -9 with a full log, process to first answer", "whole", Target(2)),
        ("of that, the store: latest of all", "latest", None),
        ("of that, the store: newest 1,000 of a stream", "newest", None),
        ("the same start with a cold file cache", "cold whole", None),
    )
    found = [Figure(w, "s", large[k], small[k], target=t) for w, k, t in lines if k in large]
    return [*found, *_unsealed(sites, size)]


def _unsealed(sites: Sites, size: Size) -> list[Figure]:
    """Two of the questions while the log is full."""
    with sites["large"].worker() as large, sites["small"].worker() as small:
        return [
            _question(large, small, size.runs, name, what, False, target, True)
            for name, what, target in (
                ("newest", "newest 1,000 of a minute stream, with a full log", 0.5),
                ("latest", "latest of all streams, with a full log", 2.0),
            )
        ]


def _started(site: Site, *, cold: bool = False) -> dict[str, float]:
    """Seconds from the start of a process on."""
    if cold:
        with site.worker(raw=False) as worker:
            if not worker.tell("drop"):
                return {}
    worker = site.start()
    told = worker.tell("first")
    whole = time.perf_counter() - worker.begun
    worker.kill()
    return {"whole": whole} | {name: taken / 1000 for name, taken in told.items()}
