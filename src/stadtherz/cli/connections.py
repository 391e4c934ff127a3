"""`stadtherz connections`: clients of outside MQTT brokers."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click
import orjson

from stadtherz.base.errors import StadtherzError
from stadtherz.cli import instance
from stadtherz.cli.instance import instance_options

if TYPE_CHECKING:
    from stadtherz.ingest.public import Connection


@click.group()
def connections() -> None:
    """Outside brokers whose messages become measurements here."""


@connections.command("add")
@click.argument("host")
@click.option("--organisation", required=True, help="Short name of the organisation.")
@click.option(
    "--name", required=True, help="What the connection is called; the same one is changed."
)
@click.option(
    "--network",
    type=click.Choice(["tts", "chirpstack", "json"]),
    required=True,
    help="Whose messages the broker has.",
)
@click.option(
    "--form", default="", help="For json: key of the form that says what a message means."
)
@click.option("--port", type=click.IntRange(1, 65_535), help="Default: 8883, without TLS 1883.")
@click.option("--no-tls", is_flag=True, help="Not encrypted: only within a network that you trust.")
@click.option(
    "--ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with the certificate of the authority that signed the broker's.",
)
@click.option(
    "--user", "user_name", default="", help="As whom; The Things Stack: APPLICATION@TENANT."
)
@click.option(
    "--password-file",
    type=click.File(encoding="utf-8"),
    help="File with the password or API key, - for standard input.",
)
@click.option("--topic", default="", help="Topics; default: those that are usual for the network.")
@click.option("--group", default="", help="Name of a shared subscription.")
@click.option("--clients", default=1, show_default=True, help="How many share its messages.")
@instance_options
def add(
    host: str,
    organisation: str,
    port: int | None,
    no_tls: bool,
    ca: Path | None,
    password_file: TextIO | None,
    **values: Any,
) -> None:
    """Keep a connection to the broker HOST; a running city takes it up within seconds."""
    instance.load()
    instance.require_initialised()
    from stadtherz.identity.public import organisation_id
    from stadtherz.ingest.public import add_connection

    try:
        add_connection(
            organisation_id(organisation),
            host=host,
            port=port or (1883 if no_tls else 8883),
            tls=not no_tls,
            ca=ca.read_text(encoding="utf-8") if ca else "",
            password=password_file.read().rstrip("\r\n") if password_file else "",
            **values,
        )
    except StadtherzError as problem:
        raise click.ClickException(str(problem)) from problem


@connections.command("list")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON for each, for scripts.")
@instance_options
def list_(as_json: bool) -> None:
    """List the connections and how they are doing."""
    instance.load()
    instance.require_initialised()
    from stadtherz.ingest.public import Connection

    for row in Connection.objects.select_related("owner"):
        told = _told(row)
        if as_json:
            click.echo(orjson.dumps(told).decode())
        else:
            place = f"{row.host}:{row.port}"
            texts = (row.owner.slug, row.name, row.network, place, told["state"], *told["problems"])
            click.echo("\t".join(texts))


def _told(row: "Connection") -> dict[str, Any]:
    """`problems` are those that last: one that is over is told in the back office only."""
    doing = row.doing
    clients = list(row.states.filter(number__lt=row.clients))
    troubled = {each.problem_sentence for each in clients if each.doing.level == "danger"}
    return {
        "organisation": row.owner.slug,
        "name": row.name,
        "network": row.network,
        "host": row.host,
        "port": row.port,
        "level": doing.level,
        "state": doing.text,
        "messages": sum(each.messages for each in clients),
        "problems": sorted(troubled),
    }
