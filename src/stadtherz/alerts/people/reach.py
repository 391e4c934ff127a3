"""Whether anybody has been reached: what became of all messages of an alert together."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from stadtherz.alerts.models import Address, Alert, AlertEvent, Channel, Delivery
from stadtherz.base.time import MINUTE, now_us
from stadtherz.kit.declaration import Severity

Change = AlertEvent.Change
Status = Delivery.Status

_CALLS = (Change.RAISED, Change.ESCALATED, Change.RESUMED)
_GRAVE = (Severity.WARNING, Severity.DANGER)
_SOON = 2 * MINUTE  # a message that goes within that is no reason to worry
_MOST_PEOPLE = 10
_LOST = Q(status__in=[Status.FAILED, Status.UNCERTAIN]) | Q(receipt=Delivery.Receipt.UNDELIVERED)


class Why(StrEnum):
    """Why nobody knows of an alert, as far as we know."""

    FAILED = "failed"  # no message has arrived
    UNCERTAIN = "uncertain"  # one may have
    WAITING = "waiting"  # they cannot go at present
    NOBODY = "nobody"  # there was nobody to tell


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whom staff can call themselves; without a number where none is known."""

    name: str
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unreached:
    """Nobody has been reached, and who was to be."""

    why: Why
    people: tuple[Person, ...] = ()


def unreached(alerts: Iterable[Alert]) -> dict[int, Unreached]:
    """Those of the alerts that call for action and of which, at their newest step, nobody was told.

    Not those that somebody has taken on, or that a pause silences.
    """
    grave = [a for a in alerts if a.severity in _GRAVE and a.acknowledged_at is None]
    calls = _newest_calls(grave)
    sent: dict[int, list[Delivery]] = {}
    for each in _to_people(calls.values()).select_related("contact").order_by("pk"):
        sent.setdefault(each.event.alert_id, []).append(each)
    found = {pk: _why(sent.get(pk, [])) for pk in calls}
    numbers = _numbers({d.contact_id for pk, why in found.items() if why for d in sent.get(pk, [])})
    return {
        pk: Unreached(why, _people(sent.get(pk, []), numbers)) for pk, why in found.items() if why
    }


def is_lost(event: AlertEvent) -> bool:
    """Whether every message of this event has failed, or nobody knows what became of it."""
    owed = Delivery.objects.filter(event=event, subscriber=None, user=None)
    owed = owed.exclude(status=Status.SKIPPED)
    return owed.exists() and not owed.exclude(_LOST).exists()


def with_reach(alerts: QuerySet[Alert]) -> QuerySet[Any]:
    """With `owed_any` and `told_any`: whether people were owed a message of it, and one has gone."""
    owed = Delivery.objects.filter(event__alert=OuterRef("pk"), subscriber=None, user=None)
    owed = owed.exclude(status=Status.SKIPPED)
    return alerts.annotate(owed_any=Exists(owed), told_any=Exists(owed.exclude(_LOST)))


def _newest_calls(alerts: Collection[Alert]) -> dict[int, AlertEvent]:
    """Of each the event since which people have to know; none where a pause is in force."""
    events = AlertEvent.objects.filter(alert__in=alerts, change__in=_CALLS).order_by("pk")
    newest = {event.alert_id: event for event in events}
    return {pk: event for pk, event in newest.items() if not event.muted}


def _to_people(calls: Collection[AlertEvent]) -> QuerySet[Delivery]:
    """Messages since then, also of reminders and of lists that were told later."""
    since = Q(pk__in=())
    for event in calls:
        since |= Q(event__alert=event.alert_id, event__gte=event.pk)
    owed = Delivery.objects.filter(since, subscriber=None, user=None).select_related("event")
    return owed.exclude(status=Status.SKIPPED)


def _why(sent: Collection[Delivery]) -> Why | None:
    """None where somebody has been told, or will be in a moment."""
    open_ones = [each for each in sent if not _is_lost(each)]
    if any(each.status in (Status.SENT, Status.HANDING_OVER) for each in open_ones):
        return None
    if open_ones:
        moment = now_us()
        return Why.WAITING if all(moment - d.owed_at > _SOON for d in open_ones) else None
    if not sent:
        return Why.NOBODY
    return Why.UNCERTAIN if any(d.status == Status.UNCERTAIN for d in sent) else Why.FAILED


def _is_lost(sent: Delivery) -> bool:
    if sent.receipt == Delivery.Receipt.UNDELIVERED:
        return True
    return sent.status in (Status.FAILED, Status.UNCERTAIN)


def _numbers(contacts: set[int | None]) -> dict[int, list[str]]:
    rows = Address.objects.filter(contact__in=contacts - {None}, channel=Channel.SMS)
    found: dict[int, list[str]] = {}
    for contact, number in rows.order_by(F("sort_order"), "pk").values_list("contact", "address"):
        found.setdefault(contact, []).append(number)
    return found


def _people(sent: Iterable[Delivery], numbers: dict[int, list[str]]) -> tuple[Person, ...]:
    each_once = {each.contact: None for each in sent if each.contact is not None}
    return tuple(
        Person(contact.name, tuple(numbers.get(contact.pk, ())))
        for contact in list(each_once)[:_MOST_PEOPLE]
    )
