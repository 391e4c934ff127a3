"""What a network tells of a message to a device that it got from us."""

from dataclasses import dataclass
from uuid import UUID

from stadtherz.base.time import now_us
from stadtherz.ingest.documents.uplink import Other
from stadtherz.ingest.downlinks import states
from stadtherz.ingest.downlinks.models import Downlink
from stadtherz.ingest.downlinks.states import FOLLOWS, State

# By the names that `lorawan.tts` and `lorawan.chirpstack` give to events.
_MEANING = {
    "queued": (State.HANDED_OVER, ""),
    "sent": (State.SENT, ""),
    "txack": (State.SENT, ""),
    "ack": (State.ACKNOWLEDGED, ""),
    "nack": (State.FAILED, states.NACK),
    "failed": (State.FAILED, states.NETWORK),
    "log": (State.FAILED, states.NETWORK),
}
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Told:
    """News of the message `key`, which must be to this device: another's is none of its business."""

    device: int
    key: UUID
    state: State
    reason: str = ""
    detail: str = ""


def told(message: Other, device: int) -> Told | None:
    """None if the event names no message of ours."""
    if not message.downlink or message.event not in _MEANING:
        return None
    try:
        key = UUID(message.downlink)
    except ValueError:
        return None
    state, reason = _MEANING[message.event]
    return Told(device, key, state, reason, message.detail[:_LONGEST])


def tell(told: Told) -> None:
    """Note it; what comes late or twice changes nothing."""
    rows = Downlink.objects.filter(key=told.key, device=told.device, state__in=FOLLOWS[told.state])
    rows.update(
        state=told.state,
        reason=told.reason,
        facts={"told": told.detail} if told.detail else {},
        changed_at=now_us(),
    )
