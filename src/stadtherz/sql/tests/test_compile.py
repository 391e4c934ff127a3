"""What the text of a compiled expression looks like, and what cannot be compiled."""

from itertools import pairwise

import pytest

from stadtherz.base.errors import Invalid, Unavailable
from stadtherz.base.expressions import (
    And,
    Call,
    Column,
    Compare,
    Expression,
    Kind,
    Literal,
    Lookup,
    Order,
)
from stadtherz.sql.public import (
    POSTGRESQL,
    SQLITE,
    Dialect,
    Source,
    Sql,
    compile_condition,
    compile_order,
    compile_value,
)

NAME = Column("name", Kind.TEXT)
AGE = Column("age", Kind.NUMBER)
HOSTILE = "x' OR 1=1; DROP TABLE store_thing; --%s"


def resolve(column: Column) -> Source:
    return Source(Sql(column.name), column.kind)


def number(value: float) -> Literal:
    return Literal(value, Kind.NUMBER)


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL])
def test_no_value_of_a_user_stands_in_the_text(dialect: Dialect) -> None:
    hostile = Literal(HOSTILE, Kind.TEXT)
    path = Column("properties", Kind.JSON, (HOSTILE,))
    condition = And(
        (Compare("eq", NAME, hostile), Compare("ne", path, hostile), Compare("lt", path, number(1)))
    )
    compiled = compile_condition(condition, resolve, dialect)
    assert "DROP" not in compiled.text
    assert compiled.text.count("%s") == len(compiled.parameters)


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL])
def test_the_text_grows_no_faster_than_the_tree(dialect: Dialect) -> None:
    tree: Expression = Compare("eq", NAME, Literal("x", Kind.TEXT))
    lengths = []
    for _ in range(12):
        tree = Compare(
            "ne", Compare("eq", tree, Literal(True, Kind.BOOLEAN)), Literal(False, Kind.BOOLEAN)
        )
        lengths.append(len(compile_condition(tree, resolve, dialect).text))
    steps = {b - a for a, b in pairwise(lengths)}
    assert len(steps) == 1


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL])
def test_a_lookup_needs_one_parameter_however_large_its_table(dialect: Dialect) -> None:
    lookup = Lookup(AGE, {i: f"name {i}" for i in range(1000)}, Kind.TEXT)
    assert len(compile_value(lookup, resolve, dialect).parameters) == 1


def test_equality_with_a_constant_can_use_an_index() -> None:
    compiled = compile_condition(Compare("eq", AGE, number(5)), resolve, POSTGRESQL)
    assert compiled == Sql("(age = %s::bigint)", (5,))


def test_a_column_that_is_never_null_is_sorted_by_its_index() -> None:
    def never_null(column: Column) -> Source:
        return Source(Sql(column.name), column.kind, nullable=False)

    assert compile_order([Order(AGE, True)], never_null, POSTGRESQL).text == "age DESC"
    assert compile_order([Order(AGE, True)], resolve, POSTGRESQL).text == "age DESC NULLS LAST"


@pytest.mark.parametrize(
    "expression",
    [
        Compare("eq", NAME, number(1)),
        Compare("gt", Column("when", Kind.TIME), number(1)),
        Compare("eq", Column("a", Kind.GEOMETRY), Column("b", Kind.GEOMETRY)),
        Call("contains", (NAME, number(1)), Kind.BOOLEAN),
        Call("contains", (NAME,), Kind.BOOLEAN),
        Call("substring", (NAME, number(1), number(1), number(1)), Kind.TEXT),
        Call("add", (NAME, number(1)), Kind.NUMBER),
        Call("drop_table", (NAME,), Kind.NUMBER),
        Compare("eq", AGE, number(10**400)),
        Compare("eq", Column("when", Kind.TIME), Literal(10**18, Kind.TIME)),
        Compare("eq", Literal(10**20, Kind.DURATION), Literal(1, Kind.DURATION)),
        Call("year", (number(1),), Kind.NUMBER),
        Compare("eq", AGE, number(float("nan"))),
        Compare("eq", NAME, Literal("a\0b", Kind.TEXT)),
        Compare("eq", NAME, Literal("\ud800", Kind.TEXT)),
        Compare("eq", Column("properties", Kind.JSON, ("a\0",)), number(1)),
        NAME,
    ],
)
@pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL])
def test_what_makes_no_sense_is_invalid(expression: Expression, dialect: Dialect) -> None:
    with pytest.raises(Invalid):
        compile_condition(expression, resolve, dialect)


def test_without_postgis_geometry_is_unavailable_for_good() -> None:
    here = Column("location", Kind.GEOMETRY)
    with pytest.raises(Unavailable) as caught:
        compile_condition(
            Call("st_within", (here, here), Kind.BOOLEAN),
            resolve,
            Dialect("postgresql", geometry=False),
        )
    assert not caught.value.retry
