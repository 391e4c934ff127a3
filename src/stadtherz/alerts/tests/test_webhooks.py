"""Webhooks: signed as the Standard Webhooks specification has it, once, and never into our own network."""

import base64
import hmac
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import jsonschema_rs
import orjson
import pytest
from django.core.exceptions import ValidationError

from stadtherz.alerts.channels import outside, places
from stadtherz.alerts.channels.document import SCHEMA
from stadtherz.alerts.channels.outcomes import NotHandedOver
from stadtherz.alerts.channels.vault import opened
from stadtherz.alerts.channels.webhook import signature
from stadtherz.alerts.models import Address, AlertEvent, Channel, Contact, Delivery
from stadtherz.alerts.public import change, send_again, send_due
from stadtherz.alerts.tests import receiver as receivers
from stadtherz.alerts.tests.factories import Ward, make_ward
from stadtherz.alerts.tests.mailserver import MailServer
from stadtherz.alerts.tests.receiver import Receiver, Request
from stadtherz.base import time
from stadtherz.base.errors import Invalid

Status = Delivery.Status


@pytest.fixture
def inside(settings: Any) -> None:
    """The operator allows calls within the network."""
    settings.STADTHERZ = {**settings.STADTHERZ, "call_private": True}


@pytest.fixture
def hook(transactional_db: None, inside: None) -> Iterator[Receiver]:
    with receivers.running() as running:
        yield running


def told(hook: Receiver, *more: tuple[str, str, str]) -> Ward:
    """A control centre with a webhook, and what stands in for it."""
    ward = make_ward([])
    contact = Contact.objects.create(owner_id=ward.organisation, name="Leitstelle", language="de")
    ways = [(Channel.WEBHOOK, f"{hook.url}/alarm?town=7", "always"), *more]
    for place, (channel, address, use) in enumerate(ways):
        Address.objects.create(
            contact=contact, channel=channel, address=address, use=use, sort_order=place
        )
    contact.lists.add(ward.recipients)
    return ward


def verified(request: Request, secret: str) -> dict[str, Any]:
    """What a receiver does, from the specification: the id, the time and the body are signed."""
    key, moment = request.headers["webhook-id"], request.headers["webhook-timestamp"]
    signed = f"{key}.{moment}.".encode() + request.body
    digest = hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), signed, "sha256")
    version, _comma, given = request.headers["webhook-signature"].partition(",")
    assert (version, given) == ("v1", base64.b64encode(digest).decode())
    found: dict[str, Any] = orjson.loads(request.body)
    return found


def test_an_event_comes_once_and_signed(hook: Receiver) -> None:
    ward = told(hook)
    change(ward.goes(0, 2, observation=1))
    assert (send_due(), send_due()) == (1, 0)
    (request,) = hook.requests
    address, sent = Address.objects.get(), Delivery.objects.get()
    document = verified(request, opened(address.secret))
    assert request.path == "/alarm?town=7"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-id"] == sent.message_id == f"msg_{sent.pk}"
    assert (document["type"], document["data"]["severity"]) == ("alert.raised", "danger")
    assert document["data"]["texts"]["de"]["sentence"] == "Die Lauter: Alarm."
    assert document["data"]["place"]["datastream"] == ward.datastream
    assert sent.status == Status.SENT


def test_the_document_is_as_its_schema_says(hook: Receiver) -> None:
    ward = told(hook)
    change(ward.goes(0, 2, observation=1))
    change(ward.goes(2, 0, observation=2))
    send_due()
    schema = jsonschema_rs.validator_for(orjson.loads(SCHEMA.read_bytes()))
    found = [orjson.loads(request.body) for request in hook.requests]
    for document in found:
        schema.validate(document)
    assert [each["type"] for each in found] == ["alert.raised", "alert.cleared"]
    assert found[1]["data"]["alert"]["cleared_at"] is not None
    choices = orjson.loads(SCHEMA.read_bytes())["properties"]["data"]["properties"]["change"]
    assert choices["enum"] == list(AlertEvent.Change.values)


