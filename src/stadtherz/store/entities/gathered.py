"""Links to many that an entity holds as pairs: what is in a campaign, and in a group of observations."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model

from stadtherz.base.errors import Invalid
from stadtherz.base.visibility import Visibility
from stadtherz.store.entities.ownership import unseen
from stadtherz.store.models import ObservationGroup
from stadtherz.store.readings import grouped
from stadtherz.store.values import Entity, Members

_OBSERVATIONS = "observations"
_HELD: dict[str, tuple[str, ...]] = {
    "Campaign": ("datastreams", "groups"),
    "ObservationGroup": ("relations", _OBSERVATIONS),
}


def others(entity: Entity, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are no members."""
    held = _HELD.get(entity, ())
    return {name: value for name, value in values.items() if name not in held}


def change(
    entity: Entity, instance: Model, values: Mapping[str, Any], visibility: Visibility
) -> bool:
    """Whether something was put there that was not there, or taken away.

    Raises Invalid for members that are not there, or that the caller may not see.
    """
    changed = False
    for name in _HELD.get(entity, ()):
        wanted = values.get(name)
        if isinstance(wanted, Members):
            changed |= _change(instance, name, wanted, visibility)
        elif wanted is not None:
            raise Invalid(name, "must say what is added and what is removed")
    return changed


def _change(instance: Any, name: str, wanted: Members, visibility: Visibility) -> bool:
    if isinstance(instance, ObservationGroup) and name == _OBSERVATIONS:
        grouped.check_there(name, wanted.added, visibility)
        removed = grouped.remove(instance.pk, wanted.removed)
        return grouped.add(instance.pk, wanted.added) or removed
    related = getattr(instance, name)
    if missing := unseen(related.model, wanted.added, visibility):
        raise Invalid(name, f"there is no such entity: {missing[0]}")
    before = set(related.values_list("pk", flat=True))
    related.remove(*wanted.removed)
    related.add(*wanted.added)
    return before != set(related.values_list("pk", flat=True))
