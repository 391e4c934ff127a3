"""Whom a delivery is for: a contact at one of its addresses, a citizen who has subscribed, or staff."""

from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils.translation import override

from stadtherz.alerts.citizens.links import token_of
from stadtherz.alerts.models import Delivery
from stadtherz.alerts.people.links import link_for
from stadtherz.base.visibility import ANONYMOUS
from stadtherz.store.public import streams_visible_to


@dataclass(frozen=True, slots=True)
class Reader:
    """What a message needs to know of its reader.

    `key` tells readers of one event apart for ever. `leave` is the path of the page on which a
    subscriber unsubscribes; contacts have none. `answer` is the path of the page on which a contact takes
    the alert on, and `code` what is answered by SMS; both only while there is something to take on.
    `staff` are told because of their account, not because they are on a list.
    """

    key: str
    name: str
    language: str
    address: str
    leave: str = ""
    answer: str = ""
    code: int | None = None
    staff: bool = False


def reader_of(delivery: Delivery) -> Reader | str:
    """The reader, or why there is none any more."""
    if delivery.subscriber is not None:
        return _taken_back(delivery) or _citizen(delivery)
    if delivery.user is not None:
        return _member(delivery)
    contact, address = delivery.contact, delivery.address
    if contact is None or address is None:
        return "The contact has been removed."
    if not contact.active:
        return "The contact has been switched off."
    alert = delivery.event.alert
    open_ = alert.cleared_at is None and (alert.drill or alert.acknowledged_at is None)
    return Reader(
        str(contact.pk),
        contact.name,
        contact.language,
        address.address,
        answer=link_for(delivery) if open_ else "",
        code=alert.code if open_ else None,
    )


def _taken_back(delivery: Delivery) -> str:
    """Why it is not for everybody any more: it was being sent when its warning was withdrawn, and came back."""
    alert = delivery.event.alert
    if delivery.attempts < 2 or alert.datastream_id is None:
        return ""
    if alert.public and streams_visible_to(ANONYMOUS, {alert.datastream_id}):
        return ""
    return "The warning has been withdrawn."


def _citizen(delivery: Delivery) -> Reader:
    subscriber = delivery.subscriber
    assert subscriber is not None
    with override(subscriber.language):
        leave = reverse("web:subscription", args=[token_of(subscriber)])
    return Reader(f"s{subscriber.pk}", "", subscriber.language, subscriber.address, leave)


def _member(delivery: Delivery) -> Reader | str:
    user = delivery.user
    assert user is not None
    if not user.is_active:
        return "The account has been switched off."
    language = user.language or settings.LANGUAGE_CODE
    return Reader(f"u{user.pk}", user.name, language, user.email, staff=True)
