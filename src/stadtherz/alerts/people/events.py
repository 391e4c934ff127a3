"""Occasions to tell people that are no change of state: reminders, taking on, hand-over."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from stadtherz.alerts.models import Alert, AlertEvent, ContactList
from stadtherz.base.time import Micros, now_us

Texts = Mapping[str, Mapping[str, Any]]


def locked(alert: int, *, wait: bool = True) -> Alert | None:
    """The alert, locked until the transaction ends; None if it is gone or, without `wait`, in use."""
    rows = Alert.objects.select_for_update(of=("self",), skip_locked=not wait)
    return rows.filter(pk=alert).first()


def record(
    alert: Alert,
    change: AlertEvent.Change,
    cause: str,
    texts: Texts,
    *,
    severity: str = "",
    recipients: ContactList | None = None,
    at: Micros | None = None,
) -> AlertEvent | None:
    """The new event, or None if this cause has had its effect already."""
    moment = now_us()
    with transaction.atomic():
        event, made = AlertEvent.objects.get_or_create(
            alert=alert,
            cause=cause,
            defaults={
                "change": change,
                "rank_before": alert.rank,
                "rank": alert.rank,
                "severity": severity or alert.severity,
                "at": moment if at is None else at,
                "recorded_at": moment,
                "texts": texts,
                "recipients": recipients,
            },
        )
    return event if made else None
