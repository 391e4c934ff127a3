"""Who is told of an event, by which addresses and when: one message owed to each.

- The members of a list and who is on duty are called when an alert begins, gets graver, or nobody
  answers. Who has been told of an alert is told how it goes on and that it is over, wherever the list
  has gone meanwhile.
- Nobody is told of the end of something they have never been told of.
- In quiet hours a message that may wait does. Newer news of the same alert replace it, and if the alert
  is over by then it is not sent at all.
"""

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial

from django.db import transaction
from django.db.models import Q, QuerySet

from stadtherz.alerts.models import Address, AlertEvent, Channel, Delivery, Roster
from stadtherz.alerts.outbox.wake import wake
from stadtherz.alerts.people.phones import e164
from stadtherz.alerts.people.plans import plan_of, zone
from stadtherz.alerts.people.quiet import peace_until
from stadtherz.alerts.people.rosters import on_duty
from stadtherz.base.time import Micros, now_us
from stadtherz.kit.declaration import Severity

Change = AlertEvent.Change
Status = Delivery.Status

_URGENCY = {
    Severity.OK: 0,
    Severity.UNKNOWN: 1,
    Severity.INFO: 1,
    Severity.WARNING: 2,
    Severity.DANGER: 3,
}
_CALLS_THE_LIST = {
    Change.RAISED,
    Change.ESCALATED,
    Change.REMINDED,
    Change.FORWARDED,
    Change.RESUMED,
}
_TELLS_THOSE_WHO_KNOW = {Change.ESCALATED, Change.LOWERED, Change.CLEARED, Change.RESUMED}


@dataclass(frozen=True, slots=True)
class _Known:
    """Who has been told of an alert, and whose message still waits for the end of quiet hours."""

    heard: frozenset[int]
    waiting: frozenset[int]


def urgency(severity: str) -> int:
    """The rank of a severity: the gravest is the highest."""
    return _URGENCY[Severity(severity)]


def owe_first(event: AlertEvent, recipients: int | None) -> None:
    """Owe the messages of an alert's first event: nobody has been told of it, so nothing need be looked up."""
    _write(event, _called(event, [recipients], event.severity), set())


def owe(event: AlertEvent, *recipients: int | None, but: AbstractSet[int] = frozenset()) -> None:
    """Owe one message to each address that the event concerns, of these lists and of those who know.

    `but` are contacts who need none.
    """
    known = _known(event.alert_id)
    chosen: list[Address] = []
    if event.change in _CALLS_THE_LIST:
        chosen += _called(event, recipients, _worst_before(event))
    if event.change in _TELLS_THOSE_WHO_KNOW:
        told = known.heard if event.change == Change.CLEARED else known.heard | known.waiting
        chosen += _usable(Q(pk__in=told))
    chosen = [each for each in chosen if each.contact_id not in but]
    _supersede(event, {each.contact_id for each in chosen})
    _write(event, chosen, _reached_by(event))


def owe_person(event: AlertEvent, contact: int) -> None:
    """Owe the message to one person, who has come on duty."""
    chosen = [
        each
        for each in _usable(Q(contact=contact))
        if urgency(each.least) <= urgency(event.severity)
    ]
    _supersede(event, {contact})
    _write(event, chosen, _reached_by(event))


def owe_others(event: AlertEvent, but: int | None) -> None:
    """Owe a quiet word to everybody else who knows of the alert, by one address each."""
    each_once: dict[int, Address] = {}
    for address in _usable(Q(pk__in=_known(event.alert_id).heard)):
        if address.contact_id != but:
            each_once.setdefault(address.contact_id, address)
    _write(event, list(each_once.values()), _reached_by(event))


def members(recipients: Iterable[int], moment: Micros) -> set[int]:
    """The contacts on these lists, with those on duty at this moment."""
    lists = list(recipients)
    rosters = Roster.objects.filter(lists__in=lists).prefetch_related("members", "shifts")
    on_turn = (on_duty(plan_of(roster), moment) for roster in rosters.distinct())
    listed = Address.objects.filter(contact__lists__in=lists).values_list("contact", flat=True)
    return {*listed, *(person for person in on_turn if person is not None)}


def forget_waiting(alert: int) -> None:
    """What still waits for the end of somebody's quiet hours is not needed any more."""
    _waiting(alert).update(status=Status.SKIPPED, changed_at=now_us())


