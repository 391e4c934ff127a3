"""`stadtherz service`: write a new city service."""

from pathlib import Path

import click

from stadtherz.base.errors import StadtherzError
from stadtherz.kit.scaffold import new_service


@click.group()
def service() -> None:
    """City services of your own."""


@service.command("new")
@click.argument("name")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("src/stadtherz/services"),
    show_default=True,
    help="The folder that gets the new service's folder.",
)
def new(name: str, into: Path) -> None:
    """Copy the skeleton: a small, tested, translated service to go on from."""
    try:
        folder = new_service(name, into)
    except StadtherzError as problem:
        raise click.ClickException(str(problem)) from problem
    click.echo(f"{folder} is there. Its tests: pytest {folder}")
