"""What a delivery leaves behind beside its readings; doors call this after the commit."""

from collections.abc import Sequence

from stadtherz.base.time import Micros
from stadtherz.ingest import pipeline, seen
from stadtherz.ingest.health import notes
from stadtherz.ingest.pipeline import Plan
from stadtherz.store.public import Receipt


def leave(received: Micros, body: bytes, plan: Plan, receipts: Sequence[Receipt]) -> None:
    """Note signs of life, unless it is a repetition, and the message itself. Asks and waits for nothing."""
    if pipeline.is_news(receipts):
        seen.note(*plan.seen)
    notes.note(received, body, plan, receipts)
