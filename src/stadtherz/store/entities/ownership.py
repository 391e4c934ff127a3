"""Who may see and change an entity, and whose a new one is."""

from collections.abc import Collection, Mapping
from typing import Any, cast

from django.db.models import Model, QuerySet

from stadtherz.base.errors import Forbidden, StadtherzError
from stadtherz.base.visibility import Visibility
from stadtherz.store.models import (
    Dataset,
    Datastream,
    FeatureOfInterest,
    HistoricalLocation,
    Owned,
    Task,
    TaskingCapability,
    Thing,
)
from stadtherz.store.readings.sharing import opens
from stadtherz.store.values import Entity
from stadtherz.store.writing.changes import streams_at


def guardian(instance: Any) -> int:
    """The organisation that decides about an entity."""
    if isinstance(instance, HistoricalLocation):
        return int(instance.thing.owner_id)
    if isinstance(instance, Task):
        return int(instance.tasking_capability.thing.owner_id)
    return int(instance.owner_id)


def is_readable(instance: Any, visibility: Visibility) -> bool:
    """Whether the caller may see the entity, and the Thing or capability that it hangs on."""
    above = _above(instance)
    if above is not None and not is_readable(above, visibility):
        return False
    if not isinstance(instance, Owned) or visibility.may_read(
        access=instance.access, owner=instance.owner_id, group=instance.group_id
    ):
        return True
    return opens(cast(Entity, type(instance).__name__), instance.pk, visibility)


def _above(instance: Any) -> Any:
    match instance:
        case HistoricalLocation() | Datastream() | TaskingCapability():
            return instance.thing
        case Task():
            return instance.tasking_capability
        case _:
            return None


def check_readable(instance: Any, visibility: Visibility, refusal: StadtherzError) -> None:
    """Raise the refusal unless `is_readable`."""
    if not is_readable(instance, visibility):
        raise refusal


def unseen(model: type[Model], keys: Collection[int], visibility: Visibility) -> list[int]:
    """Those of the ids, in their order, behind which is nothing that the caller may see."""
    along = "thing" if model is Datastream else None
    found = model._base_manager.select_related(along).in_bulk(keys)
    return [key for key in keys if key not in found or not is_readable(found[key], visibility)]


def check_writable(instance: Any, visibility: Visibility) -> None:
    if isinstance(instance, Owned) and instance.owner_id is None:
        raise Forbidden("no organisation is named that it would belong to")
    if not visibility.may_write(guardian(instance)):
        raise Forbidden("this belongs to another organisation, or the token may only read")


def default_ownership(
    entity: Entity, values: Mapping[str, Any], visibility: Visibility
) -> dict[str, Any]:
    """Owner, access and group of a new entity where the caller names none."""
    if entity in ("HistoricalLocation", "Task"):
        return {}
    key = values.get("thing")
    thing = Thing.objects.filter(pk=key).first() if isinstance(key, int) else None
    if thing is None:
        return _as_the_set(visibility) or _at_home(visibility)
    if "access" in values:
        return {"owner": thing.owner_id}
    return {"owner": thing.owner_id, "access": thing.access, "group": thing.group_id}


def _at_home(visibility: Visibility) -> dict[str, Any]:
    return {} if visibility.home is None else {"owner": visibility.home}


def _as_the_set(visibility: Visibility) -> dict[str, Any]:
    """What is created within a data set belongs to its owner, and those see it who see the data set."""
    if visibility.dataset is None:
        return {}
    held = Dataset.objects.get(pk=visibility.dataset)
    if not visibility.may_write(held.owner_id):
        return {}
    return {"owner": held.owner_id, "access": held.access, "group": held.group_id}


_USERS: dict[str, tuple[tuple[type[Owned], str], ...]] = {
    "Thing": ((Datastream, "thing"), (TaskingCapability, "thing")),
    "Sensor": ((Datastream, "sensor"),),
    "ObservedProperty": ((Datastream, "observed__observed_property"),),
    "FeatureOfInterest": ((Datastream, "proximate_feature"), (Datastream, "ultimate_features")),
    "FeatureType": ((FeatureOfInterest, "feature_types"),),
    "Location": ((Thing, "locations"),),
    "License": ((Datastream, "license"),),
    "Actuator": ((TaskingCapability, "actuator"),),
}
"""What uses an entity, and the field by which it does."""


def others_use(entity: Entity, key: int, visibility: Visibility) -> bool:
    """Whether deleting the entity would touch data of organisations the caller may not change."""
    if visibility.everything:
        return False
    users: list[QuerySet[Any]] = [
        model._base_manager.filter(**{field: key}) for model, field in _USERS.get(entity, ())
    ]
    if entity == "FeatureOfInterest":
        users.append(Datastream.objects.filter(pk__in=streams_at(key)))
    return any(found.exclude(owner__in=visibility.writes).exists() for found in users)
