"""Rosters as they stand in the database: who is on duty now, and the hand-over to the next person."""

from django.db import transaction
from django.db.models import Q

from stadtherz.alerts.models import Alert, AlertEvent, Roster
from stadtherz.alerts.people import wording
from stadtherz.alerts.people.calling import owe_person
from stadtherz.alerts.people.events import record
from stadtherz.alerts.people.plans import plan_of
from stadtherz.alerts.people.rosters import on_duty
from stadtherz.base.time import Micros


def tick(now: Micros) -> None:
    """Where somebody else is on duty than before, tell that person which alerts are open."""
    rosters = Roster.objects.prefetch_related("members", "shifts")
    for roster in rosters:
        person = on_duty(plan_of(roster), now)
        if person is not None and person != roster.last_on_duty_id:
            with transaction.atomic():
                _hand_over(roster.pk, person, now)


def _hand_over(pk: int, person: int, now: Micros) -> None:
    roster = Roster.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk=pk).first()
    if roster is None or roster.last_on_duty_id == person:
        return  # another process does it, or has done it
    first = roster.last_on_duty_id is None
    Roster.objects.filter(pk=pk).update(last_on_duty=person)
    if first or not roster.announce:
        return
    for alert in _open_alerts_of(roster):
        texts = wording.handed_over(alert)
        cause = f"duty:{roster.pk}:{person}:{now}"
        if event := record(alert, AlertEvent.Change.HANDED_OVER, cause, texts):
            owe_person(event, person)


def _open_alerts_of(roster: Roster) -> list[Alert]:
    """Open ones for which somebody on this roster was or would be called."""
    called = Q(recipients__rosters=roster) | Q(chases__recipients__rosters=roster)
    found = Alert.objects.filter(called, cleared_at=None, drill=False)
    return list(
        Alert.objects.select_for_update(of=("self",))
        .filter(pk__in=found.values("pk"))
        .order_by("pk")
    )
