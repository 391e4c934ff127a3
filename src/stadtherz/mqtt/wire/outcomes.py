"""The product's errors as reasons of MQTT, with a sentence for the reason string."""

import logging

from django.db import IntegrityError, OperationalError

from stadtherz.base.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    StadtherzError,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from stadtherz.mqtt.wire.reasons import Reason

log = logging.getLogger(__name__)

_PUBLISHED: tuple[tuple[type[Exception], Reason], ...] = (
    (NotFound, Reason.TOPIC_NAME_INVALID),
    (Unauthenticated, Reason.NOT_AUTHORIZED),
    (Forbidden, Reason.NOT_AUTHORIZED),
    (TooLarge, Reason.QUOTA_EXCEEDED),
    (Conflict, Reason.IMPLEMENTATION_SPECIFIC),
    (IntegrityError, Reason.IMPLEMENTATION_SPECIFIC),
    (Invalid, Reason.PAYLOAD_FORMAT_INVALID),
    (StadtherzError, Reason.IMPLEMENTATION_SPECIFIC),
)


def is_passing(error: BaseException) -> bool:
    """Whether the same message may go well later: then it must not be acknowledged."""
    if isinstance(error, Unavailable):
        return error.retry
    return isinstance(error, OperationalError | TimeoutError)


def of_publishing(error: Exception) -> tuple[Reason, str]:
    """What is said to whom published something that was not kept."""
    for kind, reason in _PUBLISHED:
        if isinstance(error, kind):
            return reason, _sentence(error)
    log.error("A published message failed", exc_info=error)
    return Reason.UNSPECIFIED, "Something is broken on our side; it is written to the log."


def of_subscribing(error: Exception) -> tuple[Reason, str]:
    """What is said to whom a topic filter is refused."""
    if is_passing(error):
        return Reason.UNSPECIFIED, "the database does not answer just now; try again"
    if isinstance(error, Forbidden | Unauthenticated):
        return Reason.NOT_AUTHORIZED, str(error)
    if isinstance(error, StadtherzError):
        return Reason.TOPIC_FILTER_INVALID, str(error)
    log.error("A subscription failed", exc_info=error)
    return Reason.UNSPECIFIED, "Something is broken on our side; it is written to the log."


def _sentence(error: Exception) -> str:
    if isinstance(error, IntegrityError):
        return "this collides with a change that was made at the same time"
    return str(error)
