"""Values onto a model's fields, checked one by one with the field's name in every complaint."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models

from stadtherz.base.errors import Invalid
from stadtherz.base.visibility import AccessLevel, Visibility
from stadtherz.store.arrivals.checks import check_instant, check_plain, check_text
from stadtherz.store.entities.ownership import check_readable, check_writable, unseen
from stadtherz.store.models import FeatureOfInterest, FeatureType, Location, Observed, Owned
from stadtherz.store.readings.grouped import check_there

_MEMBERS: dict[str, type[Owned]] = {
    "locations": Location,
    "ultimate_features": FeatureOfInterest,
    "feature_types": FeatureType,
}
SETS = _MEMBERS.keys()
"""Fields that hold any number of other entities, given by their ids."""


def apply_values(
    instance: models.Model, values: Mapping[str, Any], visibility: Visibility, *, creating: bool
) -> None:
    """Set the values; on creation, see that nothing needed is missing."""
    fields = {field.name: field for field in instance._meta.concrete_fields if field.name != "id"}
    for name, value in values.items():
        if name in SETS and hasattr(type(instance), name):
            _check_members(instance, name, value, visibility)
        elif name not in fields:
            raise Invalid(name, "is not a property of this entity")
        else:
            _apply(instance, fields[name], value, visibility)
    if creating:
        _check_complete(fields.values(), values)
    if isinstance(instance, Owned):
        _check_access(instance)


def _apply(
    instance: models.Model, field: "models.Field[Any, Any]", value: Any, visibility: Visibility
) -> None:
    if value is None and not field.null:
        raise Invalid(field.name, "must not be null")
    if value is not None:
        _check(field, value, visibility)
    setattr(instance, field.attname, value)


def _check(field: "models.Field[Any, Any]", value: Any, visibility: Visibility) -> None:
    match field:
        case models.ForeignKey():
            _check_relation(field, value, visibility)
        case models.JSONField():
            check_plain(field.name, value)
        case models.PositiveBigIntegerField():
            check_there(field.name, [value], visibility)
        case models.BigIntegerField():
            if not isinstance(value, int) or isinstance(value, bool):
                raise Invalid(field.name, "must be a time in microseconds")
            check_instant(field.name, value)
        case _:
            _check_string(field, value)


def _check_string(field: "models.Field[Any, Any]", value: Any) -> None:
    if not isinstance(value, str):
        raise Invalid(field.name, "must be a text")
    check_text(field.name, value)
    if not value.strip() and not field.blank:
        raise Invalid(field.name, "must not be empty")
    if field.max_length is not None and len(value) > field.max_length:
        raise Invalid(field.name, f"must not be longer than {field.max_length} characters")


def _check_relation(field: "models.ForeignKey[Any, Any]", key: Any, visibility: Visibility) -> None:
    """An entity the caller may not see looks like one that does not exist."""
    missing = Invalid(field.name, f"there is no such entity: {key}")
    if not isinstance(key, int) or isinstance(key, bool):
        raise missing
    related = field.remote_field.model._base_manager.filter(pk=key).first()
    if related is None:
        raise missing
    if isinstance(related, Owned):
        check_readable(related, visibility, missing)
    if field.name == "thing":  # to hang something on a Thing is to change it
        check_writable(related, visibility)


def _check_members(instance: models.Model, name: str, keys: Any, visibility: Visibility) -> None:
    """Every entity of the list exists, and may be seen unless it is a member already."""
    if not isinstance(keys, list | tuple) or not all(isinstance(key, int) for key in keys):
        raise Invalid(name, "must be a list of ids")
    hidden = unseen(_MEMBERS[name], keys, visibility)
    if hidden and instance.pk is not None:
        held = set(getattr(instance, name).values_list("pk", flat=True))
        hidden = [key for key in hidden if key not in held]
    if hidden:
        raise Invalid(name, f"there is no such entity: {hidden[0]}")


def check_observed(keys: Any, visibility: Visibility) -> list[int]:
    """The ids of ObservedProperties, of which every one exists and may be seen."""
    if not isinstance(keys, list | tuple) or not keys:
        raise Invalid("observed", "must be a list of ids")
    for key in dict.fromkeys(keys):
        field: models.ForeignKey[Any, Any] = Observed._meta.get_field("observed_property")
        try:
            _check_relation(field, key, visibility)
        except Invalid as error:
            raise Invalid("observed", error.reason) from None
    return list(keys)


def _check_complete(fields: "Iterable[models.Field[Any, Any]]", values: Mapping[str, Any]) -> None:
    for field in fields:
        needed = not (field.null or field.blank or field.has_default())
        if needed and field.name not in values and field.name != "owner":
            raise Invalid(field.name, "is missing")


def _check_access(instance: Owned) -> None:
    if instance.access not in set(AccessLevel):
        raise Invalid("access", f"must be one of {', '.join(AccessLevel)}")
    if instance.access == AccessLevel.GROUP and instance.group_id is None:
        raise Invalid("group", "must be named if access is given to a group")
