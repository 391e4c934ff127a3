"""The SensorThings entity model of version 1.1 as data (18-088 §8.2 and §11): properties, links, tables,
columns. Datastreams and MultiDatastreams are rows of one table, of which version 2.0 shows all alike.

Every stage reads it, or that of version 2.0 (`schema_v2`).
"""

from collections.abc import Mapping
from dataclasses import replace

from stadtherz.sensorthings.standard import schema_plus, schema_tasking, schema_v2
from stadtherz.sensorthings.standard.model import (
    AS_ARRAYS,
    COMPLEX,
    OBSERVED,
    QUALITY,
    RESULT_TYPE,
    SPANS,
    TO_FEATURE,
    TO_STREAM,
    Access,
    EntityType,
    Link,
    Own,
    Property,
    Reverse,
    Shape,
    Through,
)
from stadtherz.sensorthings.standard.places import (
    HISTORICAL_LOCATION_LINKS,
    LOCATION_LINKS,
    THING_LINKS,
)
from stadtherz.sensorthings.standard.schema_plus import (
    CAMPAIGN,
    LICENSE,
    OBSERVATION_GROUP,
    PARTY,
    RELATION,
)
from stadtherz.sensorthings.standard.schema_tasking import ACTUATOR, TASK, TASKING_CAPABILITY

__all__ = [
    "ACTUATOR",
    "AS_ARRAYS",
    "CAMPAIGN",
    "COMPLEX",
    "LICENSE",
    "OBSERVATION_GROUP",
    "OBSERVED",
    "PARTY",
    "QUALITY",
    "RELATION",
    "RESULT_TYPE",
    "SPANS",
    "TASK",
    "TASKING_CAPABILITY",
    "TO_FEATURE",
    "TO_STREAM",
    "Access",
    "EntityType",
    "Link",
    "Own",
    "Property",
    "Reverse",
    "Shape",
    "Through",
]

_NAME = Property("name", "name", required=True)
_DESCRIPTION = Property("description", "description", required=True)
_PROPERTIES = Property("properties", "properties", Shape.JSON, silent=True)
_ENCODING = Property("encodingType", "encoding_type", required=True)

THING = EntityType(
    "Thing",
    "Things",
    "store_thing",
    (_NAME, _DESCRIPTION, _PROPERTIES),
    (
        *THING_LINKS,
        Link("MultiDatastreams", "MultiDatastream", Reverse("thing_id")),
        schema_tasking.CAPABILITIES,
        *schema_plus.THING_LINKS,
    ),
)
LOCATION = EntityType(
    "Location",
    "Locations",
    "store_location",
    (
        _NAME,
        _DESCRIPTION,
        _ENCODING,
        Property("location", "location", Shape.GEOMETRY, required=True),
        _PROPERTIES,
    ),
    LOCATION_LINKS,
)
HISTORICAL_LOCATION = EntityType(
    "HistoricalLocation",
    "HistoricalLocations",
    "store_historicallocation",
    (Property("time", "time", Shape.TIME, required=True),),
    HISTORICAL_LOCATION_LINKS,
    Access.THING,
)
_EXTENTS = (
    Property("observedArea", "observed_area", Shape.GEOMETRY, silent=True),
    Property("phenomenonTime", "phenomenon", Shape.PERIOD, derived=True, silent=True),
    Property("resultTime", "result", Shape.PERIOD, derived=True, silent=True),
)
_THING = Link("Thing", "Thing", Own("thing_id"), required=True)
_SENSOR = Link("Sensor", "Sensor", Own("sensor_id"), required=True)
_OBSERVATIONS = Link("Observations", "Observation", Reverse("datastream"))

DATASTREAM = EntityType(
    "Datastream",
    "Datastreams",
    "store_datastream",
    (
        _NAME,
        _DESCRIPTION,
        Property("observationType", "observation_type", required=True),
        Property(
            "unitOfMeasurement",
            "unit_of_measurement",
            Shape.JSON,
            required=True,
            hides=RESULT_TYPE,
        ),
        *_EXTENTS,
        _PROPERTIES,
    ),
    (
        _THING,
        _SENSOR,
        Link("ObservedProperty", "ObservedProperty", Own("observed_property_id"), required=True),
        _OBSERVATIONS,
        *schema_plus.DATASTREAM_LINKS,
    ),
    Access.OWN_AND_THING,
    only=("data_types", False),
)
MULTI_DATASTREAM = EntityType(
    "MultiDatastream",
    "MultiDatastreams",
    "store_datastream",
    (
        _NAME,
        _DESCRIPTION,
        Property("observationType", "observation_type", nothing=COMPLEX),
        Property("multiObservationDataTypes", "data_types", Shape.JSON, required=True),
        Property("unitOfMeasurements", "units", Shape.JSON, required=True),
        *_EXTENTS,
        _PROPERTIES,
    ),
    (
        _THING,
        _SENSOR,
        Link(
            "ObservedProperties",
            "ObservedProperty",
            Through(OBSERVED, "datastream_id", "observed_property_id", place="place"),
            required=True,
        ),
        _OBSERVATIONS,
        *schema_plus.DATASTREAM_LINKS,
    ),
    Access.OWN_AND_THING,
    stored_as="Datastream",
    only=("data_types", True),
    fixed={"unit_of_measurement": {}, "result_encoding": AS_ARRAYS},
)
STREAM = replace(DATASTREAM, only=None)
"""Any of both."""

