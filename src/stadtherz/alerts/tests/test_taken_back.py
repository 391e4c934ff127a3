"""Who was told of a public warning hears once that it was withdrawn, in words that say nothing of it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from django.db import connections, transaction

from stadtherz.alerts import shown
from stadtherz.alerts.citizens.subscribing import Wish, confirm, subscribe, subscribe_device
from stadtherz.alerts.models import Alert, AlertEvent, Broadcast, Delivery, Shown, Subscriber
from stadtherz.alerts.outbox import deliveries
from stadtherz.alerts.public import WITHDRAWN_KIND, Transition, change, send_due
from stadtherz.alerts.tests import receiver as receivers
from stadtherz.alerts.tests.factories import Ward, make_ward
from stadtherz.alerts.tests.mailserver import MailServer
from stadtherz.alerts.tests.receiver import Receiver
from stadtherz.alerts.tests.test_push import Phone
from stadtherz.base.time import now_us
from stadtherz.store.models import Datastream

Status = Delivery.Status


@pytest.fixture
def post(mails: MailServer, settings: Any) -> MailServer:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mails.port
    return mails


def citizen(email: str = "buerger@web.example", language: str = "de") -> Subscriber:
    subscribe(email, language=language, wishes=[Wish()])
    subscriber = Subscriber.objects.get(address=email)
    confirm(subscriber)
    return subscriber


def public(transition: Transition) -> Transition:
    return replace(transition, public=True, recipients=None)


def hide(access: str = "organisation") -> None:
    row = Datastream.objects.get()
    row.access = access
    row.save()


WAYS: dict[str, Callable[[Ward], Any]] = {
    "private": lambda ward: change(replace(ward.goes(1, 2, observation=2), recipients=None)),
    "deleted": lambda _ward: Alert.objects.get().delete(),
    "hidden": lambda _ward: hide(),
    "with its datastream": lambda _ward: Datastream.objects.get().delete(),
}


@pytest.mark.parametrize("way", WAYS)
def test_whoever_was_told_hears_once_that_it_no_longer_holds(
    ward: Ward, post: MailServer, way: str
) -> None:
    citizen()
    citizen("citizen@web.example", "en")
    change(public(ward.goes(0, 1, observation=1)))
    send_due()
    WAYS[way](ward)
    for _ in range(2):
        shown.tick(now_us())
        send_due()
    ends = sorted(post.received()[2:], key=lambda mail: mail["To"])
    assert [(mail["To"], mail["Subject"]) for mail in ends] == [
        ("buerger@web.example", "Warnung zurückgezogen"),
        ("citizen@web.example", "Warning withdrawn"),
    ]
    words = ends[0].get_body(("plain",)).get_content()
    assert "gilt nicht mehr; ob wieder alles in Ordnung ist, ist nicht bekannt." in words
    assert not [each for each in ("Lauter", "Pegel", "Vorwarnung") if each in ends[0].as_string()]


def test_what_still_waits_is_not_sent_and_nothing_is_taken_back_from_those(
    ward: Ward, post: MailServer
) -> None:
    citizen()
    change(public(ward.goes(0, 1, observation=1)))
    shown_ = Broadcast.objects.get()
    hide()
    assert not Broadcast.objects.filter(pk=shown_.pk).exists()
    send_due()
    assert post.received() == []


def test_what_is_owed_already_is_skipped(ward: Ward, post: MailServer) -> None:
    citizen()
    change(public(ward.goes(0, 1, observation=1)))
    post.answer("rcpt", "451 later")
    send_due()
    assert Delivery.objects.get().status == Status.QUEUED
    hide()
    Delivery.objects.update(next_attempt=0)
    send_due()
    assert Delivery.objects.get().status == Status.SKIPPED
    assert post.received() == []


def test_what_was_being_sent_and_comes_back_is_not_sent_again(ward: Ward, post: MailServer) -> None:
    """The server had it nearly: nobody knows, so its reader is told, and the text stays here."""
    citizen()
    change(public(ward.goes(0, 1, observation=1)))
    post.answer("rcpt", "451 later")
    send_due()
    Delivery.objects.update(status=Status.HANDING_OVER)
    hide()
    Delivery.objects.filter(event__change="raised").update(status=Status.QUEUED, next_attempt=0)
    send_due()
    assert post.subjects() == ["Warnung zurückgezogen"]
    assert Delivery.objects.get(event__change="raised").status == Status.FAILED


def test_who_has_heard_the_end_hears_no_more(ward: Ward, post: MailServer) -> None:
    citizen()
    change(public(ward.goes(0, 1, observation=1)))
    change(public(ward.goes(1, 0, observation=2)))
    send_due()
    send_due()
    hide()
    shown.tick(now_us())
    send_due()
    assert len(post.received()) == 2


def test_who_subscribed_later_hears_nothing_of_it(ward: Ward, post: MailServer) -> None:
    citizen()
    change(public(ward.goes(0, 1, observation=1)))
    send_due()
    citizen("neu@web.example")
    hide()
    send_due()
    assert [mail["To"] for mail in post.received()] == ["buerger@web.example"] * 2


def test_a_second_withdrawal_is_told_to_those_alone_who_were_told_again(
    ward: Ward, post: MailServer
) -> None:
    citizen()
    change(public(ward.goes(0, 1, observation=1)))
    send_due()
    hide()
    hide("public")
    send_due()
    hide()
    send_due()
    assert len(post.received()) == 2
    hide("public")
    change(public(ward.goes(1, 2, observation=2)))
    send_due()
    hide()
    send_due()
    assert len(post.received()) == 4


@pytest.fixture
def server(transactional_db: None, settings: Any) -> Iterator[Receiver]:
    settings.STADTHERZ = {**settings.STADTHERZ, "call_private": True}
    with receivers.running() as running:
        yield running


def test_on_a_device_it_takes_the_place_of_the_warning(server: Receiver) -> None:
    phone, ward = Phone(f"{server.url}/citizen"), make_ward([])
    subscribe_device(phone.subscription, language="de", wishes=[Wish()])
    confirm(Subscriber.objects.get())
    change(public(ward.goes(0, 1, observation=1)))
    send_due()
    hide()
    send_due()
    warning, end = (phone.read(request) for request in server.requests)
    assert (end["title"], end["tag"]) == ("Warnung zurückgezogen", warning["tag"])


def test_staff_see_that_it_was_told(ward: Ward, post: MailServer) -> None:
    citizen()
    change(public(ward.goes(0, 1, observation=1)))
    send_due()
    hide()
    notice = Alert.objects.get(kind=WITHDRAWN_KIND)
    assert (notice.owner_id, notice.public, notice.cleared_at is None) == (
        ward.organisation,
        False,
        False,
    )


class Killed(Exception):
    """The process ends here: what was not committed is gone."""


@pytest.mark.parametrize("step", range(1, 16))
def test_killed_at_any_statement_it_is_withdrawn_once(
    ward: Ward, post: MailServer, step: int
) -> None:
    citizen()
    change(public(ward.goes(0, 1, observation=1)))
    send_due()
    Alert.objects.update(public=False)
    written = 0

    def dies(execute: Any, sql: str, *rest: Any) -> Any:
        nonlocal written
        done = execute(sql, *rest)
        written += sql.startswith(("INSERT", "UPDATE", "DELETE", "SELECT"))
        if written == step:
            raise Killed
        return done

    try:
        with connections["default"].execute_wrapper(dies):
            shown.tick(now_us())
    except Killed:
        pass
    shown.tick(now_us())
    send_due()
    assert Shown.objects.exclude(withdrawn_at=None).count() == 1
    assert len(post.received()) == 2


def test_several_clocks_at_once_withdraw_it_once(ward: Ward, post: MailServer) -> None:
    citizen()
    change(public(ward.goes(0, 1, observation=1)))
    send_due()
    Alert.objects.update(public=False)

    def tick(_number: int) -> None:
        shown.tick(now_us())
        connections.close_all()

    with ThreadPoolExecutor(4) as several:
        list(several.map(tick, range(8)))
    assert AlertEvent.objects.filter(alert__kind=WITHDRAWN_KIND).count() == 1


def test_what_is_taken_back_goes_with_the_transaction(ward: Ward) -> None:
    change(public(ward.goes(0, 1, observation=1)))
    with transaction.atomic():
        hide()
        assert Shown.objects.get().withdrawn_at is not None
        transaction.set_rollback(True)
    assert Shown.objects.get().withdrawn_at is None


def test_a_lease_that_was_taken_before_it_was_withdrawn_sends_nothing(
    ward: Ward, post: MailServer
) -> None:
    citizen()
    change(public(ward.goes(0, 1, observation=1)))
    post.answer("rcpt", "451 later")
    send_due()
    Delivery.objects.update(next_attempt=0)
    claimed = deliveries.claim("somebody")
    assert claimed is not None
    hide()
    with pytest.raises(deliveries.LeaseLost):
        deliveries.mark_handing_over(claimed, "x")
