"""How long it takes from an uplink to the message: handed to a mail server, and to a provider of SMS.

    python -m bench.warned [--quick] [--rules N] [--rate N] [--warnings N]

A network posts documents at a calm rate, each at its own time whether or not those before were answered.
Now and then one crosses a limit that is owed to a person by mail and by SMS. The gateways that take both
run in a process of their own and note when. The baseline is the answer to the uplink, which is on disk then.
STADTHERZ_ENGINE chooses an (empty) PostgreSQL database.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import click

from bench import gateways, timing, town
from bench.gateways import Gateways
from bench.sender import request, status_of, uplink
from bench.sensorthings_process import Processes
from bench.server import running
from bench.town import Town
from stadtherz.alerts.models import Address, Contact, Rule, RuleState, RuleStep
from stadtherz.alerts.public import add_contact, add_contact_list, add_gateway
from stadtherz.alerts.rules.known import change_version
from stadtherz.base.time import now
from stadtherz.identity.public import organisation_id

_LIMIT = 200.0
_FLOOD = 250.0
_NUMBER = "+4915100000001"
_WARM_S = 3
_PATIENCE_S = 30
_CONNECTIONS = 64


@dataclass(frozen=True, slots=True)
class Size:
    """Devices, rules over them, uplinks a second, for how many seconds, and warnings in that time."""

    devices: int
    rules: int
    rate: int
    seconds: int
    warnings: int


FULL = Size(devices=500, rules=5_000, rate=500, seconds=40, warnings=80)
QUICK = Size(devices=10, rules=20, rate=20, seconds=2, warnings=4)


@click.command()
@click.option("--quick", is_flag=True, help="Only show that it runs.")
@click.option("--rules", type=int, help="How many rules watch.")
@click.option("--rate", type=int, help="Uplinks a second.")
@click.option("--warnings", type=int, help="How many limits are crossed.")
def main(*, quick: bool, rules: int | None, rate: int | None, warnings: int | None) -> None:
    """Print how long people wait to be told."""
    plan = QUICK if quick else FULL
    size = Size(
        plan.devices,
        rules or plan.rules,
        rate or plan.rate,
        plan.seconds,
        warnings or plan.warnings,
    )
    place = town.build(size.devices, size.devices)
    with gateways.running(town.DATA) as outside:
        _set_up(place, size, outside)
        town.hand_over()
        os.environ["STADTHERZ_SMTP_URL"] = outside.smtp_url
        with running() as (url, pid):
            _wait_until_begun()
            _post(url, place, size, seconds=_WARM_S, floods=())
            server = Processes((pid,))
            before = server.seconds() or 0.0
            apart = size.rate * size.seconds // size.warnings
            # One further each time: so each is another device.
            floods = [number * apart + number for number in range(size.warnings)]
            told = _post(url, place, size, seconds=size.seconds, floods=floods)
            used = (server.seconds() or 0.0) - before
            _show(size, told, _came(outside, size), 100 * used / size.seconds)


def _set_up(place: Town, size: Size, outside: Gateways) -> None:
    """Of each device's rules one can be reached; the first five thousand are spread evenly."""
    owner = organisation_id("bench")
    contact = add_contact(owner=owner, name="Wehr", email="wehr@city.example")
    person = Contact.objects.get(pk=contact)
    Address.objects.create(contact=person, channel="sms", address=_NUMBER, sort_order=2)
    recipients = add_contact_list(owner=owner, name="Wehr", contacts=[contact])
    add_gateway("counting", "http", outside.sms_settings, per_second=1000)
    made = Rule.objects.bulk_create(
        [
            Rule(
                owner_id=owner,
                name_de=f"Regel {number}",
                datastream_id=place.streams[number % len(place.streams)],
                recipients_id=recipients,
                active=True,
                changed_at=now(),
            )
            for number in range(size.rules)
        ],
        batch_size=2000,
    )
    RuleStep.objects.bulk_create(
        [
            RuleStep(
                rule=rule,
                name_de="Stufe",
                limit=_LIMIT if number < len(place.streams) else 10_000 + number,
                hysteresis=5,
            )
            for number, rule in enumerate(made)
        ],
        batch_size=2000,
    )
    change_version()


def _wait_until_begun() -> None:
    """New rules first look at the newest reading of their datastream."""
    deadline = time.monotonic() + _PATIENCE_S * 4
    while RuleState.objects.filter(edition=None).exists() or not RuleState.objects.exists():
        if time.monotonic() > deadline:
            raise SystemExit("the rules were not begun in time")
        time.sleep(0.2)
    town.hand_over()


