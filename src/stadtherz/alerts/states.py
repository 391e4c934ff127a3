"""The one locked path by which alerts open, change and close.

Everything here writes inside the caller's transaction: the alert, its event and the deliveries owed.
Called from a reactor, that transaction also moves the cursor of the log, and therefore each effect
happens exactly once, whenever the process dies.
"""

from dataclasses import asdict

from django.db import transaction
from django.db.models import QuerySet

from stadtherz.alerts.citizens.telling import announce
from stadtherz.alerts.models import Alert, AlertEvent
from stadtherz.alerts.news import tell
from stadtherz.alerts.people.calling import forget_waiting
from stadtherz.alerts.people.chases import end, follow, set_out
from stadtherz.alerts.people.codes import open_with_code
from stadtherz.alerts.public_words import said
from stadtherz.alerts.publishing import made_private, withdrawn
from stadtherz.alerts.values import State, Transition
from stadtherz.base.hurry import hurry
from stadtherz.base.time import now_us
from stadtherz.base.visibility import Visibility
from stadtherz.kit.declaration import Severity
from stadtherz.store.public import streams_visible_to


def current(kind: str, subject: str) -> State | None:
    """The open alert of this kind about this subject, locked until the transaction ends.

    Must be called inside a transaction. PostgreSQL locks the row; SQLite's transactions begin
    IMMEDIATE, so the whole database waits. Where there is no row to lock, the constraint "one open
    alert" lets one of two writers win and the other start again.
    """
    alert = _open(kind, subject).select_for_update().first()
    return None if alert is None else _state(alert)


def change(transition: Transition) -> None:
    """Record a transition and owe each active recipient one message; a repetition changes nothing."""
    with hurry(), transaction.atomic():
        if _already_recorded(transition):
            return
        alert = _open(transition.kind, transition.subject).select_for_update().first()
        if alert is None and transition.after == 0:
            return
        owe = set_out if alert is None else follow
        alert = _write_alert(alert, transition)
        event = _write_event(alert, transition)
        owe(alert, event)
        announce(event)


def withdraw(kind: str, subject: str) -> None:
    """Close an alert whose subject no longer exists, without a word: there is nothing to say of it.

    Messages that are still owed about it go out.
    """
    moment = now_us()
    with transaction.atomic():
        alert = _open(kind, subject).select_for_update(of=("self",)).first()
        if alert is not None:
            _open(kind, subject).update(rank=0, changed_at=moment, cleared_at=moment)
            end(alert)
            forget_waiting(alert.pk)
            tell(public=alert.public and not alert.drill)
            withdrawn(alert)


def open_alerts(visibility: Visibility, kind: str | None = None) -> list[State]:
    """The open alerts about datastreams this caller may see, the worst first."""
    found = Alert.objects.filter(cleared_at__isnull=True).order_by("-rank", "changed_at", "id")
    if kind is not None:
        found = found.filter(kind=kind)
    alerts = list(found)
    visible = _visible({alert.datastream_id for alert in alerts} - {None}, visibility)
    return [_state(alert) for alert in alerts if alert.datastream_id in visible]


def _visible(datastreams: set[int | None], visibility: Visibility) -> frozenset[int | None]:
    if not datastreams:
        return frozenset()
    return streams_visible_to(visibility) & datastreams


def _open(kind: str, subject: str) -> QuerySet[Alert]:
    return Alert.objects.filter(kind=kind, subject=subject, cleared_at__isnull=True)


def _already_recorded(transition: Transition) -> bool:
    return AlertEvent.objects.filter(
        alert__kind=transition.kind,
        alert__subject=transition.subject,
        cause=transition.cause,
    ).exists()


def _write_alert(alert: Alert | None, transition: Transition) -> Alert:
    if alert is None:
        alert = Alert(
            kind=transition.kind,
            subject=transition.subject,
            datastream_id=transition.datastream,
            owner_id=transition.owner,
            opened_at=transition.at,
        )
    was_public, alert.public = alert.public, transition.public
    alert.rank = transition.after
    alert.step = transition.step
    alert.severity = transition.severity
    alert.title = dict(transition.title)
    alert.rule_id = transition.rule
    alert.recipients_id = transition.recipients or None
    alert.changed_at = transition.at
    if transition.after == 0:
        alert.cleared_at = transition.at
    if alert._state.adding:
        open_with_code(alert)
    else:
        alert.save()
    if was_public and not alert.public:
        made_private(alert)
    return alert


def _write_event(alert: Alert, transition: Transition) -> AlertEvent:
    return AlertEvent.objects.create(
        alert=alert,
        recipients_id=alert.recipients_id,
        change=_name_of(transition),
        rank_before=transition.before,
        rank=transition.after,
        severity=transition.severity,
        cause=transition.cause,
        observation=transition.observation,
        at=transition.at,
        recorded_at=now_us(),
        texts={language: asdict(wording) for language, wording in transition.texts.items()},
        public=said(transition),
    )


def _name_of(transition: Transition) -> AlertEvent.Change:
    if transition.after == 0:
        return AlertEvent.Change.CLEARED
    if transition.before == 0:
        return AlertEvent.Change.RAISED
    if transition.after > transition.before:
        return AlertEvent.Change.ESCALATED
    return AlertEvent.Change.LOWERED


def _state(alert: Alert) -> State:
    return State(
        kind=alert.kind,
        subject=alert.subject,
        datastream=alert.datastream_id,
        rank=alert.rank,
        step=alert.step,
        severity=Severity(alert.severity),
        title=alert.title,
        opened=alert.opened_at,
        since=alert.changed_at,
    )
