"""`stadtherz mail`: the relays by which warnings go out as e-mail."""

import click

from stadtherz.cli import instance
from stadtherz.cli.gateways import send_test, state
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
        click.echo(f"{row.position}  {row.name}  {state(row)}")


@mail.command("try")
@click.argument("address")
@click.option("--relay", help="Its name, as `stadtherz mail list` shows it; else the first one.")
@instance_options
def try_(address: str, relay: str | None) -> None:
    """Send one test message to ADDRESS, and say what the relay answers."""
    instance.load()
    instance.require_initialised()
    from stadtherz.alerts.public import mail_relays

    names = [row.name for row in mail_relays()]
    if not names:
        raise click.ClickException(_NONE)
    name = relay or names[0]
    known_as = send_test(name, "mail relay", address)
    click.echo(f"Taken by the relay {name} as {known_as}.")
