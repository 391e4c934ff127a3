"""`stadtherz sms`: the gateways by which warnings go out as SMS."""

from pathlib import Path
from typing import TextIO

import click

from stadtherz.base.errors import StadtherzError
from stadtherz.cli import instance
from stadtherz.cli.gateways import send_test, state
from stadtherz.cli.instance import instance_options

_KINDS = ("http", "smpp", "gammu", "smstools")


@click.group()
def sms() -> None:
    """Gateways for SMS. The one with the lowest position that works is used."""


@sms.command("add")
@click.argument("name")
@click.option(
    "--kind",
    help="http, smpp, gammu or smstools; http unless told otherwise, smstools with --folder.",
)
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
    help="The outgoing folder of gammu-smsd or smstools with a GSM modem.",
)
@click.option(
    "--set",
    "more",
    multiple=True,
    metavar="NAME=VALUE",
    help="Any other setting of the kind, such as host=smpp.provider.example; see `stadtherz sms kinds`.",
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
    kind: str | None,
    secret_file: TextIO | None,
    position: int,
    per_second: float,
    more: tuple[str, ...],
    **named: object,
) -> None:
    """Set up a gateway."""
    instance.load()
    instance.require_initialised()
    from stadtherz.alerts.public import GATEWAY_KINDS, add_gateway, inbound_token

    kind = kind or ("smstools" if named["folder"] else "http")
    if kind not in _KINDS:
        raise click.BadParameter(f"is none of {', '.join(_KINDS)}", param_hint="--kind")
    secret = secret_file.read().strip() if secret_file else ""
    try:
        given = _given(kind, named) | dict(map(_pair, more))
        settings, _none = GATEWAY_KINDS[kind].read(given)
        add_gateway(name, kind, settings, secret=secret, position=position, per_second=per_second)
    except StadtherzError as problem:
        raise click.ClickException(str(problem)) from problem
    click.echo(f"{name} is set up. Try it: stadtherz sms try {name} +49…")
    if GATEWAY_KINDS[kind].door:
        click.echo(f"Answers come in at: /alarm/sms/{inbound_token(name)}")


def _given(kind: str, named: dict[str, object]) -> dict[str, object]:
    """What was given by the options that are settings; a form may be a file."""
    import orjson

    given = {("user" if key == "account" else key): value for key, value in named.items() if value}
    if kind == "http":
        form = given.setdefault("form", "kannel")
        if Path(str(form)).is_file():
            given["form"] = orjson.loads(Path(str(form)).read_bytes())
    if folder := given.get("folder"):
        given["folder"] = str(Path(str(folder)).resolve())
    return given


def _pair(setting: str) -> tuple[str, str]:
    name, equals, value = setting.partition("=")
    if not equals or name == "secret":
        raise click.BadParameter(
            "is NAME=VALUE; the password comes from --secret-file", param_hint="--set"
        )
    return name, value


@sms.command("kinds")
@instance_options
def kinds() -> None:
    """Which kinds of gateways there are, and what each wants to be told."""
    instance.load()
    from stadtherz.alerts.public import GATEWAY_KINDS

    for kind in (GATEWAY_KINDS[name] for name in _KINDS):
        click.echo(kind.name)
        for setting in kind.settings:
            if setting.secret:
                continue
            known = " | ".join(choice for choice, _label in setting.choices)
            default = "needed" if setting.required else f"{setting.default!r}"
            click.echo(f"  {setting.name} ({known or setting.type.__name__}, {default})")
            click.echo(f"      {setting.label}. {setting.help}".rstrip())
        click.echo()


@sms.command("list")
@instance_options
def list_() -> None:
    """Which gateways there are, and how they do."""
    instance.load()
    from stadtherz.alerts.public import Gateway

    for row in Gateway.objects.all():
        how = state(row) if row.active else "switched off"
        click.echo(f"{row.position}  {row.name} ({row.kind})  {how}")


@sms.command("try")
@click.argument("name")
@click.argument("number")
@instance_options
def try_(name: str, number: str) -> None:
    """Send one test message to NUMBER by this gateway."""
    instance.load()
    known_as = send_test(name, "gateway", number)
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
