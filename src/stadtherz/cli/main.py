"""`stadtherz`: every verb at a glance; each lives in a module of its own."""

import click

from stadtherz import __version__
from stadtherz.cli.backup import backup
from stadtherz.cli.basemap import basemap
from stadtherz.cli.check import check
from stadtherz.cli.codec import codec
from stadtherz.cli.connections import connections
from stadtherz.cli.credentials import token, user
from stadtherz.cli.device import device
from stadtherz.cli.devices import devices
from stadtherz.cli.downlink import downlink
from stadtherz.cli.export import export
from stadtherz.cli.forms import forms
from stadtherz.cli.import_ import import_table
from stadtherz.cli.mail import mail
from stadtherz.cli.pull import pull
from stadtherz.cli.refused import refused
from stadtherz.cli.serve import demo, init, serve
from stadtherz.cli.service import service
from stadtherz.cli.simulate import simulate
from stadtherz.cli.sms import sms
from stadtherz.cli.store import store


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="stadtherz")
def main() -> None:
    """An open urban platform: sensors in, public data and warnings out.

    Try it with `stadtherz demo`. For a real city: `stadtherz init`, then `stadtherz serve`.
    """


for command in (
    *(demo, init, serve, user, token, device, devices, connections, downlink, codec),
    *(forms, basemap, service, sms, mail),
    *(backup, check, export, import_table, refused, pull, simulate, store),
):
    main.add_command(command)


if __name__ == "__main__":
    main()
