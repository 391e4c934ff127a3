"""The store's figures: sizes, ingest, questions, growth, starts; beside the raw engine's own.

    python -m bench.store [--quick] [--readings N] [--regular] [--keep FOLDER] [--only STAGE]... [--json]

Three stores of made-up readings: a large one (50 million over 2,000 streams in a year), a small one
(a million: a year of one stream, some days of all), and a regular one (a million without jitter).
The raw engine is plain rows in the same engine with the same flush to disk: without an index for
ingest, with one for questions, which go to the small store's rows. Ratios are to the raw engine,
growth is the large store's cost over the small one's, both asked in turn.

STADTHERZ_ENGINE names a PostgreSQL database beside which the benchmark makes its own. `--keep`
leaves the filled stores in a folder, and a later run goes on from there.
"""

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from bench import store_figures as figures
from bench import timing
from bench.store_figures import Figure
from bench.store_measures import FULL, QUICK, STAGES, Size, measure
from bench.store_site import Site

_BEGUN = time.perf_counter()


@click.command()
@click.option("--quick", is_flag=True, help="Only show that it runs.")
@click.option("--readings", type=int, help="How many the large store holds; 50 million.")
@click.option("--regular", is_flag=True, help="The large and the small store without jitter.")
@click.option("--in-order", is_flag=True, help="Fill the past in order, too (takes hours).")
@click.option("--keep", type=click.Path(path_type=Path), help="Fill stores here, or use them.")
@click.option("--only", multiple=True, type=click.Choice(STAGES), help="Measure only this.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def main(
    *,
    quick: bool,
    readings: int | None,
    regular: bool,
    in_order: bool,
    keep: Path | None,
    only: tuple[str, ...],
    as_json: bool,
) -> None:
    """Print the store's figures."""
    size = (QUICK if quick else FULL).scaled(readings)
    found = []
    with _sites(keep) as sites:
        options = {"regular": regular, "in_order": in_order}
        for figure in measure(sites, size, only or STAGES, say=_say, **options):
            _say(f"  {figure.what}: {figure.value} {figure.unit}")
            found.append(figure)
    if as_json:
        click.echo(json.dumps([figures.as_json(figure) for figure in found], indent=1))
    else:
        _show(size, found)


def _say(text: str) -> None:
    """How far it is, for those who watch."""
    click.echo(f"{time.perf_counter() - _BEGUN:6.0f} s  {text}", err=True)


def _show(size: Size, found: list[Figure]) -> None:
    title = f"The store at {timing.rate(size.readings)} readings over {size.streams} datastreams"
    timing.show(title, figures.HEAD, [figures.shown(figure) for figure in found])
    for note in figures.NOTES:
        click.echo(f"\n{note}")


@contextmanager
def _sites(keep: Path | None) -> Iterator[dict[str, Site]]:
    root = keep or Path(tempfile.mkdtemp(prefix="stadtherz-bench-"))
    sites = {name: Site(root, name) for name in ("large", "small", "regular")}
    try:
        yield sites
    finally:
        if keep is None:
            for site in sites.values():
                site.remove_database()
            shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main()
