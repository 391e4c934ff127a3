"""`stadtherz backup`: one file with everything, while the city goes on running."""

import sqlite3
import tarfile
import tempfile
from contextlib import closing
from pathlib import Path

import click

from stadtherz.cli import instance
from stadtherz.cli.instance import instance_options

_KEPT = ("secret.key", "city.txt", "texts", "basemap.pmtiles", "media")


@click.command()
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@instance_options
def backup(target: Path) -> None:
    """Write TARGET.tar.gz: database, key, own texts, base map and media. Unpack it into an empty folder to restore."""
    data = instance.data_folder()
    database = data / "stadtherz.sqlite3"
    if not database.exists():
        raise click.ClickException(
            f"{data} holds no SQLite database. For PostgreSQL use pg_dump, "
            "see docs/howto/back-up-and-restore.md"
        )
    with tempfile.TemporaryDirectory(dir=data) as draft:
        copy = Path(draft) / database.name
        _copy_database(database, copy)
        unfinished = target.with_name(target.name + ".part")
        with tarfile.open(unfinished, "w:gz") as archive:
            archive.add(copy, database.name)
            for name in _KEPT:
                if (data / name).exists():
                    archive.add(data / name, name)
        unfinished.chmod(0o600)
        unfinished.replace(target)
    click.echo(f"Backup written: {target} ({target.stat().st_size / 1e6:.1f} MB)")


def _copy_database(source: Path, target: Path) -> None:
    """A consistent copy through SQLite's own backup, beside running writers."""
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as live,
        closing(sqlite3.connect(target)) as copy,
    ):
        live.backup(copy)
