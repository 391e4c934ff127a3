"""What a Relation leads to (22-022r1): another Observation, or something outside, and never both."""

from collections.abc import Mapping
from typing import Any

from stadtherz.base.errors import Invalid
from stadtherz.sensorthings.query import sql
from stadtherz.sensorthings.query.execute import rows
from stadtherz.sensorthings.standard.schema import RELATION, EntityType

_ENDS = ("object", "external_resource")


def check(entity: EntityType, key: int | None, values: Mapping[str, Any]) -> None:
    """Raise Invalid unless there is one of both when these values have been written."""
    if not entity.is_a(RELATION) or (key is not None and not values.keys() & set(_ENDS)):
        return
    held = {} if key is None else dict(zip(_ENDS, rows(sql.ends_of_relation(key))[0], strict=True))
    ends = [name for name in _ENDS if (held | dict(values)).get(name) is not None]
    if len(ends) != 1:
        raise Invalid("Object", "or externalResource must be given, and not both")
