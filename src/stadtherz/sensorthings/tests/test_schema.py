"""The entity model as data agrees with itself and with the tables of the store."""

import pytest
from django.db import connection

from stadtherz.sensorthings.standard.schema import (
    MODELS,
    OBSERVATION,
    EntityType,
    Own,
    Reverse,
    Through,
    back_link,
    target,
)

_TYPES = {f"{kind.name} {kind.version}": kind for m in MODELS.values() for kind in m.values()}
every_type = pytest.mark.parametrize("kind", _TYPES.values(), ids=_TYPES)


@every_type
def test_every_link_has_its_way_back(kind: EntityType) -> None:
    for link in kind.links:
        back = back_link(kind, link)
        assert target(back) is kind
        assert back_link(target(link), back) == link


@every_type
def test_names_are_unique_and_links_to_many_are_plural(kind: EntityType) -> None:
    names = [p.name for p in kind.properties] + [link.name for link in kind.links]
    assert len(set(names)) == len(names)
    for link in kind.links:
        plurals = {e.plural for e in MODELS[kind.version].values()} | {"Subjects", "Objects"}
        assert any(plural in link.name for plural in plurals) == link.many


@every_type
def test_tables_and_columns_exist(db: None, kind: EntityType) -> None:
    def columns(table: str) -> set[str]:
        with connection.cursor() as cursor:
            return {
                column.name
                for column in connection.introspection.get_table_description(cursor, table)
            }

    if not kind.is_a(OBSERVATION):
        stored = {c for p in kind.properties if not p.computed for c in p.columns}
        assert stored | {"id"} <= columns(kind.table)
    for link in kind.links:
        match link.via:
            case Own(column) if not kind.is_a(OBSERVATION):
                assert column in columns(kind.table)
            case Reverse(column) if not target(link).is_a(OBSERVATION):
                assert column in columns(target(link).table)
            case Through(table, own, other):
                assert {own, other} <= columns(table)
