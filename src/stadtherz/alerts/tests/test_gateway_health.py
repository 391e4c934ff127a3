"""Gateways that fail: left in peace, tried with one message, told of, and looked at before they are needed."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from stadtherz.alerts import heartbeat
from stadtherz.alerts.models import Address, Alert, Channel, Contact, Delivery, Gateway
from stadtherz.alerts.outbox import health, watching
from stadtherz.alerts.outbox.budget import SPENT, midnight
from stadtherz.alerts.outbox.by_mail import SETTING
from stadtherz.alerts.outbox.ways import RESTS
from stadtherz.alerts.public import add_contact_list, add_gateway, change, send_due
from stadtherz.alerts.tests.factories import Ward, make_ward
from stadtherz.alerts.tests.mailserver import MailServer
from stadtherz.alerts.tests.served import Quiet, Served
from stadtherz.base.time import DAY, MINUTE, SECOND, from_us, now, now_us, stopped_at

Status = Delivery.Status
OWN = {"method": "POST", "path": "/sms", "body": {"messages": [{"to": "{to}", "text": "{text}"}]}}


class Provider(Served):
    """An SMS provider of the tests: what it was sent, and what it answers."""

    def __init__(self) -> None:
        self.status, self.bodies = 200, list[str]()
        provider = self

        class Handler(Quiet):
            def answer(self) -> None:
                provider.bodies.append(self.body().decode())
                self.says(provider.status)

        super().__init__(Handler)


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


@pytest.fixture
def ward(transactional_db: None) -> Ward:
    """Three people with telephones."""
    made = make_ward([])
    for place in range(3):
        contact = Contact.objects.create(owner_id=made.organisation, name=f"Wehr {place}")
        Address.objects.create(contact=contact, channel=Channel.SMS, address=f"+4915111111{place}")
        contact.lists.add(made.recipients)
    return made


def gateway(url: str, name: str = "first", **more: Any) -> Gateway:
    add_gateway(name, "http", {"form": OWN, "url": url}, per_second=1000, **more)
    return Gateway.objects.get(name=name)


def states() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("status", flat=True))


@contextmanager
def deaf() -> Iterator[str]:
    """An address where nobody listens any more."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    yield f"http://127.0.0.1:{port}"


def test_a_form_of_ones_own_is_filled_however_deep(ward: Ward, provider: Provider) -> None:
    gateway(provider.url)
    change(ward.goes(0, 1, observation=1))
    send_due()
    assert '{"messages": [{"to": "+49151111110", "text": "de Vorwarnung' in provider.bodies[0]


def test_one_that_fails_is_not_asked_again_for_each_message(ward: Ward, provider: Provider) -> None:
    provider.status = 503
    gateway(provider.url)
    change(ward.goes(0, 1, observation=1))
    send_due()
    send_due()
    assert len(provider.bodies) == 1
    assert states() == [Status.QUEUED] * 3
    first, *others = Delivery.objects.order_by("pk").values_list("error", flat=True)
    assert (first, set(others)) == ("503", {RESTS})


def test_when_its_rest_is_over_one_message_tries_it(ward: Ward, provider: Provider) -> None:
    provider.status = 503
    row = gateway(provider.url)
    change(ward.goes(0, 1, observation=1))
    send_due()
    with stopped_at(now() + timedelta(seconds=20)):
        send_due()
        assert len(provider.bodies) == 2
        row.refresh_from_db()
        assert row.failures == 2
    provider.status = 200
    with stopped_at(now() + timedelta(seconds=80)):
        send_due()
        row.refresh_from_db()
        assert (row.failures, row.retry_at, row.failing_since) == (0, None, None)
    with stopped_at(now() + timedelta(seconds=90)):
        send_due()
    assert states() == [Status.SENT] * 3


def test_two_processes_try_it_with_one_message_together(ward: Ward, provider: Provider) -> None:
    row = gateway(provider.url)
    health.note_failure(row, "down")
    late = now_us() + MINUTE
    one, other = Gateway.objects.get(pk=row.pk), Gateway.objects.get(pk=row.pk)
    assert [health.may_try(one, late), health.may_try(other, late)] == [True, False]


def test_a_refused_message_is_not_the_gateways_fault(ward: Ward, provider: Provider) -> None:
    provider.status = 400
    row = gateway(provider.url)
    change(ward.goes(0, 1, observation=1))
    send_due()
    row.refresh_from_db()
    assert len(provider.bodies) == 3
    assert (row.failing_since, row.retry_at) == (None, None)


def test_the_second_takes_all_while_the_first_rests(ward: Ward, provider: Provider) -> None:
    with deaf() as nobody:
        gateway(nobody, "dead", position=1)
        gateway(provider.url, "spare", position=2)
        change(ward.goes(0, 1, observation=1))
        send_due()
    assert states() == [Status.SENT] * 3
    assert Gateway.objects.get(name="dead").failures == 1


# --- before it is needed -----------------------------------------------------------------------------


def test_a_look_finds_the_dead_line_and_the_living_again(ward: Ward, provider: Provider) -> None:
    with deaf() as nobody:
        row = gateway(nobody)
        watching.check(now_us())
        row.refresh_from_db()
        assert row.failing_since is not None
    Gateway.objects.update(settings={"form": OWN, "url": provider.url})
    watching.check(now_us())
    row.refresh_from_db()
    assert (row.failing_since, row.failures, provider.bodies) == (None, 0, [])


