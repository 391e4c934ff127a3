"""`stadtherz devices`: types of devices from the collections of ChirpStack and The Things Network."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from stadtherz.base.errors import StadtherzError
from stadtherz.cli import instance
from stadtherz.cli.device import network_option, place_options, point
from stadtherz.cli.instance import instance_options
from stadtherz.cli.report import say

if TYPE_CHECKING:
    from stadtherz.ingest.public import Imported, Report

_organisation = click.option(
    "--organisation", required=True, help="Short name of the organisation."
)


@click.group()
def devices() -> None:
    """Types of devices: their codecs and what they measure."""


@devices.command("import")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@_organisation
@click.option("--device", default="", help="Only this one, written VENDOR/DEVICE.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON for scripts.")
@instance_options
def import_(folder: Path, organisation: str, device: str, as_json: bool) -> None:
    """Keep the device types of a local collection, after their codecs' own tests have run.

    FOLDER is a clone of ChirpStack's device profiles (MIT), which is taken whole, or of The Things
    Network's device repository, of which the owner's right in the database allows one device at a time:
    name it with --device. Importing again brings the types up to date. A codec whose tests fail is imported all the
    same and named.
    """
    instance.load()
    instance.require_initialised()
    from stadtherz.identity.public import organisation_id
    from stadtherz.ingest.public import import_types, stop

    tell = (lambda each: None) if as_json else _tell
    try:
        report = import_types(organisation_id(organisation), folder, device, progress=tell)
    except StadtherzError as problem:
        raise click.ClickException(str(problem)) from problem
    finally:
        stop()
    _conclude(report, as_json=as_json)


def _tell(each: "Imported") -> None:
    checked = each.checked
    if checked is None:
        say(f"{each.key}: no codec")
    elif checked.held == checked.total:
        say(f"{each.key}: {checked.total} tests hold")
    else:
        say(f"{each.key}: {checked.held} of {checked.total} tests hold")
        for problem in checked.problems:
            say(f"    {problem}")


def _conclude(report: "Report", *, as_json: bool) -> None:
    checked = [each.checked for each in report.types if each.checked is not None]
    told = {
        "source": report.source,
        "types": len(report.types),
        "new": sum(each.new for each in report.types),
        "without_codec": len(report.types) - len(checked),
        "tests": sum(each.total for each in checked),
        "held": sum(each.held for each in checked),
        "troubles": [f"{each.place}: {each.reason}" for each in report.troubles],
    }
    if as_json:
        click.echo(orjson.dumps(told).decode())
        return
    for trouble in report.troubles:
        say(f"{trouble.place}: {trouble.reason}")
    click.echo(
        f"{told['types']} device types ({told['new']} new),"
        f" {told['held']} of {told['tests']} tests hold"
    )


@devices.command("types")
@_organisation
@click.argument("words", nargs=-1)
@instance_options
def types(organisation: str, words: tuple[str, ...]) -> None:
    """List the device types whose key or name holds all WORDS, with what each measures."""
    instance.load()
    instance.require_initialised()
    from stadtherz.identity.public import organisation_id
    from stadtherz.ingest.public import DeviceType

    try:
        owner = organisation_id(organisation)
    except StadtherzError as problem:
        raise click.ClickException(str(problem)) from problem
    for row in DeviceType.objects.filter(owner_id=owner):
        if all(word.lower() in f"{row.key} {row}".lower() for word in words):
            measured = ", ".join(str(each["path"]) for each in row.proposals)
            click.echo(f"{row.key}\t{row}\t{measured}")


@devices.command("add")
@click.argument("dev_eui")
@network_option("Whose webhook brings its uplinks.")
@_organisation
@click.option("--type", "key", required=True, help="Key of the device type: VENDOR/DEVICE.")
@click.option("--name", required=True, help="Name of the place, for example 'Pegel Mühlbach'.")
@click.option("--field", multiple=True, help="Only these values; may be given several times.")
@place_options
@instance_options
def add(
    dev_eui: str,
    network: str,
    organisation: str,
    key: str,
    name: str,
    field: tuple[str, ...],
    longitude: float | None,
    latitude: float | None,
) -> None:
    """Register a device of a type with the datastreams it proposes; prints their ids."""
    instance.load()
    instance.require_initialised()
    from stadtherz.identity.public import organisation_id
    from stadtherz.ingest.public import set_up_device

    place = point(longitude, latitude)
    try:
        owner = organisation_id(organisation)
        streams = set_up_device(owner, network, dev_eui, name, key, location=place, paths=field)
    except StadtherzError as problem:
        raise click.ClickException(str(problem)) from problem
    for stream in streams:
        click.echo(str(stream))


@devices.command("bulk")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--organisation", default="", help="Of the lines that name none.")
@click.option("--dry-run", is_flag=True, help="Only tell what would happen.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON for scripts.")
@instance_options
def bulk(file: Path, organisation: str, dry_run: bool, as_json: bool) -> None:
    """Connect the devices of a list (CSV), each with the datastreams that its type proposes.

    Columns: name, network, eui, device type key, longitude, latitude, organisation, description, in English or German,
    separated by ; or , or tab. A line with a mistake is told and left out; a device that is there already
    stays as it is, so the same list may be given again. Ends with status 1 if lines were left out.
    """
    instance.load()
    instance.require_initialised()
    from stadtherz.identity.public import organisation_id
    from stadtherz.ingest.public import Reader, connect_rows, read_sheet
    from stadtherz.store.public import organisations

    try:
        home = organisation_id(organisation) if organisation else None
        rows = read_sheet(file.read_bytes())
    except StadtherzError as problem:
        raise click.ClickException(str(problem)) from problem
    counted = {"": 0, "connected": 0, "known": 0, "problem": 0}
    for looked in connect_rows(rows, Reader(organisations(), home=home), dry_run=dry_run):
        counted[looked.outcome] += 1
        if looked.problems and not as_json:
            say(f"line {looked.line}: {' '.join(looked.problems)}")
    told = {
        "lines": len(rows),
        "connected": counted["connected"],
        "would_connect": counted[""],
        "known": counted["known"],
        "left_out": counted["problem"],
    }
    if as_json:
        click.echo(orjson.dumps(told).decode())
    else:
        new = (
            f"{told['would_connect']} would be connected"
            if dry_run
            else f"{told['connected']} connected"
        )
        click.echo(
            f"{len(rows)} lines: {new}, {told['known']} there already, {told['left_out']} left out"
        )
    if told["left_out"]:
        raise SystemExit(1)
