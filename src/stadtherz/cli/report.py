"""What a started city tells: a few lines for people, or one JSON line for scripts."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
import orjson

if TYPE_CHECKING:
    from stadtherz.project.credentials import Credentials


def say(text: str) -> None:
    """Progress and advice go to standard error; standard output is for scripts."""
    click.echo(text, err=True)


Devices = Sequence[Mapping[str, Any]]


def report(url: str, known: "Credentials", *, as_json: bool, devices: Devices = ()) -> None:
    """Announce that the city answers at `url`; `devices` are those of the demo."""
    from stadtherz.project.mqtt import endpoints

    mqtt = endpoints(url)
    if as_json:
        click.echo(orjson.dumps(facts(url, known, devices, mqtt)).decode())
        return
    for line in _lines(url, known, devices, mqtt):
        click.echo(line)


def facts(
    url: str, known: "Credentials", devices: Devices = (), mqtt: Sequence[str] = ()
) -> dict[str, Any]:
    """The JSON line: addresses, tokens and accounts; null for what was noted down and deleted."""
    from stadtherz.ingest.public import NETWORKS

    token = known.tokens.get("city")
    return {
        "url": f"{url}/",
        "sta": f"{url}/sta/v1.1",
        "mqtt": list(mqtt),
        "ingest": {
            network: {"url": f"{url}/ingest/{network}", "token": token} for network in NETWORKS
        },
        "accounts": {
            name: {
                "email": account.email,
                "password": account.password,
                "role": account.role,
                "organisation": account.organisation,
            }
            for name, account in known.accounts.items()
        },
        "devices": list(devices),
        "admin_token": known.tokens.get("admin"),
        "back_office": f"{url}/verwaltung/",
        "pid": os.getpid(),
    }


def _lines(url: str, known: "Credentials", devices: Devices, mqtt: Sequence[str]) -> list[str]:
    from stadtherz.ingest.public import NETWORKS

    lines = [
        "",
        f"  Stadtherz is running:  {url}/",
        f"  English pages:         {url}/en/",
        f"  Back office:           {url}/verwaltung/",
        f"  SensorThings API:      {url}/sta/v1.1",
        f"  MQTT:                  {'  and  '.join(mqtt) or 'switched off'}",
        f"  Uplinks (webhooks):    {url}/ingest/  and  {', '.join(NETWORKS)}",
        "",
    ]
    if known.accounts:
        lines.append("  Sign in as:")
        lines += [
            f"    {account.email:36} {account.password:22} {account.role}, {account.organisation}"
            for account in known.accounts.values()
        ]
        lines.append("")
    if devices:
        lines.append("  Sensors, to send uplinks yourself (token of the city in credentials.json):")
        lines += [
            f"    {device['dev_eui']}  {device['network']:11} {', '.join(device['fields']):24} {device['name']}"
            for device in devices
        ]
        lines += [
            "",
            "  Look at: the start page while the first uplinks arrive; the gauge with its warning steps,",
            f"  {url}/pegel/lauterstrasse/",
            "  and refused uplinks and alerts in the back office.",
            "  The measurements are recordings of other waters; every page says which.",
            "",
        ]
    return [*lines, "  Ctrl-C ends it. The next start goes on where it was.", ""]
