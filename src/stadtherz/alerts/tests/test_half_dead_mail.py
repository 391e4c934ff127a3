"""Mail relays that answer and then fall silent: before the dot the next one gets the mail, after it nobody."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from stadtherz.alerts.channels import smtp
from stadtherz.alerts.models import Delivery, Gateway
from stadtherz.alerts.public import add_gateway, change, send_due
from stadtherz.alerts.tests.factories import Ward, make_ward

Status = Delivery.Status
SOON, LONG = 0.3, 60.0  # seconds
STEPS = ["EHLO", "MAIL", "RCPT", "DATA"]


class Relay:
    """A mail server that takes everything, but says nothing more at the step where it is to fall silent."""

    def __init__(self, silent_at: str = "") -> None:
        self.silent_at = silent_at
        self.came = 0
        self.asked: list[str] = []
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        relay = self

        class Server(SMTP):
            async def push(self, status: Any) -> None:
                said = relay.asked[-1] if relay.asked else ""
                if relay.silent_at and said == relay.silent_at:
                    await asyncio.sleep(LONG)
                await super().push(status)

        for step in STEPS:
            setattr(Server, f"smtp_{step}", _noted(relay, step))

        class Gate(Controller):
            def factory(self) -> SMTP:
                return Server(self.handler)

        self._gate = Gate(self, hostname="127.0.0.1", port=self.port)
        self._gate.start()

    async def handle_DATA(self, *_given: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.asked.append("dot")
        self.came += 1
        return "250 OK"

    def close(self) -> None:
        self._gate.stop()


def _noted(relay: Relay, step: str) -> Callable[..., Any]:
    usual = getattr(SMTP, f"smtp_{step}")

    @wraps(usual)
    async def noted(self: SMTP, arg: str) -> None:
        relay.asked.append(step)
        await usual(self, arg)

    return noted


@pytest.fixture
def relays() -> Iterator[Callable[[str], Relay]]:
    running: list[Relay] = []

    def start(silent_at: str = "") -> Relay:
        running.append(Relay(silent_at))
        name, place = f"relay {len(running)}", len(running)
        settings = {"host": "127.0.0.1", "port": running[-1].port, "security": "none"}
        add_gateway(name, "smtp", settings, position=place, per_second=1000)
        return running[-1]

    yield start
    for each in running:
        each.close()


@pytest.fixture
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The times for relays that others can replace; the time of one that is alone stays as it is."""
    monkeypatch.setattr(smtp, "BRISK", SOON)
    monkeypatch.setattr(smtp, "_LINE_SECONDS", SOON)


@pytest.fixture
def ward(transactional_db: None) -> Ward:
    return make_ward(["a@stadt.example", "b@stadt.example", "c@stadt.example"])


def states() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("status", flat=True))


@pytest.mark.usefixtures("_short")
@pytest.mark.parametrize("step", STEPS)
def test_whoever_falls_silent_before_the_text_costs_its_short_time_once(
    ward: Ward, relays: Callable[..., Relay], step: str
) -> None:
    first, second = relays(step), relays()
    change(ward.goes(0, 1, observation=1))
    began = time.monotonic()
    send_due()
    assert time.monotonic() - began < 10
    assert (states(), first.came, second.came) == ([Status.SENT] * 3, 0, 3)
    assert first.asked.count(step) == 1
    assert Gateway.objects.get(name="relay 1").failures == 1


@pytest.mark.usefixtures("_short")
def test_silence_after_the_dot_is_waited_for_and_gives_the_mail_to_nobody_else(
    ward: Ward, relays: Callable[..., Relay], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have it; only the mails behind it go by the other."""
    monkeypatch.setattr(smtp, "ANSWER_SECONDS", 4 * SOON)
    first, second = relays("dot"), relays()
    change(ward.goes(0, 1, observation=1))
    began = time.monotonic()
    send_due()
    assert time.monotonic() - began >= 4 * SOON
    assert sorted(states()) == [Status.SENT, Status.SENT, Status.UNCERTAIN]
    assert (first.came, second.came) == (1, 2)


@pytest.mark.usefixtures("_short")
def test_one_that_is_slow_is_waited_for_where_it_is_the_only_one(
    ward: Ward, relays: Callable[..., Relay], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{__name__}.LONG", 3 * SOON)
    only = relays("RCPT")
    change(ward.goes(0, 1, observation=1))
    send_due()
    assert (states(), only.came) == ([Status.SENT] * 3, 3)
