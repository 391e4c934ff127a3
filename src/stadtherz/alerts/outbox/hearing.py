"""What is done with a receipt or an SMS that a gateway passes on, however it does that."""

import logging
from collections.abc import Callable
from functools import partial

from django.db import close_old_connections

from stadtherz.alerts.channels.heard import Heard, Hears, Receipt, Unknown
from stadtherz.alerts.channels.outcomes import NotHandedOver, PerhapsHandedOver
from stadtherz.alerts.models import Delivery
from stadtherz.alerts.outbox.receipts import note_receipt
from stadtherz.alerts.people.answers import by_sms
from stadtherz.alerts.people.phones import from_network

logger = logging.getLogger(__name__)

_LONGEST_TEXT = 1000


def hears(gateway: str, answer: Callable[[str, str], object]) -> Hears:
    """For the gateway of that name; `answer` sends a text to a number."""

    def hear(heard: Heard) -> Callable[[], None] | None:
        close_old_connections()
        if isinstance(heard, Receipt):
            state = Delivery.Receipt(heard.state.value)
            if not note_receipt(gateway, heard.message_id, state, error=heard.error):
                raise Unknown
            return None
        said = by_sms(heard.sender[:40], heard.text[:_LONGEST_TEXT])
        number = from_network(heard.sender)
        return partial(_answered, answer, number, said) if said and number else None

    return hear


def _answered(answer: Callable[[str, str], object], number: str, text: str) -> None:
    """What was done is done, even if nobody can be told so."""
    try:
        answer(number, text)
    except (NotHandedOver, PerhapsHandedOver) as problem:
        logger.warning("an answer to an SMS was not sent: %s", problem)
