"""`stadtherz export`: readings of any range as a file, while the city goes on running."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from stadtherz.base.errors import StadtherzError
from stadtherz.base.time import parse_instant
from stadtherz.cli import instance
from stadtherz.cli.instance import instance_options
from stadtherz.cli.report import say

if TYPE_CHECKING:
    from stadtherz.store.public import Columns, Selection

_FORMATS = ("csv", "parquet", "arrow")
_STDOUT = Path("-")


class Instant(click.ParamType[int]):
    """An ISO 8601 time, in microseconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            return parse_instant(value)
        except ValueError as problem:
            self.fail(str(problem), param, ctx)


@click.command()
@click.option(
    "--datastream",
    "datastreams",
    type=click.IntRange(1, 2**31 - 1),
    multiple=True,
    metavar="ID",
    help="Only this datastream; may be given several times. Without it: all.",
)
@click.option("--from", "start", type=Instant(), help="Only readings from this time on.")
@click.option("--to", "end", type=Instant(), help="Only readings before this time.")
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMATS),
    help="Without it: what the file's name ends with, else csv.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    default=_STDOUT,
    show_default=True,
    help="The file to write; - is standard output.",
)
@instance_options
def export(
    datastreams: tuple[int, ...],
    start: int | None,
    end: int | None,
    form: str | None,
    output: Path,
) -> None:
    """Write readings, by datastream and time, as CSV, Parquet or an Arrow stream."""
    if start is not None and end is not None and end <= start:
        raise click.BadParameter("must be later than --from", param_hint="--to")
    form = form or _form_of(output)
    if form != "csv" and output == _STDOUT and sys.stdout.isatty():
        raise click.BadParameter(f"a terminal cannot show {form}", param_hint="--output")
    instance.load()
    instance.require_initialised()
    from stadtherz.store.public import as_arrow, as_csv, as_parquet, scan

    selection = _selection(datastreams, start, end)
    progress = _Progress()
    written_as = {"csv": as_csv, "parquet": as_parquet, "arrow": as_arrow}[form]
    try:
        pieces = written_as(progress.counted(scan(selection)))
    except StadtherzError as problem:
        raise click.BadParameter(str(problem), param_hint="--format") from problem
    _write(pieces, output, progress)
    progress.finish(output)


def _form_of(output: Path) -> str:
    ending = output.suffix.removeprefix(".").lower()
    return ending if ending in _FORMATS else "csv"


def _selection(datastreams: tuple[int, ...], start: int | None, end: int | None) -> "Selection":
    from stadtherz.base.expressions import And, Column, Compare, Expression, Kind, Literal
    from stadtherz.store.public import Selection, streams

    known = streams(datastreams)
    for datastream in datastreams:
        if datastream not in known:
            raise click.BadParameter(f"no datastream {datastream}", param_hint="--datastream")
    time = Column("phenomenon_start", Kind.TIME)
    where: list[Expression] = []
    if start is not None:
        where.append(Compare("ge", time, Literal(start, Kind.TIME)))
    if end is not None:
        where.append(Compare("lt", time, Literal(end, Kind.TIME)))
    return Selection(streams=frozenset(datastreams) or None, where=And(tuple(where)))


def _write(pieces: Iterable[bytes], output: Path, progress: "_Progress") -> None:
    try:
        if output == _STDOUT:
            _pour(pieces, sys.stdout.buffer, progress)
            return
        with _complete(output) as file:
            _pour(pieces, file, progress)
    except BrokenPipeError:  # whoever reads has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise click.BadParameter(f"{output}: {reason}", param_hint="--output") from problem


@contextmanager
def _complete(target: Path) -> Iterator[IO[bytes]]:
    """A file that gets its name when it is whole; what came of a failure is removed.

    A pipe or a device is written as it is: renaming a file over it would destroy it.
    """
    if target.exists() and not target.is_file():
        with target.open("wb") as file:
            yield file
        return
    unfinished = target.with_name(target.name + ".part")
    try:
        with unfinished.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _pour(pieces: Iterable[bytes], file: IO[bytes], progress: "_Progress") -> None:
    for piece in pieces:
        file.write(piece)
        progress.wrote(len(piece))
    file.flush()


class _Progress:
    """How far it is, on standard error: a line that renews itself for people, the sum for all."""

    def __init__(self) -> None:
        self.readings = 0
        self.bytes = 0
        self._shown = sys.stderr.isatty()

    def counted(self, parts: Iterable["Columns"]) -> Iterator["Columns"]:
        for part in parts:
            self.readings += len(part)
            yield part

    def wrote(self, number: int) -> None:
        self.bytes += number
        if self._shown:
            click.echo(f"\r{self}", nl=False, err=True)

    def finish(self, output: Path) -> None:
        if self._shown:
            click.echo("\r", nl=False, err=True)
        say(f"{self}{'' if output == _STDOUT else f' written to {output}'}")

    def __str__(self) -> str:
        return f"{self.readings:,} readings, {self.bytes / 1e6:.1f} MB"
