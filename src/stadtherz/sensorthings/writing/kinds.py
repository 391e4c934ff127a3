"""Results and result types held against each other before they are written."""

from collections.abc import Mapping
from typing import Any

from stadtherz.base.errors import Invalid
from stadtherz.sensorthings.query import readings, sql
from stadtherz.sensorthings.query.execute import loaded, rows
from stadtherz.sensorthings.query.results import Results, component_of, results_of
from stadtherz.sensorthings.standard import result_types
from stadtherz.sensorthings.standard.result_types import Component
from stadtherz.sensorthings.standard.schema import AS_ARRAYS, RESULT_TYPE, EntityType
from stadtherz.sensorthings.writing.bodies import Body

MAX_PARTS = 200
_NAME = "resultType"
_PARTS = {"data_types": "multiObservationDataTypes", "units": "unitOfMeasurements"}
_OBSERVED = "ObservedProperties"


# --- results -------------------------------------------------------------------------------------


def kept_result(entity: EntityType, stream: int, result: Any) -> Any:
    """The result as the store keeps it.

    Raises:
        Invalid: for one of another kind than the Datastream says, where the face cares, or with
            another number of parts.
    """
    found = results_of([stream]).get(stream)
    return result if found is None else kept(found, entity, result)


def kept(found: Results, entity: EntityType, result: Any) -> Any:
    """As `kept_result`, for results that have been looked up."""
    prop = entity.property("result")
    assert prop is not None, "it is a type of Observations"
    if not prop.checked:
        check_number(found, result)
        return result
    if found.component is not None and not result_types.fits(found.component, result, found.arrays):
        kind = found.component["type"]
        raise Invalid(prop.name, f"is no {kind} as the Datastream's {_NAME} describes it")
    if found.names is not None and isinstance(result, dict):
        return result_types.as_array(found.names, result)
    return result


def check_number(found: Results, result: Any) -> None:
    """Raise Invalid for a result that has not as many parts as there are."""
    if found.types is None:
        return
    if not isinstance(result, list) or len(result) != len(found.types):
        number = len(found.types)
        raise Invalid("result", f"must be a list of {number}, one for each ObservedProperty")


def fits(result: Any, kind: str, unit: Any) -> bool:
    """Whether a Datastream with this observation type and unit, as stored, has such results.

    False for what depends on how they are encoded, too.
    """
    component = component_of(kind, loaded(unit))
    if component is None:
        return True
    return not result_types.parts(component) and result_types.fits(component, result)


# --- result types ----------------------------------------------------------------------------------


def check_change(stream: int, body: Body) -> None:
    """Raise Invalid for a result type of another structure if there are results already."""
    values = body.values
    wanted = (values.get("unit_of_measurement") or {}).get(RESULT_TYPE)
    if (wanted is None and "result_encoding" not in values) or not readings.counts([stream]):
        return
    held = results_of([stream])[stream]
    if wanted is not None and not _is_alike(held, wanted, values.get("data_types")):
        raise Invalid(_NAME, "cannot change its structure, because there are Observations")
    arrays = result_types.arrays(values.get("result_encoding", {}))
    if "result_encoding" in values and held.types is None and arrays != held.arrays:
        raise Invalid("resultEncoding", "cannot change, because there are Observations")


def _is_alike(held: Results, wanted: Component, types: Any) -> bool:
    """Whether results that are there are such ones, too."""
    if (held.types is None) != (types is None):
        return False
    if held.types is not None and not held.own:
        return held.types == tuple(types)
    component = held.component
    return component is None or result_types.structure(component) == result_types.structure(wanted)


def with_parts(entity: EntityType, key: int | None, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a MultiDatastream, whose types, units and ObservedProperties belong together.

    What it was told through version 2.0 is forgotten if version 1.1 changes any of them. `key` is its
    id if it is there already.

    Raises:
        Invalid: if there are not as many of each.
    """
    if entity.only != ("data_types", True) or (key is not None and not _names_parts(values)):
        return dict(values)
    held = {} if key is None else _held_parts(key)
    whole = {**held, **values}
    _check_parts(whole)
    if held and len(whole["observed"]) != len(held["observed"]) and readings.counts([key or 0]):
        raise Invalid(_OBSERVED, "cannot change their number, because there are Observations")
    changed = [name for name, before in held.items() if whole[name] != before]
    if not changed:
        return dict(values)
    return {**values, "unit_of_measurement": {}, "result_encoding": AS_ARRAYS}


def _names_parts(values: Mapping[str, Any]) -> bool:
    return bool(values.keys() & {*_PARTS, "observed"})


def _held_parts(key: int) -> dict[str, Any]:
    ((types, units),) = rows(sql.parts_of_results(key))
    observed = [row[1] for row in rows(sql.observed([key]))]
    return {"data_types": loaded(types), "units": loaded(units), "observed": observed}


def _check_parts(whole: Mapping[str, Any]) -> None:
    number = len(whole["observed"])
    if number > MAX_PARTS:
        raise Invalid(_OBSERVED, f"must not be more than {MAX_PARTS}")
    for (column, name), kind in zip(_PARTS.items(), (str, dict), strict=True):
        listed = whole[column]
        if not isinstance(listed, list) or not all(isinstance(each, kind) for each in listed):
            what = "texts" if kind is str else "objects"
            raise Invalid(name, f"must be a list of {what}, one for each ObservedProperty")
        if len(listed) != number:
            raise Invalid(name, f"has {len(listed)} entries for {number} {_OBSERVED}")
