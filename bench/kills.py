"""kill -9 under load: what was acknowledged is there, nothing is there twice, and in the order it was sent.

    python -m bench.kills [--quick]

Devices send by webhook and by MQTT, decoded by a codec, and programs publish Observations, all at once,
while the server is killed again and again. What had no answer is sent again by the next connection, as
networks and MQTT clients do. Ends with an error if anything is missing, twice or in the wrong order.
STADTHERZ_ENGINE chooses an (empty) PostgreSQL database.
"""

import asyncio
import json
import os
import random
import signal
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import click

from bench import timing, town
from bench.codecs import codec, give_codec
from bench.mqtt import free_port
from bench.mqtt_sender import packet, text
from bench.sender import request, status_of, uplink
from bench.server import running
from bench.town import Town
from stadtherz.base.expressions import Column, Kind, Order
from stadtherz.identity.public import create_token
from stadtherz.store.public import Selection, select, streams

WINDOW = 20  # messages of an MQTT client on their way
BEGAN = datetime.now(UTC)  # noqa: TID251 - a foreign network has its own clock
_ENDED = (ConnectionError, asyncio.IncompleteReadError)


@dataclass(frozen=True, slots=True)
class Size:
    """How often the server is killed, after how many acknowledgements at most, and how many send by each door."""

    kills: int
    most: int
    senders: int


FULL = Size(kills=10, most=1_200, senders=6)
QUICK = Size(kills=1, most=60, senders=2)


class Load:
    """All senders of one life of the server; it is killed after so many acknowledgements."""

    def __init__(self, pid: int, until: int | None, doors: Sequence[str]) -> None:
        self.ending = until is None  # only what is left is sent
        self._pid, self._left = pid, until or 0
        self._silent = set(doors)

    def acknowledged(self, door: str) -> None:
        self._left -= 1
        self._silent.discard(door)
        if self._left <= 0 and not self._silent and not self.ending:
            os.kill(self._pid, signal.SIGKILL)


@dataclass(slots=True)
class Sender:
    """Numbers its messages from 0. `open` are those without an acknowledgement, the oldest first."""

    door: str
    stream: int
    device: str
    name: str
    sent: int = 0
    open: deque[int] = field(default_factory=deque)
    again: int = 0  # how often one was sent once more

    def more(self, load: Load) -> bool:
        """Whether it has something new to send."""
        return not load.ending

    def next(self) -> int:
        self.open.append(self.sent)
        self.sent += 1
        return self.open[-1]

    def acknowledged(self, load: Load) -> None:
        self.open.popleft()
        load.acknowledged(self.door)

    def document(self, number: int) -> dict[str, Any]:
        at = (BEGAN + timedelta(milliseconds=number)).isoformat().replace("+00:00", "Z")
        return uplink(self.device, "kills", number, at, decoded=False, value=number)

    def observation(self, number: int) -> bytes:
        return b'{"result":%d}' % number


@dataclass(frozen=True, slots=True)
class Doors:
    host: str
    port: int
    mqtt: int
    token: str


async def by_webhook(sender: Sender, doors: Doors, load: Load) -> None:
    """One document after the other, each as soon as the last one is acknowledged."""
    reader, writer = await asyncio.open_connection(doors.host, doors.port)
    order = {"host": doors.host, "port": doors.port, "token": doors.token}
    sender.again += len(sender.open)
    while sender.open or sender.more(load):
        number = sender.open[0] if sender.open else sender.next()
        writer.write(request(order, sender.document(number)))
        status = await status_of(reader)
        if status == 503:  # come again, as networks do
            sender.again += 1
            await asyncio.sleep(0.5)
            continue
        if status != 200:
            raise SystemExit(f"a document was answered with {status}")
        sender.acknowledged(load)
    writer.close()


_COME_AGAIN = 3  # return code of a CONNACK: the server is unavailable (MQTT 3.1.1, §3.2.2.3)


async def by_mqtt(
    sender: Sender, doors: Doors, load: Load, message: Callable[[Sender, int], tuple[str, bytes]]
) -> None:
    """Some messages on their way, of a session that lasts; what was open is marked as sent again."""
    reader, writer = await asyncio.open_connection(doors.host, doors.mqtt)
    credentials = text(sender.name.encode()) + text(b"bench") + text(doors.token.encode())
    writer.write(packet(0x10, b"\0\4MQTT\4\xc0\0\0" + credentials))
    greeting = await reader.readexactly(4)
    if greeting[3] == _COME_AGAIN:
        raise ConnectionRefusedError
    if greeting[3]:
        raise SystemExit(f"a client was refused with {greeting[3]}")
    sender.again += len(sender.open)
    for number in sender.open:
        writer.write(_publish(number, *message(sender, number), again=True))
    while sender.open or sender.more(load):
        while len(sender.open) < WINDOW and sender.more(load):
            number = sender.next()
            writer.write(_publish(number, *message(sender, number), again=False))
        answer = await reader.readexactly(4)
        if answer != b"\x40\x02" + _packet_id(sender.open[0]):
            raise SystemExit(f"{answer!r} does not acknowledge message {sender.open[0]}")
        sender.acknowledged(load)
    writer.close()


