from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.base.errors import QuerySyntaxError
from stadtherz.sensorthings.language.grammar import (
    MAX_DEPTH,
    MAX_LENGTH,
    MAX_NODES,
    parse_filter,
    parse_orderby,
)
from stadtherz.sensorthings.language.syntax import (
    Constant,
    Function,
    Membership,
    Name,
    Node,
    Operation,
    Unary,
)


def _bare(node: Node) -> Any:
    """The tree as nested tuples, without positions."""
    match node:
        case Name(path=path):
            return "/".join(path)
        case Constant(kind=kind, text=text):
            return (kind, text)
        case Operation(operator=operator, left=left, right=right):
            return (operator, _bare(left), _bare(right))
        case Unary(operator=operator, operand=operand):
            return (operator, _bare(operand))
        case Function(name=name, arguments=arguments):
            return (name, *map(_bare, arguments))
        case Membership(value=value, members=members):
            return ("in", _bare(value), *map(_bare, members))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a eq b and c eq d or e", ("or", ("and", ("eq", "a", "b"), ("eq", "c", "d")), "e")),
        ("a or b and c", ("or", "a", ("and", "b", "c"))),
        ("not a eq b and c", ("and", ("not", ("eq", "a", "b")), "c")),
        ("a add b mul c eq d", ("eq", ("add", "a", ("mul", "b", "c")), "d")),
        ("a sub b sub c", ("sub", ("sub", "a", "b"), "c")),
        ("(a add b) mul c", ("mul", ("add", "a", "b"), "c")),
        ("-a mul b", ("mul", ("neg", "a"), "b")),
        ("a gt b eq true", ("eq", ("gt", "a", "b"), ("boolean", "true"))),
        ("a in (b, 'c')", ("in", "a", "b", ("text", "c"))),
        ("Length(a/b) eq 5", ("eq", ("length", "a/b"), ("number", "5"))),
        ("now() sub a", ("sub", ("now",), "a")),
        ("a eq 'it''s; (fine)'", ("eq", "a", ("text", "it's; (fine)"))),
        ("a eq 2026-01-01T00:00:00Z", ("eq", "a", ("time", "2026-01-01T00:00:00Z"))),
        ("a eq 2026-01-01", ("eq", "a", ("date", "2026-01-01"))),
        ("a eq duration'PT1H'", ("eq", "a", ("duration", "PT1H"))),
        ("a eq geography'POINT (1 2)'", ("eq", "a", ("geometry", "POINT (1 2)"))),
        ("a eq 1.5e-3", ("eq", "a", ("number", "1.5e-3"))),
        ("@iot.id eq null", ("eq", "@iot.id", ("null", "null"))),
        ("Thing/@iot.id eq 1", ("eq", "Thing/@iot.id", ("number", "1"))),
        ("properties/größe-2/0 eq 1", ("eq", "properties/größe-2/0", ("number", "1"))),
    ],
)
def test_text_becomes_a_tree(text: str, tree: Any) -> None:
    assert _bare(parse_filter(text)) == tree


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0), ("a eq", 4), ("eq a", 0), ("a eq 'x", 5), ("(a", 2), ("a)", 1), ("a b", 2),
        ("a eq ;", 5), ("f(a", 3), ("f(a,", 4), ("a in 5", 5), ("a eq 5x", 5), ("not", 3), ("a & b", 2),
    ],
)  # fmt: skip
def test_a_mistake_is_reported_where_it_stands(text: str, position: int) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        parse_filter(text)
    assert caught.value.position == position


def test_order_terms_have_a_direction() -> None:
    terms = parse_orderby("name, Thing/name desc,length(name) asc")
    assert [(_bare(t.by), t.descending) for t in terms] == [
        ("name", False), ("Thing/name", True), (("length", "name"), False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "a eq 'x" + "x" * MAX_LENGTH + "'",
        "(" * (MAX_DEPTH + 2) + "a" + ")" * (MAX_DEPTH + 2),
        "not " * (MAX_DEPTH + 2) + "a",
        "-" * (MAX_DEPTH + 2) + "a",
        " or ".join(["a"] * MAX_NODES),
        "f(" * (MAX_DEPTH + 2) + "a" + ")" * (MAX_DEPTH + 2),
    ],
)
def test_limits_hold(text: str) -> None:
    with pytest.raises(QuerySyntaxError):
        parse_filter(text)


_WORDS = st.sampled_from(
    ["a", "a/b", "eq", "and", "not", "in", "(", ")", ",", "'x'", "'", "-", "5", "1e5", "null", "f(",
     "2026-01-01", "2026-01-01T00:00:00Z", "geography'POINT(1 2)'", "duration'P1D'", "ü", "\x00"]
)  # fmt: skip


@given(st.lists(_WORDS | st.text(max_size=3), max_size=12).map(" ".join))
def test_any_text_is_a_tree_or_a_mistake_within_it(text: str) -> None:
    position = 0
    try:
        parse_filter(text)
    except QuerySyntaxError as error:
        position = error.position
    assert 0 <= position <= len(text)
