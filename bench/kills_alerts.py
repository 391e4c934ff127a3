"""kill -9 of the whole chain of alerts: each promised message reaches the gateways once.

    python -m bench.kills_alerts [--quick] [--kills N]

Recorded floods (Dead Run 2018, Isar 2025) come by webhook and by MQTT, and each limit that they cross is
owed to a person by mail and by SMS. The server is killed again and again at random moments; gateways that
count run in a process of their own and take their time. What is promised is computed by a model of a few
lines. Ends with an error if a message is missing, or came twice. A message that was being handed over in
the moment of the kill may be uncertain: then nobody repeats it, and it counts as one that came or did not.
STADTHERZ_ENGINE chooses an (empty) PostgreSQL database.
"""

import asyncio
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import click

from bench import gateways, kills, timing, town
from bench.gateways import Gateways
from bench.kills import DOORS, Doors, Load, Sender
from bench.mqtt import free_port
from bench.server import running
from stadtherz.alerts.models import Address, AlertEvent, Contact, Delivery, Gateway
from stadtherz.alerts.public import add_contact, add_contact_list, add_gateway
from stadtherz.alerts.tests.rule_cast import dead_run, isar, make_rule
from stadtherz.identity.public import create_token
from stadtherz.store.public import cursor, log_end, streams

_HYSTERESIS = 5.0
_CURVES = ((dead_run, (40.0, 70.0, 100.0)), (isar, (140.0, 180.0, 240.0)))
_LONGEST = 80  # readings of one event
_RAISES = (
    3  # an hour; from the fourth on the product waits for calm before it says that all is clear
)
_NUMBER = "+4915100000001"
Status = Delivery.Status


@dataclass(frozen=True, slots=True)
class Size:
    """How many gauges send, and how often the server is killed."""

    gauges: int
    kills: int


FULL = Size(gauges=240, kills=100)
QUICK = Size(gauges=12, kills=4)


@dataclass(slots=True)
class Flood(Sender):
    """A gauge that sends a recorded flood once, from beginning to end."""

    levels: Sequence[float] = ()
    limits: Sequence[float] = ()

    def more(self, load: Load) -> bool:
        return self.sent < len(self.levels)

    def document(self, number: int) -> dict[str, Any]:
        # Not super(): the dataclass with slots is a new class.
        document = Sender.document(self, number)
        document["uplink_message"]["decoded_payload"] = {"level_cm": self.levels[number]}
        return document

    def observation(self, number: int) -> bytes:
        at = kills.BEGAN + timedelta(milliseconds=number)
        told = {"result": self.levels[number], "phenomenonTime": at.isoformat()}
        return json.dumps(told).encode()

    @property
    def promised(self) -> list[tuple[int, int]]:
        """The changes of rank: on at a limit, off below limit less hysteresis."""
        rank, found = 0, []
        for level in self.levels:
            after = sum(
                level >= limit - (_HYSTERESIS if place < rank else 0)
                for place, limit in enumerate(self.limits)
            )
            if after != rank:
                found.append((rank, after))
            rank = after
        return found


class RandomEnd(Load):
    """The server is killed a random moment after so many acknowledgements."""

    def __init__(self, pid: int, until: int | None, chance: random.Random) -> None:
        super().__init__(pid, until, ())
        self._pid_, self._until, self._chance = pid, until, chance
        self._ordered = until is None

    def acknowledged(self, door: str) -> None:
        if self._until is None:
            return
        self._until -= 1
        if self._until <= 0:
            self.end()

    def end(self) -> None:
        if not self._ordered:
            self._ordered = True
            later = self._chance.random() * 0.5
            asyncio.get_running_loop().call_later(later, os.kill, self._pid_, signal.SIGKILL)


@dataclass(slots=True)
class Count:
    """What became of the messages of one way."""

    promised: int = 0
    once: int = 0
    uncertain: int = 0
    uncertain_came: int = 0
    missing: int = 0
    twice: int = 0
    unknown: int = 0  # came without being owed
    wrong: list[str] = field(default_factory=list)


def events() -> Iterator[tuple[Sequence[float], Sequence[float]]]:
    """Recorded levels around each crossing, with the limits of their river."""
    for curve, limits in _CURVES:
        levels = [level for _at, level in curve()]
        above, place = False, 0
        while place < len(levels):
            if not above and levels[place] >= limits[0]:
                yield levels[max(place - 5, 0) : place + _LONGEST], limits
                place += _LONGEST // 2
            above = levels[place] >= limits[0] - _HYSTERESIS if place < len(levels) else False
            place += 1


def floods(place: town.Town) -> list[Flood]:
    """A sender for each gauge; the doors and the recorded events in turn."""
    usable = [
        (levels, limits)
        for levels, limits in events()
        if 1 <= _raises(Flood("", 0, "", "", levels=levels, limits=limits)) <= _RAISES
    ]
    pairs = zip(place.streams, place.devices, strict=True)
    return [
        Flood(
            DOORS[number % len(DOORS)],
            stream,
            device,
            f"flood-{number}",
            levels=usable[number % len(usable)][0],
            limits=usable[number % len(usable)][1],
        )
        for number, (stream, device) in enumerate(pairs)
    ]


def _raises(flood: Flood) -> int:
    return sum(before == 0 for before, _after in flood.promised)