def test_the_link_takes_the_alert_on(hook: Receiver, client: Any) -> None:
    ward = told(hook)
    change(ward.goes(0, 2, observation=1))
    send_due()
    answer = orjson.loads(hook.requests[0].body)["data"]["answer"]
    client.post("/" + answer.split("/", 3)[3])
    assert AlertEvent.objects.get(change="raised").alert.acknowledged_by == "Leitstelle"


def test_it_waits_as_long_as_it_is_asked_to(hook: Receiver) -> None:
    ward = told(hook)
    hook.answers = [(429, {"Retry-After": "120"})]
    change(ward.goes(0, 2, observation=1))
    send_due()
    waits = Delivery.objects.get()
    assert waits.status == Status.QUEUED
    with time.stopped_at(time.now() + timedelta(seconds=110)):
        assert send_due() == 0
    with time.stopped_at(time.now() + timedelta(seconds=130)):
        assert send_due() == 1
    assert Delivery.objects.get().status == Status.SENT
    assert len({request.headers["webhook-id"] for request in hook.requests}) == 1


def test_who_wants_no_more_is_not_called_and_another_way_is_taken(
    hook: Receiver, mails: MailServer
) -> None:
    ward = told(hook, (Channel.EMAIL, "w@stadt.example", "instead"))
    hook.answers = [(410, {})]
    change(ward.goes(0, 2, observation=1))
    send_due()
    send_due()
    assert mails.subjects() == ["de Alarm: Pegel Lauterstraße"]
    assert Delivery.objects.order_by("pk").first().status == Status.FAILED  # type: ignore[union-attr]


def test_without_an_answer_nobody_knows_and_only_a_person_repeats_it(hook: Receiver) -> None:
    ward = told(hook)
    hook.answers = [(0, {}), (200, {})]
    change(ward.goes(0, 2, observation=1))
    assert (send_due(), send_due()) == (1, 0)
    uncertain = Delivery.objects.get()
    assert uncertain.status == Status.UNCERTAIN
    send_again(uncertain.pk)
    send_due()
    first, second = hook.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_redirects_are_not_followed(hook: Receiver) -> None:
    ward = told(hook)
    with receivers.running() as elsewhere:
        hook.answers = [(307, {"Location": elsewhere.url})]
        change(ward.goes(0, 2, observation=1))
        send_due()
        assert elsewhere.requests == []
    assert Delivery.objects.get().status == Status.QUEUED


def test_nothing_leads_into_our_own_network(db: None, monkeypatch: Any) -> None:
    for url in (
        "https://127.0.0.1/",
        "https://10.0.0.1/x",
        "https://[::1]/",
        "https://[::ffff:192.168.1.1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/",
    ):
        with pytest.raises(Invalid, match="private"):
            places.check_url(url)
    answers = [(2, 1, 6, "", ("93.184.216.34", 443)), (2, 1, 6, "", ("10.0.0.7", 443))]
    monkeypatch.setattr(outside.socket, "getaddrinfo", lambda *_a, **_k: answers)
    with pytest.raises(NotHandedOver, match="private"):
        outside.post("https://control.example/", b"", {}, goes_next=lambda: None)


@pytest.mark.parametrize(
    ("url", "field"),
    [
        ("ftp://control.example/", "address"),
        ("http://control.example/", "address"),
        ("https://user:secret@control.example/", "address"),
        ("https://192.168.0.7/", "address"),
    ],
)
def test_a_wrong_address_is_named(db: None, url: str, field: str) -> None:
    contact = Contact.objects.create(owner_id=make_ward([]).organisation, name="Leitstelle")
    with pytest.raises(ValidationError) as wrong:
        Address(contact=contact, channel=Channel.WEBHOOK, address=url).clean()
    assert list(wrong.value.message_dict) == [field]


def test_the_signature_of_the_specification() -> None:
    """The example of its reference implementation."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    signed = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
