"""`stadtherz user` and `stadtherz token`: who may come in."""

import click

from stadtherz.base.errors import StadtherzError
from stadtherz.base.visibility import Scope
from stadtherz.cli import instance
from stadtherz.cli.instance import instance_options

ROLES = ("viewer", "editor", "data_steward", "operator", "moderator", "administrator")


@click.group()
def user() -> None:
    """People who sign in."""


@user.command("add")
@click.argument("email")
@click.option("--name", default="", help="Name shown to colleagues.")
@click.option("--organisation", required=True, help="Short name of the organisation.")
@click.option(
    "--role",
    type=click.Choice(ROLES),
    default="editor",
    show_default=True,
    help="What they may do.",
)
@click.password_option(help="Asked for if it is not given.")
@instance_options
def add_user(email: str, name: str, organisation: str, role: str, password: str) -> None:
    """Add someone to an organisation."""
    instance.load()
    instance.require_initialised()
    from stadtherz.identity.public import create_user, organisation_id

    try:
        create_user(email, password, name, organisation_id(organisation), role)
    except StadtherzError as problem:
        raise click.ClickException(str(problem)) from problem
    click.echo(f"{email} can sign in now.")


@user.command("password")
@click.argument("email")
@click.password_option(help="Asked for if it is not given.")
@instance_options
def set_password(email: str, password: str) -> None:
    """Set a new password for someone who lost theirs."""
    instance.load()
    instance.require_initialised()
    from stadtherz.identity.public import set_password as change

    try:
        change(email, password)
    except StadtherzError as problem:
        raise click.ClickException(str(problem)) from problem
    click.echo(f"{email} has a new password.")


@click.group()
def token() -> None:
    """Tokens for devices' networks and for programs."""


@token.command("create")
@click.argument("name")
@click.option("--organisation", required=True, help="Short name of the organisation.")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([scope.value for scope in Scope]),
    multiple=True,
    default=(Scope.INGEST.value,),
    show_default=True,
    help="What it is good for; may be given several times.",
)
@click.option("--device", help="NETWORK/IDENTIFIER of the only device it delivers for.")
@instance_options
def create(name: str, organisation: str, scopes: tuple[str, ...], device: str | None) -> None:
    """Make a token; it is shown once, the database keeps only its digest."""
    instance.load()
    instance.require_initialised()
    from stadtherz.identity.public import create_token, organisation_id
    from stadtherz.ingest.public import device_id

    try:
        owner = organisation_id(organisation)
        network, _, identifier = (device or "").partition("/")
        text = create_token(
            name,
            owner,
            frozenset(Scope(scope) for scope in scopes),
            device=device_id(owner, network, identifier) if device else None,
        )
    except StadtherzError as problem:
        raise click.ClickException(str(problem)) from problem
    click.echo(text)
