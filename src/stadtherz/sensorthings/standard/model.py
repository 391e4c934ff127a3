"""What an entity model is made of: types with properties and links, over tables and columns.

`name` is how one face of the store (`faces`) spells something on the wire; `column` and `kind` are
neutral, so that another version of the standard is another table of names over the same columns.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum
from typing import Any

from stadtherz.base.expressions import Kind


def one(name: str) -> str:
    """The name of an entity type with its article: `an Observation`."""
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"


class Shape(StrEnum):
    """What a property looks like in JSON."""

    TEXT = "text"
    JSON = "json"  # stored and shown as it came
    GEOMETRY = "geometry"
    TIME = "time"  # one instant
    PERIOD = "period"  # an instant or an interval, as one text: "start" or "start/end"
    MOMENT = "moment"  # the same as an object: with "start", and an "end" if it has one
    INTERVAL = "interval"  # an object that always has both
    NOTES = "notes"  # an object, of which one member has a column of its own
    PARAMETERS = "parameters"  # what a Task must say, as a SWE Common DataRecord
    RESULT_TYPE = "result type"  # what kind of thing the results are, as a SWE Common component


SPANS = frozenset({Shape.PERIOD, Shape.MOMENT, Shape.INTERVAL})
"""These have two columns, `<column>_start` and `<column>_end`; an instant has no end."""

QUALITY = "resultQuality"
"""The member of notes that has a column of its own."""

RESULT_TYPE = "@resultType"
"""The member of a unit that keeps a result type as it was sent; only a face that knows it shows it."""

OBSERVED = "store_observed"
"""The table that tells what Datastreams observe, and in which place of their results."""

COMPLEX = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_ComplexObservation"
"""The observation type of results with several parts."""

AS_ARRAYS = {"type": "JSONEncoding", "recordsAsArrays": True}
"""The encoding that writes such results as version 1.1 does."""

_KINDS = {
    Shape.TEXT: Kind.TEXT,
    Shape.JSON: Kind.JSON,
    Shape.GEOMETRY: Kind.GEOMETRY,
    Shape.TIME: Kind.TIME,
    Shape.PERIOD: Kind.TIME,
    Shape.MOMENT: Kind.TIME,
    Shape.INTERVAL: Kind.TIME,
    Shape.NOTES: Kind.JSON,
    Shape.PARAMETERS: Kind.JSON,
    Shape.RESULT_TYPE: Kind.JSON,
}
_OBJECTS = frozenset({"properties", "parameters", "unit_of_measurement", "tasking_parameters"})
_OPEN = frozenset({Shape.JSON, Shape.GEOMETRY, Shape.NOTES, Shape.PARAMETERS, Shape.RESULT_TYPE})
_OF_TIMES = (("start",), ("end",))


@dataclass(frozen=True, slots=True)
class Property:
    """`derived` ones are made by the server: ignored in what clients send, and computed from readings
    unless they are `stamped`, too. A `stamped` one holds when the entity was created.

    A `silent` one is left out of an answer when it holds nothing. `nothing` is what the store keeps
    when a client gives no value. `hides` is a member of the document that another face keeps there.
    A `checked` result must be of the kind that its Datastream says. A text must be one of the `choices`,
    if there are any.
    """

    name: str
    column: str
    shape: Shape = Shape.TEXT
    required: bool = False
    derived: bool = False
    stamped: bool = False
    silent: bool = False
    nothing: str | None = None
    hides: str = ""
    checked: bool = False
    choices: tuple[str, ...] = ()

    @property
    def kind(self) -> Kind:
        return _KINDS[self.shape]

    @property
    def computed(self) -> bool:
        """Whether no table has it, because it is found in readings."""
        return self.derived and not self.stamped

    @property
    def columns(self) -> tuple[str, ...]:
        if self.shape in SPANS:
            return (f"{self.column}_start", f"{self.column}_end")
        if self.shape is Shape.NOTES:
            return (self.column, "result_quality")
        if self.shape is Shape.RESULT_TYPE:
            own = ("unit_of_measurement", "data_types", "units", "observed_property_id", "name")
            return (self.column, *own)
        return (self.column,)

    @property
    def merges(self) -> bool:
        """Whether it is an object of members that a client may change one by one."""
        return self.shape in (Shape.MOMENT, Shape.INTERVAL, Shape.NOTES) or (
            self.column == "properties"
        )

    @property
    def is_object(self) -> bool:
        """Whether it takes JSON objects only."""
        return self.column in _OBJECTS

    @property
    def open(self) -> bool:
        """Whether it is a document, into which any path may lead."""
        return self.shape in _OPEN

    def holds(self, way: tuple[str, ...]) -> bool:
        """Whether a path may lead on in this way; a time that is an object has but two members."""
        return self.open or (self.shape in (Shape.MOMENT, Shape.INTERVAL) and way in _OF_TIMES)


@dataclass(frozen=True, slots=True)
class Own:
    """To one: the key stands in a column of the entity's own table."""

    column: str


