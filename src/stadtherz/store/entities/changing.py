"""Changes to entities: checked, with an owner, in one transaction, and announced.

Values are keyed by the models' field names; relations by id (`thing`, `sensor`,
`observed_property`, `generated_from`, `proximate_feature`, `actuator`, `tasking_capability`), `observed`
and what `fields.SETS` names as lists of ids; `datastreams`, `groups`, `relations` and `observations` as
`Members`.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

from django.db.models import Model
from django.dispatch import Signal

from stadtherz.base.errors import Conflict, NotFound
from stadtherz.base.time import now_us
from stadtherz.base.visibility import Visibility
from stadtherz.sql.public import compose
from stadtherz.store.database import exclusive, members, on_sqlite, rows_of, run
from stadtherz.store.entities import gathered
from stadtherz.store.entities.fields import SETS, apply_values, check_observed
from stadtherz.store.entities.ownership import (
    check_readable,
    check_writable,
    default_ownership,
    guardian,
    others_use,
)
from stadtherz.store.entities.revival import come
from stadtherz.store.models import (
    Actuator,
    Campaign,
    Datastream,
    FeatureOfInterest,
    FeatureType,
    HistoricalLocation,
    License,
    Location,
    ObservationGroup,
    Observed,
    ObservedProperty,
    Party,
    Relation,
    Sensor,
    Task,
    TaskingCapability,
    Thing,
)
from stadtherz.store.numbers import LARGEST, LARGEST_STREAM, chosen
from stadtherz.store.standpoint import standpoint
from stadtherz.store.values import Entity
from stadtherz.store.writing.changes import hold_area, renew_areas

_RECOGNISER_LOCK = 7_834_673

MODELS: dict[Entity, type[Model]] = {
    "Thing": Thing,
    "Location": Location,
    "HistoricalLocation": HistoricalLocation,
    "Sensor": Sensor,
    "ObservedProperty": ObservedProperty,
    "Datastream": Datastream,
    "FeatureOfInterest": FeatureOfInterest,
    "Actuator": Actuator,
    "TaskingCapability": TaskingCapability,
    "Task": Task,
    "FeatureType": FeatureType,
    "Party": Party,
    "License": License,
    "Campaign": Campaign,
    "ObservationGroup": ObservationGroup,
    "Relation": Relation,
}

entity_changed = Signal()
"""Sent inside the transaction: actor, action ("create", "update", "delete"), entity, id, owner, changes."""


def create(
    entity: Entity, values: Mapping[str, Any], visibility: Visibility, *, key: int | None = None
) -> int:
    """Create an entity and give its id, which is `key` if that is given.

    Without `owner` it belongs to the Thing it hangs on, else to the caller's home organisation;
    without `access` and `group` it takes those of its Thing. Raises Invalid (also for relations
    that the caller may not see), Forbidden, and Conflict for a key that is taken.
    """
    with exclusive():
        instance = MODELS[entity]()
        owned = default_ownership(entity, values, visibility)
        plain = _plain(gathered.others(entity, values), visibility)
        apply_values(instance, {**owned, **plain}, visibility, creating=True)
        check_writable(instance, visibility)
        instance.pk = key
        with nullcontext() if key is None else _chosen(entity, key):
            instance.save(force_insert=True)
        _set_observed(instance, values)
        _set_locations(entity, instance, values)
        _set_others(instance, values)
        gathered.change(entity, instance, values, visibility)
        _announce("create", entity, instance, values, visibility)
        return int(instance.pk)


@contextmanager
def _chosen(entity: Entity, key: int) -> Iterator[None]:
    stream = entity == "Datastream"
    table = MODELS[entity]._meta.db_table
    with chosen(table, key, LARGEST_STREAM if stream else LARGEST):
        yield
    if stream:
        come(key)


@contextmanager
def recognising() -> Iterator[None]:
    """A transaction in which nobody else looks whether an entity is there and then creates it."""
    with exclusive():
        if not on_sqlite():
            run("SELECT pg_advisory_xact_lock(%s)", (_RECOGNISER_LOCK,))
        yield


def update(entity: Entity, key: int, values: Mapping[str, Any], visibility: Visibility) -> None:
    """Change the given values of an entity and leave the others; if they are so already, nothing.

    Raises NotFound if it does not exist or may not be seen, Forbidden, Invalid.
    """
    with exclusive():
        instance = find(entity, key, visibility)
        check_writable(instance, visibility)
        before, place = _state(instance), _place(instance)
        plain = _plain(gathered.others(entity, values), visibility)
        apply_values(instance, plain, visibility, creating=False)
        check_writable(instance, visibility)  # the new owner, too
        changed = _state(instance) != before
        if changed:
            instance.save()
        changed |= _set_observed(instance, values)
        changed |= _set_others(instance, values)
        changed |= gathered.change(entity, instance, values, visibility)
        if place != _place(instance):
            _renew_areas(entity, key)
        if _set_locations(entity, instance, values) or changed:
            _announce("update", entity, instance, values, visibility)


def _place(instance: Any) -> Any:
    return getattr(instance, "feature", None) or getattr(instance, "observed_area", None)


def _renew_areas(entity: Entity, key: int) -> None:
    if entity == "FeatureOfInterest":
        renew_areas(key)
    elif entity == "Datastream":
        hold_area(key)


def _state(instance: Model) -> str:
    """What an entity holds, as a text in which 1, 1.0 and true differ."""
    fields = instance._meta.concrete_fields
    return repr([getattr(instance, field.attname) for field in fields])


def delete(entity: Entity, key: int, visibility: Visibility) -> None:
    """Delete an entity and what cannot exist without it (18-088 §10.4, table 26).

    Raises NotFound, Forbidden, and Conflict where another organisation's data hangs on it.
    """
    with exclusive():
        instance = find(entity, key, visibility)
        check_writable(instance, visibility)
        if others_use(entity, key, visibility):
            raise Conflict(f"{entity} {key} is in use by another organisation")
        if entity == "Location":  # no cascade crosses many-to-many
            HistoricalLocation.objects.filter(locations=key).delete()
        if entity == "ObservedProperty":  # whatever its place among what a datastream observes
            for stream in Datastream.objects.filter(observed__observed_property=key).distinct():
                stream.delete()
        instance.delete()
        instance.pk = key
        _announce("delete", entity, instance, {}, visibility)


def find(entity: Entity, key: int, visibility: Visibility) -> Any:
    """The entity, if it exists and the caller may see it; else NotFound."""
    model: Any = MODELS[entity]
    instance = model.objects.filter(pk=key).first()
    if instance is None:
        raise NotFound(f"{entity} {key}")
    check_readable(instance, visibility, NotFound(f"{entity} {key}"))
    return instance


def _announce(
    action: str, entity: Entity, instance: Any, values: Mapping[str, Any], visibility: Visibility
) -> None:
    entity_changed.send(
        sender=entity,
        actor=visibility.actor,
        action=action,
        entity=entity,
        id=instance.pk,
        owner=guardian(instance),
        changes=dict(values),
    )


# --- what datastreams observe --------------------------------------------------------------------


def _plain(values: Mapping[str, Any], visibility: Visibility) -> Mapping[str, Any]:
    """The values of fields alone: a datastream has the first of what it observes in one."""
    if "observed" not in values:
        return values
    first = check_observed(values["observed"], visibility)[0]
    return {k: v for k, v in values.items() if k != "observed"} | {"observed_property": first}


def _set_observed(instance: Any, values: Mapping[str, Any]) -> bool:
    """Whether the datastream observes something else now."""
    if "observed" not in values or Observed.of(instance.pk) == list(values["observed"]):
        return False
    Observed.write(instance.pk, list(values["observed"]))
    return True


# --- sets without consequences -------------------------------------------------------------------


def _set_others(instance: Any, values: Mapping[str, Any]) -> bool:
    """Whether the entity has other members in one of its sets now."""
    changed = False
    for name in values.keys() & SETS - {"locations"}:
        held, wanted = getattr(instance, name), set(values[name])
        if wanted != set(held.values_list("pk", flat=True)):
            held.set(wanted)
            changed = True
    return changed


# --- where Things are ----------------------------------------------------------------------------


def _set_locations(entity: Entity, instance: Any, values: Mapping[str, Any]) -> bool:
    """Whether the Thing or its history stands somewhere else now."""
    if "locations" not in values or entity not in ("Thing", "HistoricalLocation"):
        return False
    keys = list(dict.fromkeys(values["locations"]))
    if set(keys) == set(instance.locations.values_list("pk", flat=True)):
        return False
    instance.locations.set(keys)
    if entity == "Thing":
        if keys:
            HistoricalLocation.objects.create(thing=instance, time=now_us()).locations.set(keys)
        return True
    newer = HistoricalLocation.objects.filter(thing=instance.thing_id, time__gt=instance.time)
    if not newer.exists():  # 18-088 §8.2.3: the newest place is where the Thing is now
        instance.thing.locations.set(keys)
    return True


def feature_for(datastream: int) -> int | None:
    """The feature of interest for readings that name none: made once from the Thing's Location.

    None if the Thing has no place. Raises NotFound for an unknown datastream.
    """
    places = _standpoints([datastream])
    if datastream not in places:
        raise NotFound(f"Datastream {datastream}")
    place = places[datastream]
    if place is None:
        return None
    location = Location.objects.get(pk=place)
    feature, _ = FeatureOfInterest.objects.get_or_create(
        generated_from=location,
        defaults={
            "name": location.name,
            "description": location.description,
            "encoding_type": location.encoding_type,
            "feature": location.location,
            "owner_id": guardian(location),
            "access": location.access,
            "group_id": location.group_id,
        },
    )
    return int(feature.pk)


def features_for(datastreams: Iterable[int]) -> dict[int, int | None]:
    """As `feature_for`, for several datastreams at once; those that do not exist are left out."""
    places = _standpoints(datastreams)
    made = dict(
        FeatureOfInterest.objects.filter(generated_from__in=set(places.values()) - {None})
        .order_by()
        .values_list("generated_from", "pk")
    )
    return {
        stream: None if place is None else made.get(place) or feature_for(stream)
        for stream, place in places.items()
    }


def _standpoints(datastreams: Iterable[int]) -> dict[int, int | None]:
    """The Location of each datastream's Thing; None if it has no place."""
    wanted = members("d.id", set(datastreams))
    text = f"SELECT d.id, {standpoint('d.thing_id')} FROM store_datastream d WHERE {{}}"
    return dict(rows_of(compose(text, wanted)))
