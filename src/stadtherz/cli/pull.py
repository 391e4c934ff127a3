"""`stadtherz pull`: copies of other SensorThings servers."""

from typing import TYPE_CHECKING, TextIO

import click
import orjson

from stadtherz.base.errors import StadtherzError
from stadtherz.cli import instance
from stadtherz.cli.instance import instance_options
from stadtherz.cli.report import say

if TYPE_CHECKING:
    from stadtherz.ingest.public import PullSource, Round

_organisation = click.option(
    "--organisation", required=True, help="Short name of the organisation."
)


@click.group()
def pull() -> None:
    """Other SensorThings servers, whose things and measurements are copied."""


@pull.command("add")
@click.argument("url")
@_organisation
@click.option("--name", required=True, help="What the source is called; the same one is changed.")
@click.option("--things", default="", help="Filter in SensorThings' language: only these Things.")
@click.option("--datastreams", default="", help="Filter: only these Datastreams.")
@click.option("--every", default=15, show_default=True, help="Fetch every so many minutes.")
@click.option(
    "--access",
    type=click.Choice(["public", "organisation"]),
    default="public",
    show_default=True,
    help="Who may see what is copied.",
)
@click.option(
    "--token-file",
    type=click.File(encoding="utf-8"),
    help="File with a token, or with user:password; - for standard input.",
)
@instance_options
def add(
    url: str,
    organisation: str,
    name: str,
    things: str,
    datastreams: str,
    every: int,
    access: str,
    token_file: TextIO | None,
) -> None:
    """Copy another server from now on. URL is that of its SensorThings 1.1, such as https://frost.example/v1.1."""
    instance.load()
    instance.require_initialised()
    from stadtherz.identity.public import organisation_id
    from stadtherz.ingest.public import add_source

    try:
        source = add_source(
            organisation_id(organisation),
            name,
            token=token_file.read().strip() if token_file else "",
            url=url,
            things=things,
            datastreams=datastreams,
            every=every,
            access=access,
        )
    except StadtherzError as problem:
        raise click.ClickException(str(problem)) from problem
    click.echo(f"{source.name} is fetched every {source.every} minutes while the city runs.")


@pull.command("list")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each.")
@instance_options
def list_(as_json: bool) -> None:
    """Tell of each source what was fetched, and what went wrong last."""
    instance.load()
    instance.require_initialised()
    from stadtherz.ingest.public import PullSource

    for source in PullSource.objects.select_related("owner"):
        click.echo(_json(source) if as_json else _line(source))


def _line(source: "PullSource") -> str:
    problem = f"  ({source.problem_sentence})" if source.problem else ""
    return (
        f"{source.owner.slug}\t{source.name}\t{source.url}\t"
        f"{source.streams} datastreams, {source.readings} measurements{problem}"
    )


def _json(source: "PullSource") -> str:
    from stadtherz.base.time import iso

    told = {
        "organisation": source.owner.slug,
        "name": source.name,
        "url": source.url,
        "active": source.active,
        "last_fetched": source.ok_at and iso(source.ok_at),
        "datastreams": source.streams,
        "measurements": source.readings,
        "problem": source.problem_sentence,
    }
    return orjson.dumps(told).decode()


@pull.command("run")
@click.argument("name")
@_organisation
@instance_options
def run(name: str, organisation: str) -> None:
    """Fetch from one source now, and tell what comes; exit status 1 if it did not go through."""
    instance.load()
    instance.require_initialised()
    from stadtherz.identity.public import organisation_id
    from stadtherz.ingest.public import PullSource, pull_now
    from stadtherz.store.public import stop_writer

    try:
        owner = organisation_id(organisation)
        source = PullSource.objects.filter(owner_id=owner, name=name).first()
    except StadtherzError as problem:
        raise click.ClickException(str(problem)) from problem
    if source is None:
        raise click.ClickException(f"There is no source {name!r}. See: stadtherz pull list")
    try:
        found = pull_now(source, tell=_tell, turn_s=float("inf"))
    finally:
        stop_writer()
    source.refresh_from_db()
    click.echo(f"{found.streams} datastreams, {found.readings} new measurements.")
    if source.problem:
        say(source.problem_sentence)
    if not found.done:
        raise click.exceptions.Exit(1)


def _tell(found: "Round") -> None:
    if found.readings:
        say(f"{found.streams} datastreams, {found.readings} new measurements so far ...")