TO_STREAM = Own("datastream")
TO_FEATURE = Own("feature")
"""The columns of an Observation that lead on, whatever a version calls these links."""


@dataclass(frozen=True, slots=True)
class Reverse:
    """To many: the target's table has a column with this entity's key."""

    column: str


@dataclass(frozen=True, slots=True)
class Through:
    """To many, both ways: a table of pairs.

    `place` is a column by which the targets are in order; each is shown as often as it has a place.
    `repeats`: a pair may be there several times, and is shown once. `held` is what the store calls the
    targets at the one of both sides which adds them and takes them away.
    """

    table: str
    own: str
    target: str
    place: str = ""
    repeats: bool = False
    held: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """`required`: an entity cannot be created without it. `made`: the server finds one if need be.

    One that `follows` a property says what this refers to, and cannot be changed by itself.
    `version` says which model the target belongs to. A `quiet` one is shown only where it is asked for.
    """

    name: str
    target: str
    via: Own | Reverse | Through
    required: bool = False
    made: bool = False
    follows: bool = False
    quiet: bool = False
    version: str = "1.1"

    @property
    def many(self) -> bool:
        return not isinstance(self.via, Own)


class Access(Enum):
    """Where the columns owner, access and group are found that decide who sees an entity."""

    OWN = "own"
    THING = "thing"  # those of its Thing
    OWN_AND_THING = "own and thing"
    STREAM = "stream"  # those of its Datastream
    CAPABILITY = "capability"  # those of its TaskingCapability


@dataclass(frozen=True, slots=True)
class EntityType:
    """Several types may share a table. `only` then says which rows are of this one: those that have, or
    do not have, a value in a column. `fixed` are values that every row of the type has.
    """

    name: str
    plural: str
    table: str
    properties: tuple[Property, ...]
    links: tuple[Link, ...]
    access: Access = Access.OWN
    stored_as: str = ""
    version: str = "1.1"
    only: tuple[str, bool] | None = None
    fixed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """What the store calls it, whatever its name on the wire."""
        return self.stored_as or self.name

    @property
    def owned(self) -> bool:
        """Whether it says itself whose it is, and by what it is known."""
        return self.access in (Access.OWN, Access.OWN_AND_THING)

    @property
    def zoned(self) -> bool:
        """Whether its version wants to know the zone of every time (23-019: Edm.DateTimeOffset)."""
        return self.version == "2.0"

    @property
    def feature_link(self) -> Link:
        """The link of an Observation to its feature, which each version calls something else."""
        return next(link for link in self.links if link.via == TO_FEATURE)

    def is_a(self, other: "EntityType") -> bool:
        """Whether both are the same to the store."""
        return self.kind == other.kind

    def property(self, name: str) -> Property | None:
        return next((p for p in self.properties if p.name == name), None)

    def link(self, name: str) -> Link | None:
        return next((link for link in self.links if link.name == name), None)

    def behind(self, name: str) -> Link | None:
        """The link of a step in a column's way, which may be marked (`marked`)."""
        plain, _, mark = name.partition(MARK)
        link = self.link(plain)
        if link is None or mark != FIRST or not link.follows:
            return link
        return replace(link, via=Own("observed_property_id"))


MARK = "#"
"""Stands in no name that a client can write in a filter."""

FIRST = "first"
"""The mark of the way to the first of what a Datastream observes."""


def marked(name: str, mark: object) -> str:
    """The name of a link that is gone through by itself, whoever else goes through it.

    >>> marked("Datastreams", 7)
    'Datastreams#7'
    """
    return f"{name}{MARK}{mark}"
