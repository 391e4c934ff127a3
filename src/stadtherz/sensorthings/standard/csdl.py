"""The entity model of version 2.0 as OData describes it: CSDL JSON 4.01, written from the schema."""

from typing import Any

from stadtherz.sensorthings.standard.model import EntityType, Link, Property, Shape
from stadtherz.sensorthings.standard.schema import back_link, target

Document = dict[str, Any]

NAMESPACE = "org.OGC.STA"
CONTAINER = "SensorThingsV2"
_OBJECT = f"{NAMESPACE}.Object"
TIME = "Edm.DateTimeOffset"
_SHAPES = {
    Shape.TEXT: "Edm.String",
    Shape.TIME: TIME,
    Shape.MOMENT: f"{NAMESPACE}.TM_Object",
    Shape.INTERVAL: f"{NAMESPACE}.TM_Period",
    Shape.NOTES: _OBJECT,
    Shape.RESULT_TYPE: _OBJECT,
}
KEY = "Edm.Int64"
UNTYPED = "Edm.Untyped"


def edm_type(prop: Property) -> str:
    """What OData calls the type of the property's values."""
    if prop.column == "properties":
        return _OBJECT
    if prop.column == "observed_area":
        return f"{NAMESPACE}.Geometry"
    return _SHAPES.get(prop.shape, UNTYPED)


def metadata(types: list[EntityType]) -> Document:
    """The document at `$metadata`."""
    described = {entity.name: _entity(entity) for entity in types}
    sets = {entity.plural: _entity_set(entity) for entity in types}
    return {
        "$Version": "4.01",
        "$EntityContainer": f"{NAMESPACE}.{CONTAINER}",
        NAMESPACE: {
            **described,
            "Object": {"$Kind": "ComplexType", "$OpenType": True},
            "TM_Object": _times(nullable=True),
            "TM_Period": _times(nullable=False),
            "Geometry": {
                "$Kind": "TypeDefinition",
                "$UnderlyingType": "Edm.Geometry",
                "$SRID": "4326",
            },
            CONTAINER: {"$Kind": "EntityContainer", **sets},
        },
    }


def _times(*, nullable: bool) -> Document:
    end: Document = {"$Type": TIME, **({"$Nullable": True} if nullable else {})}
    return {"$Kind": "ComplexType", "start": {"$Type": TIME}, "end": end}


def _entity(entity: EntityType) -> Document:
    properties = {prop.name: _property(prop) for prop in entity.properties}
    links = {link.name: _link(entity, link) for link in entity.links}
    return {"$Kind": "EntityType", "$Key": ["id"], "id": {"$Type": KEY}, **properties, **links}


def _property(prop: Property) -> Document:
    kind = edm_type(prop)
    described: Document = {} if kind == "Edm.String" else {"$Type": kind}
    return described if prop.required else {**described, "$Nullable": True}


def _link(entity: EntityType, link: Link) -> Document:
    described: Document = {
        "$Kind": "NavigationProperty",
        "$Partner": back_link(entity, link).name,
        "$Type": f"{NAMESPACE}.{link.target}",
    }
    if link.many:
        return {**described, "$Collection": True}
    return described if link.required else {**described, "$Nullable": True}


def _entity_set(entity: EntityType) -> Document:
    bound = {link.name: target(link).plural for link in entity.links}
    return {
        "$Collection": True,
        "$Type": f"{NAMESPACE}.{entity.name}",
        "$NavigationPropertyBinding": bound,
    }
