"""What a Datastream shows and no column of its table holds: the times of its readings, and what these are.

A condition on it becomes one on what is looked up for each Datastream.
"""

from typing import Any

from stadtherz.base.expressions import Column, Expression, Kind, Lookup, columns_of
from stadtherz.sensorthings.answers import several
from stadtherz.sensorthings.query import readings
from stadtherz.sensorthings.query.tables import Reader
from stadtherz.sensorthings.query.trees import entity_at, substituted, within
from stadtherz.sensorthings.standard.schema import DATASTREAM, RESULT_TYPE, EntityType

_TIMES = frozenset(c for p in DATASTREAM.properties if p.computed for c in p.columns)


def looked_up(entity: EntityType, expression: Expression, reader: Reader) -> Expression:
    """The expression, whose columns are named from the entity, with nothing derived in it."""
    expression = _with_result_types(expression, reader)
    needed = {column for column in columns_of(expression) if _is_time(entity, column)}
    if not needed:
        return expression
    tables = readings.extent_tables(reader.visibility)
    return substituted(
        expression, lambda column: _time(column, tables) if column in needed else column
    )


def _is_time(entity: EntityType, column: Column) -> bool:
    *links, name = column.name.split("/")
    return name in _TIMES and entity_at(entity, links).is_a(DATASTREAM)


def _time(column: Column, tables: dict[str, dict[int, int]]) -> Expression:
    return Lookup(_key_beside(column), tables[column.name.rpartition("/")[2]], Kind.TIME)


def _with_result_types(expression: Expression, reader: Reader) -> Expression:
    """Result types are made of several columns."""
    if not any(_is_result_type(column) for column in columns_of(expression)):
        return expression
    types = several.result_types_of(reader)
    return substituted(expression, lambda c: _in_type(c, types) if _is_result_type(c) else c)


def _is_result_type(column: Column) -> bool:
    return column.name.rpartition("/")[2] == RESULT_TYPE


def _in_type(column: Column, types: dict[int, Any]) -> Expression:
    found = {key: within(each, column.path) for key, each in types.items()}
    table = {key: value for key, value in found.items() if value is not None}
    return Lookup(_key_beside(column), table, Kind.JSON)


def _key_beside(column: Column) -> Column:
    before, slash, _ = column.name.rpartition("/")
    return Column(f"{before}{slash}id", Kind.NUMBER)
