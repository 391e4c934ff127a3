"""From the wish to be warned to a confirmed subscription, and out of it in one step.

Nobody is written to twice without having confirmed, nobody learns whether an address is known, and
what is not confirmed within two days is forgotten (double opt-in).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from secrets import token_urlsafe
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from stadtherz.alerts.channels.webpush import device
from stadtherz.alerts.models import Channel, Delivery, Subscriber, Topic
from stadtherz.base.errors import Invalid
from stadtherz.base.time import Micros, from_us, now, now_us
from stadtherz.kit.declaration import Severity

HOURS_TO_CONFIRM = 48
KEPT_UNCONFIRMED = timedelta(hours=HOURS_TO_CONFIRM)
LETTERS_A_DAY = 3  # to one address, however often somebody asks
THING = "thing"


@dataclass(frozen=True, slots=True)
class Wish:
    """Warnings about one Thing, or with None about all, of this severity or graver."""

    thing: int | None = None
    least: Severity = Severity.INFO


def subscribe(email: str, *, language: str, wishes: Iterable[Wish]) -> None:
    """Ask the owner of the address to confirm; who is subscribed already gets the link to change it.

    Raises Invalid for what is no address, and where nothing is wished for.
    """
    _subscribe(Channel.EMAIL, _address(email), {}, language, wishes)


def subscribe_device(subscription: Any, *, language: str, wishes: Iterable[Wish]) -> None:
    """The same for a browser that gave this push subscription; the question comes as a message to it.

    Raises Invalid for what is no subscription, and where nothing is wished for.
    """
    found = device(subscription)
    _subscribe(Channel.PUSH, found.endpoint, found.details, language, wishes)


def _subscribe(
    channel: Channel, address: str, details: dict[str, str], language: str, wishes: Iterable[Wish]
) -> None:
    wanted = list(wishes)
    if not wanted:
        raise Invalid("topics", "choose at least one place, or all")
    with transaction.atomic():
        known = Subscriber.objects.select_for_update().filter(channel=channel, address=address)
        subscriber = known.order_by("confirmed_at").last() or known.first()
        if subscriber is None:
            subscriber = Subscriber(
                channel=channel, address=address, language=language, key=token_urlsafe(24)
            )
            subscriber.save()
        if subscriber.confirmed_at is None:
            subscriber.details = details
            subscriber.save(update_fields=["details"])
            _wish(subscriber, wanted)
        _owe_letter(subscriber)


def _address(email: str) -> str:
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError as problem:
        raise Invalid("email", "is no e-mail address, such as name@example.org") from problem
    return address


def _owe_letter(subscriber: Subscriber) -> None:
    """Another letter, unless this address has had enough of them today."""
    today = now().date()
    if subscriber.letters_on != today:
        subscriber.letters_on, subscriber.letters = today, 0
    if subscriber.letters < LETTERS_A_DAY:
        subscriber.letters += 1
        subscriber.write_at = now_us()
    subscriber.save(update_fields=["letters_on", "letters", "write_at"])


def confirm(subscriber: Subscriber) -> None:
    """From now on warnings are sent; confirming twice changes nothing."""
    if subscriber.confirmed_at is None:
        subscriber.confirmed_at = now()
        subscriber.save(update_fields=["confirmed_at"])


def choose(subscriber: Subscriber, wishes: Iterable[Wish]) -> None:
    """Replace what the subscriber is told of. Raises Invalid for nothing: that is what leaving is for."""
    wanted = list(wishes)
    if not wanted:
        raise Invalid("topics", "choose at least one place, or unsubscribe")
    with transaction.atomic():
        _wish(subscriber, wanted)


def leave(subscriber: Subscriber) -> None:
    """Forget the address and everything about it at once; what waits for it is not sent any more."""
    with transaction.atomic():
        waiting = Delivery.objects.filter(subscriber=subscriber, status=Delivery.Status.QUEUED)
        waiting.update(status=Delivery.Status.SKIPPED, changed_at=now_us())
        subscriber.delete()


def wishes_of(subscriber: Subscriber) -> list[Wish]:
    return [
        Wish(int(topic.subject) if topic.kind == THING else None, Severity(topic.least))
        for topic in subscriber.topics.order_by("pk")
    ]


def forget_unconfirmed(now: Micros) -> None:
    """Delete whoever has not confirmed in time; running it twice changes nothing."""
    oldest = from_us(now) - KEPT_UNCONFIRMED
    Subscriber.objects.filter(confirmed_at=None, asked_at__lt=oldest).delete()


def _wish(subscriber: Subscriber, wanted: Iterable[Wish]) -> None:
    subscriber.topics.all().delete()
    Topic.objects.bulk_create(
        (
            Topic(
                subscriber=subscriber,
                kind="" if wish.thing is None else THING,
                subject="" if wish.thing is None else str(wish.thing),
                least=wish.least,
            )
            for wish in wanted
        ),
        ignore_conflicts=True,
    )
