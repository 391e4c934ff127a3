"""The nodes that query text and resource paths are read into. `position` counts from 0."""

from dataclasses import dataclass
from typing import Any
from typing import Literal as OneOf

from stadtherz.base.time import Micros
from stadtherz.sensorthings.language.formats import Format
from stadtherz.store.public import Bucketing

Comparison = OneOf["eq", "ne", "gt", "ge", "lt", "le"]
Operator = OneOf["and", "or", Comparison, "add", "sub", "mul", "div", "divby", "mod"]
ConstantKind = OneOf[
    "number", "text", "boolean", "null", "time", "date", "period", "duration", "geometry"
]


@dataclass(frozen=True, slots=True)
class Name:
    """A property, or a path through links and JSON: `Datastream/Thing/properties/street`."""

    path: tuple[str, ...]
    position: int


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal; `text` is what stands there, without quotes and prefix."""

    kind: ConstantKind
    text: str
    position: int


@dataclass(frozen=True, slots=True)
class Operation:
    operator: Operator
    left: "Node"
    right: "Node"
    position: int


@dataclass(frozen=True, slots=True)
class Unary:
    operator: OneOf["not", "neg"]
    operand: "Node"
    position: int


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    arguments: tuple["Node", ...]
    position: int


@dataclass(frozen=True, slots=True)
class Membership:
    """`value in (a, b, c)`, or in a list that an entity holds: `'a' in properties/tags`."""

    value: "Node"
    members: "tuple[Node, ...] | Name"
    position: int


@dataclass(frozen=True, slots=True)
class Quantified:
    """`Datastreams/any(d: condition)`; without a condition it asks whether there is one at all."""

    quantifier: OneOf["any", "all"]
    path: tuple[str, ...]
    variable: str
    condition: "Node | None"
    position: int


Node = Name | Constant | Operation | Unary | Function | Membership | Quantified


@dataclass(frozen=True, slots=True)
class OrderTerm:
    by: Node
    descending: bool


@dataclass(frozen=True, slots=True)
class Aggregate:
    """What is told of a bucket: `what` of the store's `Buckets`, of a part of results or of the whole."""

    alias: str
    what: str
    part: tuple[str, ...] = ()
    position: int = 0


@dataclass(frozen=True, slots=True)
class Apply:
    """Buckets of so wide a time in a zone, from `start` to before `end`.

    Without a width it is all of the time. `having` is a condition on what is told; `within` is the one
    that says `start` and `end`.
    """

    width: Bucketing | None
    zone: str
    terms: tuple["Aggregate", ...]
    start: Micros | None = None
    end: Micros | None = None
    having: Node | None = None
    within: Node | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """The options of one entity set. `texts` keeps them as written, for next links.

    `distinct`: each combination of what is selected once. `after` are the sorting values behind which the page begins (see `cursors`).
    """

    filter: Node | None = None
    orderby: tuple[OrderTerm, ...] = ()
    top: int | None = None
    skip: int = 0
    count: bool = False
    select: tuple[str, ...] | None = None
    distinct: bool = False
    expand: tuple["Expand", ...] = ()
    after: tuple[Any, ...] | None = None
    format: Format = Format.JSON
    apply: Apply | None = None
    texts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Expand:
    """One link to follow; a slash path has become nested expands."""

    link: str
    query: Query
    position: int


@dataclass(frozen=True, slots=True)
class Segment:
    """`Things`, `Things(1)`, `name`, ...: one part of a resource path."""

    name: str
    key: int | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource path; no segments means the service root."""

    segments: tuple[Segment, ...] = ()
    suffix: OneOf["", "$count", "$ref", "$value"] = ""
