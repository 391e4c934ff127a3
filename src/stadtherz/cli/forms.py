"""`stadtherz forms`: how messages of devices are read that speak no LoRaWAN."""

from typing import IO, TYPE_CHECKING

import click

from stadtherz.base.errors import StadtherzError
from stadtherz.base.time import iso
from stadtherz.cli import instance
from stadtherz.cli.instance import instance_options

if TYPE_CHECKING:
    from stadtherz.ingest.public import FormTrial, TriedReading

_organisation = click.option(
    "--organisation", required=True, help="Short name of the organisation."
)


@click.group()
def forms() -> None:
    """Message forms: any JSON by HTTP or MQTT becomes readings."""


@forms.command("add")
@click.argument("key")
@_organisation
@click.option("--name", help="What people call it; without it, its key.")
@click.option("--device", required=True, help="Where the device's identifier stands, e.g. meta.id.")
@click.option("--time", default="", help="Where the time stands; without it, when it arrives.")
@click.option("--time-zone", help="Of times without one; without it, the city's.")
@click.option("--message-id", default="", help="Where the message's own identifier stands.")
@click.option("--readings", default="", help="Where the list stands if one message holds several.")
@instance_options
def add(
    key: str,
    organisation: str,
    name: str | None,
    device: str,
    time: str,
    time_zone: str | None,
    message_id: str,
    readings: str,
) -> None:
    """Keep a message form, or replace the one of this key; devices send to /ingest/json/KEY."""
    instance.load()
    instance.require_initialised()
    from stadtherz.identity.public import organisation_id
    from stadtherz.ingest.public import register_form

    told = {"device": device, "time": time, "message_id": message_id, "readings": readings}
    if time_zone is not None:
        told["time_zone"] = time_zone
    try:
        register_form(organisation_id(organisation), key, name or key, told)
    except StadtherzError as problem:
        raise click.ClickException(str(problem)) from problem


@forms.command("list")
@click.option("--organisation", help="Only those of this one (short name).")
@instance_options
def show(organisation: str | None) -> None:
    """The message forms, one a line: key, name, and where the device stands."""
    instance.load()
    instance.require_initialised()
    from stadtherz.identity.public import organisation_id
    from stadtherz.ingest.public import MessageForm

    found = MessageForm.objects.order_by("key")
    try:
        if organisation:
            found = found.filter(owner_id=organisation_id(organisation))
    except StadtherzError as problem:
        raise click.ClickException(str(problem)) from problem
    for each in found:
        click.echo(f"{each.key:20} {each.name:30} {each.device}")


@forms.command("try")
@click.argument("key")
@click.argument("message", type=click.File("rb"), default="-")
@_organisation
@click.option("--topic", default="", help="What follows ingest/json/KEY/ in the topic.")
@click.option("--query", default="", help="Parameters of the address, e.g. station=7.")
@instance_options
def attempt(key: str, message: IO[bytes], organisation: str, topic: str, query: str) -> None:
    """Show what a form makes of a MESSAGE (a file; without it, what is typed). Nothing is stored.

    Exit status 1 if anything would be refused.
    """
    instance.load()
    instance.require_initialised()
    from stadtherz.identity.public import organisation_id
    from stadtherz.ingest.public import message_form, try_form

    try:
        form = message_form(organisation_id(organisation), key)
        trial = try_form(form, message.read(), topic=topic, query=query)
    except StadtherzError as problem:
        raise click.ClickException(str(problem)) from problem
    _report(trial)


def _report(trial: "FormTrial") -> None:
    if trial.problem:
        raise click.ClickException(trial.problem)
    for reading in trial.readings:
        _report_reading(reading)
    if trial.total > len(trial.readings):
        click.echo(f"... and {trial.total - len(trial.readings)} more readings")
    if any(reading.problem for reading in trial.readings):
        raise SystemExit(1)


def _report_reading(reading: "TriedReading") -> None:
    if reading.device:
        moment = "" if reading.time is None else iso(reading.time)
        click.echo(f"{reading.device}  {moment}  {reading.name or ''}".rstrip())
    for value in reading.values:
        click.echo(f"    {value.path} -> {value.datastream}: {value.result} {value.unit}".rstrip())
    if reading.problem:
        click.echo(f"    {reading.problem}")
        for path, text in reading.holds:
            click.echo(f"    {path} = {text}")
