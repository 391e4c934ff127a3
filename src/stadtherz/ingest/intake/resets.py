"""A device that counts its frames from zero again and sends a payload that it sent before.

Where the network gives its messages no identification, counter and payload look like a repetition. Their
times do not: a repetition tells when the first one was received. So what the store took for a repetition is
compared with what it holds, and stored under a key of its own if it was received at another time.
"""

from collections.abc import Sequence
from dataclasses import replace

from stadtherz.base.time import HOUR, Micros
from stadtherz.ingest.intake import pipeline
from stadtherz.ingest.intake.pipeline import Plan
from stadtherz.store.public import NONE, Reading, Receipt, by_id, submit

_APART: Micros = HOUR  # two of a network's servers may tell the time of one frame differently


def doubtful(plan: Plan, receipts: Sequence[Receipt]) -> bool:
    """Whether `settled` has to ask the database."""
    return bool(plan.counted) and any(receipt.duplicate for receipt in receipts)


def settled(plan: Plan, receipts: Sequence[Receipt]) -> Sequence[Receipt]:
    """The receipts after what was no repetition was stored, too. Where that is doubtful, asks the database
    and waits for the store.

    Raises Unavailable if it does not answer; to deliver all again is safe.
    """
    if not doubtful(plan, receipts):
        return receipts
    found = list(receipts)
    known = by_id([receipt.id for receipt in found if receipt.duplicate])
    times = dict(zip(known.id.tolist(), known.result_time.tolist(), strict=True))
    again = [
        place
        for place, (reading, receipt) in enumerate(zip(plan.readings, found, strict=True))
        if receipt.duplicate
        and reading.key == plan.counted
        and _is_another(times.get(receipt.id, NONE), reading)
    ]
    if again:
        news = pipeline.result(submit([_renamed(plan.readings[place]) for place in again]))
        for place, receipt in zip(again, news, strict=True):
            found[place] = receipt
    return found


def _is_another(known: Micros, reading: Reading) -> bool:
    return (
        known != NONE
        and reading.result_time is not None
        and abs(known - reading.result_time) > _APART
    )


def _renamed(reading: Reading) -> Reading:
    return replace(reading, key=f"{reading.key}:{reading.result_time}")