def _called(event: AlertEvent, lists: Iterable[int | None], worst: str) -> list[Address]:
    """Addresses of these lists that want to hear of what is as grave, or was before."""
    grave = max(urgency(event.severity), urgency(worst))
    listed = _of_lists([each for each in lists if each], now_us())
    return [each for each in listed if urgency(each.least) <= grave]


def _of_lists(lists: Sequence[int], moment: Micros) -> list[Address]:
    return _usable(Q(contact__in=members(lists, moment))) if lists else []


def _usable(which: Q) -> list[Address]:
    """Addresses of people who want messages; the outbox alone uses those that stand in for others.

    Whoever has no other is called by the first of them: there is nothing that it could stand in for.
    """
    rows = Address.objects.filter(contact__active=True).select_related("contact")
    found = list(rows.filter(which).order_by("contact", "sort_order", "pk"))
    people = {each.contact_id for each in found if each.use == Address.Use.INSTEAD}
    if not people:
        return found
    always = set(
        rows.filter(contact__in=people, use=Address.Use.ALWAYS).values_list("contact", flat=True)
    )
    first: dict[int, Address] = {}
    for each in found:
        first.setdefault(each.contact_id, each)
    return [
        each
        for each in found
        if each.use == Address.Use.ALWAYS
        or (each.contact_id not in always and first[each.contact_id] is each)
    ]


def _worst_before(event: AlertEvent) -> str:
    known = AlertEvent.objects.filter(alert=event.alert_id).values_list("severity", flat=True)
    return max(known, key=urgency, default=event.severity)


def _waiting(alert: int) -> QuerySet[Delivery]:
    """Nobody has tried them: their time has not come."""
    return Delivery.objects.filter(
        event__alert=alert, status=Status.QUEUED, attempts=0, next_attempt__gt=now_us()
    )


def _known(alert: int) -> _Known:
    owed = Delivery.objects.filter(event__alert=alert, address__isnull=False)
    rows = owed.exclude(status=Status.SKIPPED).order_by()
    moment, heard, waiting = now_us(), set[int](), set[int]()
    for address, status, attempts, due in rows.values_list(
        "address", "status", "attempts", "next_attempt"
    ):
        untried = status == Status.QUEUED and attempts == 0 and due > moment
        (waiting if untried else heard).add(address)
    return _Known(frozenset(heard), frozenset(waiting))


def _supersede(event: AlertEvent, contacts: set[int]) -> None:
    """Newer news replace older ones that wait: a grave message must not queue behind a light one."""
    waiting = _waiting(event.alert_id)
    if event.change != Change.CLEARED:
        waiting = waiting.filter(contact__in=contacts)
    waiting.update(status=Status.SKIPPED, changed_at=now_us())


def _write(event: AlertEvent, addresses: Iterable[Address], taken: set[tuple[str, str]]) -> None:
    """One row for each of them, but where a message of the event goes already: these are `taken`."""
    moment = now_us()
    due = _due(event, moment)
    rows = [
        Delivery(
            event=event,
            contact_id=address.contact_id,
            address=address,
            channel=address.channel,
            urgency=urgency(event.severity),
            next_attempt=due(address),
            owed_at=moment,
            changed_at=moment,
        )
        for address in _each_once(addresses, set(taken))
    ]
    if rows:
        Delivery.objects.bulk_create(rows)
        transaction.on_commit(partial(wake, *{row.channel for row in rows}))


def _reached_by(event: AlertEvent) -> set[tuple[str, str]]:
    before = Delivery.objects.filter(event=event, address__isnull=False)
    return {_reached(*pair) for pair in before.values_list("channel", "address__address")}


def _each_once(addresses: Iterable[Address], taken: set[tuple[str, str]]) -> list[Address]:
    """Without those that reach where a message of the event goes already."""
    kept: list[Address] = []
    for each in addresses:
        place = _reached(each.channel, each.address)
        if place not in taken:
            taken.add(place)
            kept.append(each)
    return kept


def _reached(channel: str, address: str) -> tuple[str, str]:
    if channel == Channel.SMS:
        return channel, e164(address) or address
    return channel, address.strip().lower() if channel == Channel.EMAIL else address


def _due(event: AlertEvent, moment: Micros) -> Callable[[Address], Micros]:
    """When a message of this event may go to an address."""
    grave, city = urgency(event.severity), zone()

    def due(address: Address) -> Micros:
        person = address.contact
        if grave >= min(urgency(person.wakes), urgency(Severity.DANGER)):
            return moment
        return peace_until(person.quiet_from, person.quiet_until, city, moment) or moment

    return due
