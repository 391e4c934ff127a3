"""One message by the first gateway that takes it; the same for SMS and e-mail."""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from stadtherz.alerts.channels.outcomes import NotHandedOver, PerhapsHandedOver
from stadtherz.alerts.models import Gateway
from stadtherz.alerts.outbox import deliveries, health
from stadtherz.alerts.outbox.deliveries import Claim, LeaseLost, nameless
from stadtherz.base.errors import Invalid
from stadtherz.base.hurry import calm_down
from stadtherz.base.time import now_us
from stadtherz.store.public import PreparedQuery

logger = logging.getLogger(__name__)

C = TypeVar("C")

KNOCK_SECONDS = 3.0
_TRUSTED_FOR = 10.0  # seconds after an answer, in which nobody knocks
_NO_PACE = 100.0  # messages a second, from which on nobody waits
RESTS = "The gateways do not take messages at present. It is tried again."


class Way(NamedTuple, Generic[C]):
    """A gateway as it is set up, and what speaks with it. `alone`: no other could take its place now."""

    gateway: Gateway
    carrier: C
    alone: bool = True


class Knocks(Protocol):
    def knock(self, seconds: float) -> None:
        """Whether anybody answers, without a message. Raises NotHandedOver."""


K = TypeVar("K", bound=Knocks)


def knock(way: Way[K]) -> None:
    """Before a message is trusted to it, where another could take it. Raises NotHandedOver."""
    way.carrier.knock(KNOCK_SECONDS)


# The gateways of a channel that are switched on, in their order.
active = PreparedQuery(lambda channel: Gateway.objects.filter(channel=channel, active=True))


def opened(rows: Iterable[Gateway], opens: Callable[[Gateway], C]) -> list[Way[C]]:
    """The gateways with what speaks with them; one whose settings are broken says so and is passed over."""
    found: list[Way[C]] = []
    for row in rows:
        try:
            found.append(Way(row, opens(row)))
        except (Invalid, ValueError) as problem:
            if health.may_try(row, now_us()):
                health.note_failure(row, str(problem))
    return found


def hand_on(
    ways: Sequence[Way[C]],
    claimed: Claim,
    recipient: str,
    hand_over: Callable[[Way[C]], str],
    look: Callable[[Way[C]], None] = lambda way: None,
) -> None:
    """Let `hand_over` give the message to one after the other until one takes it; its id there.

    It raises as carriers do: NotHandedOver lets the next one try, PerhapsHandedOver ends it, since the
    message may have arrived. `look` is asked first where another could take the message: one that is half
    dead would swallow it, and nobody could give it to the next.
    """
    refused: NotHandedOver | None = None
    final = True  # only if every gateway refuses this very message
    for way in ways:
        if not health.may_try(way.gateway, now_us()):
            final = False
            continue
        began = time.monotonic()
        alone = not any(each is not way and not _rests(each) for each in ways)
        calm_down()
        try:
            if not alone and not _is_trusted(way.gateway):
                look(way)
            known_as = hand_over(way._replace(alone=alone))
        except NotHandedOver as problem:
            refused = problem
            deliveries.take_back(claimed)
            health.note_outcome(way.gateway, problem, nameless(problem, recipient))
            final = final and problem.permanent and not problem.account
        except PerhapsHandedOver as problem:
            health.note_failure(way.gateway, nameless(problem, recipient))
            deliveries.mark_uncertain(claimed, nameless(problem, recipient))
            return
        except LeaseLost:
            logger.info("delivery %s was taken over by another process", claimed.delivery)
            return
        else:
            deliveries.mark_sent(claimed, known_as)
            health.note_success(way.gateway)
            _answered[_which(way.gateway)] = time.monotonic()
            _keep_pace(way.gateway, began)
            return
    if refused is None:
        deliveries.wait(claimed, RESTS, rests_until(ways))
    else:
        deliveries.put_back(claimed, nameless(refused, recipient), permanent=final)


_answered: dict[str, float] = {}  # when a gateway took its last message from this process


def _which(row: Gateway) -> str:
    """The gateway as it is set up: with other settings it is another one."""
    return f"{row.pk} {row.settings}"


def _is_trusted(row: Gateway) -> bool:
    return time.monotonic() - _answered.get(_which(row), -_TRUSTED_FOR) < _TRUSTED_FOR


def _rests(way: Way[C]) -> bool:
    at = way.gateway.retry_at
    return at is not None and at > now_us()


def rests_until(ways: Sequence[Way[C]]) -> int | None:
    """When the first of them is tried again, microseconds; None if one may be now."""
    return health.rests_until((way.gateway for way in ways), now_us())


def _keep_pace(row: Gateway, began: float) -> None:
    """No faster than the gateway allows; other lanes do not wait for it."""
    if row.per_second >= _NO_PACE:
        return
    rest = 1 / max(row.per_second, 0.01) - (time.monotonic() - began)
    if rest > 0:
        time.sleep(min(rest, 60.0))
