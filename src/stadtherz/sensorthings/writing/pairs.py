"""Links to many, both ways, that are written as pairs: groups of Observations, what is in a Campaign.

Of two ends one holds such a link; who may change that one may add to it whatever can be seen, and take it
away. What is there besides, and cannot be seen, stays.
"""

from collections.abc import Collection
from typing import cast

from stadtherz.base.errors import Invalid, NotFound
from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings.query import sql
from stadtherz.sensorthings.query.execute import reader_for, rows
from stadtherz.sensorthings.standard.schema import (
    OBSERVATION,
    EntityType,
    Link,
    Through,
    back_link,
    target,
)
from stadtherz.store import public as store
from stadtherz.store.public import Entity, Members


def are(source: EntityType, link: Link) -> bool:
    """Whether the link is written so."""
    return isinstance(link.via, Through) and bool(_held(link) or _held(back_link(source, link)))


def _held(link: Link) -> str:
    return link.via.held if isinstance(link.via, Through) else ""


def put(
    source: EntityType, link: Link, key: int, others: Collection[int], visibility: Visibility
) -> None:
    """Let the entity with this key and these others lead to each other.

    Raises:
        Invalid: for what is not there, or not for the caller.
        Forbidden: if the end that holds the link belongs to somebody else.
    """
    wanted = tuple(dict.fromkeys(others))
    _check_there(link, wanted, visibility)
    _change(source, link, key, wanted, visibility, apart=False)


def take(
    source: EntityType, link: Link, key: int, others: Collection[int], visibility: Visibility
) -> None:
    """Let them lead to each other no longer."""
    _change(source, link, key, tuple(others), visibility, apart=True)


def _change(
    source: EntityType,
    link: Link,
    key: int,
    others: tuple[int, ...],
    visibility: Visibility,
    *,
    apart: bool,
) -> None:
    name, entity, changes = _held(link), source, [(key, others)]
    if not name:
        name, entity = _held(back_link(source, link)), target(link)
        changes = [(other, (key,)) for other in others]
    for holder, members in changes:
        change = Members(removed=members) if apart else Members(added=members)
        try:
            store.update(cast(Entity, entity.kind), holder, {name: change}, visibility)
        except NotFound as error:
            raise Invalid(link.name, f"leads nowhere: {error}") from None
        except Invalid as error:
            raise Invalid(link.name, error.reason) from None


def _check_there(link: Link, keys: tuple[int, ...], visibility: Visibility) -> None:
    """A Datastream is no MultiDatastream; whether Observations are there the store looks itself."""
    entity = target(link)
    if not keys or entity.is_a(OBSERVATION):
        return
    among = sql.with_ids(keys)
    found = {row[0] for row in rows(sql.keys(entity, reader_for(visibility), among))}
    if missing := [key for key in keys if key not in found]:
        raise Invalid(link.name, f"there is no {entity.name} {missing[0]}")
