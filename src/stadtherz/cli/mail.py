"""`stadtherz mail`: the relays by which warnings go out as e-mail."""

import click

from stadtherz.base.errors import StadtherzError
from stadtherz.cli import instance
from stadtherz.cli.instance import instance_options

_NONE = "No mail server is set. Set STADTHERZ_SMTP_URL, or add one in the back office: Alerts → Gateways."


@click.group()
def mail() -> None:
    """Relays for e-mail. The one with the lowest position that works is used."""


@mail.command("list")
@instance_options
def list_() -> None:
    """Which relays there are, and how they do."""
    instance.load()
    from stadtherz.alerts.public import mail_relays

    rows = mail_relays()
    if not rows:
        click.echo(_NONE)
    for row in rows:
        state = f"failing: {row.last_error}" if row.failing_since else "fine"
        click.echo(f"{row.position}  {row.name}  {state}")


@mail.command("try")
@click.argument("address")
@click.option("--relay", help="Its name, as `stadtherz mail list` shows it; else the first one.")
@instance_options
def try_(address: str, relay: str | None) -> None:
    """Send one test message to ADDRESS, and say what the relay answers."""
    instance.load()
    instance.require_initialised()
    from django.conf import settings

    from stadtherz.alerts.public import mail_relays, try_gateway

    names = [row.name for row in mail_relays()]
    if not names:
        raise click.ClickException(_NONE)
    name = relay or names[0]
    try:
        known_as = try_gateway(
            name, address, f"Test of the mail relay {name}: {settings.STADTHERZ['city']}"
        )
    except StadtherzError as problem:
        raise click.ClickException(str(problem)) from problem
    click.echo(f"Taken by the relay {name} as {known_as}.")
