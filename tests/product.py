"""The product as its users get it: its own process, spoken to over HTTP. For journeys only."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from stadtherz.base.time import now

START_LIMIT_S = 120
SOURCE = Path(__file__).parent.parent / "src"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Mailbox:
    """A real SMTP server on the loopback that remembers what it accepted."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self._port = free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self._port)
        self._controller.start()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        message["X-Envelope-To"] = ",".join(envelope.rcpt_tos)
        self.messages.append(message)
        return "250 OK"

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self._port}"

    def subjects(self) -> list[str]:
        return [str(message["Subject"]) for message in self.messages]

    def close(self) -> None:
        self._controller.stop()


@dataclass
class Product:
    """One data folder and the process that serves it."""

    data: Path
    arguments: tuple[str, ...] = ("demo", "--empty")
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    clients: list[httpx.Client] = field(default_factory=list)

    def start(self, port: int = 0) -> "Product":
        self.process = subprocess.Popen(
            [
                *self.command(),
                *self.arguments,
                "--data",
                str(self.data),
                "--port",
                str(port),
                "--json",
            ],
            env=self.full_environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the product ended with {self.process.wait()} before it was ready"
        self.facts = json.loads(line)
        return self

    def command(self) -> list[str]:
        return [sys.executable, "-m", "stadtherz.cli.main"]

    def run(self, *arguments: str) -> str:
        """Another verb on the same data folder; its standard output."""
        done = self.attempt(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def attempt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """As `run`, for a verb that may fail."""
        return subprocess.run(
            [*self.command(), *arguments, "--data", str(self.data)],
            env=self.full_environment(),
            check=False,
            capture_output=True,
            text=True,
            timeout=START_LIMIT_S,
        )

    def full_environment(self) -> dict[str, str]:
        """The caller's environment without what pytest's own settings put there."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("STADTHERZ_", "DJANGO_"))
        }
        return kept | {"PYTHONPATH": str(SOURCE)} | self.environment

    def end(self) -> int:
        """Ctrl-C, and wait for a clean end; the exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self._ended()

    def kill(self) -> None:
        """kill -9: no chance to tidy up."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self._ended()

    def _ended(self) -> int:
        assert self.process is not None
        assert self.process.stdout is not None
        for client in self.clients:
            client.close()
        self.clients.clear()
        status = self.process.wait(timeout=START_LIMIT_S)
        self.process.stdout.close()
        return status

    @property
    def url(self) -> str:
        return str(self.facts["url"]).rstrip("/")

    def client(self, account: str | None = None) -> httpx.Client:
        """A browser without scripts; signed in as one of the demo's accounts."""
        client = self._remembered(
            httpx.Client(base_url=self.url, timeout=60, headers={"Accept-Language": "de"})
        )
        if account:
            self._sign_in(client, self.facts["accounts"][account])
        return client

    @staticmethod
    def _sign_in(client: httpx.Client, account: dict[str, str]) -> None:
        client.get("/konto/login/")
        answer = client.post(
            "/konto/login/",
            data={
                "login": account["email"],
                "password": account["password"],
                "csrfmiddlewaretoken": client.cookies["csrftoken"],
            },
            headers={"Referer": str(client.base_url)},
        )
        assert answer.status_code == 302, answer.text[:500]

    def api(self, token: str | None = None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self._remembered(
            httpx.Client(base_url=f"{self.url}/sta/v1.1/", timeout=60, headers=headers)
        )

    def _remembered(self, client: httpx.Client) -> httpx.Client:
        """The client itself; it is closed when the product ends."""
        self.clients.append(client)
        return client

    def uplink(self, document: dict[str, Any], network: str = "tts") -> httpx.Response:
        """Send a network's document as its webhook does."""
        door = self.facts["ingest"][network]
        return httpx.post(
            door["url"],
            json=document,
            headers={"Authorization": f"Bearer {door['token']}"},
            timeout=60,
        )


@dataclass
class Travelling(Product):
    """The product on a clock that the test moves forward: nobody waits for an hour to pass."""

    passed: timedelta = timedelta()

    def __post_init__(self) -> None:
        self.data.parent.mkdir(parents=True, exist_ok=True)
        self.goes_on()

    def command(self) -> list[str]:
        return [sys.executable, str(Path(__file__).with_name("ahead.py")), str(self._ahead)]

    @property
    def _ahead(self) -> Path:
        return self.data.with_name(f"{self.data.name}.ahead")

    def goes_on(self, **passed: float) -> None:
        """Time passes in one leap: `goes_on(hours=1, minutes=30)`."""
        self.passed += timedelta(**passed)
        part = self._ahead.with_suffix(".part")
        part.write_text(str(self.passed.total_seconds()))
        part.rename(self._ahead)

    def now(self) -> datetime:
        """What the product's clock shows, in UTC."""
        return now() + self.passed


LAUTER = "70B3D57ED0060001"
ESELSBACH = "70B3D57ED0060002"  # speaks through ChirpStack
NEIGHBOUR = "70B3D57ED0060004"


def tts(dev_eui: str, number: int, at: str, **values: float) -> dict[str, Any]:
    """An uplink of The Things Stack v3 with decoded values."""
    return {
        "end_device_ids": {
            "device_id": "gauge",
            "application_ids": {"application_id": "town"},
            "dev_eui": dev_eui,
            "dev_addr": "260B1234",
        },
        "received_at": at,
        "uplink_message": {
            "session_key_id": "AY4n",
            "f_port": 2,
            "f_cnt": number,
            "frm_payload": "AQI=",
            "decoded_payload": values,
            "received_at": at,
        },
    }


def chirpstack(dev_eui: str, number: int, at: str, **values: float) -> dict[str, Any]:
    """An uplink of ChirpStack v4 with decoded values."""
    return {
        "deduplicationId": f"journey-{dev_eui}-{number}",
        "time": at,
        "deviceInfo": {"deviceName": "gauge", "devEui": dev_eui.lower()},
        "fCnt": number,
        "fPort": 2,
        "data": "AQI=",
        "object": values,
    }


def eventually(condition: Callable[[], object], *, what: str) -> None:
    """Wait for something that other processes bring about; the limit only stops a hung test."""
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError(f"never happened: {what}")
