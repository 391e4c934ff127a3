"""What networks say of messages that were handed over: arrived, still on the way, or lost."""

import time

from stadtherz.alerts.models import Delivery, Gateway
from stadtherz.alerts.outbox.deliveries import believe_receipt
from stadtherz.alerts.outbox.standing_in import stand_in
from stadtherz.base.time import now_us

_TRIES, _BETWEEN = 10, 0.2  # seconds; providers wait for about five
_FINAL = (Delivery.Receipt.DELIVERED, Delivery.Receipt.UNDELIVERED)


def note_receipt(
    gateway: str, message_id: str, receipt: Delivery.Receipt, *, error: str = ""
) -> bool:
    """Note a receipt; True if it is of a message we know. One that did not arrive goes another way.

    Receipts come in any order: what has arrived has arrived, and what is lost may still turn up.
    """
    found = Delivery.objects.filter(gateway=gateway, message_id=message_id).order_by("-pk").first()
    if found is None:
        return False
    older = [Delivery.Receipt.DELIVERED]
    if receipt == Delivery.Receipt.BUFFERED:
        older = list(_FINAL)
    changes: dict[str, object] = {"receipt": receipt, "receipt_at": now_us()}
    if error:
        changes["error"] = error[:500]
    changed = Delivery.objects.filter(pk=found.pk).exclude(receipt__in=older).update(**changes)
    if changed and receipt == Delivery.Receipt.UNDELIVERED:
        stand_in(found.pk)
    elif changed and receipt == Delivery.Receipt.DELIVERED:
        believe_receipt(found.pk)
        Gateway.objects.filter(name=gateway).update(last_receipt=now_us())
    return True


def note_receipt_soon(
    gateway: str, message_id: str, receipt: Delivery.Receipt, *, error: str = ""
) -> bool:
    """As `note_receipt`; a receipt may be quicker than the answer that told the message's id."""
    for _try in range(_TRIES):
        if note_receipt(gateway, message_id, receipt, error=error):
            return True
        going = Delivery.objects.filter(gateway=gateway, status=Delivery.Status.HANDING_OVER)
        if not going.exists():
            break
        time.sleep(_BETWEEN)
    return note_receipt(gateway, message_id, receipt, error=error)
