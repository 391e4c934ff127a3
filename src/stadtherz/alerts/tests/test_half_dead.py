"""Gateways that accept a connection and then say nothing: the next one gets the message, and they rest."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest

from stadtherz.alerts.channels.http_sms import http_gateway
from stadtherz.alerts.channels.mqtt import mqtt_broker
from stadtherz.alerts.channels.outcomes import NotHandedOver
from stadtherz.alerts.channels.smpp import Smpp, smpp_wishes
from stadtherz.alerts.channels.smpp_session import Account, Session
from stadtherz.alerts.models import Address, Contact, ContactList, Delivery, Gateway
from stadtherz.alerts.outbox import by_sms, ways
from stadtherz.alerts.people import chases
from stadtherz.alerts.public import change, send_due
from stadtherz.alerts.tests import smsc
from stadtherz.alerts.tests.factories import Ward
from stadtherz.alerts.tests.mailserver import MailServer
from stadtherz.alerts.tests.served import Quiet, Served
from stadtherz.alerts.tests.test_gateway_health import (
    OWN,
    Provider,
    gateway,
    provider,
    states,
    ward,
)
from stadtherz.base.time import now, now_us, stopped_at

__all__ = ["provider", "ward"]

Status = Delivery.Status
SOON = 0.2  # seconds that the tests wait for an answer


class Silent:
    """Accepts what comes, reads it and answers nothing."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._lines: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                line, _address = self._listener.accept()
                self._lines.append(line)
                threading.Thread(target=self._read, args=(line,), daemon=True).start()

    def _read(self, line: socket.socket) -> None:
        with suppress(OSError):
            while data := line.recv(4096):
                self.asked.append(data.decode(errors="replace").split(" ")[0])

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for each in (self._listener, *self._lines):
            each.close()
        self._thread.join()


class Hanging(Served):
    """Answers whatever carries no message, and swallows messages."""

    def __init__(self) -> None:
        self.swallowed, self.free = 0, threading.Event()
        hanging = self

        class Handler(Quiet):
            def answer(self) -> None:
                self.body()
                hanging.swallowed += 1
                hanging.free.wait(30)

        super().__init__(Handler)

    def close(self) -> None:
        self.free.set()
        super().close()


class Counting(Served):
    """Takes every message, knows no OPTIONS, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        counting = self

        class Handler(Quiet):
            def parse_request(self) -> bool:
                parsed = super().parse_request()
                counting.asked.append(self.command)
                return parsed

            def answer(self) -> None:
                self.body()
                self.says(200)

        super().__init__(Handler)


@pytest.fixture
def silent() -> Iterator[Silent]:
    made = Silent()
    yield made
    made.close()


@pytest.fixture
def _knocks_shortly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where nobody answers: those that work may take their time on a busy machine."""
    monkeypatch.setattr(ways, "KNOCK_SECONDS", SOON)


@pytest.fixture
def _waits_shortly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_sms, "_BRISK", SOON)


def warned(ward: Ward, first: str, spare: str) -> Gateway:
    """A warning is sent while there are these two gateways; the first of them."""
    row = gateway(first, "first", position=1)
    gateway(spare, "spare", position=2)
    change(ward.goes(0, 1, observation=1))
    send_due()
    return row


@pytest.mark.usefixtures("_knocks_shortly")
def test_the_next_one_gets_the_message_that_it_would_have_swallowed(
    ward: Ward, silent: Silent, provider: Provider
) -> None:
    warned(ward, silent.url, provider.url)
    assert states() == [Status.SENT] * 3
    assert len(provider.bodies) == 3
    assert silent.asked == ["OPTIONS"]  # asked once, and never given a message


@pytest.mark.usefixtures("_knocks_shortly")
def test_a_knock_that_nobody_answers_is_not_healed_by_a_look_at_the_line(
    ward: Ward, silent: Silent, provider: Provider
) -> None:
    row = warned(ward, silent.url, provider.url)
    row.refresh_from_db()
    assert (row.failures, row.unreached) == (1, False)
    assert "answers nothing" in row.last_error


@pytest.mark.usefixtures("_knocks_shortly")
def test_when_its_rest_is_over_one_knock_tries_it(
    ward: Ward, silent: Silent, provider: Provider
) -> None:
    row = warned(ward, silent.url, provider.url)
    with stopped_at(now() + timedelta(seconds=20)):
        change(ward.goes(1, 2, observation=2))
        send_due()
    row.refresh_from_db()
    assert (row.failures, silent.asked) == (2, ["OPTIONS"] * 2)
    assert states() == [Status.SENT] * 6


def test_alone_it_is_trusted_with_the_message(ward: Ward) -> None:
    """Nobody could take it instead, and some that answer no knock send messages."""
    counting = Counting()
    gateway(counting.url)
    change(ward.goes(0, 1, observation=1))
    send_due()
    counting.close()
    assert (states(), counting.asked) == ([Status.SENT] * 3, ["POST"] * 3)


