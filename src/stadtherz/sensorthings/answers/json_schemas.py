"""The entity model as JSON Schema: what answers show, and what bodies of requests hold."""

from typing import Any

from stadtherz.sensorthings.standard.faces import Face
from stadtherz.sensorthings.standard.model import EntityType, Link, Property, Shape
from stadtherz.sensorthings.standard.schema import OBSERVATION, target

Schema = dict[str, Any]

ID: Schema = {"type": "integer", "format": "int64", "minimum": 1}
ADDRESS: Schema = {"type": "string", "format": "uri"}
_CHOSEN: Schema = {
    "type": "integer",
    "minimum": 1,
    "maximum": 2**31 - 1,
    "description": "The id that it is to have; without it the server chooses.",
}
_INSTANT: Schema = {"type": "string", "format": "date-time"}
_PERIOD: Schema = {
    "type": "string",
    "description": "An instant, or an interval as start/end (ISO 8601).",
    "examples": ["2026-11-25T12:00:00Z", "2026-11-25T12:00:00Z/2026-11-25T13:00:00Z"],
}
_OBJECT: Schema = {"type": "object"}
_GEOMETRY: Schema = {
    "description": "GeoJSON, in longitude and latitude (WGS 84).",
    "examples": [{"type": "Point", "coordinates": [7.77, 49.44]}],
}
_SHAPES: dict[Shape, Schema] = {
    Shape.TEXT: {"type": "string"},
    Shape.JSON: {},
    Shape.GEOMETRY: _GEOMETRY,
    Shape.TIME: _INSTANT,
    Shape.PERIOD: _PERIOD,
    Shape.MOMENT: {
        "type": "object",
        "properties": {"start": _INSTANT, "end": _INSTANT},
        "required": ["start"],
        "additionalProperties": False,
    },
    Shape.INTERVAL: {
        "type": "object",
        "properties": {"start": _INSTANT, "end": _INSTANT},
        "required": ["start", "end"],
        "additionalProperties": False,
    },
    Shape.NOTES: _OBJECT,
    Shape.PARAMETERS: {
        "type": "object",
        "description": "A DataRecord of OGC SWE Common that describes what a Task must say.",
    },
    Shape.RESULT_TYPE: {
        "type": "object",
        "description": "A component of OGC SWE Common 3.0 (24-014) that describes the results.",
    },
}


def reference_to(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def created(entity: EntityType) -> str:
    """The name of the schema of what creates such an entity."""
    return f"New{entity.name}"


def changed(entity: EntityType) -> str:
    return f"Changed{entity.name}"


def schemas(face: Face) -> dict[str, Schema]:
    """All components by name."""
    found: dict[str, Schema] = {"Reference": _reference(face), "Error": _error(face)}
    for entity in face.types.values():
        found[entity.name] = _shown(entity, face)
        found[entity.plural] = _page(entity, face)
        found[created(entity)] = _body(entity, face, whole=True)
        found[changed(entity)] = _body(entity, face, whole=False)
    return found


def value_of(prop: Property) -> Schema:
    """What a property holds where it holds anything."""
    if prop.choices:
        return {"type": "string", "enum": list(prop.choices)}
    plain = prop.shape is Shape.JSON and prop.is_object
    return _OBJECT if plain else _SHAPES[prop.shape]


def _or_null(schema: Schema) -> Schema:
    if "type" in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return schema


# --- answers -------------------------------------------------------------------------------------


def _shown(entity: EntityType, face: Face) -> Schema:
    """Which of these there are follows $select and $expand, so none is required."""
    properties: dict[str, Schema] = {face.address: ADDRESS, face.id: ID}
    for prop in entity.properties:
        shown = value_of(prop)
        properties[prop.name] = {
            **(shown if prop.required else _or_null(shown)),
            **({"readOnly": True} if prop.derived else {}),
        }
    for link in entity.links:
        properties |= _expanded(link, face)
    return {"type": "object", "properties": properties}


def _expanded(link: Link, face: Face) -> dict[str, Schema]:
    behind = reference_to(target(link).name)
    shown: dict[str, Schema] = {face.navigation_link(link.name): ADDRESS}
    if not link.many:
        return shown | {link.name: {"anyOf": [behind, {"type": "null"}]}}
    control = f"{link.name}@{face.control}"
    return shown | {
        link.name: {"type": "array", "items": behind},
        f"{control}count": {"type": "integer", "minimum": 0},
        f"{control}nextLink": ADDRESS,
    }


def _page(entity: EntityType, face: Face) -> Schema:
    control = f"@{face.control}"
    properties: dict[str, Schema] = {
        "value": {"type": "array", "items": reference_to(entity.name)},
        f"{control}count": {"type": "integer", "minimum": 0},
        f"{control}nextLink": ADDRESS,
    }
    if face.odata:
        properties["@context"] = ADDRESS
    return {"type": "object", "properties": properties, "required": ["value"]}


def _error(face: Face) -> Schema:
    if not face.odata:
        return {
            "type": "object",
            "properties": {
                "code": {"type": "integer"},
                "type": {"const": "error"},
                "message": {"type": "string"},
                "position": {
                    "type": "integer",
                    "description": "Where in the option's text the mistake is, from 0.",
                },
            },
            "required": ["code", "type", "message"],
        }
    told: Schema = {
        "type": "object",
        "properties": {
            "code": {"type": "string"},
            "message": {"type": "string"},
            "target": {"type": "string"},
            "innererror": {"type": "object", "properties": {"position": {"type": "integer"}}},
        },
        "required": ["code", "message"],
    }
    return {"type": "object", "properties": {"error": told}, "required": ["error"]}


# --- bodies --------------------------------------------------------------------------------------


def _reference(face: Face) -> Schema:
    """How a body names an entity that exists."""
    by_id: Schema = {"type": "object", "properties": {"@iot.id": ID}, "required": ["@iot.id"]}
    if not face.by_address:
        return by_id
    by_address: Schema = {
        "type": "object",
        "properties": {face.address: {"type": "string", "examples": ["Things(1)"]}},
        "required": [face.address],
    }
    return {"anyOf": [by_address, by_id]}


def _body(entity: EntityType, face: Face, *, whole: bool) -> Schema:
    """With `whole` what an entity needs is required, and what it links to may be made with it."""
    own = [prop for prop in entity.properties if not prop.derived]
    properties = {
        prop.name: _needed(prop) if prop.required else _or_null(value_of(prop)) for prop in own
    }
    deep = whole or face.odata  # there an update may bring new entities along
    properties |= {link.name: _linked(link, whole=deep) for link in entity.links}
    if whole and not entity.is_a(OBSERVATION):
        properties[face.id] = _CHOSEN
    required = [prop.name for prop in own if prop.required]
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        **({"required": required} if whole else {"minProperties": 1}),
    }


