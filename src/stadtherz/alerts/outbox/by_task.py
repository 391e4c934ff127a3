"""The lane of Tasks: a voice or a siren is a Thing that can be told something (OGC 17-079r1).

The Task and the note that it was given are one transaction, so there is exactly one for each event. What
becomes of it stands in its `properties/downlink` if a device of this city does it, or in `properties/state`
if another program does; either is read back as the receipt.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from stadtherz.alerts.channels.places import check_capability
from stadtherz.alerts.models import Channel, Delivery
from stadtherz.alerts.outbox import deliveries
from stadtherz.alerts.outbox.deliveries import Claim, LeaseLost
from stadtherz.alerts.outbox.readers import Reader
from stadtherz.alerts.outbox.receipts import note_receipt
from stadtherz.alerts.outbox.witness import Witness
from stadtherz.base.errors import Invalid
from stadtherz.base.time import DAY, Micros, now_us
from stadtherz.base.visibility import Scope, Visibility
from stadtherz.sensorthings.public import check_values, parameter_names
from stadtherz.store.public import (
    CapabilityInfo,
    create,
    exclusive,
    task,
    tasking_capability,
)

GATEWAY = "Tasks"
_OPEN = 2 * DAY  # how long somebody may take to say what became of a Task
_AT_ONCE = 200
Receipt = Delivery.Receipt
# What those who carry Tasks out write there, in the words of downlinks and of others.
_STATES = {
    "queued": Receipt.BUFFERED,
    "handing_over": Receipt.BUFFERED,
    "handed_over": Receipt.BUFFERED,
    "accepted": Receipt.BUFFERED,
    "running": Receipt.BUFFERED,
    "sent": Receipt.BUFFERED,
    "acknowledged": Receipt.DELIVERED,
    "completed": Receipt.DELIVERED,
    "failed": Receipt.UNDELIVERED,
    "rejected": Receipt.UNDELIVERED,
}


@dataclass(frozen=True, slots=True)
class TaskLane:
    """Needs no gateway: whoever looks after the Thing carries the Task out."""

    def send(self, delivery: Delivery, reader: Reader, claimed: Claim, witness: Witness) -> None:
        owner = delivery.contact.owner_id if delivery.contact is not None else 0
        try:
            _give(delivery, reader, claimed, owner)
        except Invalid as problem:
            deliveries.mark_failed(claimed, str(problem))
        except LeaseLost:
            return

    def rests_until(self) -> None:
        return None


def task_lane() -> TaskLane:
    return TaskLane()


def _give(delivery: Delivery, reader: Reader, claimed: Claim, owner: int) -> None:
    check_capability(reader.address, owner)
    capability = tasking_capability(reader.address, owner)
    assert capability is not None
    parameters = told(delivery, reader, capability)
    with exclusive(), transaction.atomic():
        deliveries.mark_handing_over(claimed, "", GATEWAY)
        values = {
            "tasking_capability": capability.id,
            "tasking_parameters": parameters,
            "creation_time": now_us(),
            "properties": {"alert": delivery.event.alert_id, "event": delivery.event_id},
        }
        given = create("Task", values, _as_owner(owner))
        deliveries.mark_sent(claimed, str(given))


def told(delivery: Delivery, reader: Reader, capability: CapabilityInfo) -> dict[str, Any]:
    """Of what there is to say, what the capability takes. Raises Invalid if that is not enough for it."""
    event = delivery.event
    text = event.wording(reader.language)
    offered: dict[str, Any] = {
        "text": f"{text['subject']}. {text['sentence']}",
        "severity": event.severity,
        "change": str(event.change),
        "rank": event.rank,
        "alert": event.alert_id,
        "event": event.pk,
        "test": event.alert.drill,
    }
    known = parameter_names(capability.parameters)
    chosen = {name: value for name, value in offered.items() if name in known}
    if not chosen:
        raise Invalid("taskingParameters", f"takes none of {', '.join(offered)}")
    check_values(capability.parameters, chosen)
    return chosen


def look(now: Micros) -> None:
    """Note what has become of the Tasks that were given; running it twice changes nothing."""
    rows = Delivery.objects.filter(
        channel=Channel.TASK,
        status=Delivery.Status.SENT,
        receipt__in=[Receipt.NONE, Receipt.BUFFERED],
        changed_at__gte=now - _OPEN,
    ).order_by("-pk")
    for delivery in rows[:_AT_ONCE]:
        held = task(int(delivery.message_id or 0))
        if held is None:
            note_receipt(
                GATEWAY, delivery.message_id, Receipt.UNDELIVERED, error="The Task was deleted."
            )
            continue
        receipt, why = _became(held.properties)
        if receipt != Receipt.NONE and receipt != delivery.receipt:
            note_receipt(GATEWAY, delivery.message_id, receipt, error=why)


def _became(properties: Any) -> tuple[Delivery.Receipt, str]:
    """What stands in a Task about itself."""
    found = properties if isinstance(properties, Mapping) else {}
    downlink = found.get("downlink")
    source = downlink if isinstance(downlink, Mapping) else found
    state = source.get("state")
    receipt = _STATES.get(state.lower(), Receipt.NONE) if isinstance(state, str) else Receipt.NONE
    why = str(source.get("problem") or "") if receipt == Receipt.UNDELIVERED else ""
    return receipt, why


def _as_owner(owner: int) -> Visibility:
    own = frozenset({owner})
    scopes = frozenset({Scope.READ, Scope.WRITE})
    return Visibility(actor="alerts", organisations=own, writes=own, scopes=scopes, home=owner)