def test_one_that_works_is_knocked_at_once_and_not_for_each_message(
    ward: Ward, provider: Provider
) -> None:
    counting = Counting()
    warned(ward, counting.url, provider.url)
    counting.close()
    assert (counting.asked, provider.bodies) == (["OPTIONS", *["POST"] * 3], [])


@pytest.mark.usefixtures("_waits_shortly")
def test_what_swallows_a_message_costs_one_and_the_others_go_by_the_next(
    ward: Ward, provider: Provider
) -> None:
    hanging = Hanging()
    warned(ward, hanging.url, provider.url)
    hanging.close()
    assert (hanging.swallowed, len(provider.bodies)) == (1, 2)
    assert sorted(states()) == [Status.SENT, Status.SENT, Status.UNCERTAIN]


def chained(ward: Ward) -> None:
    """One person who has nothing but a telephone, and a list that is told after half an hour."""
    only, other, _third = Contact.objects.order_by("pk")
    later = ContactList.objects.create(owner_id=ward.organisation, name="Bauhof")
    later.contacts.set([other])
    first = ContactList.objects.get(pk=ward.recipients)
    first.contacts.set([only])
    first.escalate_to, first.escalate_minutes = later, 30
    first.save()


@pytest.mark.usefixtures("_waits_shortly")
@pytest.mark.parametrize("rank", [1, 2])
def test_if_the_only_person_may_not_have_it_the_next_list_is_told_at_once(
    ward: Ward, provider: Provider, rank: int
) -> None:
    chained(ward)
    hanging = Hanging()
    gateway(hanging.url, "first", position=1)
    gateway(provider.url, "spare", position=2)
    change(ward.goes(0, rank, observation=1))
    send_due()
    chases.tick(now_us())
    send_due()
    hanging.close()
    assert states() == [Status.UNCERTAIN, Status.SENT]
    assert "war niemand zu erreichen. Die Lauter: " in provider.bodies[0]
    chases.tick(now_us())
    assert Delivery.objects.count() == 2  # told once


@pytest.mark.usefixtures("_waits_shortly")
def test_as_long_as_one_of_the_list_was_told_the_next_one_has_its_time(
    ward: Ward, provider: Provider
) -> None:
    chained(ward)
    ContactList.objects.get(pk=ward.recipients).contacts.add(Contact.objects.latest("pk"))
    hanging = Hanging()
    gateway(hanging.url, "first", position=1)
    gateway(provider.url, "spare", position=2)
    change(ward.goes(0, 2, observation=1))
    send_due()
    chases.tick(now_us())
    hanging.close()
    assert sorted(states()) == [Status.SENT, Status.UNCERTAIN]


@pytest.mark.usefixtures("_waits_shortly")
def test_what_one_gateway_has_swallowed_goes_by_the_persons_next_way_and_never_by_the_same(
    ward: Ward, provider: Provider, mails: MailServer
) -> None:
    chained(ward)
    Address.objects.create(
        contact=Contact.objects.earliest("pk"),
        channel="email",
        address="wehr@stadt.example",
        use="instead",
        sort_order=2,
    )
    hanging = Hanging()
    gateway(hanging.url, "first", position=1)
    gateway(provider.url, "spare", position=2)
    change(ward.goes(0, 2, observation=1))
    send_due()
    send_due()
    hanging.close()
    assert states() == [Status.UNCERTAIN, Status.SENT]
    assert (len(mails.received()), provider.bodies) == (1, [])


def test_whoever_hangs_up_at_a_knock_is_there() -> None:
    with hanging_up() as url:
        http_gateway({"form": OWN, "url": url}, "").knock(SOON)


def test_nobody_knocks_at_a_broker_for_long(silent: Silent) -> None:
    broker = mqtt_broker({"host": "127.0.0.1", "port": silent.port, "tls": False}, "")
    with pytest.raises(NotHandedOver):
        broker.knock(SOON)


@contextmanager
def hanging_up() -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        line, _address = listener.accept()
        line.close()

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    thread.join()
    listener.close()


def test_gateways_are_still_tried_in_their_order(ward: Ward, provider: Provider) -> None:
    other = Provider()
    gateway(other.url, "second", position=2)
    gateway(provider.url, "first", position=1)
    change(ward.goes(0, 1, observation=1))
    send_due()
    other.close()
    assert (len(provider.bodies), len(other.bodies)) == (3, 0)
    assert set(Gateway.objects.values_list("failures", flat=True)) == {0}


def test_a_silent_sms_centre_is_found_out_without_a_message() -> None:
    with smsc.running() as centre:
        account = Account("127.0.0.1", centre.port, "stadt", "geheim", tls=False)
        session = Session(account, lambda _heard: None)
        wishes = smpp_wishes({"host": "127.0.0.1", "user": "stadt", "sender": "Stadt"})
        carrier = Smpp(account, wishes, lambda: session)
        carrier.knock(5.0)
        centre.answers_life = False
        with pytest.raises(NotHandedOver):
            carrier.knock(SOON)
        session.end()
        assert (centre.signs_of_life, centre.asked) == (2, 0)
