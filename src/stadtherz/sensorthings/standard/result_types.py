"""What kind of thing the results of a Datastream are: `resultType` of version 2.0 (SWE Common 3.0, OGC
24-014), and `observationType` with `unitOfMeasurement` of version 1.1 for the same.

The store keeps the latter. A result type that was sent is kept as a member of the unit, which only
version 2.0 shows; where there is none, or version 1.1 has changed the kind since, it is made from the two.

A record of simple fields is a MultiDatastream of version 1.1: it has a type and a unit for each field, and
its results are kept as arrays.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from stadtherz.base.errors import Invalid
from stadtherz.sensorthings.standard.model import RESULT_TYPE

Component = dict[str, Any]

_OM = "http://www.opengis.net/def/observationType/OGC-OM/2.0/"
_KINDS = {
    "Quantity": "OM_Measurement",
    "Count": "OM_CountObservation",
    "Boolean": "OM_TruthObservation",
    "Category": "OM_CategoryObservation",
    "DataRecord": "OM_ComplexObservation",
}
_SIMPLE = {_OM + kind: name for name, kind in _KINDS.items() if name != "DataRecord"}
_FLAT = frozenset({"Quantity", "Count", "Boolean", "Category", "Text", "Time"})
_WITH_UNIT = frozenset({"Quantity", "QuantityRange", "Time", "TimeRange"})
_RANGES = frozenset({"QuantityRange", "CountRange", "CategoryRange", "TimeRange"})
_LABELLED = frozenset({"Quantity", "Count", "Boolean", "Category", "Text", "Time"}) | _RANGES
_PARTS = {"DataRecord": "fields", "Vector": "coordinates", "DataChoice": "items"}
_ARRAYS = frozenset({"DataArray", "Matrix"})
_ELEMENT = "elementType"
_TYPES = _LABELLED | _ARRAYS | frozenset(_PARTS) | {"Geometry"}
_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*", re.ASCII)
_UNIT_MEMBERS = frozenset({"code", "href", "label", "symbol"})
_UCUM = "ucum:"
_CODES = {"°C": "Cel", "°": "deg", "m³": "m3", "m³/h": "m3/h", "m³/s": "m3/s", "µg/m³": "ug/m3",
          "l/m²": "l/m2", "W/m²": "W/m2", "µS/cm": "uS/cm"}  # fmt: skip
_ANY = "Any"  # where nobody has said what it is
_AS_ARRAYS = {"recordsAsArrays": "DataRecord", "vectorsAsArrays": "Vector"}
MAX_DEPTH = 8


# --- from version 1.1 ----------------------------------------------------------------------------


def shown(kind: str, unit: Any, observed: str, label: str) -> Component:
    """The result type of a Datastream; `observed` is the reference to its ObservedProperty."""
    unit = unit if isinstance(unit, dict) else {}
    kept = unit.get(RESULT_TYPE)
    if isinstance(kept, dict) and observation_type(kept) == kind:
        return _with_definition(kept, observed)
    name = _SIMPLE.get(kind)
    if name is None:
        return _anything(observed, label)
    component: Component = {"type": name, "label": label, "definition": observed}
    if name == "Quantity":
        component["uom"] = _uom(unit)
    if name == "Category" and isinstance(unit.get("definition"), str):
        component["codeSpace"] = unit["definition"]
    return component


def _with_definition(component: Component, observed: str) -> Component:
    """Who changes the ObservedProperty changes what the definitions lead to."""
    name = _within(component)
    changed: Component = dict(component)
    if name == _ELEMENT:
        changed[name] = _with_definition(component[name], observed)
    elif name:
        changed[name] = [_with_definition(part, observed) for part in component[name]]
    return changed | ({"definition": observed} if "definition" in component else {})


def _within(component: Component) -> str | None:
    """Where the parts of a component stand, if it has any."""
    kind = component["type"]
    return _ELEMENT if kind in _ARRAYS else _PARTS.get(kind)


def _anything(observed: str, label: str) -> Component:
    """Version 1.1 does not say what the results are."""
    items = [
        {"type": "Quantity", "name": "number", "label": label, "definition": observed,
         "uom": {"code": "1"}},
        {"type": "Boolean", "name": "truth", "label": label, "definition": observed},
        {"type": "Text", "name": "text", "label": label, "definition": observed},
    ]  # fmt: skip
    return {"type": "DataChoice", "label": label, "items": items}


def _uom(unit: dict[str, Any]) -> dict[str, str]:
    name, symbol, definition = (
        value if isinstance(value := unit.get(key), str) and value else None
        for key in ("name", "symbol", "definition")
    )
    uom = {"label": name, "symbol": symbol}
    if definition is not None and definition.startswith(_UCUM):
        uom["code"] = definition.removeprefix(_UCUM)
    elif definition is not None:
        uom |= {"href": definition, "code": _CODES.get(symbol or "")}
    else:
        uom["code"] = "1" if symbol is None else _CODES.get(symbol, symbol)
    return {key: value for key, value in uom.items() if value}


def record(
    types: Sequence[Any],
    units: Sequence[Any],
    observed: Sequence[tuple[str, str | None]],
    label: str,
) -> Component:
    """The result type of a MultiDatastream.

    `observed` are references to its ObservedProperties, with their names where these may be known.
    """
    fields = [
        shown(str(kind), unit, reference, name or label)
        for kind, unit, (reference, name) in zip(types, units, observed, strict=False)
    ]
    names = _field_names([name or "field" for _, name in observed])
    named = [{"name": name, **field} for name, field in zip(names, fields, strict=False)]
    return {"type": "DataRecord", "label": label, "fields": named}


def _field_names(texts: Sequence[str]) -> list[str]:
    """Different names that SWE Common allows, made of any texts."""
    names: list[str] = []
    for text in texts:
        plain = unicodedata.normalize("NFKD", text.translate(_UMLAUTS)).encode("ascii", "ignore")
        name = _NOT_IN_NAMES.sub("_", plain.decode()).strip("_")
        name = name if name[:1].isalpha() else f"field_{name}".rstrip("_")
        number = sum(1 for other in texts[: len(names)] if other == text) + 1
        wanted = name if number == 1 else f"{name}_{number}"
        while wanted in names:
            wanted += "_"
        names.append(wanted)
    return names


_UMLAUTS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"}
)
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")


def record_of(kept: Component, observed: Sequence[str]) -> Component:
    """A record that was sent, with the references to its ObservedProperties as they are now."""
    fields = [
        {**field, "definition": reference}
        for field, reference in zip(kept["fields"], observed, strict=False)
    ]
    return {**kept, "fields": fields}


# --- to version 1.1 ------------------------------------------------------------------------------


def observation_type(component: Component) -> str:
    """What version 1.1 calls results of this kind."""
    return _OM + _KINDS.get(str(component.get("type")), "OM_Observation")


def unit_of_measurement(component: Component) -> dict[str, Any]:
    """The unit as version 1.1 knows it, with the result type as it was sent."""
    uom = component.get("uom") if component["type"] == "Quantity" else None
    unit = dict.fromkeys(("name", "symbol", "definition"))
    if isinstance(uom, dict):
        code = uom.get("code")
        definition = uom.get("href") or (None if code is None else _UCUM + code)
        unit = {"name": uom.get("label"), "symbol": uom.get("symbol"), "definition": definition}
    return {**unit, RESULT_TYPE: component}


def is_flat(component: Component) -> bool:
    """Whether it is a record of nothing but single values, as the results of a MultiDatastream are."""
    if component["type"] != "DataRecord" or "definition" in component:
        return False
    return all(field["type"] in _FLAT for field in component["fields"])


def data_types(component: Component) -> list[str]:
    """What version 1.1 calls the fields of a record."""
    return [observation_type(field) for field in component["fields"]]


def units(component: Component) -> list[dict[str, Any]]:
    """The units of the fields of a record as version 1.1 knows them; of nulls where there is none."""
    return [
        {k: v for k, v in unit_of_measurement(field).items() if k != RESULT_TYPE}
        for field in component["fields"]
    ]


def definitions(component: Component) -> list[str]:
    """What the component and its parts refer to, in order; of a flat record what each field does."""
    found = [text for _, text in places_of_definitions(component, "")]
    return found if is_flat(component) else list(dict.fromkeys(found))


def places_of_definitions(component: Component, where: str) -> list[tuple[str, str]]:
    """Each definition, with its place, of the component at `where` and of its parts."""
    found = [(f"{where}/definition", component["definition"])] if "definition" in component else []
    name = _within(component)
    for place, part in enumerate(parts(component)):
        inside = f"{where}/{name}" if name == _ELEMENT else f"{where}/{name}/{place}"
        found += places_of_definitions(part, inside)
    return found


def parts(component: Component) -> list[Component]:
    name = _within(component)
    if name is None:
        return []
    return [component[name]] if name == _ELEMENT else list(component[name])


def check(component: Any, where: str, depth: int = 0) -> None:
    """Raise Invalid, naming the place, for what is no component of SWE Common."""
    if not isinstance(component, dict):
        raise Invalid(where, "must be a SWE Common component: an object with a type")
    kind = component.get("type")
    if not isinstance(kind, str) or kind not in _TYPES or depth > MAX_DEPTH:
        raise Invalid(f"{where}/type", f"must be one of {', '.join(sorted(_TYPES))}")
    if kind in _LABELLED:
        _check_text(component, "label", where)
        _check_text(component, "definition", where)
    elif not isinstance(component.get("definition", ""), str):
        raise Invalid(f"{where}/definition", "must be a text")
    if kind in _WITH_UNIT:
        _check_uom(component.get("uom"), f"{where}/uom")
    _check_parts(component, where, depth)


def _check_text(component: Component, name: str, where: str) -> None:
    if not isinstance(component.get(name), str):
        raise Invalid(f"{where}/{name}", f"is missing; a {component['type']} needs it")


def _check_uom(uom: Any, where: str) -> None:
    texts = isinstance(uom, dict) and all(isinstance(value, str) for value in uom.values())
    if not texts or not uom.keys() & {"code", "href"} or uom.keys() - _UNIT_MEMBERS:
        raise Invalid(
            where, "must be an object with code or href, and with label or symbol at most"
        )


def _check_parts(component: Component, where: str, depth: int) -> None:
    name = _PARTS.get(component["type"])
    if name is not None:
        listed = component.get(name)
        if not isinstance(listed, list) or not listed:
            raise Invalid(f"{where}/{name}", "must be a list of components")
        for place, part in enumerate(listed):
            check(part, f"{where}/{name}/{place}", depth + 1)
            _check_name(part, f"{where}/{name}/{place}/name")
        if len({part["name"] for part in listed}) < len(listed):
            raise Invalid(f"{where}/{name}", "must not have a name twice")
    if component["type"] in _ARRAYS:
        check(component.get(_ELEMENT), f"{where}/{_ELEMENT}", depth + 1)


def _check_name(part: Component, where: str) -> None:
    if not isinstance(part.get("name"), str) or not _FIELD_NAME.fullmatch(part["name"]):
        raise Invalid(where, "must be a name of letters, digits, _ and -")


# --- results -------------------------------------------------------------------------------------


def said(kind: str, unit: Any) -> Component | None:
    """The result type if anybody has said what the results are; None if they may be anything."""
    kept = unit.get(RESULT_TYPE)
    if isinstance(kept, dict) and observation_type(kept) == kind:
        return kept
    return {"type": _SIMPLE[kind]} if kind in _SIMPLE else None


def said_of_parts(types: Sequence[Any], unit: Any) -> Component:
    """The result type of a MultiDatastream, as far as results are held against it."""
    kept = unit.get(RESULT_TYPE) if isinstance(unit, dict) else None
    if isinstance(kept, dict):
        return kept
    fields = [
        {"type": _SIMPLE.get(str(kind), _ANY), "name": f"f{place}", "optional": True}
        for place, kind in enumerate(types)
    ]
    return {"type": "DataRecord", "fields": fields}


def structure(component: Component) -> tuple[Any, ...]:
    """What of a result type must stay as it is once there are results."""
    within = tuple(structure(part) for part in parts(component))
    return component["type"], component.get("name"), within


def fits(component: Component, result: Any, arrays: frozenset[str] = frozenset()) -> bool:
    """Whether this is such a result, as SWE Common writes it in JSON.

    `arrays` are the types of components that the encoding writes as arrays of their parts.
    """
    if any(result == nil.get("value") for nil in _nils(component)):
        return True
    kind: str = component["type"]
    if kind in _RANGES:
        simple = {"type": kind.removesuffix("Range")}
        return (
            isinstance(result, list) and len(result) == 2 and all(fits(simple, r) for r in result)
        )
    if kind in _ARRAYS:
        element = component[_ELEMENT]
        return isinstance(result, list) and all(fits(element, r, arrays) for r in result)
    if kind in arrays:
        return isinstance(result, list) and _fit_in_order(component, result, arrays)
    if kind in _PARTS:
        return isinstance(result, dict) and _fit_parts(component, result, arrays)
    return _SIMPLE_FITS[kind](result)


def _nils(component: Component) -> list[Any]:
    listed = component.get("nilValues")
    return [nil for nil in listed if isinstance(nil, dict)] if isinstance(listed, list) else []


def _fit_in_order(component: Component, result: list[Any], arrays: frozenset[str]) -> bool:
    """Null stands for a part that may be missing."""
    listed = parts(component)
    return len(listed) == len(result) and all(
        (value is None and bool(part.get("optional"))) or fits(part, value, arrays)
        for part, value in zip(listed, result, strict=True)
    )


def _fit_parts(component: Component, result: dict[str, Any], arrays: frozenset[str]) -> bool:
    named = {part["name"]: part for part in parts(component)}
    if not result.keys() <= named.keys():
        return False
    if component["type"] == "DataChoice":
        complete = len(result) == 1
    else:
        complete = all(name in result or part.get("optional") for name, part in named.items())
    return complete and all(fits(named[name], value, arrays) for name, value in result.items())


def _is_number(result: Any) -> bool:
    special = result in ("NaN", "Infinity", "+Infinity", "-Infinity")
    return special or (isinstance(result, int | float) and not isinstance(result, bool))


def _is_whole(result: Any) -> bool:
    return _is_number(result) and not isinstance(result, str) and float(result).is_integer()


def _is_text(result: Any) -> bool:
    return isinstance(result, str)


_SIMPLE_FITS: dict[str, Callable[[Any], bool]] = {
    "Quantity": _is_number,
    "Count": _is_whole,
    "Boolean": lambda result: isinstance(result, bool),
    "Category": _is_text,
    "Text": _is_text,
    "Time": lambda result: _is_text(result) or _is_number(result),
    _ANY: lambda result: True,
    "Geometry": lambda result: isinstance(result, dict) and isinstance(result.get("type"), str),
}


# --- encodings -----------------------------------------------------------------------------------


def check_encoding(encoding: Any, where: str) -> None:
    """Raise Invalid for an encoding that this server does not write."""
    known = isinstance(encoding, dict) and encoding.get("type") == "JSONEncoding"
    if not known or not all(
        name == "type" or (name in _AS_ARRAYS and isinstance(value, bool))
        for name, value in encoding.items()
    ):
        names = " and ".join(_AS_ARRAYS)
        raise Invalid(where, f"must be a JSONEncoding; it may have {names}, true or false")


def arrays(encoding: Any) -> frozenset[str]:
    """The types of components that are written as arrays."""
    found = encoding if isinstance(encoding, dict) else {}
    return frozenset(kind for name, kind in _AS_ARRAYS.items() if found.get(name))


def as_array(names: Sequence[str], result: dict[str, Any]) -> list[Any]:
    """The result of a record in the order of its fields."""
    return [result.get(name) for name in names]


def as_object(names: Sequence[str], result: Any) -> Any:
    """The result of a record by the names of its fields; what is missing is left out."""
    if not isinstance(result, list) or len(result) != len(names):
        return result
    return {n: value for n, value in zip(names, result, strict=True) if value is not None}
