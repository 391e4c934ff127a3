"""Readings that may have come already: offers that carry a key, and keys that are looked for."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from stadtherz.store.arrivals.offers import Offer
from stadtherz.store.readings import view
from stadtherz.store.readings.keys import digest
from stadtherz.store.sealed.batch import TAIL

_KEY = list(TAIL.fields or ()).index("key")


def with_key(offer: Offer, key: str) -> Offer:
    """The offer with a key: a second one with the same changes nothing."""
    row = offer.row
    return replace(offer, row=(*row[:_KEY], digest(offer.datastream, key), *row[_KEY + 1 :]))


def known_by(datastream: int, keys: Iterable[str]) -> int | None:
    """The id of a reading of the datastream that came with one of these keys; None if none did."""
    digests = np.array([digest(datastream, key) for key in keys], np.uint64)
    found = view.current().keys.find(digests) if len(digests) else {}
    return next(iter(found.values()), None)
