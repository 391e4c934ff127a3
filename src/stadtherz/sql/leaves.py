"""The leaves of a tree: constants, columns and lookups as values of a wanted kind."""

import math
from dataclasses import dataclass
from typing import Any

import orjson

from stadtherz.base.errors import Invalid
from stadtherz.base.expressions import Kind, Literal, Lookup
from stadtherz.base.time import EARLIEST, LATEST
from stadtherz.sql.fragment import Dialect, Resolve, Source, Sql, compose
from stadtherz.sql.functions import LONGEST, engine_name

TYPES = {
    Kind.NUMBER: "double precision",
    Kind.TEXT: "text",
    Kind.BOOLEAN: "boolean",
    Kind.TIME: "bigint",
    Kind.DURATION: "bigint",
    Kind.GEOMETRY: "jsonb",
    Kind.JSON: "jsonb",
    Kind.NULL: "text",
}
_ACCESSORS = {
    Kind.NUMBER: "json_number",
    Kind.TEXT: "json_text",
    Kind.BOOLEAN: "json_boolean",
    Kind.GEOMETRY: "json_document",
}
INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True)
class Leaves:
    """What the compiler knows of one engine and of the caller's columns."""

    resolve: Resolve
    dialect: Dialect

    @property
    def on_sqlite(self) -> bool:
        return self.dialect.name == "sqlite"

    def literal(self, literal: Literal, wanted: Kind) -> Sql:
        if literal.value is None:
            return Sql("NULL" if self.on_sqlite else f"NULL::{TYPES[wanted]}")
        expect(literal.kind, wanted)
        value = literal.value
        match literal.kind:
            case Kind.TIME:
                _limit(value, EARLIEST, LATEST, "a time must lie in the years 1 to 9999")
            case Kind.DURATION:
                _limit(value, -LONGEST, LONGEST, "a duration must be shorter than 12,000 years")
            case Kind.GEOMETRY:
                value = orjson.dumps(value).decode()
            case Kind.TEXT:
                _check_text(value)
            case Kind.NUMBER:
                return self._number(value)
        return self.parameter(value, TYPES[literal.kind])

    def _number(self, value: float) -> Sql:
        """Whole numbers stay whole, so that an index over an id can be used."""
        if isinstance(value, int) and value in INT64:
            return self.parameter(value, "bigint")
        if isinstance(value, int) and abs(value) < 2**64 and not self.on_sqlite:
            return self.parameter(value, "numeric")
        try:
            number = float(value)
        except OverflowError:
            raise Invalid("$filter", "the number is too large") from None
        if math.isnan(number):
            raise Invalid("$filter", "NaN equals nothing, so it cannot be compared")
        return self.parameter(number, TYPES[Kind.NUMBER])

    def parameter(self, value: Any, type_name: str) -> Sql:
        return Sql("%s" if self.on_sqlite else f"%s::{type_name}", (value,))

    def from_source(self, source: Source, path: tuple[str, ...], wanted: Kind) -> Sql:
        if source.kind is not Kind.JSON:
            expect(source.kind, wanted)
            return source.sql
        if wanted is Kind.NUMBER and source.number is not None and not path:
            return source.number
        if wanted is Kind.JSON:
            wanted = Kind.GEOMETRY
        if wanted not in _ACCESSORS:
            return Sql("NULL" if self.on_sqlite else f"NULL::{TYPES[wanted]}")
        accessor = _ACCESSORS[wanted]
        if wanted is Kind.NUMBER and not self.on_sqlite:
            accessor = "json_exact"  # a double has neighbours for some whole numbers
        return self.json(accessor, source.sql, path)

    def json(self, accessor: str, document: Sql, path: tuple[str, ...]) -> Sql:
        for step in path:
            _check_text(step)
        way = (
            Sql("%s", (orjson.dumps(path).decode() if path else None,))
            if self.on_sqlite
            else Sql("%s::text[]", (list(path),))
        )
        return compose(f"{engine_name(accessor)}({{}}, {{}})", document, way)

    def lookup(self, lookup: Lookup) -> Source:
        column = self.resolve(lookup.column).sql
        if self.on_sqlite:
            documents = lookup.kind in (Kind.JSON, Kind.GEOMETRY)
            table = {str(k): as_text(v) if documents else v for k, v in lookup.table.items()}
            found = compose("sh_lookup({}, {})", Sql("%s", (as_text(table),)), column)
            return Source(found, lookup.kind)
        table = {str(k): v for k, v in lookup.table.items()}
        held = compose("({}::jsonb -> ({})::text)", Sql("%s", (as_text(table),)), column)
        if lookup.kind not in (Kind.JSON, Kind.GEOMETRY):
            held = compose(f"(({{}}) #>> '{{{{}}}}')::{TYPES[lookup.kind]}", held)
        return Source(held, lookup.kind)

    def same(self, *, different: bool = False) -> str:
        """Comparison of two values that treats null as a value."""
        if self.on_sqlite:
            return "({} IS NOT {})" if different else "({} IS {})"
        return "({} IS DISTINCT FROM {})" if different else "({} IS NOT DISTINCT FROM {})"

    def collation(self, kind: Kind) -> str:
        """Text is sorted by code point on every engine, whatever the database's language."""
        return ' COLLATE "C"' if kind is Kind.TEXT and not self.on_sqlite else ""

    def operand(self, value: Sql, kind: Kind) -> Sql:
        """Numbers are computed as doubles, as JSON has them, whatever the column's type."""
        if kind is not Kind.NUMBER:
            return value
        if self.on_sqlite:
            return compose("CAST({} AS REAL)", value)
        return compose("({})::double precision", value)


def expect(kind: Kind, wanted: Kind) -> None:
    if kind is not wanted:
        raise Invalid("$filter", f"expected a {wanted}, but this is a {kind}")


def _check_text(text: str) -> None:
    """No stored text has these, and the engines fail with them instead of finding nothing."""
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise Invalid("$filter", "a text must not contain NUL or half a character")


def _limit(value: int, low: int, high: int, reason: str) -> None:
    if not low <= value <= high:
        raise Invalid("$filter", reason)


def as_text(value: Any) -> str:
    return orjson.dumps(value).decode()
