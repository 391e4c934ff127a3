"""`stadtherz codec`: how payloads are read that no network decodes."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from stadtherz.base.errors import StadtherzError
from stadtherz.cli import instance
from stadtherz.cli.instance import instance_options

if TYPE_CHECKING:
    from stadtherz.ingest.public import Trial

_file = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_kind = click.option(
    "--kind",
    type=click.Choice(["javascript", "bytes", "cayenne"]),
    default="javascript",
    show_default=True,
    help="What the file holds.",
)


@click.group()
def codec() -> None:
    """Codecs: from a device's bytes to values."""


@codec.command("try")
@_file
@_kind
@click.option("--bytes", "payload", required=True, help="The payload in hexadecimal digits.")
@click.option("--port", default=1, show_default=True, help="The LoRaWAN port it came by.")
@click.option("--variable", multiple=True, help="NAME=TEXT, for codecs that want some.")
@instance_options
def attempt(file: Path, kind: str, payload: str, port: int, variable: tuple[str, ...]) -> None:
    """Decode one payload and print the values as JSON; exit status 1 if there are none."""
    instance.load()
    from stadtherz.ingest.public import stop, try_codec

    try:
        trial = try_codec(
            kind,
            file.read_text(encoding="utf-8"),
            _bytes(payload),
            f_port=port,
            variables=dict(each.partition("=")[::2] for each in variable),
            name=file.name,
        )
    finally:
        stop()
    _report(trial)


def _bytes(payload: str) -> bytes:
    try:
        return bytes.fromhex(payload)
    except ValueError as problem:
        raise click.BadParameter("must be hexadecimal digits, two a byte") from problem


def _report(trial: "Trial") -> None:
    for line in (*trial.log, *trial.warnings):
        click.echo(line, err=True)
    if trial.problem:
        raise click.ClickException(trial.problem)
    click.echo(orjson.dumps(trial.data).decode())


@codec.command("add")
@_file
@_kind
@click.option("--organisation", required=True, help="Short name of the organisation.")
@click.option("--name", required=True, help="What its devices are called, for example a model.")
@instance_options
def add(file: Path, kind: str, organisation: str, name: str) -> None:
    """Keep a codec for an organisation's devices, or replace the text of the one of this name."""
    instance.load()
    instance.require_initialised()
    from stadtherz.identity.public import organisation_id
    from stadtherz.ingest.public import register_codec

    try:
        text = file.read_text(encoding="utf-8")
        register_codec(organisation_id(organisation), name, text, kind=kind)
    except StadtherzError as problem:
        raise click.ClickException(str(problem)) from problem
