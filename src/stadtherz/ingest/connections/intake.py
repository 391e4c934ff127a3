"""A broker's messages as deliveries: stored, or kept in the refused list, when `keep` returns."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError, close_old_connections

from stadtherz.base.errors import Invalid, Unavailable
from stadtherz.base.visibility import Scope, Visibility
from stadtherz.ingest.connections import topics
from stadtherz.ingest.connections.inbox import Message
from stadtherz.ingest.doors.deliveries import deliver
from stadtherz.ingest.intake import pipeline
from stadtherz.ingest.intake.pipeline import Delivery
from stadtherz.ingest.refused import keeping

logger = logging.getLogger(__name__)

PASSING = (InterfaceError, OperationalError, Unavailable, TimeoutError)
"""The same messages may be stored in a moment."""


@dataclass(frozen=True, slots=True)
class Source:
    """What of a connection says whose its messages are and how they are read."""

    name: str
    owner: int
    network: str
    form: str = ""

    @property
    def visibility(self) -> Visibility:
        """What the organisation may do at the ingest door."""
        scopes = frozenset({Scope.INGEST})
        return Visibility(
            actor=f"{keeping.BROKER}{self.name}"[:200], home=self.owner, scopes=scopes
        )


def keep(source: Source, messages: Sequence[Message]) -> None:
    """Raises one of PASSING; then it is not known what was kept, and keeping all again is safe."""
    close_old_connections()
    deliveries = [found for message in messages if (found := _delivery(source, message))]
    try:
        _keep(deliveries)
    except PASSING:
        raise
    except Exception:
        logger.exception("messages of %s cannot be read together", source.name)
        for delivery in deliveries:
            _keep_alone(delivery)


def _delivery(source: Source, message: Message) -> Delivery | None:
    """None for what tells nothing: a downlink on its way, or a retained message that was cleared."""
    found = topics.reader(source.network, message.topic, form=source.form)
    if found is None or not message.payload:
        return None
    return Delivery(
        found.network,
        message.payload,
        found.query,
        message.received,
        source.visibility,
        believed=True,
    )


def _keep(deliveries: Sequence[Delivery]) -> None:
    for delivered in deliver(deliveries):
        if delivered.keep is not None:
            delivered.keep()


def _keep_alone(delivery: Delivery) -> None:
    """What nobody foresaw must not come again for ever: staff find it in the refused list."""
    try:
        _keep([delivery])
    except PASSING:
        raise
    except Exception as problem:
        logger.exception("a message cannot be read")
        reason = f"cannot be read ({type(problem).__name__})"
        keeping.keep(delivery, pipeline.unreadable(Invalid("document", reason)))
