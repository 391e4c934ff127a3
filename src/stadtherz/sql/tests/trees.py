"""Random expression trees over the columns of the test table, and the table itself."""

from dataclasses import fields, is_dataclass
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from stadtherz.base.expressions import (
    Among,
    And,
    Call,
    Column,
    Compare,
    Expression,
    Kind,
    Literal,
    Lookup,
    Not,
    Or,
)

POINT = {"type": "Point", "coordinates": [7.5, 49.5]}
LINE = {"type": "LineString", "coordinates": [[7, 49], [8, 50]]}
AREA = {"type": "Polygon", "coordinates": [[[7, 49], [8, 49], [8, 50], [7, 50], [7, 49]]]}
BESIDE = {"type": "Polygon", "coordinates": [[[8, 49], [9, 49], [9, 50], [8, 50], [8, 49]]]}
SHAPES = [POINT, LINE, AREA, BESIDE]
DAY = 86_400_000_000
_MOST = 13  # operations inside one another; a condition and twelve within, as `$filter` takes

# id, number, whole, text, flag, moment, document, result (a number or any JSON), shape
ROWS: list[dict[str, Any]] = [
    dict(
        zip(
            ("id", "number", "whole", "text", "flag", "moment", "document", "result", "shape"),
            row,
            strict=True,
        )
    )
    for row in [
        (1, 1.5, 1, "Ägypten", True, 0, {"a": 1, "b": "x"}, 1.5, POINT),
        (2, -2.25, 2, "50 %_", False, 1_700_000_000_123_456, {"a": "1", "l": [1, "x"]}, "x", LINE),
        (3, None, 3, None, None, None, None, None, None),
        (4, 0.0, 4, "", True, -1, {"a": None, "b": {"c": True}}, True, AREA),
        (5, 1e15, 5, " straße ", False, -62_135_596_800_000_000, {"a": 1.5}, {"a": 2}, BESIDE),
        (6, 2.5, 6, "x", None, 253_402_300_799_999_999, {"a": True, "b": ""}, [1], POINT),
        (7, -2.5, 7, "ΣΑΣ", True, 951_782_400_000_000 - 1, {'q"o\\t': 1, "é": "é"}, -2.5, LINE),
        (8, 3.0, 8, "\\'\";--", False, DAY * 31 + 1, {"b": "50 %_"}, 2, AREA),
    ]
]

_JSON_PATHS = [(), ("a",), ("b",), ("b", "c"), ("l",), ("l", "1"), ('q"o\\t',), ("é",), ("no",)]

numbers = st.one_of(
    st.integers(-10, 10),
    st.integers(-40, 40).map(lambda n: n / 4),
    st.sampled_from([1e15, 2**53, -(2**70)]),
)
texts = st.one_of(
    st.text("aÄßx%_ 1", max_size=3),
    st.sampled_from(["Ägypten", "50 %_", "x", "é", "ΣΑΣ", "'", '"', "\\", "😀", "{}", "%s"]),
)
moments = st.one_of(
    st.sampled_from([row["moment"] for row in ROWS if row["moment"] is not None]),
    st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999),
)
durations = st.integers(-400 * DAY, 400 * DAY)


def _height(part: Any) -> int:
    """How many operations are inside one another."""
    if isinstance(part, tuple):
        return max(map(_height, part), default=0)
    if not is_dataclass(part):
        return 0
    return 1 + max(_height(getattr(part, field.name)) for field in fields(part))


def _literal(values: st.SearchStrategy[Any], kind: Kind) -> st.SearchStrategy[Expression]:
    return values.map(lambda value: Literal(value, kind))


def _calls(kind: Kind, *choices: tuple[str, tuple[Any, ...]]) -> st.SearchStrategy[Expression]:
    return st.one_of(
        *(st.tuples(*takes).map(lambda a, n=name: Call(n, a, kind)) for name, takes in choices)
    )


NULL = st.just(Literal(None, Kind.NULL))
json = st.sampled_from(
    [Column("document", Kind.JSON, path) for path in _JSON_PATHS]
    + [Column("result", Kind.JSON, path) for path in ((), ("a",))]
)
_lookup_column = Column("whole", Kind.NUMBER)
number_leaf = st.one_of(
    _literal(numbers, Kind.NUMBER),
    st.sampled_from([Column("number", Kind.NUMBER), Column("whole", Kind.NUMBER)]),
    st.just(Lookup(_lookup_column, {1: 5, 2: -1.5, 7: 3}, Kind.NUMBER)),
)
text_leaf = st.one_of(
    _literal(texts, Kind.TEXT),
    st.just(Column("text", Kind.TEXT)),
    st.just(Lookup(_lookup_column, {1: "x", 2: "Ä", 8: ""}, Kind.TEXT)),
)
time_leaf = st.one_of(_literal(moments, Kind.TIME), st.just(Column("moment", Kind.TIME)))
span_leaf = _literal(durations, Kind.DURATION)
shape_leaf = st.one_of(
    _literal(st.sampled_from(SHAPES), Kind.GEOMETRY), st.just(Column("shape", Kind.GEOMETRY))
)
flag_leaf = st.one_of(
    st.sampled_from([Literal(True, Kind.BOOLEAN), Literal(False, Kind.BOOLEAN)]),
    st.just(Column("flag", Kind.BOOLEAN)),
    st.sets(st.integers(1, 9)).map(lambda ids: Among(_lookup_column, frozenset(ids))),
)

