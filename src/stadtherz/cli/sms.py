"""`stadtherz sms`: the gateways by which warnings go out as SMS."""

from pathlib import Path
from typing import TextIO

import click

from stadtherz.base.errors import StadtherzError
from stadtherz.cli import instance
from stadtherz.cli.instance import instance_options


@click.group()
def sms() -> None:
    """Gateways for SMS. The one with the lowest position that works is used."""


@sms.command("add")
@click.argument("name")
@click.option(
    "--form",
    help="How the gateway is asked: kannel, seven, sipgate, or a file with a form as JSON.",
)
@click.option("--url", help="The gateway's address, such as https://gateway.seven.io.")
@click.option(
    "--user", "account", default="", help="The account's name, where the gateway has one."
)
@click.option(
    "--secret-file",
    type=click.File(encoding="utf-8"),
    help="File with the password or key; - for standard input.",
)
@click.option(
    "--sender", default="", help="What the message comes from: a number, or up to 11 letters."
)
@click.option(
    "--ttl", default=60, show_default=True, help="Minutes for which it is worth delivering."
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    help="Instead: the outgoing folder of smstools with a GSM modem.",
)
@click.option("--position", default=1, show_default=True, help="The lowest that works is used.")
@click.option(
    "--per-second", default=10.0, show_default=True, help="Messages a second that it allows."
)
@click.option(
    "--insecure",
    is_flag=True,
    help="Allow http:// to another machine: everybody on the way can read along.",
)
@instance_options
def add(
    name: str,
    form: str | None,
    url: str | None,
    account: str,
    secret_file: TextIO | None,
    sender: str,
    ttl: int,
    folder: Path | None,
    position: int,
    per_second: float,
    insecure: bool,
) -> None:
    """Set up a gateway."""
    instance.load()
    instance.require_initialised()
    import orjson

    from stadtherz.alerts.public import add_gateway, inbound_token

    settings: dict[str, object]
    if folder is not None:
        kind, settings = "smstools", {"folder": str(folder.resolve())}
    else:
        chosen: object = form or "kannel"
        if form and Path(form).is_file():
            chosen = orjson.loads(Path(form).read_bytes())
        kind = "http"
        settings = {
            "form": chosen,
            "url": url or "",
            "user": account,
            "sender": sender,
            "ttl": ttl,
            "insecure": insecure,
        }
    secret = secret_file.read().strip() if secret_file else ""
    try:
        add_gateway(name, kind, settings, secret=secret, position=position, per_second=per_second)
    except StadtherzError as problem:
        raise click.ClickException(str(problem)) from problem
    click.echo(f"{name} is set up. Try it: stadtherz sms try {name} +49…")
    click.echo(f"Answers come in at: /alarm/sms/{inbound_token(name)}")


@sms.command("list")
@instance_options
def list_() -> None:
    """Which gateways there are, and how they do."""
    instance.load()
    from stadtherz.alerts.public import Gateway

    for row in Gateway.objects.all():
        state = f"failing: {row.last_error}" if row.failing_since else "fine"
        click.echo(
            f"{row.position}  {row.name} ({row.kind})  {state if row.active else 'switched off'}"
        )


@sms.command("try")
@click.argument("name")
@click.argument("number")
@instance_options
def try_(name: str, number: str) -> None:
    """Send one test message to NUMBER by this gateway."""
    instance.load()
    from django.conf import settings

    from stadtherz.alerts.public import try_gateway

    try:
        known_as = try_gateway(
            name, number, f"Test of the gateway {name}: {settings.STADTHERZ['city']}"
        )
    except StadtherzError as problem:
        raise click.ClickException(str(problem)) from problem
    click.echo(f"Taken by the gateway as {known_as}.")


@sms.command("remove")
@click.argument("name")
@instance_options
def remove(name: str) -> None:
    """Take a gateway away; what waits goes by the others."""
    instance.load()
    from stadtherz.alerts.public import remove_gateway

    try:
        remove_gateway(name)
    except StadtherzError as problem:
        raise click.ClickException(str(problem)) from problem
    click.echo(f"{name} is gone.")