@click.command()
@click.option("--quick", is_flag=True, help="Only show that it runs.")
@click.option("--kills", "times", type=int, help="How often the server is killed.")
@click.option("--seed", default=7, help="Of the random moments.")
def main(*, quick: bool, times: int | None, seed: int) -> None:
    """Print what became of the messages of each way."""
    size = QUICK if quick else FULL
    wanted = times or size.kills
    place = town.build(size.gauges, size.gauges)
    owner = streams(place.streams[:1])[place.streams[0]].owner
    senders = floods(place)
    token = create_token("kills", owner, ("ingest", "write"))
    with gateways.running(town.DATA, patience=0.02) as outside:
        _promise(owner, senders, outside)
        town.hand_over()
        mqtt = free_port()
        os.environ["STADTHERZ_MQTT"] = f"mqtt://127.0.0.1:{mqtt}"
        os.environ["STADTHERZ_SMTP_URL"] = outside.smtp_url
        chance = random.Random(seed)
        total = sum(len(each.levels) for each in senders)
        for life in range(wanted + 1):
            until = chance.randint(1, max(round(1.8 * total / wanted), 2))
            with running() as (url, pid):
                address = urlsplit(url)
                doors = Doors(address.hostname or "", address.port or 0, mqtt, token)
                load = RandomEnd(pid, until if life < wanted else None, chance)
                asyncio.run(_life(senders, doors, load))
                if load.ending:
                    _come_to_rest()
        wrong = _show(wanted, senders, outside)
    if wrong:
        raise SystemExit("\n".join(wrong[:20]))


def _promise(owner: int, senders: Sequence[Flood], outside: Gateways) -> None:
    contact = add_contact(owner=owner, name="Wehr", email="wehr@city.example")
    Address.objects.create(
        contact=Contact.objects.get(pk=contact), channel="sms", address=_NUMBER, sort_order=2
    )
    recipients = add_contact_list(owner=owner, name="Wehr", contacts=[contact])
    add_gateway("counting", "http", outside.sms_settings, per_second=1000)
    for each in senders:
        make_rule(
            owner,
            *each.limits,
            datastream=each.stream,
            hysteresis=_HYSTERESIS,
            recipients_id=recipients,
        )


async def _life(senders: Sequence[Flood], doors: Doors, load: RandomEnd) -> None:
    await kills.live(senders, doors, load)
    if not load.ending:
        load.end()  # nothing was left to send: it is killed while it judges, sends, or does nothing
        await asyncio.sleep(0.6)


def _come_to_rest() -> None:
    """Until everything is judged and nothing is on its way any more."""
    deadline = time.monotonic() + 300
    open_rows = Delivery.objects.filter(status__in=[Status.QUEUED, Status.HANDING_OVER])
    while time.monotonic() < deadline:
        if (cursor("alerts.rules") or 0) >= log_end() and not open_rows.exists():
            time.sleep(2)  # whatever would come a second time has come
            return
        time.sleep(0.1)
    waiting = list(open_rows.values_list("channel", "status", "error")[:5])
    resting = list(Gateway.objects.values_list("name", "retry_at", "last_error"))
    raise SystemExit(f"it does not come to rest: {waiting} {resting}")


def _show(times: int, senders: Sequence[Flood], outside: Gateways) -> list[str]:
    wrong = _wrong_events(senders)
    rows = []
    promised = sum(len(each.promised) for each in senders)
    for way in ("email", "sms"):
        count = _counted(way, outside)
        count.missing += max(promised - count.promised, 0)
        numbers = (promised, count.once, count.uncertain, count.missing, count.twice, count.unknown)
        rows.append((way, *(f"{number:,}" for number in numbers)))
        wrong += count.wrong
        if count.promised != promised:
            wrong.append(f"{way}: {count.promised} owed instead of {promised}")
    sent = sum(each.sent for each in senders)
    again = sum(each.again for each in senders)
    head = (f"{times} × kill -9", "promised", "once", "uncertain", "missing", "twice", "not owed")
    timing.show(f"{sent:,} readings of recorded floods, {again:,} sent again", head, rows)
    return wrong


def _wrong_events(senders: Sequence[Flood]) -> list[str]:
    """Where the alert's history is not what the model says."""
    wrong = []
    for each in senders:
        found = AlertEvent.objects.filter(alert__datastream=each.stream).order_by("pk")
        events = list(found.values_list("rank_before", "rank"))
        if events != each.promised:
            wrong.append(f"{each.name} ({each.door}): {events} instead of {each.promised}")
    return wrong


def _counted(way: str, outside: Gateways) -> Count:
    came = Counter(each.id.removeprefix("theirs-") for each in outside.taken() if each.way == way)
    count = Count()
    for pk, status, known_as in Delivery.objects.filter(channel=way).values_list(
        "pk", "status", "message_id"
    ):
        count.promised += 1
        key = f"sh-{pk}" if way == "sms" else known_as
        times = came.pop(key, 0)
        if times > 1:
            count.twice += 1
            count.wrong.append(f"{way} {pk} came {times} times ({status})")
        elif status == Status.UNCERTAIN:
            count.uncertain += 1
            count.uncertain_came += times
        elif times == 1 and status == Status.SENT:
            count.once += 1
        else:
            count.missing += 1
            count.wrong.append(f"{way} {pk} came {times} times, but is {status}")
    count.unknown = sum(came.values())
    count.wrong += [f"{way} {key} was not owed" for key in came]
    return count


if __name__ == "__main__":
    main()