def _packet_id(number: int) -> bytes:
    return (number % 0xFFFF + 1).to_bytes(2)


def _publish(number: int, topic: str, payload: bytes, *, again: bool) -> bytes:
    body = text(topic.encode()) + _packet_id(number) + payload
    return packet(0x3A if again else 0x32, body)


def _observation(sender: Sender, number: int) -> tuple[str, bytes]:
    return f"v1.1/Datastreams({sender.stream})/Observations", sender.observation(number)


def _document(sender: Sender, number: int) -> tuple[str, bytes]:
    return "ingest/tts/up", json.dumps(sender.document(number)).encode()


WEBHOOK, DOCUMENTS, OBSERVATIONS = (
    "webhook, decoded by a codec",
    "MQTT documents, decoded by a codec",
    "MQTT Observations",
)
DOORS = (WEBHOOK, DOCUMENTS, OBSERVATIONS)


@click.command()
@click.option("--quick", is_flag=True, help="Only show that it runs.")
def main(*, quick: bool) -> None:
    """Print what became of the messages of each door."""
    size = QUICK if quick else FULL
    place = town.build(size.senders * len(DOORS), size.senders * len(DOORS))
    give_codec(codec(28))
    owner = streams(place.streams[:1])[place.streams[0]].owner
    token = create_token("kills", owner, ("ingest", "write"))
    town.hand_over()
    senders = _senders(place)
    mqtt = free_port()
    os.environ["STADTHERZ_MQTT"] = f"mqtt://127.0.0.1:{mqtt}"
    chance = random.Random(7)
    for life in range(size.kills + 1):
        until = chance.randint(1, size.most) if life < size.kills else None
        with running() as (url, pid):
            address = urlsplit(url)
            doors = Doors(address.hostname or "", address.port or 0, mqtt, token)
            asyncio.run(live(senders, doors, Load(pid, until, DOORS)))
    rows = [_row(door, [each for each in senders if each.door == door]) for door in DOORS]
    head = (f"{size.kills} × kill -9", "acknowledged", "sent again", "missing", "twice", "disorder")
    timing.show("Killed under load", head, rows)
    if any(figure != "0" for row in rows for figure in row[3:]):
        raise SystemExit("something is missing, twice or out of order")


def _senders(place: Town) -> list[Sender]:
    pairs = zip(place.streams, place.devices, strict=True)
    return [
        Sender(DOORS[number % len(DOORS)], stream, device, f"kills-{number}")
        for number, (stream, device) in enumerate(pairs)
    ]


async def live(senders: Sequence[Sender], doors: Doors, load: Load) -> None:
    ended = await asyncio.gather(
        *(_send(sender, doors, load) for sender in senders), return_exceptions=True
    )
    for problem in ended:
        if isinstance(problem, BaseException) and (load.ending or not isinstance(problem, _ENDED)):
            raise problem


async def _send(sender: Sender, doors: Doors, load: Load) -> None:
    if sender.door == WEBHOOK:
        await by_webhook(sender, doors, load)
    else:
        message = _document if sender.door == DOCUMENTS else _observation
        await by_mqtt(sender, doors, load, message)


def _row(door: str, senders: Sequence[Sender]) -> tuple[str, ...]:
    missing = twice = disorder = 0
    for sender in senders:
        numbers = _kept(sender)
        missing += len(set(range(sender.sent)) - set(numbers))
        twice += len(numbers) - len(set(numbers))
        disorder += numbers != sorted(numbers)
    sent, again = sum(each.sent for each in senders), sum(each.again for each in senders)
    return door, *(f"{figure:,}" for figure in (sent, again, missing, twice, disorder))


def _kept(sender: Sender) -> list[int]:
    """The numbers of the messages that are there, in the order in which they were kept."""
    by_id = (Order(Column("id", Kind.NUMBER)),)
    found = select(Selection(streams=frozenset({sender.stream}), order=by_id))
    factor = 1 if sender.door == OBSERVATIONS else 10
    return [round(result * factor) for result in found.result.tolist()]


if __name__ == "__main__":
    main()
