"""Who was called by a test alarm, who has answered, and when it is over."""

from stadtherz.alerts.models import Alert, AlertEvent, AlertNote, Chase, Delivery
from stadtherz.alerts.people import wording
from stadtherz.alerts.people.calling import forget_waiting
from stadtherz.base.time import now_us


def answered(alert: Alert) -> set[int]:
    """The contacts who have acknowledged."""
    notes = AlertNote.objects.filter(alert=alert, act=AlertNote.Act.ACKNOWLEDGED)
    return {each for each in notes.values_list("contact", flat=True) if each is not None}


def called(alert: Alert) -> set[int]:
    """The contacts who were owed a message."""
    found = Delivery.objects.filter(event__alert=alert, contact__isnull=False)
    return {each for each in found.values_list("contact", flat=True) if each is not None}


def end_if_all_have_answered(alert: Alert) -> None:
    """A test alarm is over when the chain was walked to its end and nobody is missing."""
    if Chase.objects.filter(alert=alert, escalate_at__isnull=False).exists():
        return
    if called(alert) <= answered(alert):
        end(alert)


def end(alert: Alert) -> None:
    """Close a test alarm; nobody needs to be told. The alert is locked by the caller."""
    moment = now_us()
    _event, made = AlertEvent.objects.get_or_create(
        alert=alert,
        cause="drill:over",
        defaults={
            "change": AlertEvent.Change.CLEARED,
            "rank_before": alert.rank,
            "rank": 0,
            "severity": "ok",
            "at": moment,
            "recorded_at": moment,
            "texts": dict(wording.last_texts(alert)),
        },
    )
    if made:
        alert.rank, alert.cleared_at, alert.changed_at = 0, moment, moment
        alert.save(update_fields=["rank", "cleared_at", "changed_at"])
    Chase.objects.filter(alert=alert).delete()
    forget_waiting(alert.pk)
