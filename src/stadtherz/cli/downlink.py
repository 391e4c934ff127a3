"""`stadtherz downlink`: messages to devices."""

from typing import TYPE_CHECKING

import click

from stadtherz.base.errors import StadtherzError
from stadtherz.cli import instance
from stadtherz.cli.instance import instance_options

if TYPE_CHECKING:
    from stadtherz.ingest.public import Device


@click.group()
def downlink() -> None:
    """Messages to devices, by the connection that brings their measurements."""


@downlink.command("send")
@click.argument("dev_eui")
@click.argument("content")
@click.option("--organisation", required=True, help="Short name of the organisation.")
@click.option("--port", type=int, help="LoRaWAN port; without it the codec says it.")
@click.option("--confirmed", is_flag=True, help="The device has to acknowledge it.")
@instance_options
def send(dev_eui: str, content: str, organisation: str, port: int | None, confirmed: bool) -> None:
    """Tell a device CONTENT: hexadecimal digits, or a JSON object for the device's codec.

    A running city hands it over within seconds; see `stadtherz downlink list`.
    """
    instance.load()
    instance.require_initialised()
    from stadtherz.ingest.public import send_downlink, stop

    try:
        device = _device(organisation, dev_eui)
        send_downlink(device, content, port, actor="system", confirmed=confirmed)
    except StadtherzError as problem:
        raise click.ClickException(str(problem)) from problem
    finally:
        stop()


@downlink.command("list")
@click.argument("dev_eui")
@click.option("--organisation", required=True, help="Short name of the organisation.")
@instance_options
def list_(dev_eui: str, organisation: str) -> None:
    """List a device's last messages and what became of them, the newest first."""
    instance.load()
    instance.require_initialised()
    try:
        device = _device(organisation, dev_eui)
    except StadtherzError as problem:
        raise click.ClickException(str(problem)) from problem
    for row in device.downlinks.all()[:20]:
        click.echo(f"{row.hexadecimal}\t{row.f_port}\t{row.get_state_display()}\t{row.sentence}")


def _device(organisation: str, dev_eui: str) -> "Device":
    from stadtherz.base.errors import NotFound
    from stadtherz.identity.public import organisation_id
    from stadtherz.ingest.public import Device

    owner = organisation_id(organisation)
    found = Device.objects.filter(owner_id=owner, dev_eui=dev_eui.strip().upper()).first()
    if found is None:
        raise NotFound(f"Device {dev_eui}")
    return found