def _post(
    url: str, place: Town, size: Size, *, seconds: int, floods: Sequence[int]
) -> Mapping[str, Any]:
    address = urlsplit(url)
    order = {
        "host": address.hostname,
        "port": address.port,
        "token": place.token,
        "devices": place.devices,
        "session": f"warned-{seconds}",
        "seconds": seconds,
        "floods": list(floods),
        **{name: value for name, value in asdict(size).items() if name == "rate"},
    }
    done = subprocess.run(
        [sys.executable, "-m", "bench.warned", "--sends"],
        input=json.dumps(order).encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    told: Mapping[str, Any] = json.loads(done.stdout)
    if told["refused"]:
        raise SystemExit(f"{told['refused']} documents were refused")
    return told


def _came(outside: Gateways, size: Size) -> list[gateways.Taken]:
    """All messages, as soon as they are there: of each warning and of its end, by both ways."""
    deadline = time.monotonic() + _PATIENCE_S
    while len(found := outside.taken()) < 4 * size.warnings and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def _show(
    size: Size, told: Mapping[str, Any], came: Sequence[gateways.Taken], share: float
) -> None:
    disk = sorted(told["answered_ms"])
    due: Mapping[str, float] = told["due"]
    missing: list[str] = []
    rows = [("answered (on disk)", f"{len(disk):,}", _ms(disk, 0.5), _ms(disk, 0.99), "", "")]
    for way, name in (("email", "handed to SMTP"), ("sms", "handed to the SMS gateway")):
        first: dict[str, float] = {}  # what comes later says that it is over
        for each in came:
            if each.way == way and (gauge := _gauge(each.subject)) in due:
                first.setdefault(gauge, each.at)
        waits = sorted(1000 * (at - due[gauge]) for gauge, at in first.items())
        if len(waits) != size.warnings:
            missing.append(f"only {len(waits)} of {size.warnings} warnings came by {way} in time")
        ratio = timing.ratio(waits[len(waits) // 2] / disk[len(disk) // 2])
        rows.append(
            (name, f"{len(waits):,}", _ms(waits, 0.5), _ms(waits, 0.99), ratio, "150 and 1,000")
        )
    head = ("from an uplink until", "number", "p50 ms", "p99 ms", "ratio to the disk", "wanted")
    title = f"{size.rate} uplinks a second, {size.rules:,} rules, {share:.0f} % of a core"
    timing.show(title, head, rows)
    if missing:
        raise SystemExit("\n".join(missing))


def _ms(waits: Sequence[float], part: float) -> str:
    return f"{waits[min(int(len(waits) * part), len(waits) - 1)]:.0f}"


def _gauge(subject: str) -> str:
    """The number of the gauge that a message names."""
    return subject.partition("Gauge ")[2].partition(",")[0]


# --- the network, a process of its own ---------------------------------------------------------------


async def _sends(order: Mapping[str, Any]) -> dict[str, Any]:
    """Each document at its time, over whatever connection is free."""
    free: asyncio.Queue[Any] = asyncio.Queue()
    for _ in range(_CONNECTIONS):
        free.put_nowait(await asyncio.open_connection(order["host"], order["port"]))
    told: dict[str, Any] = {"refused": 0, "answered_ms": [], "due": {}}
    floods = set(order["floods"])
    devices, rate = order["devices"], order["rate"]

    async def post(number: int, due: float) -> None:
        turn, place = divmod(number, len(devices))
        at = datetime.now(UTC).isoformat().replace("+00:00", "Z")  # noqa: TID251 - a network's clock
        document = uplink(devices[place], order["session"], turn, at, decoded=False)
        level = _FLOOD if number in floods else 80 + turn % 40
        document["uplink_message"]["decoded_payload"] = {"level_cm": level}
        if number in floods:
            told["due"][str(place)] = due
        reader, writer = line = await free.get()
        writer.write(request(dict(order), document))
        status = await status_of(reader)
        told["answered_ms"].append(1000 * (time.time() - due))
        told["refused"] += status != 200
        free.put_nowait(line)

    began, under_way = time.time(), []
    for number in range(rate * order["seconds"]):
        due = began + number / rate
        if (early := due - time.time()) > 0:
            await asyncio.sleep(early)
        under_way.append(asyncio.create_task(post(number, due)))
    await asyncio.gather(*under_way)
    return told


if __name__ == "__main__":
    if "--sends" in sys.argv:
        print(json.dumps(asyncio.run(_sends(json.load(sys.stdin)))))
    else:
        main()
