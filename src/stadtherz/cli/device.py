"""`stadtherz device`: connect a sensor from the command line."""

from collections.abc import Callable
from typing import Any

import click

from stadtherz.base.errors import StadtherzError
from stadtherz.base.vocabulary import KNOWN
from stadtherz.cli import instance
from stadtherz.cli.instance import instance_options

Command = Callable[..., Any]

_MEASURES = {observable.key: observable for observable in KNOWN.values()}


_LORAWAN = ("tts", "chirpstack", "actility", "loriot", "helium")


def network_option(told: str, *more: str) -> Callable[[Command], Command]:
    """`--network`: one of the LoRaWAN networks, or of what there is more."""
    return click.option(
        "--network", type=click.Choice([*_LORAWAN, *more]), required=True, help=told
    )


def place_options(command: Command) -> Command:
    """`--longitude` and `--latitude`."""
    east = click.option("--longitude", type=float, help="Where it stands, degrees east.")
    return east(
        click.option("--latitude", type=float, help="Where it stands, degrees north.")(command)
    )


def point(longitude: float | None, latitude: float | None) -> dict[str, object] | None:
    if longitude is None or latitude is None:
        return None
    return {"type": "Point", "coordinates": [longitude, latitude]}


@click.group()
def device() -> None:
    """Sensors and what they measure."""


@device.command("add")
@click.argument("identifier")
@network_option("Whose webhook brings its uplinks; json for devices that speak no LoRaWAN.", "json")
@click.option("--organisation", required=True, help="Short name of the organisation.")
@click.option("--name", required=True, help="Name of the place, for example 'Pegel Mühlbach'.")
@click.option("--field", required=True, help="Where the value stands in the decoded payload.")
@click.option(
    "--measures", type=click.Choice(sorted(_MEASURES)), required=True, help="What the field says."
)
@click.option("--factor", default=1.0, show_default=True, help="Payload value times this, ...")
@click.option("--offset", default=0.0, show_default=True, help="... plus this, is the reading.")
@click.option("--minimum", type=float, help="Readings below are refused.")
@click.option("--maximum", type=float, help="Readings above are refused.")
@click.option("--codec", help="Name of the codec that reads its payload.")
@place_options
@instance_options
def add(
    identifier: str,
    network: str,
    organisation: str,
    name: str,
    field: str,
    measures: str,
    factor: float,
    offset: float,
    minimum: float | None,
    maximum: float | None,
    codec: str | None,
    longitude: float | None,
    latitude: float | None,
) -> None:
    """Register a device and the datastream its field feeds; prints the datastream's id.

    IDENTIFIER is its DevEUI; of a device that speaks no LoRaWAN what its messages call it.
    """
    instance.load()
    instance.require_initialised()
    from stadtherz.identity.public import organisation_id
    from stadtherz.ingest.public import NewField, codec_id, register_device
    from stadtherz.store.public import NewStream, register_stream

    observed = _MEASURES[measures]
    try:
        owner = organisation_id(organisation)
        datastream = register_stream(
            NewStream(
                owner=owner,
                thing_name=name,
                thing_description=name,
                location=point(longitude, latitude),
                sensor_name=f"Device {identifier if network == 'json' else identifier.upper()}",
                sensor_description=f"Device of {name}",
                observed=observed,
                name=f"{name}: {observed.name}",
                description=observed.description,
            )
        )
        register_device(
            owner=owner,
            network=network,
            dev_eui=identifier,
            name=name,
            codec=codec_id(owner, codec) if codec else None,
            fields=[
                NewField(
                    path=field,
                    datastream=datastream,
                    factor=factor,
                    offset=offset,
                    minimum=minimum,
                    maximum=maximum,
                )
            ],
        )
    except StadtherzError as problem:
        raise click.ClickException(str(problem)) from problem
    click.echo(str(datastream))
