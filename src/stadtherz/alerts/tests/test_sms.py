"""Warnings by SMS through a real Kannel: once, also when gateways fail and processes die."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from stadtherz.alerts.channels.http_sms import http_gateway
from stadtherz.alerts.channels.vault import opened
from stadtherz.alerts.models import Address, Alert, Channel, Contact, Delivery, Gateway
from stadtherz.alerts.outbox import deliveries
from stadtherz.alerts.public import (
    add_gateway,
    change,
    inbound_token,
    remove_gateway,
    send_due,
    try_gateway,
)
from stadtherz.alerts.tests import kannel as kannels
from stadtherz.alerts.tests.factories import Ward, make_ward
from stadtherz.alerts.tests.kannel import Kannel
from stadtherz.alerts.tests.mailserver import MailServer
from stadtherz.alerts.tests.processes import eventually
from stadtherz.base import time
from stadtherz.base.errors import Invalid, Unavailable

Status = Delivery.Status
NUMBER = "+4915111111111"


@pytest.fixture
def kannel(tmp_path: Path) -> Iterator[Kannel]:
    with kannels.running(tmp_path / "kannel") as running:
        yield running


@pytest.fixture
def ward(transactional_db: None) -> Ward:
    """One person with a telephone."""
    made = make_ward([])
    person(made, (Channel.SMS, NUMBER, "always"))
    return made


def person(ward: Ward, *addresses: tuple[str, str, str]) -> Contact:
    contact = Contact.objects.create(owner_id=ward.organisation, name="Wehr")
    for place, (channel, address, use) in enumerate(addresses):
        Address.objects.create(
            contact=contact, channel=channel, address=address, use=use, sort_order=place
        )
    contact.lists.add(ward.recipients)
    return contact


def gateway(kannel: Kannel, name: str = "kannel", *, password: str = "geheim", **more: Any) -> None:
    settings = {"form": "kannel", "url": kannel.url, "user": "stadt", "sender": "Stadt"}
    add_gateway(name, "http", settings, secret=password, per_second=1000, **more)


def only() -> Delivery:
    return Delivery.objects.get()


def test_a_warning_reaches_the_phone_once(ward: Ward, kannel: Kannel) -> None:
    kannel.centre()
    gateway(kannel)
    change(ward.goes(0, 1, observation=1))
    assert (send_due(), send_due()) == (1, 0)
    assert eventually(lambda: len(kannel.received()) == 1)
    code = Alert.objects.get().code
    told = f"<Stadt {NUMBER} text de Vorwarnung: Pegel Lauterstraße. Antwort OK {code}. Die Lauter: Vorwarnung.>"
    assert told in kannel.received()[0]
    sent = only()
    assert (sent.status, sent.gateway, sent.parts) == (Status.SENT, "kannel", 1)
    assert Gateway.objects.get().last_success is not None


def test_the_centre_may_be_away_for_a_while(ward: Ward, kannel: Kannel) -> None:
    gateway(kannel)
    change(ward.goes(0, 1, observation=1))
    send_due()
    assert only().status == Status.SENT  # Kannel has it on its disk
    kannel.centre()
    assert eventually(lambda: len(kannel.received()) == 1, seconds=30)


def test_the_second_gateway_takes_what_the_first_does_not(ward: Ward, kannel: Kannel) -> None:
    kannel.centre()
    dead = {"form": "kannel", "url": "http://127.0.0.1:9", "user": "x"}
    add_gateway("dead", "http", dead, position=1)
    gateway(kannel, "kannel", position=2)
    change(ward.goes(0, 1, observation=1))
    send_due()
    assert (only().status, only().gateway) == (Status.SENT, "kannel")
    assert Gateway.objects.get(name="dead").failing_since is not None
    assert eventually(lambda: len(kannel.received()) == 1)


def test_a_wrong_password_is_told_and_the_message_waits(ward: Ward, kannel: Kannel) -> None:
    gateway(kannel, password="falsch")
    change(ward.goes(0, 1, observation=1))
    send_due()
    assert (only().status, only().error[:3]) == (Status.QUEUED, "403")
    with pytest.raises(Unavailable, match="403"):
        try_gateway("kannel", NUMBER, "Test")


def test_without_a_gateway_it_waits_and_says_why(ward: Ward) -> None:
    change(ward.goes(0, 1, observation=1))
    send_due()
    assert (only().status, only().error) == (Status.QUEUED, deliveries.NO_GATEWAY)


def test_a_number_that_is_none_is_told_to_the_address_that_stands_in(
    transactional_db: None, mails: MailServer
) -> None:
    ward = make_ward([])
    person(ward, (Channel.SMS, "0151", "always"), (Channel.EMAIL, "w@stadt.example", "instead"))
    add_gateway("dead", "http", {"form": "kannel", "url": "http://127.0.0.1:9"})
    change(ward.goes(0, 1, observation=1))
    send_due()
    send_due()
    assert mails.subjects() == ["de Vorwarnung: Pegel Lauterstraße"]
    failed, instead = Delivery.objects.order_by("pk")
    assert (failed.status, instead.instead_of, instead.status) == (
        Status.FAILED,
        failed,
        Status.SENT,
    )


def test_danger_that_no_gateway_takes_goes_another_way_after_two_minutes(
    transactional_db: None, mails: MailServer
) -> None:
    ward = make_ward([])
    person(ward, (Channel.SMS, NUMBER, "always"), (Channel.EMAIL, "w@stadt.example", "instead"))
    add_gateway("dead", "http", {"form": "kannel", "url": "http://127.0.0.1:9"})
    change(ward.goes(0, 2, observation=1))
    send_due()
    with time.stopped_at(time.now() + timedelta(minutes=1)):
        send_due()
    assert Delivery.objects.count() == 1
    for minutes in (3, 4, 20):
        with time.stopped_at(time.now() + timedelta(minutes=minutes)):
            send_due()
            send_due()
    assert mails.subjects() == ["de Alarm: Pegel Lauterstraße"]
    waiting, instead = Delivery.objects.order_by("pk")
    assert (waiting.status, instead.instead_of) == (Status.QUEUED, waiting)


def test_without_any_gateway_danger_goes_another_way(
    transactional_db: None, mails: MailServer
) -> None:
    ward = make_ward([])
    person(ward, (Channel.SMS, NUMBER, "always"), (Channel.EMAIL, "w@stadt.example", "instead"))
    change(ward.goes(0, 2, observation=1))
    send_due()
    assert mails.subjects() == []
    with time.stopped_at(time.now() + timedelta(minutes=3)):
        send_due()
        send_due()
    assert mails.subjects() == ["de Alarm: Pegel Lauterstraße"]


def test_what_may_not_have_arrived_goes_another_way_too(
    transactional_db: None, mails: MailServer
) -> None:
    ward = make_ward([])
    person(ward, (Channel.SMS, NUMBER, "always"), (Channel.EMAIL, "w@stadt.example", "instead"))
    with provider(502, "bad gateway") as (url, _asked):
        add_gateway("seven", "http", {"form": "seven", "url": url})
        change(ward.goes(0, 1, observation=1))
        send_due()
        send_due()
    assert mails.subjects() == ["de Vorwarnung: Pegel Lauterstraße"]
    assert Delivery.objects.order_by("pk")[0].status == Status.UNCERTAIN


def test_a_refusal_of_one_gateway_does_not_end_it_while_another_is_away(ward: Ward) -> None:
    with provider(400, "no") as (url, asked):
        add_gateway("away", "http", {"form": "kannel", "url": "http://127.0.0.1:9"}, position=1)
        add_gateway("seven", "http", {"form": "seven", "url": url}, position=2)
        change(ward.goes(0, 1, observation=1))
        for minutes in range(0, 120, 15):
            with time.stopped_at(time.now() + timedelta(minutes=minutes)):
                send_due()
    assert len(asked) > 5
    assert only().status == Status.QUEUED


def test_mail_does_not_wait_for_sms(transactional_db: None, mails: MailServer) -> None:
    ward = make_ward(["w@stadt.example"])
    person(ward, (Channel.SMS, NUMBER, "always"))
    change(ward.goes(0, 1, observation=1))
    send_due()
    assert mails.subjects() == ["de Vorwarnung: Pegel Lauterstraße"]


# --- answers of other gateways -------------------------------------------------------------------


@contextmanager
def provider(status: int, body: str, *, breaks: bool = False) -> Iterator[tuple[str, list[Any]]]:
    """A provider that answers so, or takes the request and hangs up."""
    asked: list[Any] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            asked.append((self.path, dict(self.headers), self.rfile.read(length).decode()))
            if breaks:
                self.connection.close()
                return
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_arguments: Any) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_provider_that_wants_json_gets_it_with_a_lifetime(ward: Ward) -> None:
    with provider(200, '{"success": "100", "messages": [{"id": "77"}]}') as (url, asked):
        add_gateway("seven", "http", {"form": "seven", "url": url, "sender": "Stadt"}, secret="key")
        change(ward.goes(0, 1, observation=1))
        send_due()
    ((path, headers, body),) = asked
    assert (path, headers["X-Api-Key"]) == ("/api/sms", "key")
    assert '"ttl": "60"' in body
    assert f'"to": "{NUMBER}"' in body
    assert (only().status, only().message_id) == (Status.SENT, "77")


@pytest.mark.parametrize(
    ("status", "breaks", "expected"),
    [
        (429, False, Status.QUEUED),
        (503, False, Status.QUEUED),
        (400, False, Status.QUEUED),  # believed after five attempts
        (500, False, Status.UNCERTAIN),
        (200, True, Status.UNCERTAIN),
    ],
)
def test_what_a_provider_may_have_taken_is_never_repeated(
    ward: Ward, status: int, breaks: bool, expected: str
) -> None:
    with provider(status, "x", breaks=breaks) as (url, asked):
        add_gateway("seven", "http", {"form": "seven", "url": url})
        change(ward.goes(0, 1, observation=1))
        send_due()
        send_due()
    assert (only().status, len(asked)) == (expected, 1)
    assert NUMBER not in only().error


@pytest.mark.parametrize(
    ("status", "body", "failing"),
    [
        (200, '{"success": "900", "messages": []}', True),  # wrong key
        (200, "500", True),  # no credit
        (403, "no", True),
        (200, '{"success": "202", "messages": []}', False),  # this number only
    ],
)
def test_a_refusal_is_never_taken_for_sent(
    ward: Ward, status: int, body: str, failing: bool
) -> None:
    with provider(status, body) as (url, _asked):
        add_gateway("seven", "http", {"form": "seven", "url": url}, secret="wrong")
        change(ward.goes(0, 1, observation=1))
        send_due()
    assert only().status == Status.QUEUED
    assert (Gateway.objects.get().failing_since is not None) == failing


@pytest.mark.parametrize("said", [NUMBER, NUMBER[1:]])
def test_what_went_wrong_keeps_no_number(ward: Ward, said: str) -> None:
    with provider(500, f"cannot reach {said}") as (url, _asked):
        add_gateway("seven", "http", {"form": "seven", "url": url})
        change(ward.goes(0, 1, observation=1))
        send_due()
    assert said not in Gateway.objects.get().last_error
    assert said not in only().error


def test_a_text_with_braces_is_sent_as_it_is() -> None:
    with provider(200, "100") as (url, asked):
        carrier = http_gateway({"form": "seven", "url": url}, "key")
        carrier.send(NUMBER, "{secret} {to}", "1", goes_next=lambda: None)
    assert '"text": "{secret} {to}"' in asked[0][2]


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"form": "telegraph", "url": "https://x.example"}, "form"),
        ({"form": {"methode": "GET"}, "url": "https://x.example"}, "form"),
        ({"form": "seven", "url": "http://x.example"}, "url"),
        ({"form": "seven", "url": "ftp://x.example"}, "url"),
        ({"form": "seven", "url": "https://x:y"}, "url"),
        ({"form": "seven"}, "url"),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    transactional_db: None, settings: Any, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        add_gateway("x", "http", settings)
    assert refused.value.field == field
    assert not Gateway.objects.exists()


def test_a_password_is_not_readable_in_the_database(transactional_db: None) -> None:
    add_gateway("x", "http", {"form": "seven", "url": "https://x.example"}, secret="geheim")
    row = Gateway.objects.get()
    assert "geheim" not in row.secret
    assert opened(row.secret) == "geheim"
    remove_gateway("x")
    assert not Gateway.objects.exists()


def test_a_modem_gets_a_file(ward: Ward, tmp_path: Path) -> None:
    add_gateway("modem", "smstools", {"folder": str(tmp_path)})
    change(ward.goes(0, 1, observation=1))
    send_due()
    (file,) = tmp_path.iterdir()
    assert file.name == f"stadtherz.sh-{only().pk}"
    head, _empty, text = file.read_text().partition("\n\n")
    assert head == "To: 4915111111111\nValidity: 60 min\nAlphabet: UTF-8"
    assert text.startswith("de Vorwarnung: Pegel")
    assert only().status == Status.SENT


# --- receipts ------------------------------------------------------------------------------------


def test_kannel_tells_that_it_has_arrived(
    ward: Ward, kannel: Kannel, live_server: Any, settings: Any
) -> None:
    settings.STADTHERZ = {**settings.STADTHERZ, "public_url": live_server.url}
    kannel.centre()
    gateway(kannel)
    change(ward.goes(0, 1, observation=1))
    send_due()
    assert eventually(lambda: only().receipt == Delivery.Receipt.DELIVERED, seconds=30)
    assert eventually(lambda: Gateway.objects.get().last_receipt is not None)


def noted(door: str, *receipts: int) -> str:
    for each in receipts:
        told = {"message": f"sh-{Delivery.objects.earliest('pk').pk}", "receipt": str(each)}
        assert Client().get(door, told).status_code == 200
    return str(Delivery.objects.earliest("pk").receipt)


def test_receipts_come_in_any_order(ward: Ward, kannel: Kannel) -> None:
    gateway(kannel)
    change(ward.goes(0, 1, observation=1))
    send_due()
    door = f"/alarm/sms/{inbound_token('kannel')}"
    assert noted(door, 8) == Delivery.Receipt.BUFFERED
    assert noted(door, 1, 8, 2) == Delivery.Receipt.DELIVERED
    assert noted(door, 99, 4) == Delivery.Receipt.DELIVERED


def test_what_did_not_arrive_goes_another_way(
    transactional_db: None, mails: MailServer, kannel: Kannel
) -> None:
    ward = make_ward([])
    person(ward, (Channel.SMS, NUMBER, "always"), (Channel.EMAIL, "w@stadt.example", "instead"))
    gateway(kannel)
    change(ward.goes(0, 1, observation=1))
    send_due()
    noted(f"/alarm/sms/{inbound_token('kannel')}", 8, 16, 16)
    send_due()
    assert mails.subjects() == ["de Vorwarnung: Pegel Lauterstraße"]


def test_what_is_uncertain_and_turns_up_is_uncertain_no_more(ward: Ward) -> None:
    with provider(502, "bad gateway") as (url, _asked):
        add_gateway("kannel", "http", {"form": "kannel", "url": url})
        change(ward.goes(0, 1, observation=1))
        send_due()
    assert only().status == Status.UNCERTAIN
    door = f"/alarm/sms/{inbound_token('kannel')}"
    assert noted(door, 8) == Delivery.Receipt.BUFFERED
    assert only().status == Status.UNCERTAIN
    noted(door, 1)
    assert (only().status, only().error) == (Status.SENT, "")


def test_a_receipt_may_be_quicker_than_what_goes_wrong(ward: Ward) -> None:
    add_gateway("kannel", "http", {"form": "kannel", "url": "http://127.0.0.1:9"})
    change(ward.goes(0, 1, observation=1))
    claimed = deliveries.claim("somebody", Channel.SMS)
    assert claimed is not None
    deliveries.mark_handing_over(claimed, f"sh-{only().pk}", "kannel", 1)
    noted(f"/alarm/sms/{inbound_token('kannel')}", 1)
    deliveries.mark_uncertain(claimed, "no answer")
    assert (only().status, only().error) == (Status.SENT, "")


def test_danger_of_which_nothing_is_heard_goes_another_way(
    transactional_db: None, mails: MailServer, kannel: Kannel
) -> None:
    """Only by a gateway that has told of arrivals before: many never do."""
    ward = make_ward([])
    person(ward, (Channel.SMS, NUMBER, "always"), (Channel.EMAIL, "w@stadt.example", "instead"))
    gateway(kannel)
    change(ward.goes(0, 2, observation=1))
    send_due()
    with time.stopped_at(time.now() + timedelta(minutes=6)):
        send_due()
        assert Delivery.objects.count() == 1
        Gateway.objects.filter(name="kannel").update(last_receipt=1)
        send_due()
        send_due()
    assert mails.subjects() == ["de Alarm: Pegel Lauterstraße"]


def test_seven_tells_by_json(ward: Ward) -> None:
    with provider(200, '{"success": "100", "messages": [{"id": "77"}]}') as (url, _asked):
        add_gateway("seven", "http", {"form": "seven", "url": url}, secret="key")
        change(ward.goes(0, 1, observation=1))
        send_due()
    door = f"/alarm/sms/{inbound_token('seven')}"

    def told(event: str, **data: str) -> int:
        document = {"webhook_event": event, "data": data}
        sent = Client().post(door, document, content_type="application/json")
        return sent.status_code

    assert told("dlr", msg_id="78", status="DELIVERED") == 200  # not ours
    assert only().receipt == Delivery.Receipt.NONE
    assert told("dlr", msg_id="77", status="TRANSMITTED") == 200
    assert only().receipt == Delivery.Receipt.BUFFERED
    assert told("dlr", msg_id="77", status="DELIVERED") == 200
    assert only().receipt == Delivery.Receipt.DELIVERED
    code = Alert.objects.get().code
    assert told("sms_mo", sender=NUMBER[1:], text=f"ok {code}") == 200
    assert Alert.objects.get().acknowledged_by == "Wehr"
    assert told("tracking", what="else") == 200


@pytest.mark.parametrize("body", ["", "[]", "{", '{"webhook_event": "dlr"}', '{"a":' * 5000])
def test_a_webhook_of_another_kind_is_refused(ward: Ward, body: str) -> None:
    add_gateway("seven", "http", {"form": "seven", "url": "https://x.example"})
    door = f"/alarm/sms/{inbound_token('seven')}"
    assert Client().post(door, body, content_type="application/json").status_code == 400


# --- answers -------------------------------------------------------------------------------------


def test_a_person_takes_it_on_by_sms(ward: Ward, tmp_path: Path, live_server: Any) -> None:
    """Out and in through a real Kannel, and what is answered goes back through it."""
    add_gateway("soon", "http", {"form": "kannel", "url": "http://127.0.0.1:9"})
    inbound = f"{live_server.url}/alarm/sms/{inbound_token('soon')}?from=%p&text=%a"
    with kannels.running(tmp_path / "k", inbound) as kannel:
        gateway(kannel, "kannel", position=0)
        kannel.centre()
        change(ward.goes(0, 1, observation=1))
        send_due()
        code = Alert.objects.get().code
        kannel.centre_goes()  # it only listened; the next one brings an answer
        kannel.centre(f"{NUMBER} 5000 text quittieren {code} müde")
        assert eventually(lambda: Alert.objects.get().acknowledged_at is not None, seconds=30)
    assert Alert.objects.get().acknowledged_by == "Wehr"


def test_a_stranger_cannot_answer_and_a_made_up_address_is_none(ward: Ward) -> None:
    add_gateway("x", "http", {"form": "kannel", "url": "http://127.0.0.1:9"})
    change(ward.goes(0, 1, observation=1))
    door = f"/alarm/sms/{inbound_token('x')}"
    code = Alert.objects.get().code
    assert Client().get(door, {"from": "+4915199999999", "text": f"ok {code}"}).content == b""
    assert Alert.objects.get().acknowledged_at is None
    assert Client().get(door[:-1] + "x", {"from": NUMBER, "text": "ok"}).status_code == 404
    assert Client().get(door, {"text": "ok"}).status_code == 400
    answer = Client(enforce_csrf_checks=True).post(
        door, {"sender": NUMBER, "message": f"ok {code}"}
    )
    assert answer.status_code == 200
    assert Alert.objects.get().acknowledged_by == "Wehr"
    remove_gateway("x")
    assert Client().get(door, {"from": NUMBER, "text": "ok"}).status_code == 404


def test_a_mail_has_the_link_as_long_as_there_is_something_to_take_on(
    transactional_db: None, mails: MailServer
) -> None:
    ward = make_ward()
    change(ward.goes(0, 1, observation=1))
    send_due()
    change(ward.goes(1, 0, observation=2))
    send_due()
    warning, over = (m.get_body(("plain",)).get_content() for m in mails.received())  # type: ignore[union-attr]
    assert "/q/" in warning
    assert "/q/" not in over
