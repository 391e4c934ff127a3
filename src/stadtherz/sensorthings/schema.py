"""The SensorThings entity model as data (18-088 §8.2): properties, links, tables, columns.

Every stage reads it. `name` is how version 1.1 spells a property or link on the wire; `column` and
`kind` are neutral, so that another version is another table of names over the same columns.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum

from stadtherz.base.expressions import Kind


class Shape(StrEnum):
    """What a property looks like in JSON."""

    TEXT = "text"
    JSON = "json"  # stored and shown as it came
    GEOMETRY = "geometry"
    TIME = "time"  # one instant
    PERIOD = "period"  # an instant or an interval: the columns `<column>_start` and `<column>_end`


_KINDS = {
    Shape.TEXT: Kind.TEXT,
    Shape.JSON: Kind.JSON,
    Shape.GEOMETRY: Kind.GEOMETRY,
    Shape.TIME: Kind.TIME,
    Shape.PERIOD: Kind.TIME,
}


@dataclass(frozen=True, slots=True)
class Property:
    """`derived` ones are made by the server: ignored in what clients send, computed from readings."""

    name: str
    column: str
    shape: Shape = Shape.TEXT
    required: bool = False
    derived: bool = False

    @property
    def kind(self) -> Kind:
        return _KINDS[self.shape]

    @property
    def columns(self) -> tuple[str, ...]:
        if self.shape is Shape.PERIOD:
            return (f"{self.column}_start", f"{self.column}_end")
        return (self.column,)


@dataclass(frozen=True, slots=True)
class Own:
    """To one: the key stands in a column of the entity's own table."""

    column: str


@dataclass(frozen=True, slots=True)
class Reverse:
    """To many: the target's table has a column with this entity's key."""

    column: str


@dataclass(frozen=True, slots=True)
class Through:
    """To many, both ways: a table of pairs."""

    table: str
    own: str
    target: str


@dataclass(frozen=True, slots=True)
class Link:
    """`required`: an entity cannot be created without it."""

    name: str
    target: str
    via: Own | Reverse | Through
    required: bool = False

    @property
    def many(self) -> bool:
        return not isinstance(self.via, Own)


class Access(Enum):
    """Where the columns owner, access and group are found that decide who sees an entity."""

    OWN = "own"
    THING = "thing"  # those of its Thing
    OWN_AND_THING = "own and thing"
    STREAM = "stream"  # those of its Datastream


@dataclass(frozen=True, slots=True)
class EntityType:
    name: str
    plural: str
    table: str
    properties: tuple[Property, ...]
    links: tuple[Link, ...]
    access: Access = Access.OWN

    def property(self, name: str) -> Property | None:
        return next((p for p in self.properties if p.name == name), None)

    def link(self, name: str) -> Link | None:
        return next((link for link in self.links if link.name == name), None)


_NAME = Property("name", "name", required=True)
_DESCRIPTION = Property("description", "description", required=True)
_PROPERTIES = Property("properties", "properties", Shape.JSON)
_ENCODING = Property("encodingType", "encoding_type", required=True)

THING = EntityType(
    "Thing",
    "Things",
    "store_thing",
    (_NAME, _DESCRIPTION, _PROPERTIES),
    (
        Link("Locations", "Location", Through("store_thing_locations", "thing_id", "location_id")),
        Link("HistoricalLocations", "HistoricalLocation", Reverse("thing_id")),
        Link("Datastreams", "Datastream", Reverse("thing_id")),
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
    (
        Link("Things", "Thing", Through("store_thing_locations", "location_id", "thing_id")),
        Link(
            "HistoricalLocations",
            "HistoricalLocation",
            Through("store_historicallocation_locations", "location_id", "historicallocation_id"),
        ),
    ),
)
HISTORICAL_LOCATION = EntityType(
    "HistoricalLocation",
    "HistoricalLocations",
    "store_historicallocation",
    (Property("time", "time", Shape.TIME, required=True),),
    (
        Link("Thing", "Thing", Own("thing_id"), required=True),
        Link(
            "Locations",
            "Location",
            Through("store_historicallocation_locations", "historicallocation_id", "location_id"),
            required=True,
        ),
    ),
    Access.THING,
)
DATASTREAM = EntityType(
    "Datastream",
    "Datastreams",
    "store_datastream",
    (
        _NAME,
        _DESCRIPTION,
        Property("observationType", "observation_type", required=True),
        Property("unitOfMeasurement", "unit_of_measurement", Shape.JSON, required=True),
        Property("observedArea", "observed_area", Shape.GEOMETRY),
        Property("phenomenonTime", "phenomenon", Shape.PERIOD, derived=True),
        Property("resultTime", "result", Shape.PERIOD, derived=True),
        _PROPERTIES,
    ),
    (
        Link("Thing", "Thing", Own("thing_id"), required=True),
        Link("Sensor", "Sensor", Own("sensor_id"), required=True),
        Link("ObservedProperty", "ObservedProperty", Own("observed_property_id"), required=True),
        Link("Observations", "Observation", Reverse("datastream")),
    ),
    Access.OWN_AND_THING,
)
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
    (Link("Datastreams", "Datastream", Reverse("sensor_id")),),
)
OBSERVED_PROPERTY = EntityType(
    "ObservedProperty",
    "ObservedProperties",
    "store_observedproperty",
    (_NAME, Property("definition", "definition", required=True), _DESCRIPTION, _PROPERTIES),
    (Link("Datastreams", "Datastream", Reverse("observed_property_id")),),
)
OBSERVATION = EntityType(
    "Observation",
    "Observations",
    "",  # the store keeps readings its own way
    (
        Property("phenomenonTime", "phenomenon", Shape.PERIOD),
        Property("resultTime", "result_time", Shape.TIME),
        Property("result", "result", Shape.JSON, required=True),
        Property("resultQuality", "result_quality", Shape.JSON),
        Property("validTime", "valid", Shape.PERIOD),
        Property("parameters", "parameters", Shape.JSON),
    ),
    (
        Link("Datastream", "Datastream", Own("datastream"), required=True),
        Link("FeatureOfInterest", "FeatureOfInterest", Own("feature")),
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
        SENSOR,
        OBSERVED_PROPERTY,
        OBSERVATION,
        FEATURE_OF_INTEREST,
    )
}
ENTITY_SETS: dict[str, EntityType] = {e.plural: e for e in ENTITY_TYPES.values()}


def target(link: Link) -> EntityType:
    return ENTITY_TYPES[link.target]


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
