"""`stadtherz refused`: what was not stored, and running it again."""

from typing import TYPE_CHECKING

import click

from stadtherz.base.errors import StadtherzError
from stadtherz.cli import instance
from stadtherz.cli.instance import instance_options

if TYPE_CHECKING:
    from stadtherz.ingest.public import Which

_SLICE_S = 10.0

_device = click.option("--device", help="Only of this device: its EUI, or its name in messages.")
_reason = click.option(
    "--reason", default="", help="Only with this reason, such as unknown_device."
)
_organisation = click.option("--organisation", help="Only of this organisation: its short name.")


@click.group()
def refused() -> None:
    """Messages that were not stored."""


@refused.command("list")
@_device
@_reason
@_organisation
@click.option("--most", default=20, show_default=True, help="So many are told one by one.")
@instance_options
def list_(device: str | None, reason: str, organisation: str | None, most: int) -> None:
    """How many wait for each reason, and the oldest of them."""
    instance.load()
    instance.require_initialised()
    from stadtherz.base.time import iso
    from stadtherz.base.visibility import SYSTEM
    from stadtherz.ingest.public import refused_counts, waiting

    which = _which(device, reason, organisation)
    for name, count in refused_counts(which, SYSTEM):
        click.echo(f"{count:>7}  {name}")
    for kept in waiting(which, SYSTEM)[:most]:
        click.echo(f"{iso(kept.received_at)}  {kept.network}  {kept.sentence}")


@refused.command("replay")
@_device
@_reason
@_organisation
@instance_options
def replay(device: str | None, reason: str, organisation: str | None) -> None:
    """Run them again, in the order in which they came; exit status 1 if any is refused again."""
    instance.load()
    instance.require_initialised()
    from dataclasses import replace

    from stadtherz.base.visibility import SYSTEM
    from stadtherz.ingest.public import replay_many, stop
    from stadtherz.store.public import stop_writer

    which = _which(device, reason, organisation)
    stored = again = 0
    try:
        while True:
            progress = replay_many(which, SYSTEM, seconds=_SLICE_S)
            which = replace(which, before=progress.began)
            stored, again = stored + progress.stored, again + progress.refused
            click.echo(f"{stored} stored, {again} refused again, {progress.left} left")
            if not progress.left:
                break
    except StadtherzError as problem:
        raise click.ClickException(str(problem)) from problem
    finally:
        stop()
        stop_writer()
    if again:
        raise SystemExit(1)


def _which(device: str | None, reason: str, organisation: str | None) -> "Which":
    from stadtherz.identity.public import organisation_id
    from stadtherz.ingest.public import Which

    try:
        owner = organisation_id(organisation) if organisation else None
        return Which(device or "", reason, owner)
    except StadtherzError as problem:
        raise click.ClickException(str(problem)) from problem
