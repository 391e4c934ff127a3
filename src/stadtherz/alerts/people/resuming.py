"""What is said when a pause is over: what is still wrong and was told to nobody, once."""

from django.db import transaction
from django.db.models import Exists, OuterRef, Subquery

from stadtherz.alerts.models import Alert, AlertEvent, AlertNote, Chase, Pause
from stadtherz.alerts.people import chases, wording
from stadtherz.alerts.people.calling import owe
from stadtherz.alerts.people.events import locked, record
from stadtherz.alerts.people.pauses import in_force, note
from stadtherz.base.time import Micros, from_us

Change = AlertEvent.Change
_STATES = (Change.RAISED, Change.ESCALATED, Change.LOWERED, Change.RESUMED)


def tick(moment: Micros) -> None:
    """Close pauses that are over, and tell what is still wrong and was told to nobody."""
    over = Pause.objects.filter(settled=False, ends__lte=from_us(moment))
    for pk in over.values_list("pk", flat=True):
        with transaction.atomic():
            _settle(pk)
    for alert in _untold():
        with transaction.atomic():
            _tell_if_still_so(alert, moment)


def _settle(pk: int) -> None:
    rows = Pause.objects.select_for_update(skip_locked=True, of=("self",))
    found = rows.filter(pk=pk, settled=False).first()
    if found is None:
        return
    Pause.objects.filter(pk=pk).update(settled=True)
    note(found, AlertNote.Act.RESUMED, "", found.reason)


def _untold() -> list[int]:
    """Open alerts whose newest state was kept from everybody; those that are over are not looked at."""
    events = AlertEvent.objects.filter(alert=OuterRef("pk"))
    states = events.filter(change__in=_STATES).order_by("-pk")
    kept_quiet = Alert.objects.filter(Exists(events.filter(muted=True)), cleared_at=None)
    found = kept_quiet.annotate(newest_muted=Subquery(states.values("muted")[:1]))
    # In the order of the index of open alerts.
    rows = found.filter(newest_muted=True).order_by("kind", "subject")
    return list(rows.values_list("pk", flat=True))


def _tell_if_still_so(pk: int, moment: Micros) -> None:
    alert = locked(pk, wait=False)
    if alert is None or alert.cleared_at is not None:
        return
    if in_force(alert, alert.severity, moment):
        return
    newest = AlertEvent.objects.filter(alert=alert, change__in=_STATES).order_by("-pk").first()
    if newest is None or not newest.muted:
        return  # another process was faster
    texts = wording.resumed(alert)
    cause = f"resumed:{newest.pk}"
    if event := record(alert, Change.RESUMED, cause, texts, recipients=alert.recipients):
        owe(event, alert.recipients_id)
        if Chase.objects.filter(alert=alert).exists() and alert.recipients is not None:
            chases.begin(alert, alert.recipients)
