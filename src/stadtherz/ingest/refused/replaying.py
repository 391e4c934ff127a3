"""Refused uplinks run again, many at once, in the order in which they came."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from time import monotonic

from django.db.models import Count, Q, QuerySet

from stadtherz.base.time import Micros, now_us
from stadtherz.base.visibility import Scope, Visibility
from stadtherz.ingest.models import normal_eui
from stadtherz.ingest.refused import keeping
from stadtherz.ingest.refused.models import RefusedUplink

_TOGETHER = 25  # share a commit


@dataclass(frozen=True, slots=True)
class Which:
    """All of a device, by its EUI or name in messages, of a reason, of an organisation.

    `before`: those not replayed since then.
    """

    device: str = ""
    reason: str = ""
    owner: int | None = None
    before: Micros | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """What became of those that were run, how many are `left`, and when it `began`."""

    stored: int
    refused: int
    left: int
    began: Micros

    @property
    def total(self) -> int:
        return self.stored + self.refused + self.left


def waiting(which: Which, visibility: Visibility) -> QuerySet[RefusedUplink]:
    """Those that this caller may run again, the oldest first."""
    rows = RefusedUplink.objects.filter(truncated=False).exclude(outcome=RefusedUplink.REPLAYED)
    if Scope.WRITE not in visibility.scopes:
        return rows.none()
    if not visibility.everything:
        rows = rows.filter(owner_id__in=visibility.writes)
    if which.device:  # one that was not registered then is only named in the facts
        names = {which.device, normal_eui(which.device)}
        rows = rows.filter(Q(device__dev_eui__in=names) | Q(facts__dev_eui__in=names))
    if which.reason:
        rows = rows.filter(reason=which.reason)
    if which.owner is not None:
        rows = rows.filter(owner_id=which.owner)
    if which.before is not None:
        rows = rows.filter(Q(replayed_at=None) | Q(replayed_at__lt=which.before))
    return rows.order_by("received_at", "pk")


def counts(which: Which, visibility: Visibility) -> list[tuple[str, int]]:
    """How many wait for each reason, the most first."""
    rows = waiting(which, visibility).order_by().values_list("reason")
    return [(reason, count) for reason, count in rows.annotate(n=Count("pk")).order_by("-n")]


def replay_many(which: Which, visibility: Visibility, *, seconds: float | None = None) -> Progress:
    """Run them again, for about so long. A call with `before` the time it `began` goes on with the rest.

    Raises Unavailable if the store or a codec does not answer; what was done until then is recorded.
    """
    began = which.before or now_us()
    rest = replace(which, before=began)
    numbers = list(waiting(rest, visibility).values_list("pk", flat=True))
    end = None if seconds is None else monotonic() + seconds
    stored = done = 0
    for begin in range(0, len(numbers), _TOGETHER):
        group = numbers[begin : begin + _TOGETHER]
        rows = waiting(rest, visibility).filter(pk__in=group)
        outcomes = list(_replayed(list(rows), visibility))
        stored += outcomes.count(RefusedUplink.REPLAYED)
        done += len(group)
        if end is not None and monotonic() >= end:
            break
    return Progress(stored, done - stored, len(numbers) - done, began)


def _replayed(rows: Sequence[RefusedUplink], visibility: Visibility) -> Iterator[str]:
    """The outcome of each, recorded; all are handed to the store before any is waited for."""
    begun = [keeping.begin(kept, visibility) for kept in rows]
    for kept, each in zip(rows, begun, strict=True):
        keeping.settle(kept, each)
        yield kept.outcome
