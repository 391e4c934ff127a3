"""When a message has failed, or waits for too long: the person's next address that stands in gets it."""

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q

from stadtherz.alerts.models import Address, Delivery, Gateway
from stadtherz.alerts.outbox.wake import wake
from stadtherz.alerts.people.chases import next_list_now
from stadtherz.base.time import HOUR, MINUTE, now_us
from stadtherz.store.public import PreparedQuery

# How long a message may wait for a gateway that is away before the person is told in another way: the
# gravest not longer than it takes to look at a telephone.
_PATIENCE = {3: 2 * MINUTE, 2: 5 * MINUTE}
_LONGEST = 15 * MINUTE
# How long an urgent message may be on its way where the gateway tells when one arrives.
_ON_ITS_WAY = {3: 5 * MINUTE, 2: 15 * MINUTE}
_WORTH_IT = 2 * HOUR  # what was sent before is no news any more


def stand_in(given: int, *, silent: bool = False) -> None:
    """Owe the same message to the next stand-in address, if this one has failed or waits for too long.

    `silent` if nothing was heard of it after it was sent.

    Where there is none, and no message of the event has reached anybody, the next list is told at once.
    Happens once for each message. One that only waited may still arrive: told twice is better than not.
    """
    delivery = Delivery.objects.select_related("address", "event").get(pk=given)
    if delivery.contact_id is None or not (silent or _is_lost(delivery)):
        return
    address = _next_address(delivery)
    if address is None:
        next_list_now(delivery.event_id)
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


def waits_too_long(channel: str) -> list[int]:
    """Messages, the gravest first, that wait for too long and whose reader can be told in another way."""
    moment = now_us()
    late = Q(receipt=Delivery.Receipt.UNDELIVERED) | Q(owed_at__lte=moment - _LONGEST)
    for urgency, patience in _PATIENCE.items():
        late |= Q(urgency=urgency, owed_at__lte=moment - patience)
    others = Address.objects.filter(contact=OuterRef("contact"), use=Address.Use.INSTEAD)
    waiting = Delivery.objects.filter(
        late, Exists(others), channel=channel, status=Delivery.Status.QUEUED, replacement=None
    )
    return list(waiting.order_by("-urgency", "pk").values_list("pk", flat=True)[:500])


def look_for_receipts(channel: str) -> None:
    """Another way for urgent messages of which no receipt has come in time.

    Only where the gateway has told of messages that arrived before: many never do.
    """
    moment = now_us()
    names = _telling(channel=channel)
    if not names:
        return
    sent = Delivery.objects.filter(
        channel=channel, status=Delivery.Status.SENT, gateway__in=names, replacement=None
    ).exclude(contact=None)
    for urgency, patience in _ON_ITS_WAY.items():
        late = sent.filter(
            urgency=urgency,
            receipt__in=[Delivery.Receipt.NONE, Delivery.Receipt.BUFFERED],
            changed_at__range=(moment - _WORTH_IT, moment - patience),
        )
        for pk in late.values_list("pk", flat=True)[:500]:
            stand_in(pk, silent=True)


_telling = PreparedQuery(
    lambda channel: (
        Gateway.objects.filter(channel=channel)
        .exclude(last_receipt=None)
        .values_list("name", flat=True)
    )
)


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
