"""A device that counts its frames from zero again and sends a payload that it sent before.

Where the network gives its messages no identification, counter and payload look like a repetition. Their
times do not: a repetition tells when the first one was received. So what the store took for a repetition is
compared with what it holds, and stored under a key of its own if it was received at another time.
"""

from collections.abc import Sequence
from dataclasses import replace

from stadtherz.base.errors import Unavailable
from stadtherz.base.time import HOUR, Micros
from stadtherz.ingest.pipeline import PATIENCE_S, Plan
from stadtherz.store.public import NONE, Reading, Receipt, by_id, submit

_APART: Micros = HOUR  # two of a network's servers may tell the time of one frame differently


def doubtful(plan: Plan, receipts: Sequence[Receipt]) -> bool:
    """Whether `settled` has to look at this."""
    return bool(plan.counted) and any(receipt.duplicate for receipt in receipts)


def settled(plan: Plan, receipts: Sequence[Receipt]) -> list[Receipt]:
    """The receipts after what was no repetition was stored, too. Asks the database, waits for the store.

    Raises Unavailable if it does not answer; to deliver all again is safe.
    """
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
        readings = [_renamed(plan.readings[place]) for place in again]
        try:
            news = submit(readings).result(PATIENCE_S)
        except TimeoutError as problem:
            raise Unavailable("store", "did not answer in time", retry=True) from problem
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