number = st.deferred(lambda: st.one_of(number_leaf, number_call))
text = st.deferred(lambda: st.one_of(text_leaf, text_call))
moment = st.deferred(lambda: st.one_of(time_leaf, time_call))
span = st.deferred(lambda: st.one_of(span_leaf, span_call))
any_condition: st.SearchStrategy[Expression] = st.deferred(
    lambda: st.one_of(flag_leaf, compare, flag_call, logic)
)

any_number, any_text = st.one_of(number, json, NULL), st.one_of(text, json)
number_call = _calls(
    Kind.NUMBER,
    *((name, (any_number, any_number)) for name in ("add", "sub", "mul", "div", "mod")),
    *((name, (any_number,)) for name in ("neg", "round", "floor", "ceiling")),
    ("length", (any_text,)),
    ("indexof", (any_text, any_text)),
    *(
        (n, (moment,))
        for n in (
            "year",
            "month",
            "day",
            "hour",
            "minute",
            "second",
            "fractionalseconds",
            "totaloffsetminutes",
        )
    ),
)
text_call = _calls(
    Kind.TEXT,
    *((name, (any_text,)) for name in ("tolower", "toupper", "trim")),
    ("concat", (any_text, any_text)),
    ("substring", (any_text, number_leaf)),
    ("substring", (any_text, number_leaf, number_leaf)),
)
time_call = _calls(
    Kind.TIME,
    ("add", (time_leaf, span_leaf)),
    ("sub", (time_leaf, span_leaf)),
    ("date", (time_leaf,)),
    ("mindatetime", ()),
    ("maxdatetime", ()),
)
span_call = _calls(Kind.DURATION, ("sub", (time_leaf, time_leaf)), ("time", (time_leaf,)))
flag_call = _calls(
    Kind.BOOLEAN,
    *(
        (name, (any_text, any_text))
        for name in ("contains", "substringof", "startswith", "endswith")
    ),
    *(
        (f"st_{n}", (shape_leaf, shape_leaf))
        for n in (
            "equals",
            "disjoint",
            "touches",
            "within",
            "overlaps",
            "crosses",
            "intersects",
            "contains",
        )
    ),
    (
        "st_relate",
        (
            shape_leaf,
            shape_leaf,
            st.sampled_from(["T********", "FF*FF****"]).map(lambda p: Literal(p, Kind.TEXT)),
        ),
    ),
    ("geo.intersects", (shape_leaf, shape_leaf)),
)
_distance = _calls(
    Kind.NUMBER, ("geo.distance", (shape_leaf, shape_leaf)), ("geo.length", (shape_leaf,))
)


def _comparisons(
    side: st.SearchStrategy[Any], other: st.SearchStrategy[Any]
) -> st.SearchStrategy[Expression]:
    operators = st.sampled_from(["eq", "ne", "gt", "ge", "lt", "le"])
    return st.builds(Compare, operators, side, other)


compare = st.one_of(
    _comparisons(st.one_of(number, json, NULL), st.one_of(number, _distance, NULL)),
    _comparisons(st.one_of(text, json, NULL), text),
    _comparisons(moment, st.one_of(moment, NULL)),
    _comparisons(span, span),
    _comparisons(json, st.one_of(json, flag_leaf, NULL)),
    st.builds(Compare, st.sampled_from(["eq", "ne"]), any_condition, flag_leaf),
)
logic = st.one_of(
    st.lists(any_condition, max_size=3).map(lambda parts: And(tuple(parts))),
    st.lists(any_condition, max_size=3).map(lambda parts: Or(tuple(parts))),
    any_condition.map(Not),
)


@st.composite
def _low_condition(draw: st.DrawFn) -> Expression:
    """One that a query could say: SQLite's parser gives up soon after that, so more is refused.

    (A filter would do, but hypothesis writes down all of the trees when it turns one away.)
    """
    expression = draw(any_condition)
    assume(_height(expression) <= _MOST)
    return expression


condition = _low_condition()
