"""`stadtherz store`: look after the readings: check them, see their sizes, say how long they stay."""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
import orjson

from stadtherz.base.time import from_us, now_us
from stadtherz.cli import instance
from stadtherz.cli.instance import instance_options
from stadtherz.cli.report import say

if TYPE_CHECKING:
    from stadtherz.store.public import Problem, Sizes, StoreStats, StreamSizes

_as_json = click.option("--json", "as_json", is_flag=True, help="One line of JSON for scripts.")
_SHOWN = 100  # problems; JSON has them all


@click.group()
def store() -> None:
    """The readings themselves: check, sizes, how long they are kept."""


def _load() -> None:
    instance.load()
    instance.require_initialised()


# --- check ---------------------------------------------------------------------------------------


@store.command()
@click.option("--repair", is_flag=True, help="Mend what can be mended.")
@_as_json
@instance_options
def check(repair: bool, as_json: bool) -> None:
    """Verify every reading, checksum and summary; exit status 1 if problems remain.

    Works while the city runs. Make a backup before --repair.
    """
    _load()
    from stadtherz.store.public import check as look

    problems = look(repair, progress=_progress if sys.stderr.isatty() else lambda done, of: None)
    remaining = sum(not problem.repaired for problem in problems)
    if as_json:
        told = {"remaining": remaining, "problems": [asdict(problem) for problem in problems]}
        click.echo(orjson.dumps(told).decode())
    else:
        _list(problems, remaining)
    if remaining:
        raise SystemExit(1)


def _progress(done: int, of: int) -> None:
    click.echo(f"\r{done} of {of} datastreams", nl=done == of, err=True)


def _list(problems: list["Problem"], remaining: int) -> None:
    for problem in problems[:_SHOWN]:
        click.echo(_line(problem))
    if len(problems) > _SHOWN:
        click.echo(f"... and {len(problems) - _SHOWN} more; --json lists them all")
    if not problems:
        click.echo("No problems found.")
    else:
        click.echo(f"{len(problems)} found, {len(problems) - remaining} repaired.")


def _line(problem: "Problem") -> str:
    place = "" if problem.datastream is None else f"datastream {problem.datastream}, "
    state = "repaired: " if problem.repaired else ""
    advice = f"\n    {problem.advice}" if problem.advice else ""
    return f"{state}{place}{problem.where}: {problem.what}{advice}"


# --- stats ---------------------------------------------------------------------------------------


@store.command()
@click.option(
    "--datastreams",
    type=click.IntRange(0),
    default=10,
    show_default=True,
    help="How many of the largest datastreams to list.",
)
@_as_json
@instance_options
def stats(datastreams: int, as_json: bool) -> None:
    """Print how many readings there are and what they take."""
    _load()
    from stadtherz.store.public import stats as measure

    told = measure(datastreams)
    if as_json:
        click.echo(orjson.dumps(_facts(told)).decode())
        return
    for line in (*_whole(told), *_table(told.largest)):
        click.echo(line)


def _facts(told: "StoreStats") -> dict[str, Any]:
    facts = asdict(told)
    facts["sizes"] |= _ratios(told.sizes)
    for one, source in zip(facts["largest"], told.largest, strict=True):
        one["sizes"] |= _ratios(source.sizes)
    return facts


def _ratios(sizes: "Sizes") -> dict[str, float | None]:
    from stadtherz.store.public import POSTGRESQL_ROW, SQLITE_ROW

    return {
        "bytes_per_reading": sizes.bytes_per_reading,
        "times_smaller_than_sqlite_rows": sizes.times_smaller(SQLITE_ROW),
        "times_smaller_than_postgresql_rows": sizes.times_smaller(POSTGRESQL_ROW),
    }


