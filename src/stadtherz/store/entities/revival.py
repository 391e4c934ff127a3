"""Datastreams that have an id which another one had before: none of their readings gets its ids.

The keys and the log of the former may still name them.
"""

import numpy as np

from stadtherz.store.readings import summaries, view
from stadtherz.store.state import remember, remembered


def leave(stream: int) -> None:
    """Remember how far a datastream that is about to go has counted its readings."""
    held = summaries.read(np.array([stream], np.int64))
    sealed = int(held["next_sequence"][0])
    number = max(sealed, view.current().next_sequence.get(stream, 1))
    if number > remembered("sequences"):
        remember("sequences", number)


def come(stream: int) -> None:
    """Let a new datastream count on where any that went has ended."""
    number = remembered("sequences")
    if number > 1:
        row = summaries.empty(np.array([stream], np.int64))
        row["next_sequence"], row["sealed"] = number, view.current().end
        summaries.write(row)
