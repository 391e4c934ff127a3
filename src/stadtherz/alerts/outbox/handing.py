"""One message handed to somebody's own server: there is no other that could take it instead."""

import logging
from collections.abc import Callable
from enum import StrEnum
from functools import partial

from stadtherz.alerts.channels.outcomes import Gone, NotHandedOver, PerhapsHandedOver
from stadtherz.alerts.outbox import deliveries
from stadtherz.alerts.outbox.deliveries import Claim, LeaseLost, nameless
from stadtherz.alerts.outbox.witness import Witness
from stadtherz.base.time import SECOND

logger = logging.getLogger(__name__)


class Result(StrEnum):
    """What came of it, as far as a lane has to act on it."""

    SENT = "sent"
    GONE = "gone"
    OTHER = "other"


def goes_next(
    claimed: Claim, witness: Witness, known_as: str, gateway: str = "", parts: int = 0
) -> None:
    """The message leaves now. Raises LeaseLost if it is not ours any more.

    The arbiter first, then the witness: between it and the request lies what nobody can know.
    """
    deliveries.mark_handing_over(claimed, known_as, gateway, parts)
    witness.dot_goes_next(claimed.delivery)


def hand_over(
    claimed: Claim,
    witness: Witness,
    recipient: str,
    give: Callable[[Callable[[], None]], None],
    *,
    known_as: str = "",
) -> Result:
    """Let `give` hand it over; it calls what it gets right before the message leaves."""
    try:
        give(partial(goes_next, claimed, witness, known_as))
    except Gone as problem:
        deliveries.mark_failed(claimed, nameless(problem, recipient))
        return Result.GONE
    except NotHandedOver as problem:
        deliveries.put_back(
            claimed,
            nameless(problem, recipient),
            permanent=problem.permanent,
            wait_at_least=round(problem.wait * SECOND),
        )
    except PerhapsHandedOver as problem:
        deliveries.mark_uncertain(claimed, nameless(problem, recipient))
    except LeaseLost:
        logger.info("delivery %s was taken over by another process", claimed.delivery)
    else:
        deliveries.mark_sent(claimed)
        return Result.SENT
    return Result.OTHER