def _whole(told: "StoreStats") -> list[str]:
    sizes, log = told.sizes, told.log
    return [
        f"Sealed readings   {sizes.readings:,}, {_period(sizes)}",
        f"  in chunks       {sizes.chunks:,}, half of them hold {sizes.fill:,} or more, "
        f"{sizes.small:,} are small, {sizes.thinned:,} are hours only",
        f"  bytes           {_size(sizes.data)} and {_size(sizes.rollups)} for hours{_each(sizes)}",
        f"Other readings    {sizes.rows:,} (texts, documents, qualities), {_size(told.rows_bytes)}",
        f"Not sealed yet    {log.unsealed:,}{_age(log.oldest_unsealed)}",
        f"Log               {log.rows:,} rows, {_size(log.bytes)}, up to position {log.end:,}; "
        f"sealed up to {log.sealed:,}",
        f"  slowest reader  {_slowest(told)}",
        f"Keys remembered   {told.keys:,}, {_size(told.keys_bytes)}",
        f"Database          {_size(told.database)}",
    ]


def _each(sizes: "Sizes") -> str:
    ratios = _ratios(sizes)
    each, sqlite, postgresql = ratios.values()
    if each is None or sqlite is None or postgresql is None:
        return ""
    return f": {each:.2f} a reading, 1/{sqlite:.0f} of SQLite's rows, 1/{postgresql:.0f} of PostgreSQL's"


def _period(sizes: "Sizes") -> str:
    if sizes.oldest is None or sizes.newest is None:
        return "from no time"
    return f"{from_us(sizes.oldest):%Y-%m-%d} to {from_us(sizes.newest):%Y-%m-%d}"


def _age(oldest: int | None) -> str:
    if oldest is None:
        return ""
    minutes = max(now_us() - oldest, 0) // 60_000_000
    return (
        f", the oldest measured {minutes // 1440} d {minutes // 60 % 24} h {minutes % 60} min ago"
    )


def _slowest(told: "StoreStats") -> str:
    if told.log.slowest is None:
        return "none"
    return f"{told.log.slowest}, {told.log.behind:,} positions behind"


def _size(number: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def _table(largest: list["StreamSizes"]) -> list[str]:
    if not largest:
        return []
    head = f"{'datastream':>10} {'readings':>12} {'chunks':>7} {'fill':>6} {'bytes':>9} {'each':>6}  name"
    lines = ["", head]
    for one in largest:
        sizes = one.sizes
        each = "" if sizes.bytes_per_reading is None else f"{sizes.bytes_per_reading:.2f}"
        size = _size(sizes.data + sizes.rollups)
        lines.append(
            f"{one.datastream:>10} {sizes.readings:>12,} {sizes.chunks:>7,} {sizes.fill:>6,} "
            f"{size:>9} {each:>6}  {one.name}"
        )
    return lines


# --- seal and keep -------------------------------------------------------------------------------


@store.command()
@instance_options
def seal() -> None:
    """Seal now what is still in the log; the server does so by itself when there is enough."""
    _load()
    from stadtherz.store.public import seal as seal_all

    say(f"{seal_all():,} readings sealed")


@store.command()
@click.argument("datastream", type=click.IntRange(1, 2**31 - 1))
@click.option("--raw-days", type=int, help="After so many days only hours are left of readings.")
@click.option("--hourly-days", type=int, help="After so many days hours go, too.")
@click.option("--for-ever", is_flag=True, help="Keep everything, as without a policy.")
@instance_options
def keep(datastream: int, raw_days: int | None, hourly_days: int | None, for_ever: bool) -> None:
    """Say how long DATASTREAM's readings are kept, in days since they were measured.

    Both numbers the same: nothing is left after so many days.
    """
    if for_ever == (raw_days is not None or hourly_days is not None):
        raise click.UsageError("give --raw-days, --hourly-days or both, or --for-ever alone")
    _load()
    from stadtherz.store.public import Policy, set_policy

    set_policy(datastream, Policy(raw_days, hourly_days))
    say(_told(raw_days, hourly_days))


def _told(raw_days: int | None, hourly_days: int | None) -> str:
    if raw_days is None and hourly_days is None:
        return "Everything is kept for ever"
    if raw_days is None or raw_days == hourly_days:
        return f"Readings are kept for {hourly_days} days, then nothing is left"
    hours = "for ever" if hourly_days is None else f"for {hourly_days} days"
    return f"Readings are kept for {raw_days} days, their hours {hours}"
