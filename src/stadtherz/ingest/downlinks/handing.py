"""From the database to a network, at most once unless a person says so.

Before a message goes out it is recorded that it is being handed over; afterwards, that it was. Whoever finds
the first without the second knows that it may have gone out, and does not send it again.
"""

import logging
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from django.db.models import QuerySet

from stadtherz.base.time import DAY, MINUTE, Micros, now_us
from stadtherz.ingest.downlinks import documents, states
from stadtherz.ingest.downlinks.documents import Content, Push
from stadtherz.ingest.downlinks.models import Downlink
from stadtherz.ingest.downlinks.states import State

logger = logging.getLogger(__name__)

OLDEST: Micros = DAY
ABANDONED: Micros = MINUTE  # nobody hands over for as long as that
_AT_ONCE = 20


class Fate(Enum):
    TAKEN = "taken"
    NOT_SENT = "not sent"
    REFUSED = "refused"
    PERHAPS = "perhaps"


def settle_interrupted(connection: int | None, *, older_than: Micros = ABANDONED) -> None:
    """What a process was handing over that is gone is uncertain. 0 where only this process could be.

    No connection: what goes by HTTP, or whose connection has been deleted.
    """
    rows = Downlink.objects.filter(connection=connection, state=State.HANDING_OVER)
    rows.filter(changed_at__lte=now_us() - older_than).update(
        state=State.UNKNOWN, reason=states.ENDED, changed_at=now_us()
    )


def hand_over_due(connection: int, network: str, publish: Callable[[Push], Fate]) -> None:
    """Everything that waits for the devices of this connection, in the order in which it was asked for."""
    waiting = Downlink.objects.filter(state=State.QUEUED, device__way__connection=connection)
    for row in waiting.select_related("device__way").order_by("created_at", "pk")[:_AT_ONCE]:
        if row.created_at < now_us() - OLDEST:
            change(row, State.QUEUED, State.FAILED, states.TOO_OLD)
            continue
        push = documents.push(network, row.device.way.topic, content_of(row))
        if not begin(row, connection):
            continue
        if not record(row, publish(push)):
            return


def content_of(row: Downlink) -> Content:
    return Content(
        key=str(row.key),
        dev_eui=row.device.dev_eui,
        f_port=row.f_port,
        payload=bytes(row.payload),
        confirmed=row.confirmed,
    )


def begin(row: Downlink, connection: int | None) -> bool:
    """Whether it is ours to hand over; on disk before anything goes out."""
    mine = _in(row, State.QUEUED)
    return bool(
        mine.update(state=State.HANDING_OVER, connection_id=connection, changed_at=now_us())
    )


def record(row: Downlink, fate: Fate) -> bool:
    """Whether to go on with the next one."""
    match fate:
        case Fate.TAKEN:
            change(row, State.HANDING_OVER, State.HANDED_OVER)
        case Fate.NOT_SENT:
            change(row, State.HANDING_OVER, State.QUEUED)
        case Fate.REFUSED:
            change(row, State.HANDING_OVER, State.FAILED, states.NOT_ALLOWED)
        case Fate.PERHAPS:
            change(row, State.HANDING_OVER, State.UNKNOWN, states.ENDED)
    return fate is not Fate.NOT_SENT


def change(
    row: Downlink,
    before: State,
    after: State,
    reason: str = "",
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Nothing if the network was quicker and has told more."""
    _in(row, before).update(
        state=after, reason=reason, facts=dict(facts or {}), changed_at=now_us()
    )


def _in(row: Downlink, state: State) -> "QuerySet[Downlink]":
    return Downlink.objects.filter(pk=row.pk, state=state)
