"""Transactions in which an entity is read and then changed, with nobody else between the two."""

from collections.abc import Iterable
from contextlib import AbstractContextManager

from stadtherz.sensorthings.query import sql
from stadtherz.sensorthings.query.execute import rows
from stadtherz.sensorthings.query.tables import Reader
from stadtherz.sensorthings.standard.schema import OBSERVATION, EntityType
from stadtherz.store import public as store


def transaction(*, readings: bool) -> AbstractContextManager[None]:
    """With `readings`, these are asked for before anything is held, so that nobody waits in a circle."""
    return store.moving() if readings else store.exclusive()


def hold(entity: EntityType, keys: Iterable[int], reader: Reader) -> None:
    """Nobody else changes the entities until the transaction ends.

    SQLite's transaction has no others beside it, and that of readings none that change readings.
    """
    if entity.is_a(OBSERVATION) or reader.dialect.name != "postgresql":
        return
    for key in sorted(keys):
        rows(sql.lock(entity, key))