def _needed(prop: Property) -> Schema:
    """A text that is required says something; a description may be empty."""
    schema = value_of(prop)
    if prop.shape is Shape.TEXT and prop.column != "description":
        return {**schema, "minLength": 1}
    return schema


def _linked(link: Link, *, whole: bool) -> Schema:
    existing = reference_to("Reference")
    new = reference_to(created(target(link)))
    one: Schema = {"anyOf": [existing, new]} if whole else existing
    return {"type": "array", "items": one} if link.many else one


# --- examples ------------------------------------------------------------------------------------

_POINT: Schema = {"type": "Point", "coordinates": [7.77, 49.44]}
_BY_COLUMN: dict[str, Any] = {
    "name": "Water level",
    "description": "at the bridge",
    "encoding_type": "application/geo+json",
    "location": _POINT,
    "feature": _POINT,
    "time": "2026-11-25T12:00:00Z",
    "observation_type": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
    "unit_of_measurement": {"name": "centimetre", "symbol": "cm", "definition": "ucum:cm"},
    "metadata": "https://example.org/radar",
    "definition": "https://example.org/level",
    "result": 82.5,
    "role": "individual",
    "terms_of_use": "free for all",
}
_QUANTITY: Schema = {
    "type": "Quantity",
    "definition": "ObservedProperties(1)",
    "label": "Water level",
    "uom": {"code": "cm"},
}


_RECORD: Schema = {
    "type": "DataRecord",
    "field": [
        {
            "name": "opening",
            "label": "How far it opens",
            "type": "Quantity",
            "uom": {"code": "%"},
            "constraint": {"type": "AllowedValues", "interval": [[0, 100]]},
            "optional": True,
        }
    ],
}
_BY_SHAPE = {Shape.RESULT_TYPE: _QUANTITY, Shape.PARAMETERS: _RECORD}

_BESIDE = {"Relation": {"externalResource": "https://example.org/report"}}
"""What is not required by itself, but one of several."""


def example_of(entity: EntityType, *, but: str = "") -> dict[str, Any]:
    """What it takes to create such an entity and what it needs; `but` is given by the path."""
    values: dict[str, Any] = dict(_BESIDE.get(entity.name, {}))
    for prop in entity.properties:
        if prop.required:
            values[prop.name] = _BY_SHAPE.get(prop.shape) or _BY_COLUMN.get(prop.column, {})
    for link in entity.links:
        if link.required and not link.follows and link.name != but:
            needed = example_of(target(link))
            values[link.name] = [needed] if link.many else needed
    return values
