"""When a message has failed, or waits for too long: the person's next address that stands in gets it."""

from django.db import IntegrityError, transaction

from stadtherz.alerts.models import Address, Delivery
from stadtherz.alerts.outbox.wake import wake
from stadtherz.base.time import MINUTE, now_us

# How long a message may wait for a gateway that is away before the person is told in another way: the
# gravest not longer than it takes to look at a telephone.
_PATIENCE = {3: 2 * MINUTE, 2: 5 * MINUTE}
_LONGEST = 15 * MINUTE


def stand_in(given: int) -> None:
    """Owe the same message to the next stand-in address, if this one has failed or waits for too long.

    Happens once for each message. One that only waited may still arrive: told twice is better than not.
    """
    delivery = Delivery.objects.select_related("address", "event").get(pk=given)
    if delivery.contact_id is None or not _is_lost(delivery):
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


def _is_lost(delivery: Delivery) -> bool:
    if delivery.status in (Delivery.Status.FAILED, Delivery.Status.UNCERTAIN):
        return True
    if delivery.receipt == Delivery.Receipt.UNDELIVERED:
        return True
    waited = now_us() - delivery.owed_at
    return delivery.status == Delivery.Status.QUEUED and waited >= _PATIENCE.get(
        delivery.urgency, _LONGEST
    )


def _next_address(delivery: Delivery) -> Address | None:
    """The first that stands in, comes after the one that failed, and has not been tried for this event."""
    tried = Delivery.objects.filter(event=delivery.event_id, contact=delivery.contact_id)
    rows = Address.objects.filter(contact=delivery.contact_id, use=Address.Use.INSTEAD)
    rows = rows.exclude(pk__in=tried.exclude(address=None).values("address"))
    place = delivery.address.sort_order if delivery.address is not None else -1
    return rows.filter(sort_order__gte=place).order_by("sort_order", "pk").first()
