"""Over real sockets: TCP, TLS with a certificate that is renewed, and the websocket."""

import asyncio
import os
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from stadtherz.base.errors import Invalid
from stadtherz.mqtt.doors.addresses import Certificate, listening
from stadtherz.mqtt.doors.door import Door, Settings
from stadtherz.mqtt.tests.conftest import OWN, Town
from stadtherz.mqtt.tests.talk import ROOT, People
from stadtherz.mqtt.wire.decode import decode
from stadtherz.mqtt.wire.encode import encode
from stadtherz.mqtt.wire.packets import V5, Connack, Connect
from stadtherz.mqtt.wire.reasons import Reason

HELLO = encode(Connect(V5, "sensor", username="x", password=OWN.encode()), V5)


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    made, key = folder / "city.pem", folder / "city.key"
    subject = f"-subj /CN={name} -addext subjectAltName=IP:127.0.0.1"
    command = (
        f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 {subject} -keyout {key} -out {made}"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    return made, key


@asynccontextmanager
async def opened(people: People, address: str, **more: Any) -> AsyncIterator[Door]:
    door = Door()
    addresses = listening(address, plain=False)
    await door.start(people.who_is, Settings(ROOT, "city.example", addresses, **more))
    try:
        yield door
    finally:
        await door.stop()


async def answer(port: int, context: ssl.SSLContext | None = None) -> tuple[Connack, str]:
    """What a CONNECT is answered with, and whom the server's certificate names."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    writer.write(HELLO)
    first, size = await reader.readexactly(2)
    packet = decode(first, await reader.readexactly(size), V5)
    shown = writer.get_extra_info("peercert") or {}
    name = dict(pair for part in shown.get("subject", ()) for pair in part).get("commonName", "")
    writer.close()
    await writer.wait_closed()
    assert isinstance(packet, Connack)
    return packet, name


def test_a_client_is_answered_over_tcp(town: Town) -> None:
    async def story() -> Reason:
        async with opened(town.people, "mqtt://127.0.0.1:0") as door:
            return (await answer(door.ports[0]))[0].reason

    assert asyncio.run(story()) is Reason.SUCCESS


def test_a_renewed_certificate_is_used_without_a_restart(town: Town, tmp_path: Path) -> None:
    made, key = certificate(tmp_path, "old")

    async def story() -> list[str]:
        async with opened(town.people, "mqtts://127.0.0.1:0", certificate=made, key=key) as door:
            names = [(await answer(door.ports[0], trusting(made)))[1]]
            certificate(tmp_path, "new")
            assert door.certificate is not None
            door.certificate.refresh()
            return [*names, (await answer(door.ports[0], trusting(made)))[1]]

    assert asyncio.run(story()) == ["old", "new"]


def trusting(made: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(made))


def test_a_broken_renewal_leaves_the_old_certificate_in_use(tmp_path: Path) -> None:
    made, key = certificate(tmp_path, "old")
    held = Certificate(made, key)
    made.write_text("nothing")
    os.utime(made, (1, 1))
    with pytest.raises(Invalid, match="STADTHERZ_MQTT_CERTIFICATE"):
        held.refresh()
    assert held.context.get_ca_certs() == []


@pytest.mark.parametrize("missing", ["certificate", "port"])
def test_what_cannot_be_listened_to_says_why(town: Town, missing: str) -> None:
    async def story() -> None:
        async with opened(town.people, "mqtt://127.0.0.1:0") as door:
            taken = f"mqtt://127.0.0.1:{door.ports[0]}"
            wanted = taken if missing == "port" else "mqtts://127.0.0.1:0"
            async with opened(town.people, wanted):
                raise AssertionError("it listens")

    with pytest.raises(Invalid, match="STADTHERZ_MQTT"):
        asyncio.run(story())