SENSOR = EntityType(
    "Sensor",
    "Sensors",
    "store_sensor",
    (
        _NAME,
        _DESCRIPTION,
        _ENCODING,
        Property("metadata", "metadata", Shape.JSON, required=True),
        _PROPERTIES,
    ),
    (
        Link("Datastreams", "Datastream", Reverse("sensor_id")),
        Link("MultiDatastreams", "MultiDatastream", Reverse("sensor_id")),
    ),
)
OBSERVED_PROPERTY = EntityType(
    "ObservedProperty",
    "ObservedProperties",
    "store_observedproperty",
    (_NAME, Property("definition", "definition", required=True), _DESCRIPTION, _PROPERTIES),
    (
        Link("Datastreams", "Datastream", Reverse("observed_property_id")),
        Link(
            "MultiDatastreams",
            "MultiDatastream",
            Through(OBSERVED, "observed_property_id", "datastream_id", repeats=True),
        ),
    ),
)
OBSERVATION = EntityType(
    "Observation",
    "Observations",
    "",  # the store keeps readings its own way
    (
        Property("phenomenonTime", "phenomenon", Shape.PERIOD),
        Property("resultTime", "result_time", Shape.TIME),  # shown as null (18-088 table 12)
        Property("result", "result", Shape.JSON, required=True),
        Property("resultQuality", "result_quality", Shape.JSON, silent=True),
        Property("validTime", "valid", Shape.PERIOD, silent=True),
        Property("parameters", "parameters", Shape.JSON, silent=True),
    ),
    (
        Link("Datastream", "Datastream", TO_STREAM, required=True),
        Link("MultiDatastream", "MultiDatastream", TO_STREAM),
        Link("FeatureOfInterest", "FeatureOfInterest", TO_FEATURE, made=True),
        *schema_plus.OBSERVATION_LINKS,
    ),
    Access.STREAM,
)
FEATURE_OF_INTEREST = EntityType(
    "FeatureOfInterest",
    "FeaturesOfInterest",
    "store_featureofinterest",
    (
        _NAME,
        _DESCRIPTION,
        _ENCODING,
        Property("feature", "feature", Shape.GEOMETRY, required=True),
        _PROPERTIES,
    ),
    (Link("Observations", "Observation", Reverse("feature")),),
)

ENTITY_TYPES: dict[str, EntityType] = {
    e.name: e
    for e in (
        THING,
        LOCATION,
        HISTORICAL_LOCATION,
        DATASTREAM,
        MULTI_DATASTREAM,
        SENSOR,
        OBSERVED_PROPERTY,
        OBSERVATION,
        FEATURE_OF_INTEREST,
        *schema_tasking.ENTITY_TYPES,
        *schema_plus.ENTITY_TYPES,
    )
}
ENTITY_SETS: dict[str, EntityType] = {e.plural: e for e in ENTITY_TYPES.values()}
MODELS: Mapping[str, Mapping[str, EntityType]] = {
    "1.1": ENTITY_TYPES,
    "2.0": {e.name: e for e in schema_v2.ENTITY_TYPES},
}
"""The entity types of each version by name."""


def target(link: Link) -> EntityType:
    return MODELS[link.version][link.target]


def back_link(source: EntityType, link: Link) -> Link:
    """The link that leads back over the same columns: Thing.Datastreams -> Datastream.Thing."""
    for candidate in target(link).links:
        if candidate.target == source.name and _mirrors(link.via, candidate.via):
            return candidate
    raise AssertionError(f"{source.name}.{link.name} has no way back")


def _mirrors(one: Own | Reverse | Through, other: Own | Reverse | Through) -> bool:
    match one, other:
        case (Own(a), Reverse(b)) | (Reverse(a), Own(b)):
            return a == b
        case Through(table=a), Through(table=b):
            return a == b
        case _:
            return False
