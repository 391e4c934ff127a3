"""Random readings, conditions and orders, small enough that they often meet."""

from collections.abc import Callable
from typing import Any

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
    Order,
)
from stadtherz.base.time import DAY, HOUR, MINUTE, Period, parse_instant
from stadtherz.sql.tests import trees
from stadtherz.store.public import READING_COLUMNS

CHANGES_OF_CLOCKS = tuple(parse_instant(f"2026-{day}T00:00:00Z") for day in ("03-29", "10-25"))
QUIET = parse_instant("2026-09-01T00:00:00Z")
"""No reading is so near to it that one chunk could hold readings from before and after."""

STREAMS = 3
"""How many datastreams a machine has; strategies speak of them by their place."""

places = st.integers(0, STREAMS - 1)
times = st.one_of(
    st.builds(
        lambda base, n: base + n * 10 * MINUTE,
        st.sampled_from(CHANGES_OF_CLOCKS),
        st.integers(-2, 8),
    ),
    st.sampled_from([0, 1, 2, 20, 33, 60]).map(lambda n: CHANGES_OF_CLOCKS[0] + n * DAY),
)
spans = st.sampled_from([0, 1, MINUTE, HOUR])
periods = st.builds(lambda t, s: Period(t, None if s is None else t + s), times, st.none() | spans)
numbers = st.one_of(st.integers(-3, 3), st.integers(-20, 20).map(lambda n: n / 4))
results = st.one_of(
    numbers,
    numbers,
    st.sampled_from(["x", "", "Ä", True, False, None, {"a": 1}, {"a": "x", "l": [1]}, [1]]),
)
qualities = st.sampled_from([None, None, "good", {"a": 2}, 0, ""])
parameters = st.sampled_from([None, None, {"a": 1}, {"a": "x", "b": {"c": True}}, {}])
keys = st.none() | st.sampled_from("abcdef")

plain = st.fixed_dictionaries(
    {"phenomenon_time": periods, "result": numbers},
    optional={"result_time": times, "feature": st.booleans(), "key": keys},
)
"""What a Reading takes, but `feature` only says whether there is one."""

anything = st.fixed_dictionaries(
    {"phenomenon_time": periods, "result": results},
    optional={
        "result_time": times,
        "feature": st.booleans(),
        "key": keys,
        "result_quality": qualities,
        "valid_time": periods,
        "parameters": parameters,
    },
)
drawn = st.tuples(places, st.one_of(plain, anything))
series = st.builds(
    lambda start, step, size, values: [
        (start + i * step, values[i % len(values)]) for i in range(size)
    ],
    times,
    st.sampled_from([0, MINUTE, 10 * MINUTE, DAY]),
    st.integers(1, 40),
    st.lists(numbers, min_size=1, max_size=7),
)
"""Times and numbers of a regular series; without a step all of them at one instant."""

# --- what is asked -------------------------------------------------------------------------------

Asked = Callable[[list[int], int], Expression]
"""A condition as soon as the datastreams and the feature are known."""

_OPERATORS = st.sampled_from(["eq", "ne", "gt", "ge", "lt", "le"])
_TIMES = ("phenomenon_start", "phenomenon_end", "result_time", "valid_start", "valid_end")
_JSONS = st.sampled_from(
    [
        Column("result", Kind.JSON),
        Column("result", Kind.JSON, ("a",)),
        Column("result_quality", Kind.JSON),
        Column("parameters", Kind.JSON, ("a",)),
        Column("parameters", Kind.JSON, ("b", "c")),
    ]
)


def _column(name: str) -> Column:
    return Column(name, READING_COLUMNS[name])


