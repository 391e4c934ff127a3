"""Names in the trail of alerts: they go with their person, or when their time is over."""

from typing import Any

from django.db.models import QuerySet

from stadtherz.alerts.models import Alert, AlertEvent, AlertNote, Contact
from stadtherz.alerts.people import wording
from stadtherz.base.time import DAY, now_us

KEPT_MONTHS = 24


def forget_contact(sender: object, instance: Contact, **kwargs: Any) -> None:
    """A contact that is deleted leaves no name behind; what was done when stays."""
    _forget(AlertNote.objects.filter(contact=instance))


def forget_old_names() -> None:
    """Who took an alert on is not known any more after two years. Running it twice changes nothing."""
    limit = now_us() - KEPT_MONTHS * 30.44 * DAY
    old = Alert.objects.filter(acknowledged_at__lt=limit).exclude(acknowledged_by="")
    notes = AlertNote.objects.filter(alert__in=old, act=AlertNote.Act.ACKNOWLEDGED)
    _forget(notes)
    old.update(acknowledged_by="")


def _forget(notes: QuerySet[AlertNote]) -> None:
    for note in notes.filter(act=AlertNote.Act.ACKNOWLEDGED).select_related("alert"):
        Alert.objects.filter(pk=note.alert_id, acknowledged_by=note.who).update(acknowledged_by="")
        told = AlertEvent.objects.filter(alert=note.alert, cause=f"acknowledged:{note.pk}")
        told.update(texts=wording.taken_on(note.alert, ""))
    notes.exclude(who="").update(who="")
