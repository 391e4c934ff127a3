"""Citizens are warned after they have confirmed, of what they chose, and never after they have left."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from stadtherz.alerts.citizens import telling
from stadtherz.alerts.citizens.letters import write_letters
from stadtherz.alerts.citizens.links import subscriber_of, token_of
from stadtherz.alerts.citizens.subscribing import (
    Wish,
    confirm,
    forget_unconfirmed,
    leave,
    subscribe,
    wishes_of,
)
from stadtherz.alerts.models import Alert, Broadcast, Delivery, Subscriber
from stadtherz.alerts.public import Channel, Transition, change, send_due
from stadtherz.alerts.tests.factories import Ward
from stadtherz.alerts.tests.mailserver import MailServer
from stadtherz.base import time
from stadtherz.base.errors import Invalid, NotFound
from stadtherz.kit.declaration import Severity
from stadtherz.store.models import Datastream

ALL = [Wish()]


@pytest.fixture(autouse=True)
def nobody_has_tried_before() -> None:
    cache.clear()


@pytest.fixture
def post(mails: MailServer, settings: Any) -> MailServer:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mails.port
    return mails


def citizen(email: str = "buerger@web.example", wishes: list[Wish] = ALL) -> Subscriber:
    subscribe(email, language="de", wishes=wishes)
    subscriber = Subscriber.objects.get(address=email)
    confirm(subscriber)
    return subscriber


def public(transition: Transition) -> Transition:
    return replace(transition, public=True, recipients=None)


def thing_of(ward: Ward) -> int:
    return int(Datastream.objects.get(pk=ward.datastream).thing_id)


def link(mail: Any) -> str:
    found = re.search(r"https?://[^/]+(/\S*warnungen/abo/\S+/)", mail.get_content())
    assert found
    return found[1]


# --- in and out ----------------------------------------------------------------------------------


def test_from_the_letter_to_the_warning_to_the_end(ward: Ward, post: MailServer) -> None:
    web = Client()
    web.post(
        "/warnungen/abo/", {"email": " Buerger@Web.example ", "topics": "all", "least": "info"}
    )
    write_letters(time.now_us())
    change(public(ward.goes(0, 1, observation=1)))
    send_due()
    (letter,) = post.received()  # and no warning before the confirmation
    path = link(letter)
    assert web.get(path).status_code == 200
    assert Subscriber.objects.get().confirmed_at is None  # a mail scanner has opened it, no more
    web.post(path, {"act": "confirm"})
    change(public(ward.goes(1, 2, observation=2)))
    send_due()
    warning = post.received()[-1]
    assert warning["Subject"] == "de Alarm: Pegel Lauterstraße"
    assert warning["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    at_once = warning["List-Unsubscribe"].strip("<>").split("example", 1)[-1]
    at_once = at_once[at_once.index("/warnungen") :]
    assert Client(enforce_csrf_checks=True).post(at_once).status_code == 200
    change(public(ward.goes(2, 0, observation=3)))
    send_due()
    assert len(post.received()) == 2
    assert not Subscriber.objects.exists()


def test_nobody_learns_whether_an_address_is_known(ward: Ward, post: MailServer) -> None:
    citizen("da@web.example")
    answers = [
        Client().post("/warnungen/abo/", {"email": email, "topics": "all"}).content
        for email in ("da@web.example", "neu@web.example")
    ]
    assert answers[0] == answers[1]
    write_letters(time.now_us())
    assert {m["To"] for m in post.received()} == {"da@web.example", "neu@web.example"}


def test_whoever_asks_for_a_stranger_changes_nothing_for_them(ward: Ward) -> None:
    known = citizen(wishes=[Wish(thing_of(ward), Severity.DANGER)])
    subscribe(known.address, language="en", wishes=ALL)
    assert wishes_of(known) == [Wish(thing_of(ward), Severity.DANGER)]


def test_an_address_gets_three_letters_a_day_however_often_somebody_asks(
    ward: Ward, post: MailServer
) -> None:
    for _ in range(6):
        subscribe("opfer@web.example", language="de", wishes=ALL)
        write_letters(time.now_us())
    assert len(post.received()) == 3
    with time.stopped_at(time.now() + timedelta(days=1)):
        subscribe("opfer@web.example", language="de", wishes=ALL)
        write_letters(time.now_us())
    assert len(post.received()) == 4


def test_who_does_not_confirm_is_forgotten(transactional_db: None) -> None:
    subscribe("still@web.example", language="de", wishes=ALL)
    confirmed = citizen("laut@web.example")
    forget_unconfirmed(time.to_us(time.now() + timedelta(hours=47)))
    assert Subscriber.objects.count() == 2
    forget_unconfirmed(time.to_us(time.now() + timedelta(hours=49)))
    assert Subscriber.objects.get() == confirmed


def test_a_letter_that_fails_is_tried_again(ward: Ward, post: MailServer) -> None:
    post.answer("rcpt", "451 later")
    subscribe("neu@web.example", language="en", wishes=ALL)
    write_letters(time.now_us())
    assert post.received() == []
    write_letters(time.to_us(time.now() + timedelta(minutes=6)))
    assert post.subjects() == ["Please confirm: warnings of Stadtherz"]


@pytest.mark.parametrize(
    "email", ["", "niemand", "a@b", "a b@c.example", "x@y.example\nBcc: z@z.example"]
)
def test_what_is_no_address_is_refused(transactional_db: None, email: str) -> None:
    with pytest.raises(Invalid) as refused:
        subscribe(email, language="de", wishes=ALL)
    assert refused.value.field == "email"
    page = Client().post("/warnungen/abo/", {"email": email, "topics": "all"})
    assert (page.status_code, b'aria-invalid="true"' in page.content) == (422, True)


def test_places_that_are_not_offered_cannot_be_chosen(ward: Ward) -> None:
    page = Client().post(
        "/warnungen/abo/", {"email": "a@web.example", "topics": [str(thing_of(ward)), "99", "x"]}
    )
    assert page.status_code == 422
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize(
    "broken", [lambda t: t[:-1], lambda t: "2" + t[1:], lambda _t: "x", lambda _t: "1.a~b"]
)
def test_a_made_up_link_leads_nowhere(transactional_db: None, broken: Any) -> None:
    token = token_of(citizen())
    assert subscriber_of(token)
    with pytest.raises(NotFound):
        subscriber_of(broken(token))
    assert Client().get(f"/warnungen/abo/{broken(token)}/").status_code == 404
    assert Client().post(f"/warnungen/abo/{broken(token)}/ende").status_code == 404


def test_from_one_connection_there_are_not_many_attempts(transactional_db: None) -> None:
    form = {"email": "a@web.example", "topics": "all"}
    codes = [
        Client(REMOTE_ADDR="192.0.2.7").post("/warnungen/abo/", form).status_code for _ in range(11)
    ]
    assert codes == [200] * 10 + [429]


# --- who is told of what -------------------------------------------------------------------------


def told() -> list[tuple[str, str]]:
    telling.spread(Channel.EMAIL)
    found = Delivery.objects.exclude(subscriber=None).order_by("pk")
    return [(each.subscriber.address, each.event.change) for each in found if each.subscriber]


def test_a_place_and_a_severity_are_chosen(ward: Ward) -> None:
    citizen("hier@web.example", [Wish(thing_of(ward), Severity.INFO)])
    citizen("dort@web.example", [Wish(thing_of(ward) + 1, Severity.INFO)])
    citizen("ernst@web.example", [Wish(None, Severity.DANGER)])
    change(public(ward.goes(0, 1, observation=1)))
    assert told() == [("hier@web.example", "raised")]
    change(public(ward.goes(1, 2, observation=2)))
    change(public(ward.goes(2, 0, observation=3)))
    assert sorted(told()) == [
        ("ernst@web.example", "cleared"),  # who was told of the worst is told of its end
        ("ernst@web.example", "escalated"),
        ("hier@web.example", "cleared"),
        ("hier@web.example", "escalated"),
        ("hier@web.example", "raised"),
    ]


def test_what_is_not_public_is_told_to_no_citizen(ward: Ward) -> None:
    citizen()
    change(ward.goes(0, 1, observation=1))
    Datastream.objects.update(access="organisation")
    change(public(ward.goes(1, 2, observation=2)))
    assert told() == []


def test_a_test_alarm_is_told_to_no_citizen(ward: Ward) -> None:
    citizen()
    change(public(ward.goes(0, 1, observation=1)))
    told()
    Alert.objects.update(drill=True)
    change(public(ward.goes(1, 2, observation=2)))
    assert told() == [("buerger@web.example", "raised")]


def test_spreading_goes_on_where_it_was_interrupted(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [citizen(f"b{number}@web.example") for number in range(7)]
    monkeypatch.setattr(telling, "PORTION", 2)
    change(public(ward.goes(0, 1, observation=1)))
    telling._spread_portion()
    telling._spread_portion()
    assert Delivery.objects.count() == 4
    leave(people[0])
    telling.spread(Channel.EMAIL)
    assert Delivery.objects.exclude(subscriber=None).count() == 6
    assert not Broadcast.objects.exists()


def test_who_has_to_act_is_not_kept_waiting_by_who_has_subscribed(
    ward: Ward, post: MailServer
) -> None:
    citizen()
    Subscriber.objects.update(write_at=None)
    change(replace(ward.goes(0, 1, observation=1), public=True))
    assert telling.spread(Channel.EMAIL) == 0
    assert send_due() == 1
    send_due()
    first, second = (str(each["To"]) for each in post.received())
    assert ("wehr@stadt.example" in first, second) == (True, "buerger@web.example")


def test_what_waits_for_somebody_who_has_left_is_not_sent(ward: Ward, post: MailServer) -> None:
    subscriber = citizen()
    Subscriber.objects.update(write_at=None)
    change(public(ward.goes(0, 1, observation=1)))
    telling.spread(Channel.EMAIL)
    leave(subscriber)
    send_due()
    assert post.received() == []
    assert Delivery.objects.get().status == Delivery.Status.SKIPPED
