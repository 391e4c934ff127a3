"""Tasks held against what their TaskingCapabilities take, before they are written."""

from collections.abc import Mapping
from typing import Any

from stadtherz.sensorthings.query import sql
from stadtherz.sensorthings.query.execute import loaded, rows
from stadtherz.sensorthings.query.tables import Reader
from stadtherz.sensorthings.standard import tasking
from stadtherz.sensorthings.standard.schema import TASK, EntityType

_TOLD = frozenset({"tasking_parameters", "tasking_capability"})


def check(entity: EntityType, key: int | None, values: Mapping[str, Any], reader: Reader) -> None:
    """Raise Invalid for parameters of a Task that its TaskingCapability does not take.

    `values` are what changes; `key` is the Task's id if it is there already. A TaskingCapability that
    the reader may not see says nothing.
    """
    if not entity.is_a(TASK) or not values.keys() & _TOLD:
        return
    whole = {**({} if key is None else _held(key)), **values}
    for (description,) in rows(sql.described_parameters(whole["tasking_capability"], reader)):
        tasking.check_values(loaded(description), whole["tasking_parameters"])


def _held(key: int) -> dict[str, Any]:
    ((capability, parameters),) = rows(sql.told_parameters(key))
    return {"tasking_capability": capability, "tasking_parameters": loaded(parameters)}
