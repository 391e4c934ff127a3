"""Who is told of an event, by which addresses: one message owed to each."""

from collections.abc import Iterable

from django.db import transaction

from stadtherz.alerts.models import Address, AlertEvent, Delivery
from stadtherz.alerts.outbox.wake import wake
from stadtherz.base.time import now_us
from stadtherz.kit.declaration import Severity

_URGENCY = {
    Severity.OK: 0,
    Severity.UNKNOWN: 1,
    Severity.INFO: 1,
    Severity.WARNING: 2,
    Severity.DANGER: 3,
}


def owe(event: AlertEvent, recipients: int | None) -> None:
    """Owe each active person on the list a message to each address that wants events this grave."""
    moment = now_us()
    Delivery.objects.bulk_create(
        Delivery(
            event=event,
            contact_id=address.contact_id,
            address=address,
            channel=address.channel,
            urgency=urgency(event.severity),
            next_attempt=moment,
            owed_at=moment,
            changed_at=moment,
        )
        for address in _addresses(recipients, event)
    )
    transaction.on_commit(wake)


def urgency(severity: str) -> int:
    """The rank of a severity: the gravest is the highest."""
    return _URGENCY[Severity(severity)]


def _addresses(recipients: int | None, event: AlertEvent) -> Iterable[Address]:
    if recipients is None:
        return ()
    gravest = max(urgency(event.severity), urgency(_worst_before(event)))
    addresses = Address.objects.filter(
        contact__lists=recipients, contact__active=True, use=Address.Use.ALWAYS
    )
    return [each for each in addresses if urgency(each.least) <= gravest]


def _worst_before(event: AlertEvent) -> str:
    """Who was told of the worst is told of its end."""
    known = AlertEvent.objects.filter(alert=event.alert_id).values_list("severity", flat=True)
    return max(known, key=urgency, default=event.severity)
