"""When a message has failed for good: the person's next address that stands in gets it."""

from django.db import IntegrityError, transaction

from stadtherz.alerts.models import Address, Delivery
from stadtherz.alerts.outbox.wake import wake
from stadtherz.base.time import now_us


def stand_in(failed: int) -> None:
    """Owe the same message to the next stand-in address; happens once for each failed message."""
    delivery = Delivery.objects.select_related("address", "event").get(pk=failed)
    if delivery.status != Delivery.Status.FAILED or delivery.contact_id is None:
        return
    address = _next_address(delivery)
    if address is None:
        return
    moment = now_us()
    try:
        with transaction.atomic():
            Delivery.objects.create(
                event=delivery.event,
                contact_id=delivery.contact_id,
                address=address,
                channel=address.channel,
                urgency=delivery.urgency,
                instead_of=delivery,
                next_attempt=moment,
                owed_at=moment,
                changed_at=moment,
            )
    except IntegrityError:  # another process has done it
        return
    transaction.on_commit(wake)


def _next_address(delivery: Delivery) -> Address | None:
    """The first that stands in, comes after the one that failed, and has not been tried for this event."""
    tried = Delivery.objects.filter(event=delivery.event_id, contact=delivery.contact_id)
    rows = Address.objects.filter(contact=delivery.contact_id, use=Address.Use.INSTEAD)
    rows = rows.exclude(pk__in=tried.exclude(address=None).values("address"))
    place = delivery.address.sort_order if delivery.address is not None else -1
    return rows.filter(sort_order__gte=place).order_by("sort_order", "pk").first()
