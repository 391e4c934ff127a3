"""Test alarms: the whole chain of a list, with everybody's answer, and the reminder to make one.

A test alarm is an alert of the kind "alerts.drill" about no datastream. Its text says first that it is
a test, its severity is danger so that every address is tried, no pause silences it, one person's answer
does not stop it, and neither citizens nor statistics know of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.urls import NoReverseMatch, reverse

from stadtherz.alerts.models import Alert, AlertEvent, AlertNote, ContactList, Delivery, Drill
from stadtherz.alerts.people import chases, rollcall, wording
from stadtherz.alerts.people.codes import open_with_code
from stadtherz.alerts.people.events import locked, record
from stadtherz.base.errors import Conflict
from stadtherz.base.time import DAY, Micros, now_us
from stadtherz.kit.declaration import Severity

KIND = "alerts.drill"
_MONTH = 31 * DAY
_LONGEST = DAY  # after it, whoever has not answered will not


@dataclass(frozen=True, slots=True)
class Reached:
    """One message of a test alarm: whom it was for, how it went and how long it took."""

    person: str
    contact: int | None
    recipients: str
    change: str
    delivery: Delivery
    took: Micros | None


@dataclass(frozen=True, slots=True)
class Answer:
    """Somebody who was called, and when and how they have answered, if they have."""

    person: str
    at: Micros | None
    way: str
    took: Micros | None


@dataclass(frozen=True, slots=True)
class Result:
    """What a test alarm has shown."""

    over: bool
    messages: tuple[Reached, ...]
    answers: tuple[Answer, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(each.person for each in self.answers if each.at is None)


def start_drill(recipients: int, by: str) -> Drill:
    """Begin a test alarm of a list. Raises Conflict while another one of it goes on."""
    moment = now_us()
    with transaction.atomic():
        listed = ContactList.objects.select_for_update(of=("self",)).get(pk=recipients)
        if Drill.objects.filter(recipients=listed, alert__cleared_at=None, alert__isnull=False):
            raise Conflict("A test alarm of this list is going on.")
        drill = Drill.objects.create(recipients=listed, at=moment, by=by)
        drill.alert = _opened(listed, drill, moment)
        drill.save(update_fields=["alert"])
        ContactList.objects.filter(pk=recipients).update(drill_asked_at=None)
    return drill


def end_drill(pk: int) -> None:
    """End it by hand."""
    drill = Drill.objects.get(pk=pk)
    with transaction.atomic():
        alert = locked(drill.alert_id) if drill.alert_id else None
        if alert is not None and alert.cleared_at is None:
            rollcall.end(alert)


def tick(now: Micros) -> None:
    """End test alarms that have waited for an answer for a day."""
    old = Alert.objects.filter(drill=True, cleared_at=None, opened_at__lte=now - _LONGEST)
    for pk in old.values_list("pk", flat=True):
        with transaction.atomic():
            alert = locked(pk, wait=False)
            if alert is not None and alert.cleared_at is None:
                rollcall.end(alert)


def lists_without_drill(moment: Micros) -> QuerySet[ContactList]:
    """Lists that want a monthly test alarm and have had none for a month."""
    drills = Drill.objects.filter(recipients=OuterRef("pk")).order_by("-at")
    last = Subquery(drills.values("at")[:1])
    found = ContactList.objects.filter(drills=True).annotate(last_drill=last)
    return found.filter(Q(last_drill=None) | Q(last_drill__lt=moment - _MONTH))


def result(drill: Drill) -> Result:
    """Who was reached by what in which time, and who has answered."""
    alert = drill.alert
    if alert is None:
        return Result(over=True, messages=(), answers=())
    owed = Delivery.objects.filter(event__alert=alert).order_by("pk")
    messages = tuple(
        _reached(each) for each in owed.select_related("event__recipients", "contact", "address")
    )
    notes = AlertNote.objects.filter(alert=alert, act=AlertNote.Act.ACKNOWLEDGED)
    return Result(
        over=alert.cleared_at is not None,
        messages=messages,
        answers=tuple(_answers(alert, messages, notes)),
    )


def _opened(listed: ContactList, drill: Drill, moment: Micros) -> Alert:
    alert = Alert(
        kind=KIND,
        subject=f"{listed.pk}:{drill.pk}",
        owner_id=listed.owner_id,
        rank=1,
        severity=Severity.DANGER,
        title={"de": "Probealarm", "en": "Test alarm"},
        opened_at=moment,
        changed_at=moment,
        recipients=listed,
        drill=True,
    )
    open_with_code(alert)
    texts = wording.drill(listed, _page(drill))
    event = record(alert, AlertEvent.Change.RAISED, "drill", texts, recipients=listed)
    assert event is not None
    chases.follow(alert, event)
    return alert


def _page(drill: Drill) -> str:
    try:
        return reverse("drill:inspect", args=[drill.pk])
    except NoReverseMatch:  # without the back office
        return "/"


def _reached(delivery: Delivery) -> Reached:
    gone = delivery.status == Delivery.Status.SENT
    there = delivery.receipt_at or (delivery.changed_at if gone else None)
    return Reached(
        person=delivery.contact.name if delivery.contact else "–",
        contact=delivery.contact_id,
        recipients=delivery.event.recipients.name if delivery.event.recipients else "–",
        change=delivery.event.change,
        delivery=delivery,
        took=None if there is None else there - delivery.owed_at,
    )


def _answers(
    alert: Alert, messages: Iterable[Reached], notes: Iterable[AlertNote]
) -> Iterable[Answer]:
    given = {note.contact_id: note for note in notes}
    people = {each.contact: each.person for each in messages if each.contact is not None}
    for contact, person in people.items():
        note = given.get(contact)
        if note is None:
            yield Answer(person, None, "", None)
        else:
            yield Answer(person, note.at, note.way, note.at - alert.opened_at)
