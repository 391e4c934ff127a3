"""The models of the data plane that people belong to, as Django knows them from our foreign keys."""

from typing import Any

from django.db.models import Model, QuerySet

from stadtherz.base.errors import NotFound
from stadtherz.identity.models import GroupMembership, Membership


def _target(model: type[Model], field: str) -> type[Model]:
    related = model._meta.get_field(field).related_model
    assert isinstance(related, type)
    return related


def organisations() -> QuerySet[Any]:
    return _target(Membership, "organisation")._default_manager.all()


def access_groups() -> QuerySet[Any]:
    return _target(GroupMembership, "group")._default_manager.all()


def organisation_id(slug_or_id: str | int) -> int:
    """The id of an organisation, given as id or as short name."""
    if isinstance(slug_or_id, int):
        return slug_or_id
    found = organisations().filter(slug=slug_or_id).values_list("pk", flat=True).first()
    if found is None:
        raise NotFound(f"organisation {slug_or_id}")
    return int(found)
