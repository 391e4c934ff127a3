"""Reminders, and the next list, until somebody takes an alert on.

One row for each list that was called. Every step is taken under the lock of the alert, writes an event
whose cause can be there only once, and sets its next time from now on: after a standstill one
reminder goes out, not those that were missed.
"""

import logging

from django.db import DatabaseError, transaction

from stadtherz.alerts.models import Alert, AlertEvent, Chase, ContactList
from stadtherz.alerts.people import pauses, reach, rollcall, wording
from stadtherz.alerts.people.calling import owe, owe_first, urgency
from stadtherz.alerts.people.events import locked, record
from stadtherz.base.time import MINUTE, Micros, now_us
from stadtherz.kit.declaration import Severity

logger = logging.getLogger(__name__)

Change = AlertEvent.Change
_AT_ONCE = 500  # alerts looked at in one tick


def set_out(alert: Alert, event: AlertEvent) -> None:
    """Owe the messages of an alert that has just been opened, and begin its chase. In its transaction.

    Nobody has been told anything of it yet, and nobody is chased: so that need not be looked up.
    """
    if not _muted(alert, event):
        owe_first(event, alert.recipients_id)
    if alert.recipients is not None and _is_grave(alert):
        _chase_of(alert, alert.recipients).save(force_insert=True)


def follow(alert: Alert, event: AlertEvent) -> None:
    """Owe the messages of a change of state, and begin, go on with or end the chase. In its transaction."""
    if not _muted(alert, event):
        owe(event, alert.recipients_id)
    _begin_or_end(alert, event)


def _muted(alert: Alert, event: AlertEvent) -> bool:
    """Whether a pause keeps it silent, which the event then says."""
    if not pauses.mutes(alert, event):
        return False
    AlertEvent.objects.filter(pk=event.pk).update(muted=True)
    event.muted = True
    return True


def begin(alert: Alert, recipients: ContactList) -> None:
    """From now on this list is reminded and, if it stays silent, the next one told."""
    chase = _chase_of(alert, recipients)
    Chase.objects.update_or_create(
        alert=alert,
        recipients=recipients,
        defaults={
            "remind_at": chase.remind_at,
            "escalate_at": chase.escalate_at,
            "next_at": chase.next_at,
        },
    )


def _chase_of(alert: Alert, recipients: ContactList) -> Chase:
    """From now on; not yet saved."""
    moment = now_us()
    remind, escalate = recipients.remind_minutes, recipients.escalate_minutes
    onwards = escalate if recipients.escalate_to_id else None
    chase = Chase(
        alert=alert,
        recipients=recipients,
        remind_at=moment + remind * MINUTE if remind else None,
        escalate_at=moment + onwards * MINUTE if onwards else None,
    )
    chase.next_at = _next(chase)
    return chase


def next_list_now(given: int) -> None:
    """If no message of this event has reached anybody, the next list is told now and not after its minutes."""
    event = AlertEvent.objects.get(pk=given)
    if event.recipients_id is None or not reach.is_lost(event):
        return
    with transaction.atomic():
        alert = locked(event.alert_id)
        if alert is None or alert.cleared_at is not None or alert.acknowledged_at is not None:
            return
        moment = now_us()
        waiting = Chase.objects.filter(alert=alert, recipients=event.recipients_id)
        for chase in waiting.filter(escalate_at__gt=moment):
            chase.escalate_at = moment
            _save(chase)


def end(alert: Alert) -> None:
    Chase.objects.filter(alert=alert).delete()


def tick(now: Micros) -> None:
    """Remind and tell the next list where the time has come."""
    due = Chase.objects.filter(next_at__lte=now).order_by("next_at")
    for alert in dict.fromkeys(due.values_list("alert", flat=True)[:_AT_ONCE]):
        try:
            with transaction.atomic():
                _look_at(alert, now)
        except DatabaseError:  # one alert must not hold up the others; the next tick tries again
            logger.exception("the chase of alert %s failed", alert)