_times = st.sampled_from(_TIMES).map(_column)
_constants = st.one_of(
    numbers.map(lambda n: Literal(n, Kind.NUMBER)),
    st.sampled_from(["x", "good", ""]).map(lambda text: Literal(text, Kind.TEXT)),
    st.just(Literal(None, Kind.NULL)),
    st.booleans().map(lambda flag: Literal(flag, Kind.BOOLEAN)),
)
_moments = times.map(lambda time: Literal(time, Kind.TIME)) | st.just(Literal(None, Kind.NULL))
_usual: st.SearchStrategy[Asked] = st.one_of(
    st.builds(lambda o, c, v: lambda s, f: Compare(o, c, v), _OPERATORS, _times, _moments),
    st.builds(lambda o, c, v: lambda s, f: Compare(o, c, v), _OPERATORS, _JSONS, _constants),
    st.builds(lambda o, a, b: lambda s, f: Compare(o, a, b), _OPERATORS, _times, _times),
    st.builds(
        lambda o, i: lambda s, f: Compare(o, _column("datastream"), Literal(s[i], Kind.NUMBER)),
        _OPERATORS,
        places,
    ),
    st.builds(
        lambda o: lambda s, f: Compare(o, _column("feature"), Literal(f, Kind.NUMBER)), _OPERATORS
    ),
    st.builds(
        lambda o, i, n: (
            lambda s, f: Compare(o, _column("id"), Literal((s[i] << 32) + n, Kind.NUMBER))
        ),
        _OPERATORS,
        places,
        st.integers(0, 40),
    ),
    st.sets(places).map(
        lambda chosen: lambda s, f: Among(_column("datastream"), frozenset(s[i] for i in chosen))
    ),
    st.builds(
        lambda o, v: (
            lambda s, f: Compare(
                o, Lookup(_column("datastream"), {s[0]: 5, s[1]: -1.5}, Kind.NUMBER), v
            )
        ),
        _OPERATORS,
        numbers.map(lambda n: Literal(n, Kind.NUMBER)),
    ),
)


def _together(parts: list[Asked], *, every: bool) -> Asked:
    join = And if every else Or
    return lambda streams, feature: join(tuple(part(streams, feature) for part in parts))


def _opposite(part: Asked) -> Asked:
    return lambda streams, feature: Not(part(streams, feature))


_VALUES = {
    Kind.TEXT: ["Ägypten", "50 %_"],
    Kind.BOOLEAN: [True, False],
    Kind.GEOMETRY: [trees.POINT, trees.AREA],
}


def _translated(tree: Expression, name: str, moment: str) -> Asked:
    """A tree over the columns of `sql/tests` as one over the columns of readings."""
    return lambda streams, feature: _rebuilt(tree, lambda leaf: _leaf(leaf, name, moment, streams))


def _rebuilt(node: Any, leaf: Callable[[Any], Any]) -> Any:
    match node:
        case Compare(operator, left, right):
            return Compare(operator, _rebuilt(left, leaf), _rebuilt(right, leaf))
        case And(parts) | Or(parts):
            return type(node)(tuple(_rebuilt(part, leaf) for part in parts))
        case Not(part):
            return Not(_rebuilt(part, leaf))
        case Call(called, arguments, kind):
            return Call(called, tuple(_rebuilt(part, leaf) for part in arguments), kind)
        case _:
            return leaf(node)


def _leaf(node: Any, name: str, moment: str, streams: list[int]) -> Any:
    match node:
        case Column("document", kind, path):
            return Column("parameters", kind, path)
        case Column("moment", _, _):
            return _column(moment)
        case Column(_, Kind.NUMBER, _):
            return _column(name)
        case Column(_, Kind.TEXT | Kind.BOOLEAN | Kind.GEOMETRY as kind, _):
            table = dict(zip(streams, _VALUES[kind], strict=False))
            return Lookup(_column("datastream"), table, kind)
        case Lookup(_, table, kind):
            values = zip(streams, table.values(), strict=False)
            return Lookup(_column("datastream"), dict(list(values)[:2]), kind)
        case Among(_, members):
            return Among(_column("datastream"), frozenset(streams[: len(members) % 4]))
        case _:
            return node


_odd = st.builds(
    _translated,
    trees.condition,
    st.sampled_from(["feature", "datastream"]),
    st.sampled_from(_TIMES),
)
conditions: st.SearchStrategy[Asked] = st.recursive(
    _usual,
    lambda part: st.one_of(
        st.lists(part, max_size=3).map(lambda parts: _together(parts, every=True)),
        st.lists(part, max_size=3).map(lambda parts: _together(parts, every=False)),
        part.map(_opposite),
    ),
    max_leaves=5,
)
questions = st.one_of(conditions, conditions, _odd)
"""Mostly what people ask, and now and then any tree there can be."""

orders = st.lists(
    st.builds(
        Order,
        st.one_of(
            _times,
            _times,
            _JSONS,
            st.sampled_from(["id", "feature", "datastream"]).map(_column),
            st.just(Call("neg", (Column("result", Kind.JSON),), Kind.NUMBER)),
        ),
        st.booleans(),
    ),
    max_size=2,
).map(tuple)
