"""Who sees which row, and whose it is, as SQL.

`visible` says in SQL what `Visibility.may_read` says in words; every statement has it for every
table it touches. Who asks within a data set sees of what is visible that which hangs on its members,
as far as these are visible themselves.
"""

from collections.abc import Collection
from typing import cast

from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings.standard.schema import (
    FEATURE_OF_INTEREST,
    STREAM,
    TASKING_CAPABILITY,
    THING,
    Access,
    EntityType,
)
from stadtherz.sql.public import Sql, compose, join
from stadtherz.store.public import Entity, held_in, readable

EVERYTHING = Sql("1 = 1")
_MEMBERS: dict[Entity, EntityType] = {
    "Thing": THING,
    "Datastream": STREAM,
    "FeatureOfInterest": FEATURE_OF_INTEREST,
    "TaskingCapability": TASKING_CAPABILITY,
}


def visible(entity: EntityType, alias: str, visibility: Visibility) -> Sql:
    """`Visibility.may_read` as a condition on the row `alias` of the entity's table, which is of its type."""
    if entity.only is None:
        return _readable(entity, alias, visibility)
    column, there = entity.only
    own = Sql(f"{alias}.{column} IS {'NOT ' if there else ''}NULL")
    return compose("{} AND {}", own, _readable(entity, alias, visibility))


def _readable(entity: EntityType, alias: str, visibility: Visibility) -> Sql:
    if visibility.dataset is None:
        return _allowed(entity, alias, visibility)
    anywhere = visibility.outside

    def counts(kind: Entity, alias: str) -> Sql:
        return _allowed(_MEMBERS[kind], alias, anywhere)

    held = held_in(cast(Entity, entity.kind), alias, visibility.dataset, counts)
    return compose("({} AND {})", _allowed(entity, alias, anywhere), held)


def _allowed(entity: EntityType, alias: str, visibility: Visibility) -> Sql:
    if visibility.unbounded:
        return EVERYTHING
    match entity.access:
        case Access.THING:
            return _through_thing(alias, visibility)
        case Access.OWN_AND_THING:
            parts = [_own_access(entity, alias, visibility), _through_thing(alias, visibility)]
            return compose("({})", join(" AND ", parts))
        case Access.OWN:
            return _own_access(entity, alias, visibility)
        case Access.CAPABILITY:
            return _through_capability(alias, visibility)
        case Access.STREAM:
            raise AssertionError("the store decides about readings by their datastream")


def _through_thing(alias: str, visibility: Visibility) -> Sql:
    own = _own_access(THING, f"a{alias}", visibility)
    return compose(
        f"EXISTS (SELECT 1 FROM store_thing a{alias} WHERE a{alias}.id = {alias}.thing_id AND {{}})",
        own,
    )


def _through_capability(alias: str, visibility: Visibility) -> Sql:
    own = _own_access(TASKING_CAPABILITY, f"b{alias}", visibility)
    return compose(
        f"EXISTS (SELECT 1 FROM store_taskingcapability b{alias}"
        f" WHERE b{alias}.id = {alias}.tasking_capability_id AND {{}} AND {{}})",
        own,
        _through_thing(f"b{alias}", visibility),
    )


def _own_access(entity: EntityType, alias: str, visibility: Visibility) -> Sql:
    return readable(cast(Entity, entity.kind), alias, visibility)


def owner_of(entity: EntityType, key: int, visibility: Visibility) -> Sql:
    """The owner of an entity, if the reader may see it."""
    seen = visible(entity, "t0", visibility)
    return compose(
        f"SELECT t0.owner_id FROM {entity.table} t0 WHERE {{}} AND {{}}",
        Sql("t0.id = %s", (key,)),
        seen,
    )


def owners(entity: EntityType, keys: Collection[int], visibility: Visibility) -> Sql:
    """Rows of (id, owner) for those of the entities that the reader may see."""
    among = Sql(f"t0.id IN ({', '.join(['%s'] * len(keys))})", tuple(keys))
    seen = visible(entity, "t0", visibility)
    return compose(
        f"SELECT t0.id, t0.owner_id FROM {entity.table} t0 WHERE {{}} AND {{}}", among, seen
    )


def ownership(entity: EntityType, key: int) -> Sql:
    """Owner, access and group of an entity."""
    return Sql(f"SELECT owner_id, access, group_id FROM {entity.table} WHERE id = %s", (key,))


def thing_of(entity: EntityType, key: int) -> Sql:
    """The Thing of an entity that has one."""
    return Sql(f"SELECT thing_id FROM {entity.table} WHERE id = %s", (key,))


def ownership_of_stream(key: int) -> Sql:
    """Owner, access and group of a datastream, or of its Thing where that is the narrower."""
    picked = ", ".join(
        f"CASE WHEN t.access = 'public' THEN d.{column} ELSE t.{column} END"
        for column in ("owner_id", "access", "group_id")
    )
    return Sql(
        f"SELECT {picked} FROM store_datastream d JOIN store_thing t ON t.id = d.thing_id"
        " WHERE d.id = %s",
        (key,),
    )
