"""`stadtherz basemap`: the map below everything, from an OpenStreetMap extract."""

from pathlib import Path

import click

from stadtherz.base.errors import StadtherzError
from stadtherz.cli import instance
from stadtherz.cli.instance import instance_options


@click.group()
def basemap() -> None:
    """The base map of this city."""


@basemap.command("import")
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@instance_options
def import_(source: Path) -> None:
    """Build the map from FILE.osm.pbf or FILE.osm.gz (OpenStreetMap, ODbL)."""
    instance.load()
    from stadtherz.geo.public import import_basemap

    target = instance.data_folder() / "basemap.pmtiles"

    def progress(step: str, share: float) -> None:
        click.echo(f"  {share:4.0%}  {step}", err=True)

    try:
        import_basemap(source, target, progress)
    except StadtherzError as problem:
        raise click.ClickException(str(problem)) from problem
    click.echo(f"Base map written: {target} ({target.stat().st_size / 1e6:.1f} MB)")
