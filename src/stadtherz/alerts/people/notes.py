"""What people do with an alert: take it on, close it, write about it, judge it. Each act is a note."""

from dataclasses import dataclass
from enum import StrEnum

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from stadtherz.alerts.models import Alert, AlertEvent, AlertNote, Channel, Chase, Contact
from stadtherz.alerts.people import rollcall, wording
from stadtherz.alerts.people.calling import owe, owe_others
from stadtherz.alerts.people.events import locked, record
from stadtherz.base.errors import Invalid, NotFound
from stadtherz.base.time import Micros, now_us
from stadtherz.kit.declaration import Severity

Act = AlertNote.Act


class Outcome(StrEnum):
    """What became of taking an alert on."""

    TAKEN = "taken"
    BEFORE = "before"  # somebody had done it already
    OVER = "over"  # the alert has ended


@dataclass(frozen=True, slots=True)
class Taken:
    """The outcome, and who has the alert since when."""

    outcome: Outcome
    by: str
    at: Micros | None


def acknowledge(
    alert: int,
    who: str,
    way: str,
    why: str = "",
    *,
    contact: int | None = None,
    user: int | None = None,
) -> Taken:
    """Take an open alert on: nobody is reminded any more, and the others are told once.

    `way` is app, link or sms. In a test alarm each person answers for themselves.
    """
    with transaction.atomic():
        found = _locked(alert)
        if found.cleared_at is not None:
            return Taken(Outcome.OVER, found.acknowledged_by, found.acknowledged_at)
        if found.drill:
            contact = contact or _contact_of(user, found)
            return _answer_drill(found, who, way, why, contact=contact, user=user)
        if found.acknowledged_at is not None:
            return Taken(Outcome.BEFORE, found.acknowledged_by, found.acknowledged_at)
        moment = now_us()
        contact = contact or _contact_of(user, found)
        note = _write(found, Act.ACKNOWLEDGED, who, why, way=way, contact=contact, user=user)
        found.acknowledged_at, found.acknowledged_by = moment, who
        found.save(update_fields=["acknowledged_at", "acknowledged_by"])
        Chase.objects.filter(alert=found).delete()
        _tell_others(found, note)
        return Taken(Outcome.TAKEN, who, moment)


def awaits(alert: Alert, user: int) -> bool:
    """Whether a test alarm that goes on still waits for this signed-in person's own answer."""
    contact = _contact_of(user, alert)
    return contact is not None and contact in rollcall.called(alert) - rollcall.answered(alert)


def close(alert: int, who: str, why: str, *, user: int | None = None) -> bool:
    """End an alert by hand; False if it was over already. Whoever was told of it is told.

    If what caused it goes on, the next reading opens a new one: a pause is what keeps it silent.
    """
    reason = _given("why", why)
    with transaction.atomic():
        found = _locked(alert)
        if found.cleared_at is not None:
            return False
        _write(found, Act.CLOSED, who, reason, user=user)
        if found.drill:
            rollcall.end(found)
            return True
        moment = now_us()
        texts = wording.closed(found, reason)
        before, found.rank = found.rank, 0
        found.cleared_at = found.changed_at = moment
        found.save(update_fields=["rank", "cleared_at", "changed_at"])
        cleared = AlertEvent.Change.CLEARED
        if event := record(found, cleared, "closed", texts, severity=Severity.OK):
            AlertEvent.objects.filter(pk=event.pk).update(rank_before=before)
            owe(event)
        Chase.objects.filter(alert=found).delete()
        return True


def comment(alert: int, who: str, why: str, *, user: int | None = None) -> AlertNote:
    """Write something down about an alert, open or over."""
    with transaction.atomic():
        return _write(_locked(alert), Act.COMMENTED, who, _given("why", why), user=user)


def note_edit(rule: int, who: str, *, user: int | None = None) -> None:
    """The rule was changed while it warns: who asks later why it warned must know from when on."""
    with transaction.atomic():
        for alert in Alert.objects.filter(rule=rule, cleared_at=None).order_by("pk"):
            _write(alert, Act.EDITED, who, "", user=user)


def judge(
    alert: int, false_alarm: bool | None, who: str, why: str = "", *, user: int | None = None
) -> AlertNote:
    """Say afterwards whether it was a false alarm; None takes the judgement back."""
    with transaction.atomic():
        found = _locked(alert)
        found.false_alarm = false_alarm
        found.save(update_fields=["false_alarm"])
        return _write(found, Act.JUDGED, who, why, user=user)


def _locked(alert: int) -> Alert:
    found = locked(alert)
    if found is None:
        raise NotFound(str(_("This alert does not exist.")))
    return found


def _given(field: str, text: str) -> str:
    if not text.strip():
        raise Invalid(field, str(_("Write down why, so that others understand it later.")))
    return text.strip()


def _contact_of(user: int | None, alert: Alert) -> int | None:
    """The contact who is this signed-in person: by the e-mail address they sign in with."""
    if user is None:
        return None
    email = get_user_model().objects.filter(pk=user).values_list("email", flat=True).first()
    same = Contact.objects.filter(owner=alert.owner_id, addresses__channel=Channel.EMAIL)
    return same.filter(addresses__address__iexact=email or "-").values_list("pk", flat=True).first()


def _write(
    alert: Alert,
    act: AlertNote.Act,
    who: str,
    why: str,
    *,
    way: str = "app",
    contact: int | None = None,
    user: int | None = None,
) -> AlertNote:
    return AlertNote.objects.create(
        alert=alert,
        act=act,
        at=now_us(),
        who=who,
        user_id=user,
        contact_id=contact,
        way=way,
        why=why.strip(),
    )


def _tell_others(alert: Alert, note: AlertNote) -> None:
    """Once, and quietly: they may go back to sleep."""
    texts = wording.taken_on(alert, note.who)
    change, cause = AlertEvent.Change.ACKNOWLEDGED, f"acknowledged:{note.pk}"
    if event := record(alert, change, cause, texts, severity=Severity.INFO):
        owe_others(event, note.contact_id)


def _answer_drill(
    alert: Alert, who: str, way: str, why: str, *, contact: int | None, user: int | None
) -> Taken:
    given = AlertNote.objects.filter(alert=alert, act=Act.ACKNOWLEDGED)
    same = given.filter(contact=contact) if contact else given.filter(contact=None, user=user)
    if (before := same.first()) is not None:
        return Taken(Outcome.BEFORE, before.who, before.at)
    note = _write(alert, Act.ACKNOWLEDGED, who, why, way=way, contact=contact, user=user)
    rollcall.end_if_all_have_answered(alert)
    return Taken(Outcome.TAKEN, who, note.at)
