"""SQL lives in three packages; what it names is there in the database."""

import ast
import re
from pathlib import Path

import pytest
from django.db import connections

from stadtherz.sensorthings.standard.schema import MODELS, EntityType, Own, Reverse, Through, target
from tests.architecture.conftest import Module

HOMES = {"store", "sensorthings", "sql"}
SQL = re.compile(
    r"\s*(SELECT\b.*\bFROM\b|INSERT\s+INTO\b|UPDATE\s+\S+\s+SET\b|DELETE\s+FROM\b|CREATE\s+(TABLE|INDEX)\b"
    r"|DROP\s+TABLE\b|ALTER\s+TABLE\b|(?-i:VACUUM|PRAGMA|LISTEN|NOTIFY)\b)",
    re.IGNORECASE | re.DOTALL,
)
# Ways of the ORM to bring text into a statement.
RAW_CALLS = {"raw", "extra", "RawSQL", "executemany", "executescript"}
# project/engine.py sets up each SQLite connection, project/template.py makes a new database from a dump
# of the migrations, cli/backup.py copies one: they handle the file, they ask it nothing.
SET_UP = {"engine.py", "template.py", "backup.py"}


def _texts(tree: ast.Module) -> list[ast.Constant]:
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in docstrings
    ]


def test_sql_text_stands_only_where_sql_lives(modules: list[Module]) -> None:
    strangers = [
        module.at(text)
        for module in modules
        if module.package not in HOMES and module.path.name not in SET_UP
        for text in _texts(module.tree)
        if SQL.match(text.value)
    ]
    assert strangers == []


def test_nobody_else_talks_to_the_database_directly(modules: list[Module]) -> None:
    strangers = [
        module.at(node)
        for module in modules
        if module.package not in HOMES and module.path.name not in SET_UP
        for node in ast.walk(module.tree)
        if _imports_connection(node) or _is_raw(node)
    ]
    assert strangers == []


def _imports_connection(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.ImportFrom)
        and node.module == "django.db"
        and any(alias.name == "connection" for alias in node.names)
    )


def _is_raw(node: ast.AST) -> bool:
    """A call such as `queryset.raw(...)` or `connection.cursor()`; the store's `cursor(name)` is none."""
    if not isinstance(node, ast.Call):
        return False
    called = (
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    )
    return called in RAW_CALLS or (called == "cursor" and not node.args)


@pytest.mark.parametrize("text", ["SELECT a FROM b", " insert into x", "UPDATE t SET a = 1"])
def test_sql_is_recognised(text: str) -> None:
    assert SQL.match(text)


@pytest.mark.parametrize("text", ["Select a gauge", "Update", "listen", "Notify me", "create"])
def test_plain_words_are_not_taken_for_sql(text: str) -> None:
    assert not SQL.match(text)


def _columns(table: str) -> set[str]:
    connection = connections["default"]
    with connection.cursor() as cursor:
        return {
            column.name for column in connection.introspection.get_table_description(cursor, table)
        }


TYPES = [entity for model in MODELS.values() for entity in model.values()]
every_type = pytest.mark.parametrize(
    "entity", TYPES, ids=[f"{entity.name} {entity.version}" for entity in TYPES]
)


def _expected(entity: EntityType) -> dict[str, set[str]]:
    """The tables and columns that the description of an entity relies on."""
    needed: dict[str, set[str]] = {}
    if entity.table:
        stored = {c for p in entity.properties if not p.computed for c in p.columns}
        needed[entity.table] = stored | {"id"}
    for link in entity.links:
        other = target(link).table
        if isinstance(link.via, Own) and entity.table:
            needed.setdefault(entity.table, set()).add(link.via.column)
        if isinstance(link.via, Reverse) and other:
            needed.setdefault(other, set()).add(link.via.column)
        if isinstance(link.via, Through):
            needed.setdefault(link.via.table, set()).update({link.via.own, link.via.target})
    return needed


@pytest.mark.django_db
@every_type
def test_the_described_entities_are_those_of_the_database(entity: EntityType) -> None:
    for table, columns in _expected(entity).items():
        assert columns <= _columns(table), table


@pytest.mark.django_db
@every_type
def test_every_column_of_an_entity_is_described_or_decides_who_sees_it(entity: EntityType) -> None:
    if entity.table:
        described = {column for each in TYPES for column in _expected(each).get(entity.table, ())}
        inner = {"owner_id", "access", "group_id", "generated_from_id", "known_as"}
        assert _columns(entity.table) <= described | inner


def test_the_homes_of_sql_exist(root: Path) -> None:
    assert all((root / "src" / "stadtherz" / home).is_dir() for home in HOMES)
