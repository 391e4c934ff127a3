"""Single cases that are easy to get wrong, on the engine at hand."""

from typing import Any

import pytest
from django.db import connections

from stadtherz.base.expressions import Call, Column, Expression, Kind, Literal, Lookup
from stadtherz.base.time import now_us, parse_instant
from stadtherz.sql.public import Source, Sql, compile_value, compose, dialect_of, install_functions

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _functions(db: None) -> None:
    install_functions(connections["default"])


def computed(expression: Expression) -> Any:
    connection = connections["default"]

    def resolve(column: Column) -> Source:
        return Source(
            Sql("NULL::jsonb" if connection.vendor == "postgresql" else "NULL"), Kind.JSON
        )

    compiled = compose("SELECT {}", compile_value(expression, resolve, dialect_of(connection)))
    with connection.cursor() as cursor:
        cursor.execute(compiled.text, compiled.parameters)
        return cursor.fetchone()[0]


def call(name: str, kind: Kind, *values: Any) -> Any:
    kinds = {str: Kind.TEXT, int: Kind.NUMBER, float: Kind.NUMBER, dict: Kind.GEOMETRY}
    arguments = (v if isinstance(v, Literal) else Literal(v, kinds[type(v)]) for v in values)
    return computed(Call(name, tuple(arguments), kind))


def time(text: str) -> Literal:
    return Literal(parse_instant(text), Kind.TIME)


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("div", (5, 2), 2.5),
        ("div", (1, 0), None),
        ("whole_div", (-7, 2), -3),
        ("whole_div", (7, 0), None),
        ("totalseconds", (Literal(1_500_000, Kind.DURATION),), 1.5),
        ("mod", (-5, 3), -2),
        ("mod", (5.5, 0), None),
        ("neg", (3,), -3),
        ("round", (0.5,), 1),
        ("round", (-2.5,), -3),
        ("floor", (-1.5,), -2),
        ("ceiling", (-1.5,), -1),
        ("length", ("Äß😀",), 3),
        ("indexof", ("Straße", "S"), 0),
        ("indexof", ("Straße", "x"), -1),
        ("year", (time("1969-12-31T23:59:59.999999Z"),), 1969),
        ("hour", (time("1969-12-31T23:59:59Z"),), 23),
        ("second", (time("1969-12-31T23:59:59.9Z"),), 59),
        ("fractionalseconds", (time("2026-01-01T00:00:00.25Z"),), 0.25),
        ("day", (time("2024-02-29T00:00:00Z"),), 29),
        ("totaloffsetminutes", (time("2024-02-29T00:00:00+02:00"),), 0),
        ("offset", (time("2026-01-01T00:00:00Z"), "Europe/Berlin"), 60),
        ("offset", (time("2026-07-01T00:00:00Z"), "Europe/Berlin"), 120),
        ("offset", (time("2026-07-01T00:00:00Z"), "-03:30"), -210),
        ("offset", (time("2026-07-01T00:00:00Z"), "Z"), 0),
        ("offset", (time("1969-06-30T23:59:59.999999Z"), "America/New_York"), -240),
        ("offset", (time("2026-07-01T00:00:00Z"), "Nowhere/Land"), None),
        ("offset", (time("2026-07-01T00:00:00Z"), ""), None),
        ("local", (time("9999-12-31T23:30:00Z"), "+01:00"), None),
        ("local", (time("1970-01-01T00:00:00.5Z"), "-01:00"), -3_599_500_000),
        (
            "geo.distance",
            ({"type": "Point", "coordinates": [0, 0]}, {"type": "Point", "coordinates": [3, 4]}),
            5,
        ),
        ("geo.length", ({"type": "LineString", "coordinates": [[0, 0], [3, 4]]},), 5),
        (
            "geo.length",
            ({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]},),
            0,
        ),
    ],
)
def test_numbers(name: str, values: tuple[Any, ...], expected: float | None) -> None:
    assert call(name, Kind.NUMBER, *values) == expected


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("substring", ("Straße", 0, 3), "Str"),
        ("substring", ("Straße", 4), "ße"),
        ("substring", ("Straße", 99), ""),
        ("substring", ("Straße", -2, 2), "St"),
        ("substring", ("Straße", 0, -1), ""),
        ("toupper", ("äöü ß",), "ÄÖÜ SS"),
        ("tolower", ("ÄÖÜ É",), "äöü é"),
        ("trim", ("  a b ",), "a b"),
        ("concat", ("a", "ß"), "aß"),
    ],
)
def test_texts(name: str, values: tuple[Any, ...], expected: str) -> None:
    assert call(name, Kind.TEXT, *values) == expected


def test_wildcards_of_the_engine_are_plain_characters() -> None:
    assert not call("contains", Kind.BOOLEAN, "abc", "%")
    assert not call("startswith", Kind.BOOLEAN, "abc", "_")
    assert call("endswith", Kind.BOOLEAN, "50 %", "%")


def test_a_time_beyond_the_calendar_is_null() -> None:
    year = Literal(366 * 86_400 * 1_000_000, Kind.DURATION)
    assert call("add", Kind.TIME, time("9999-06-01T00:00:00Z"), year) is None
    assert call("sub", Kind.TIME, time("0001-06-01T00:00:00Z"), year) is None


def test_now_is_the_products_clock() -> None:
    assert abs(call("now", Kind.TIME) - now_us()) < 60_000_000


def test_what_is_no_geometry_gives_null() -> None:
    point = {"type": "Point", "coordinates": [0, 0]}
    assert call("st_within", Kind.BOOLEAN, point, {"room": "A 12"}) is None


def test_a_json_property_that_is_missing_is_null() -> None:
    missing = Column("properties", Kind.JSON, ("a", "b"))
    assert computed(Call("length", (missing,), Kind.NUMBER)) is None


@pytest.mark.parametrize("kind", [Kind.JSON, Kind.GEOMETRY])
def test_a_lookup_gives_documents_too(kind: Kind) -> None:
    connection = connections["default"]
    lookup = Lookup(Column("one", Kind.NUMBER), {1: {"a": [1]}, 2: None}, kind)
    compiled = compile_value(
        lookup, lambda _: Source(Sql("1"), Kind.NUMBER), dialect_of(connection)
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {compiled.text}", compiled.parameters)
        assert cursor.fetchone()[0].replace(" ", "") == '{"a":[1]}'