def _look_at(pk: int, now: Micros) -> None:
    alert = locked(pk, wait=False)
    if alert is None:
        return  # somebody is changing it: next time
    if alert.cleared_at is not None:
        end(alert)
        return
    chases = Chase.objects.filter(alert=alert, next_at__lte=now)
    for chase in chases.select_related("recipients__escalate_to"):
        if pauses.in_force(alert, alert.severity, now):
            _put_off(chase, now)
        else:
            _step(alert, chase, now)
    if alert.drill:
        rollcall.end_if_all_have_answered(alert)


def _begin_or_end(alert: Alert, event: AlertEvent) -> None:
    if event.change == Change.CLEARED:
        end(alert)
    elif event.change == Change.ESCALATED:
        if alert.acknowledged_at is not None:  # it was taken on as something lighter
            Alert.objects.filter(pk=alert.pk).update(acknowledged_at=None, acknowledged_by="")
            alert.acknowledged_at, alert.acknowledged_by = None, ""
            end(alert)
        _begin_if_grave(alert)
    elif event.change == Change.RAISED:
        _begin_if_grave(alert)
    elif urgency(alert.severity) < urgency(Severity.WARNING):
        end(alert)


def _is_grave(alert: Alert) -> bool:
    """Information is not chased after: there is nothing to take on."""
    return urgency(alert.severity) >= urgency(Severity.WARNING)


def _begin_if_grave(alert: Alert) -> None:
    if alert.recipients is None or not _is_grave(alert):
        return
    chases = Chase.objects.filter(alert=alert, recipients=alert.recipients)
    known = chases.first()
    if known is None:
        begin(alert, alert.recipients)
    elif known.remind_at is not None and alert.recipients.remind_minutes:
        known.remind_at = now_us() + alert.recipients.remind_minutes * MINUTE
        _save(known)


def _step(alert: Alert, chase: Chase, now: Micros) -> None:
    if chase.escalate_at is not None and chase.escalate_at <= now:
        chase.escalate_at = None
        _forward(alert, chase)
    if chase.remind_at is not None and chase.remind_at <= now:
        _remind(alert, chase, now)
    _save(chase)


def _forward(alert: Alert, chase: Chase) -> None:
    target = chase.recipients.escalate_to
    if target is None or Chase.objects.filter(alert=alert, recipients=target).exists():
        return  # a chain that leads back to itself ends there
    texts = wording.forwarded(alert, chase.recipients, reached=not _is_lost(alert, chase))
    cause = f"forward:{chase.pk}"
    if event := record(alert, Change.FORWARDED, cause, texts, recipients=target):
        owe(event, target.pk)
    begin(alert, target)


def _is_lost(alert: Alert, chase: Chase) -> bool:
    """Whether the newest call of this list has reached nobody."""
    calls = AlertEvent.objects.filter(alert=alert, recipients=chase.recipients)
    newest = calls.exclude(change=Change.REMINDED).order_by("-pk").first()
    return newest is not None and reach.is_lost(newest)


def _remind(alert: Alert, chase: Chase, now: Micros) -> None:
    minutes = chase.recipients.remind_minutes
    chase.remind_at = now + minutes * MINUTE if minutes else None
    if not minutes:
        return
    chase.reminders += 1
    cause = f"reminder:{chase.pk}:{chase.reminders}"
    texts = wording.reminder(alert)
    if event := record(alert, Change.REMINDED, cause, texts, recipients=chase.recipients):
        answered = rollcall.answered(alert) if alert.drill else set()
        owe(event, chase.recipients_id, but=answered)


def _put_off(chase: Chase, now: Micros) -> None:
    """In a pause the clock stands still: nothing is asked again until it is over."""
    for name in ("remind_at", "escalate_at"):
        if getattr(chase, name) is not None:
            setattr(chase, name, max(getattr(chase, name), now + MINUTE))
    _save(chase)


def _save(chase: Chase) -> None:
    chase.next_at = _next(chase)
    chase.save(update_fields=["remind_at", "escalate_at", "reminders", "next_at"])


def _next(chase: Chase) -> Micros | None:
    times = [each for each in (chase.remind_at, chase.escalate_at) if each is not None]
    return min(times, default=None)