def test_a_look_does_not_heal_what_the_provider_has_refused(ward: Ward, provider: Provider) -> None:
    provider.status = 401
    row = gateway(provider.url)
    change(ward.goes(0, 1, observation=1))
    send_due()
    watching.check(now_us() + DAY)
    row.refresh_from_db()
    assert row.failing_since is not None


def test_the_mail_server_of_the_settings_is_looked_at_too(
    transactional_db: None, mails: MailServer, settings: Any
) -> None:
    watching.check(now_us())
    row = Gateway.objects.get(name=SETTING)
    assert (row.failing_since, mails.subjects()) == (None, [])
    settings.STADTHERZ = {**settings.STADTHERZ, "smtp": "smtp://127.0.0.1:9"}
    watching.check(now_us() + DAY)
    row.refresh_from_db()
    assert row.failing_since is not None


# --- its own alert -----------------------------------------------------------------------------------


def test_a_dead_gateway_is_told_once_and_its_end_too(ward: Ward, mails: MailServer) -> None:
    told = add_contact_list(owner=ward.organisation, name="Technik")
    person = Contact.objects.create(owner_id=ward.organisation, name="Technik")
    Address.objects.create(contact=person, channel="email", address="it@stadt.example")
    person.lists.add(told)
    with deaf() as nobody:
        row = gateway(nobody)
    Gateway.objects.filter(pk=row.pk).update(told=told)
    watching.check(now_us())
    watching.look(now_us())
    assert not Alert.objects.filter(kind=watching.KIND).exists()
    for minutes in (4, 5, 6):
        watching.look(now_us() + minutes * MINUTE)
    alert = Alert.objects.get(kind=watching.KIND)
    assert (alert.owner_id, alert.recipients_id, alert.public) == (ward.organisation, told, False)
    health.note_success(row)
    watching.look(now_us() + 7 * MINUTE)
    watching.look(now_us() + 8 * MINUTE)
    alert.refresh_from_db()
    assert alert.cleared_at is not None
    send_due()
    assert mails.subjects() == ["Gateway ausgefallen: first", "Gateway arbeitet wieder: first"]


def test_the_alert_of_a_gateway_that_was_taken_away_ends(ward: Ward) -> None:
    with deaf() as nobody:
        row = gateway(nobody)
    health.note_failure(row, "down", unreached=True)
    watching.look(now_us() + 4 * MINUTE)
    Gateway.objects.all().delete()
    watching.look(now_us() + 5 * MINUTE)
    assert Alert.objects.get(kind=watching.KIND).cleared_at is not None


# --- what it may cost --------------------------------------------------------------------------------


def test_beyond_the_days_limit_only_danger_is_sent(ward: Ward, provider: Provider) -> None:
    gateway(provider.url)
    Gateway.objects.update(parts_a_day=2)
    change(ward.goes(0, 1, observation=1))
    send_due()
    assert states() == [Status.SENT, Status.SENT, Status.QUEUED]
    assert Delivery.objects.get(status=Status.QUEUED).error == SPENT
    change(ward.goes(1, 2, observation=2))
    Delivery.objects.filter(status=Status.QUEUED, event__rank=1).update(status=Status.SKIPPED)
    send_due()
    assert states()[3:] == [Status.SENT] * 3


def test_the_next_day_it_goes_on(ward: Ward, provider: Provider) -> None:
    gateway(provider.url)
    Gateway.objects.update(parts_a_day=2)
    change(ward.goes(0, 1, observation=1))
    send_due()
    tomorrow = from_us(midnight(now_us(), days=1) + SECOND)
    with stopped_at(tomorrow):
        send_due()
    assert states() == [Status.SENT] * 3


def test_staff_are_told_once_that_the_limit_is_reached_and_that_it_is_over(
    ward: Ward, provider: Provider
) -> None:
    gateway(provider.url)
    Gateway.objects.update(parts_a_day=2)
    watching.look(now_us())
    assert not Alert.objects.filter(kind=watching.LIMIT_KIND).exists()
    change(ward.goes(0, 1, observation=1))
    send_due()
    watching.look(now_us())
    watching.look(now_us())
    alert = Alert.objects.get(kind=watching.LIMIT_KIND)
    assert (alert.cleared_at, alert.public) == (None, False)
    with stopped_at(from_us(midnight(now_us(), days=1) + SECOND)):
        send_due()
        watching.look(now_us())
    alert.refresh_from_db()
    assert alert.cleared_at is not None


def test_a_mail_server_that_is_set_no_more_is_no_trouble(
    transactional_db: None, mails: MailServer, settings: Any
) -> None:
    make_ward([])
    watching.check(now_us())
    health.note_failure(Gateway.objects.get(name=SETTING), "down")
    watching.look(now_us() + 4 * MINUTE)
    assert Alert.objects.filter(kind=watching.KIND, cleared_at=None).exists()
    settings.STADTHERZ = {**settings.STADTHERZ, "smtp": ""}
    watching.check(now_us() + DAY)
    watching.look(now_us() + DAY)
    assert not Alert.objects.filter(kind=watching.KIND, cleared_at=None).exists()
    assert list(heartbeat.troubles(now_us() + DAY)) == []
