"""Results and result types held against each other before they are written."""

from typing import Any

import orjson

from stadtherz.base.errors import Invalid
from stadtherz.sensorthings import readings, result_types, sql
from stadtherz.sensorthings.bodies import Body
from stadtherz.sensorthings.execute import rows
from stadtherz.sensorthings.result_types import Component
from stadtherz.sensorthings.schema import RESULT_TYPE, EntityType

_NAME = "resultType"


def check_result(entity: EntityType, stream: int, result: Any) -> None:
    """Raise Invalid for a result of another kind than the Datastream says, where the face cares."""
    prop = entity.property("result")
    if prop is None or not prop.checked:
        return
    component = _said(stream)
    if component is not None and not result_types.fits(component, result):
        raise Invalid(
            prop.name, f"is no {component['type']} as the Datastream's {_NAME} describes it"
        )


def fits(result: Any, kind: str, unit: Any) -> bool:
    """Whether a Datastream with this observation type and unit, as stored, has such results."""
    component = _component(kind, unit)
    return component is None or result_types.fits(component, result)


def check_change(stream: int, body: Body) -> None:
    """Raise Invalid for a result type of another structure if there are results already."""
    wanted = (body.values.get("unit_of_measurement") or {}).get(RESULT_TYPE)
    if wanted is None or not readings.counts([stream]):
        return
    held = _said(stream)
    if held is not None and result_types.structure(held) != result_types.structure(wanted):
        raise Invalid(_NAME, "cannot change its structure, because there are Observations")


def _said(stream: int) -> Component | None:
    found = rows(sql.kind_of_results(stream))
    return _component(*found[0]) if found else None


def _component(kind: str, unit: Any) -> Component | None:
    document = orjson.loads(unit) if isinstance(unit, str) else unit
    return result_types.said(kind, document) if isinstance(document, dict) else None
