"""Many deliveries with one commit, for doors that are handed several at once.

The HTTP door (`http`) waits for each request by itself; a stream of messages is taken in groups.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from stadtherz.base.errors import Invalid
from stadtherz.ingest.downlinks import news
from stadtherz.ingest.health import notes
from stadtherz.ingest.intake import pipeline, resets
from stadtherz.ingest.intake.pipeline import Answer, Delivery, Plan, Undecoded
from stadtherz.ingest.refused import keeping
from stadtherz.store.public import Reading, Receipt, submit

Outcome = Sequence[Receipt] | Invalid


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of a delivery. Where `keep` is there, the delivery is not acknowledged before it
    has run: it keeps what was refused, and asks the database.
    """

    answer: Answer
    keep: Callable[[], None] | None = None


def deliver(deliveries: Sequence[Delivery]) -> list[Delivered]:
    """Store what the deliveries hold; all of it is on disk when this returns. Asks the database.

    Raises Unavailable or TimeoutError if it does not answer; then it is not known what was kept, and
    delivering all of it again is safe.
    """
    plans = _plans(deliveries)
    outcomes = _stored([plan.readings for plan in plans])
    return [
        _delivered(delivery, plan, outcome)
        for delivery, plan, outcome in zip(deliveries, plans, outcomes, strict=True)
    ]


def _plans(deliveries: Sequence[Delivery]) -> list[Plan]:
    """All codecs run at the same time; the slowest one holds the group up, no longer than its limit."""
    looks = [_look(delivery) for delivery in deliveries]
    decoding = iter(
        pipeline.decode_payloads([each for each in looks if isinstance(each, Undecoded)])
    )
    return [
        pipeline.measure(each, pipeline.result(next(decoding)))
        if isinstance(each, Undecoded)
        else each
        for each in looks
    ]


def _look(delivery: Delivery) -> Plan | Undecoded:
    refusal = pipeline.refusal_at_the_door(delivery)
    return pipeline.look(delivery) if refusal is None else Plan(refusal=refusal, at_the_door=True)


def _delivered(delivery: Delivery, plan: Plan, outcome: Outcome) -> Delivered:
    if isinstance(outcome, Invalid):
        plan, outcome = Plan(refusal=pipeline.unreadable(outcome)), []
    outcome = resets.settled(plan, outcome)
    if plan.told is not None:
        news.tell(plan.told)
    notes.note(delivery.received, delivery.body, plan, outcome)
    keep = None if plan.refusal is None else partial(keeping.keep, delivery, plan.refusal)
    return Delivered(pipeline.answer(plan, outcome), keep)


def _stored(batches: Sequence[Sequence[Reading]]) -> list[Outcome]:
    """What became of the readings of each: together, or, if any of them is wrong, each by itself."""
    try:
        receipts = pipeline.result(submit([reading for batch in batches for reading in batch]))
    except Invalid:
        return [_alone(batch) for batch in batches]
    outcomes: list[Outcome] = []
    begin = 0
    for batch in batches:
        outcomes.append(receipts[begin : begin + len(batch)])
        begin += len(batch)
    return outcomes


def _alone(batch: Sequence[Reading]) -> Outcome:
    try:
        return pipeline.result(submit(batch))
    except Invalid as problem:
        return problem
