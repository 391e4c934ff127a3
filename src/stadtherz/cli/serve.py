"""`init`, `serve` and `demo`: from an empty folder to a running city."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stadtherz.cli import instance, server
from stadtherz.cli.instance import instance_options
from stadtherz.cli.report import report, say

if TYPE_CHECKING:
    from stadtherz.project.credentials import Credentials


def _listening_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print one JSON line when ready."),
        click.option(
            "--port",
            type=click.IntRange(0, 65_535),
            default=8000,
            show_default=True,
            envvar="STADTHERZ_PORT",
            help="0: a free one.",
        ),
        click.option(
            "--host",
            default="127.0.0.1",
            show_default=True,
            envvar="STADTHERZ_HOST",
            help="The address to listen on; 0.0.0.0 for every one of this machine.",
        ),
    ):
        command = option(command)
    return command


@click.command()
@click.option("--city", default="Stadtherz", show_default=True, help="Name of the municipality.")
@click.option(
    "--email",
    default="admin@stadtherz.example",
    show_default=True,
    help="E-mail with which the first administrator signs in.",
)
@instance_options
def init(city: str, email: str) -> None:
    """Set up an empty real instance: database, organisation, first administrator, tokens."""
    os.environ.setdefault("STADTHERZ_CITY", city)
    instance.load()
    _check_email(email)
    from stadtherz.project import credentials, founding

    data = instance.data_folder()
    known = credentials.read(data)
    if known is None and not _city_file(data).exists():  # it is written last
        say(f"Setting up {city} in {data} ...")
        instance.migrate()
        known = founding.found(city=city, email=email)
        credentials.write(data, known)
        _remember_city(data, city)
    else:
        say(f"There is a city in {data} already; it stays as it is.")
        instance.migrate()
    if known is not None:
        for account in known.accounts.values():
            say(f"Administrator: {account.email}   password: {account.password}")
        say(f"All passwords and tokens: {credentials.path_in(data)} (only you can read it)")
    say(f"Start it with: stadtherz serve --data {data}")


@click.command()
@_listening_options
@instance_options
def serve(host: str, port: int, as_json: bool) -> None:
    """Start the city in the data folder. Ctrl-C ends it."""
    bound = server.listen(host, port)
    url = _settle_address(server.address(bound))
    _recall_city(instance.data_folder())
    instance.load()
    instance.require_initialised()
    from stadtherz.project import credentials

    if instance.migrate():
        say("The database was brought to this version's form.")
    known = credentials.read(instance.data_folder()) or credentials.Credentials()
    server.run(bound, ready=lambda: report(url, known, as_json=as_json))


@click.command()
@click.option("--empty", is_flag=True, help="Start without the recordings.")
@click.option(
    "--speed",
    type=click.FloatRange(0.001, 3600),
    default=1.0,
    show_default=True,
    help="How many times faster the recordings go on.",
)
@_listening_options
@instance_options
def demo(host: str, port: int, as_json: bool, empty: bool, speed: float) -> None:
    """Start a running city with recorded measurements, in one command."""
    bound = server.listen(host, port)
    url = _settle_address(server.address(bound))
    os.environ["STADTHERZ_DEMO"] = "1"
    os.environ.setdefault("STADTHERZ_CITY", "Kaiserslautern")
    instance.load()
    from stadtherz.demo.city import devices
    from stadtherz.demo.replay import Player

    known = _set_up_demo(instance.data_folder(), history=not empty)
    player = Player(url=f"{server.address(bound)}/ingest", tokens=known.tokens, speed=speed)

    def ready() -> None:
        report(url, known, as_json=as_json, devices=devices())
        if not empty:
            player.start()

    try:
        server.run(bound, ready=ready)
    finally:
        player.stop()


def _set_up_demo(data: Path, *, history: bool) -> "Credentials":
    """Database, city and people; what is there from an earlier start stays."""
    from stadtherz.demo import city, people
    from stadtherz.geo.public import install_demo_basemap
    from stadtherz.project import credentials

    known = credentials.read(data)
    if instance.migrate() or known is None:
        say(f"Setting up the demo city in {data} ...")
        install_demo_basemap(data)
        set_up = city.set_up(history=history and known is None)
        known = known or people.settle(set_up)
        credentials.write(data, known)
    return known


def _check_email(email: str) -> None:
    """Refuse before anything is made what nobody could sign in with."""
    from django.core.exceptions import ValidationError
    from django.core.validators import validate_email

    try:
        validate_email(email)
    except ValidationError as problem:
        raise click.BadParameter(f"{email} is no e-mail address", param_hint="--email") from problem


def _settle_address(url: str) -> str:
    """Links in pages and mails use STADTHERZ_URL; without it, the address listened on."""
    return os.environ.setdefault("STADTHERZ_URL", url)


def _city_file(data: Path) -> Path:
    return data / "city.txt"


def _remember_city(data: Path, city: str) -> None:
    _city_file(data).write_text(city + "\n", encoding="utf-8")


def _recall_city(data: Path) -> None:
    path = _city_file(data)
    if path.exists():
        os.environ.setdefault("STADTHERZ_CITY", path.read_text(encoding="utf-8").strip())
