"""A condition or value computed from named columns, as a tree: what a filter means.

`sensorthings.plan` makes these trees from query text, `stadtherz.sql` turns them into the text of
one engine, the store's reference turns them into SQL over rows, and its compact form into numpy.
Nothing here knows about tables. Logic is two-valued, as OData 4.0 part 2 §5.1.1.1 wants: a
comparison with null is false, except `eq` and `ne`, which compare null like a value.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from typing import Any
from typing import Literal as OneOf


class Kind(StrEnum):
    """The type of a value."""

    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"
    TIME = "time"  # microseconds
    DURATION = "duration"  # microseconds
    GEOMETRY = "geometry"  # GeoJSON
    JSON = "json"  # known only at run time: a result, or a path into properties
    NULL = "null"


@dataclass(frozen=True, slots=True)
class Column:
    """A value of the row at hand. `name` is the plan's name for it, `path` leads into JSON."""

    name: str
    kind: Kind
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant: float, int, str, bool, None, microseconds, or a GeoJSON geometry."""

    value: Any
    kind: Kind


@dataclass(frozen=True, slots=True)
class Compare:
    """`eq ne gt ge lt le` between two values of comparable kinds."""

    operator: OneOf["eq", "ne", "gt", "ge", "lt", "le"]
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: "Expression"


@dataclass(frozen=True, slots=True)
class Call:
    """A function or arithmetic operator: `name` as in 18-088 tables 24 and 25, in lower case.

    Arithmetic uses `add sub mul div mod neg`. Geometry functions keep their prefix:
    `geo.distance`, `st_within`.
    """

    name: str
    arguments: tuple["Expression", ...]
    kind: Kind


@dataclass(frozen=True, slots=True)
class Among:
    """True where an integer column is one of `members`; empty means never."""

    column: Column
    members: frozenset[int]


@dataclass(frozen=True, slots=True)
class Lookup:
    """The value that `table` holds for an integer column; null where it holds none."""

    column: Column
    table: Mapping[int, Any]
    kind: Kind


Expression = Column | Literal | Compare | And | Or | Not | Call | Among | Lookup

TRUE = Literal(True, Kind.BOOLEAN)
FALSE = Literal(False, Kind.BOOLEAN)


@dataclass(frozen=True, slots=True)
class Order:
    """One sorting term; null sorts before everything when ascending."""

    by: Expression
    descending: bool = False


def columns_of(expression: Expression) -> list[Column]:
    """Every column an expression names."""
    match expression:
        case Column():
            return [expression]
        case Compare(left=left, right=right):
            return columns_of(left) + columns_of(right)
        case And(parts=parts) | Or(parts=parts) | Call(arguments=parts):
            return reduce(lambda found, part: found + columns_of(part), parts, [])
        case Not(part=part):
            return columns_of(part)
        case Literal():
            return []
        case _:
            return [expression.column]
