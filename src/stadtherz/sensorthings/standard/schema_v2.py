"""The SensorThings entity model of version 2.0 (OGC 23-019 §8) as data, over the tables of version 1.1."""

from dataclasses import replace

from stadtherz.sensorthings.standard.model import (
    OBSERVED,
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

VERSION = "2.0"

_NAME = Property("name", "name", required=True)
_DESCRIPTION = Property("description", "description", silent=True, nothing="")
_PROPERTIES = Property("properties", "properties", Shape.JSON, silent=True)
_ENCODING = Property("encodingType", "encoding_type", required=True)
_DEFINITION = Property("definition", "definition", silent=True)
_ULTIMATE = "store_datastream_ultimate_features"
_FEATURE_TYPES = "store_featureofinterest_feature_types"

_TABLE = (
    EntityType(
        "Thing",
        "Things",
        "store_thing",
        (_NAME, _DEFINITION, _DESCRIPTION, _PROPERTIES),
        THING_LINKS,
    ),
    EntityType(
        "Location",
        "Locations",
        "store_location",
        (
            _NAME,
            _DEFINITION,
            _DESCRIPTION,
            _ENCODING,
            Property("location", "location", Shape.GEOMETRY, required=True),
            _PROPERTIES,
        ),
        LOCATION_LINKS,
    ),
    EntityType(
        "HistoricalLocation",
        "HistoricalLocations",
        "store_historicallocation",
        (Property("time", "time", Shape.TIME, required=True),),
        HISTORICAL_LOCATION_LINKS,
        Access.THING,
    ),
    EntityType(
        "Datastream",
        "Datastreams",
        "store_datastream",
        (
            _NAME,
            _DEFINITION,
            _DESCRIPTION,
            Property("resultType", "observation_type", Shape.RESULT_TYPE, required=True),
            Property("resultEncoding", "result_encoding", Shape.JSON, silent=True),
            Property("observedArea", "observed_area", Shape.GEOMETRY, silent=True),
            Property("phenomenonTime", "phenomenon", Shape.INTERVAL, derived=True, silent=True),
            Property("resultTime", "result", Shape.INTERVAL, derived=True, silent=True),
            _PROPERTIES,
        ),
        (
            Link("Thing", "Thing", Own("thing_id"), required=True),
            Link("Sensor", "Sensor", Own("sensor_id"), required=True),
            Link(
                "ObservedProperties",
                "ObservedProperty",
                Through(OBSERVED, "datastream_id", "observed_property_id", repeats=True),
                required=True,
                follows=True,
            ),
            Link("Observations", "Observation", Reverse("datastream")),
            Link("ProximateFeatureOfInterest", "Feature", Own("proximate_feature_id")),
            Link(
                "UltimateFeaturesOfInterest",
                "Feature",
                Through(_ULTIMATE, "datastream_id", "featureofinterest_id"),
            ),
        ),
        Access.OWN_AND_THING,
    ),
    EntityType(
        "Sensor",
        "Sensors",
        "store_sensor",
        (
            _NAME,
            _DEFINITION,
            _DESCRIPTION,
            Property("encodingType", "encoding_type", nothing="text/plain"),
            Property("metadata", "metadata", Shape.JSON, silent=True, nothing=""),
            _PROPERTIES,
        ),
        (Link("Datastreams", "Datastream", Reverse("sensor_id")),),
    ),
    EntityType(
        "ObservedProperty",
        "ObservedProperties",
        "store_observedproperty",
        (_NAME, Property("definition", "definition", required=True), _DESCRIPTION, _PROPERTIES),
        (
            Link(
                "Datastreams",
                "Datastream",
                Through(OBSERVED, "observed_property_id", "datastream_id", repeats=True),
            ),
        ),
    ),
    EntityType(
        "Observation",
        "Observations",
        "",  # the store keeps readings its own way
        (
            Property("phenomenonTime", "phenomenon", Shape.MOMENT),
            Property("resultTime", "result_time", Shape.TIME),
            Property("result", "result", Shape.JSON, required=True, checked=True),
            Property("validTime", "valid", Shape.INTERVAL, silent=True),
            Property("properties", "parameters", Shape.NOTES, silent=True),
        ),
        (
            Link("Datastream", "Datastream", TO_STREAM, required=True),
            Link("ProximateFeatureOfInterest", "Feature", TO_FEATURE),
        ),
        Access.STREAM,
    ),
    EntityType(
        "Feature",
        "Features",
        "store_featureofinterest",
        (
            _NAME,
            _DEFINITION,
            _DESCRIPTION,
            _ENCODING,
            Property("feature", "feature", Shape.GEOMETRY, required=True),
            _PROPERTIES,
        ),
        (
            Link("Observations", "Observation", Reverse("feature")),
            Link("DatastreamsProximate", "Datastream", Reverse("proximate_feature_id")),
            Link(
                "DatastreamsUltimate",
                "Datastream",
                Through(_ULTIMATE, "featureofinterest_id", "datastream_id"),
            ),
            Link(
                "FeatureTypes",
                "FeatureType",
                Through(_FEATURE_TYPES, "featureofinterest_id", "featuretype_id"),
            ),
        ),
        stored_as="FeatureOfInterest",
    ),
    EntityType(
        "FeatureType",
        "FeatureTypes",
        "store_featuretype",
        (_NAME, _DEFINITION, _DESCRIPTION, _PROPERTIES),
        (
            Link(
                "Features",
                "Feature",
                Through(_FEATURE_TYPES, "featuretype_id", "featureofinterest_id"),
            ),
        ),
    ),
)


def _of_this_version(entity: EntityType) -> EntityType:
    links = tuple(replace(link, version=VERSION) for link in entity.links)
    return replace(entity, links=links, version=VERSION)


ENTITY_TYPES = tuple(_of_this_version(entity) for entity in _TABLE)
