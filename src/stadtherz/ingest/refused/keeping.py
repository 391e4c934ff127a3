"""Keeps what was refused, bounded, and runs it again after the mistake is mended."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from django.db import IntegrityError, transaction
from django.db.models import Case, F, When
from django.utils.translation import gettext

from stadtherz.base.errors import Invalid, NotFound
from stadtherz.base.time import now_us
from stadtherz.base.visibility import Visibility
from stadtherz.ingest.documents import document
from stadtherz.ingest.intake import pipeline, resets
from stadtherz.ingest.intake.pipeline import Answer, Begun, Delivery, Plan, Refusal
from stadtherz.ingest.quality.reasons import Reason
from stadtherz.ingest.refused.models import RefusedUplink
from stadtherz.store.public import Receipt

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is kept of whom: the newest `rows` documents, of each the first `size` bytes."""

    rows: int
    size: int


OWN = Bounds(rows=10_000, size=64 * 1024)  # of each organisation
STRANGERS = Bounds(rows=200, size=8 * 1024)  # of all who have no valid token, together

BROKER = "connection:"
"""What the name of whoever delivered begins with, where we fetched it from a broker."""

_LONGEST_QUERY = 500
_UNREADABLE = frozenset({Reason.BROKEN_DOCUMENT, Reason.TOO_LARGE})
# What is refused for these has shown by its signature that it is genuine, where one is asked for.
_LOOKED_AT = frozenset(
    {
        Reason.INACTIVE_DEVICE,
        Reason.NOTHING_USABLE,
        Reason.IMPOSSIBLE_VALUE,
        Reason.FOREIGN_DATASTREAM,
        Reason.UNIT_UNFIT,
        Reason.CODEC_FAILED,
        Reason.CODEC_BUSY,
    }
)


def keep(delivery: Delivery, refusal: Refusal) -> None:
    """Keep a refused document; the same one again only counts."""
    owner = delivery.visibility.home
    mark = _fingerprint(delivery)
    known = RefusedUplink.objects.filter(fingerprint=mark)
    news: dict[str, object] = {
        "reason": refusal.reason.value,
        "facts": dict(refusal.facts),
        "device_id": refusal.device,
        "last_at": now_us(),
    }
    again = {**news, "count": F("count") + 1, "outcome": RefusedUplink.OPEN, "replayed_at": None}
    if not known.update(**again):
        try:
            with transaction.atomic():
                _create(delivery, mark, news)
        except IntegrityError:  # the same document came twice at once
            known.update(**again)
        _prune(owner)


def _create(delivery: Delivery, mark: str, news: dict[str, object]) -> None:
    owner = delivery.visibility.home
    size = _bounds(owner).size
    if owner is not None and news["reason"] not in _UNREADABLE:
        size = document.LARGEST  # it can be replayed, so the whole of it is kept
    RefusedUplink.objects.create(
        owner_id=owner,
        network=delivery.network,
        only_device=delivery.visibility.device,
        document=delivery.body[:size],
        truncated=len(delivery.body) > size,
        query=delivery.query[:_LONGEST_QUERY],
        who=delivery.visibility.actor,
        fingerprint=mark,
        received_at=delivery.received,
        **news,
    )


def _bounds(owner: int | None) -> Bounds:
    return STRANGERS if owner is None else OWN


def _fingerprint(delivery: Delivery) -> str:
    who = delivery.visibility
    told = f"{delivery.network}\x00{who.home}\x00{delivery.query}\x00"
    if who.device is not None:
        told += f"{who.device}\x00"
    return sha256(told.encode() + delivery.body).hexdigest()


def _prune(owner: int | None) -> None:
    """Forget the oldest beyond the bound, those that are settled first, and say how many."""
    settled = Case(When(outcome=RefusedUplink.REPLAYED, then=1), default=0)
    mine = RefusedUplink.objects.filter(owner_id=owner).order_by(settled, "-last_at", "-pk")
    beyond = list(mine.values_list("pk", flat=True)[_bounds(owner).rows :])
    if beyond:
        RefusedUplink.objects.filter(pk__in=beyond).delete()
        logger.warning("%d refused uplinks of organisation %s were pruned", len(beyond), owner)


def replay(refused_id: int, visibility: Visibility) -> Answer:
    """Run a kept document through the pipeline again and record what became of it.

    It runs for the organisation it was kept for, and where its token was one of a device, for that. A
    document that was stored is not run again.
    Raises NotFound where the caller may not change that organisation's data, and Invalid where
    only the document's beginning was kept.
    """
    kept = RefusedUplink.objects.filter(pk=refused_id).first()
    if kept is None or not _may_replay(kept, visibility):
        raise NotFound("Refused uplink")
    if kept.truncated:
        raise Invalid("document", gettext("only its beginning was kept, it cannot be replayed"))
    if kept.outcome == RefusedUplink.REPLAYED:
        return Answer(200, dict(kept.outcome_facts))
    return settle(kept, begin(kept, visibility))


def _delivery_of(kept: RefusedUplink, visibility: Visibility) -> Delivery:
    """As it came, with its time; run by whoever replays it."""
    return Delivery(
        network=kept.network,
        body=bytes(kept.document),
        query=kept.query,
        received=kept.received_at,
        visibility=Visibility(
            actor=visibility.actor,
            home=kept.owner_id,
            everything=kept.owner_id is None,
            device=kept.only_device,
        ),
        believed=kept.who.startswith(BROKER) or kept.reason in _LOOKED_AT,
    )


def _may_replay(kept: RefusedUplink, visibility: Visibility) -> bool:
    if kept.owner_id is None:
        return visibility.everything
    return visibility.may_write(kept.owner_id)


def begin(kept: RefusedUplink, visibility: Visibility) -> Begun | Invalid:
    """Hand it to the store once more; `settle` waits. Raises Unavailable."""
    try:
        return pipeline.begin(_delivery_of(kept, visibility))
    except Invalid as problem:
        return problem


def settle(kept: RefusedUplink, begun: Begun | Invalid) -> Answer:
    """Record what became of it. Raises Unavailable if the store does not answer."""
    plan, receipts = _done(begun)
    given = pipeline.answer(plan, receipts)
    kept.replayed_at = now_us()
    if plan.refusal is None:
        kept.outcome, kept.outcome_facts = RefusedUplink.REPLAYED, given.body
    else:
        kept.outcome = RefusedUplink.REFUSED_AGAIN
        kept.outcome_facts = {"reason": plan.refusal.reason.value, **plan.refusal.facts}
    kept.save(update_fields=["replayed_at", "outcome", "outcome_facts"])
    return given


def _done(begun: Begun | Invalid) -> tuple[Plan, Sequence[Receipt]]:
    if isinstance(begun, Invalid):
        return Plan(refusal=pipeline.unreadable(begun)), []
    plan, commit = begun
    try:
        receipts = pipeline.result(commit)
        return plan, resets.settled(plan, receipts)
    except Invalid as problem:
        return Plan(refusal=pipeline.unreadable(problem)), []
