"""What statistics say of chunks is never wrong, and sharp for the usual conditions."""

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
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
from stadtherz.base.time import DAY, HOUR
from stadtherz.sensorthings.language.periods import Span, before, compare, during
from stadtherz.sql.public import beyond
from stadtherz.sql.tests.trees import condition as conditions
from stadtherz.store.conditions.arrays import holds
from stadtherz.store.conditions.sieve import Stats, hull, members_of, sieve
from stadtherz.store.sealed.block import Block, stats
from stadtherz.store.tests.reading_trees import ID, moved
from stadtherz.store.values import NONE, Columns

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
START, END = Column("phenomenon_start", Kind.TIME), Column("phenomenon_end", Kind.TIME)
RESULT_TIME = Column("result_time", Kind.TIME)
STREAM, FEATURE = Column("datastream", Kind.NUMBER), Column("feature", Kind.NUMBER)
RESULT = Column("result", Kind.JSON)
PARAMETER = Column("parameters", Kind.JSON, ("a",))
NULL = Literal(None, Kind.NULL)
MOST = 4 * DAY


def _number(value: float) -> Literal:
    return Literal(value, Kind.NUMBER)


def _time(value: int) -> Literal:
    return Literal(value, Kind.TIME)


# --- chunks and conditions -----------------------------------------------------------------------

readings = st.tuples(
    st.integers(1, 8),  # the last part of the id
    st.integers(0, MOST),
    st.one_of(st.none(), st.integers(0, DAY)),
    st.one_of(st.none(), st.integers(0, MOST)),
    st.one_of(st.none(), st.integers(1, 4)),
    st.integers(-8, 8).map(lambda n: n / 2),
)
chunks = st.tuples(
    st.integers(1, 3), st.lists(readings, min_size=1, max_size=4, unique_by=lambda r: r[0])
)


def block(chunk: tuple[int, list[Any]]) -> Block:
    stream, rows = chunk
    rows = sorted(rows, key=lambda row: (row[1], row[0]))
    ids, starts, lengths, times, features, results = zip(*rows, strict=True)
    ends = [NONE if n is None else s + n for s, n in zip(starts, lengths, strict=True)]
    return Block(
        stream,
        np.array([stream * 100 + number for number in ids], np.int64),
        np.array(starts, np.int64),
        np.array(ends, np.int64),
        np.array([NONE if time is None else time for time in times], np.int64),
        np.array([NONE if feature is None else feature for feature in features], np.int64),
        np.array(results, np.float64),
    )


def columns(block: Block) -> Columns:
    none = np.full(len(block), NONE, np.int64)
    names = ("id", "phenomenon_start", "phenomenon_end", "result_time", "feature", "result")
    own = {name: getattr(block, name) for name in names}
    return Columns(datastream=none * 0 + block.datastream, valid_start=none, valid_end=none, **own)


def stats_of(blocks: list[Block]) -> Stats:
    found = [stats(block) for block in blocks]
    arrays: dict[str, Any] = {"datastream": [block.datastream for block in blocks]}
    for name in (field.name for field in fields(Stats) if field.name != "datastream"):
        values = [getattr(one, name) for one in found]
        arrays[name] = [NONE if value is None else value for value in values]
    return Stats(**{name: np.array(values) for name, values in arrays.items()})


operators = st.sampled_from(["eq", "ne", "gt", "ge", "lt", "le"])
limits = {1: 1.5, 2: -3}
times = st.sampled_from([START, END, RESULT_TIME, Column("valid_start", Kind.TIME)])
moments = st.one_of(
    times,
    st.integers(-1, MOST + 1).map(_time),
    times.map(lambda t: Call("date", (t,), Kind.TIME)),
    st.just(Lookup(STREAM, {1: DAY, 3: 2 * DAY}, Kind.TIME)),
    times.map(lambda t: Call("add", (t, Literal(HOUR, Kind.DURATION)), Kind.TIME)),
)
spans = st.one_of(
    st.tuples(times, times).map(lambda a: Call("sub", a, Kind.DURATION)),
    st.integers(-DAY, DAY).map(lambda n: Literal(n, Kind.DURATION)),
)
documents = st.sampled_from(
    [
        RESULT,
        RESULT,
        PARAMETER,
        Lookup(STREAM, limits | {3: "x"}, Kind.JSON),
        Lookup(FEATURE, {1: 2, 2: None, 3: True}, Kind.JSON),
    ]
)
numbers = st.deferred(
    lambda: st.one_of(
        st.integers(-5, 5).map(_number),
        st.sampled_from([ID, STREAM, FEATURE, Lookup(STREAM, limits, Kind.NUMBER)]),
        st.just(Lookup(FEATURE, limits, Kind.NUMBER)),
        st.builds(
            lambda name, *a: Call(name, a, Kind.NUMBER),
            st.sampled_from(["add", "sub", "mul", "div", "mod"]),
            mixed,
            mixed,
        ),
        st.builds(
            lambda name, a: Call(name, (a,), Kind.NUMBER),
            st.sampled_from(["neg", "floor", "ceiling", "round"]),
            mixed,
        ),
        st.builds(
            lambda name, a: Call(name, (a,), Kind.NUMBER),
            st.sampled_from(["json_rank", "json_number"]),
            documents,
        ),
        st.builds(
            lambda name, a: Call(name, (a,), Kind.NUMBER), st.sampled_from(["year", "hour"]), times
        ),
    )
)
mixed = st.one_of(numbers, documents, documents)
leaves = st.one_of(
    st.builds(Compare, operators, mixed, st.one_of(mixed, st.just(NULL))),
    st.builds(Compare, operators, moments, st.one_of(moments, st.just(NULL))),
    st.builds(Compare, operators, spans, spans),
    st.builds(Compare, operators, documents, st.sampled_from([Literal("x", Kind.TEXT), _time(0)])),
    st.builds(
        Among,
        st.sampled_from([STREAM, FEATURE, ID]),
        st.frozensets(st.one_of(st.integers(0, 4), st.integers(101, 308))),
    ),
    st.builds(
        lambda o, t: compare(o, Span(START, END), Span(_time(t))), operators, st.integers(0, MOST)
    ),
)
trees: st.SearchStrategy[Any] = st.recursive(
    leaves,
    lambda part: st.one_of(
        st.lists(part, max_size=3).map(lambda parts: And(tuple(parts))),
        st.lists(part, max_size=3).map(lambda parts: Or(tuple(parts))),
        part.map(Not),
        st.builds(Compare, st.sampled_from(["eq", "ne"]), part, part),
    ),
    max_leaves=5,
)


# --- soundness -----------------------------------------------------------------------------------


@given(trees, st.lists(chunks, max_size=4))
@settings(unhurried, max_examples=800)
def test_a_chunk_is_never_judged_wrongly(expression: Expression, drawn: list[Any]) -> None:
    _check(expression, [block(chunk) for chunk in drawn])


@given(conditions, st.lists(chunks, max_size=3))
@settings(unhurried, max_examples=200)
def test_nor_for_conditions_of_every_kind(expression: Expression, drawn: list[Any]) -> None:
    _check(moved(expression), [block(chunk) for chunk in drawn])


def _check(expression: Expression, blocks: list[Block]) -> None:
    if not blocks:
        return
    possible, certain = sieve(expression, stats_of(blocks))
    for one, may, must in zip(blocks, possible, certain, strict=True):
        found = holds(expression, columns(one))
        assert may or not found.any()
        assert found.all() or not must


@given(trees, chunks, st.sampled_from(["id", "phenomenon_start", "result", "feature"]))
@settings(unhurried, max_examples=600)
def test_every_reading_that_fulfils_keeps_the_hull(
    expression: Expression, drawn: Any, name: str
) -> None:
    found = columns(block(drawn))
    kept = getattr(found, name)[holds(expression, found)]
    low, high = hull(expression, name)
    assert low is None or all(low <= value for value in kept)
    assert high is None or all(value <= high for value in kept)


@given(trees, chunks, st.sampled_from(["id", "datastream", "feature"]))
@settings(unhurried, max_examples=200)
def test_every_reading_that_fulfils_is_among_the_members(
    expression: Expression, drawn: Any, name: str
) -> None:
    found = columns(block(drawn))
    members = members_of(expression, name)
    kept = getattr(found, name)[holds(expression, found)]
    assert members is None or members.issuperset(kept.tolist())


def test_a_chunk_without_readings_is_out() -> None:
    thinned = stats_of([block((1, [(1, 0, None, None, None, 1.0)]))])
    thinned.n[:] = 0
    for expression in (And(()), Not(Or(())), Compare("lt", RESULT, _number(5))):
        possible, certain = sieve(expression, thinned)
        assert not possible.any()
        assert not certain.any()


# --- sharpness -----------------------------------------------------------------------------------


def _chunk(stream: int, start: int, *results: float) -> Block:
    rows = [(i + 1, start + i, None, start, None, r) for i, r in enumerate(results)]
    return block((stream, rows))


FOUR = [_chunk(1, 0, 10, 30), _chunk(1, 100, 26, 30), _chunk(1, 200, 1, 25), _chunk(2, 100, 26)]


def _verdict(expression: Expression) -> tuple[list[bool], list[bool]]:
    possible, certain = sieve(expression, stats_of(FOUR))
    return possible.tolist(), certain.tolist()


def test_the_usual_condition_leaves_only_what_it_must() -> None:
    hot = Compare("gt", RESULT, _number(25))
    late = Compare("ge", START, _time(1))
    own = Among(STREAM, frozenset({1}))
    assert _verdict(hot) == ([True, True, False, True], [False, True, False, True])
    assert _verdict(And((hot, late, own))) == (
        [True, True, False, False],
        [False, True, False, False],
    )
    assert _verdict(Not(And((hot, own)))) == (
        [True, False, True, True],
        [False, False, True, True],
    )


def test_a_constant_may_stand_on_the_left() -> None:
    assert _verdict(Compare("lt", _number(25), RESULT)) == _verdict(
        Compare("gt", RESULT, _number(25))
    )


def test_periods_as_filters_write_them_are_sharp() -> None:
    period, instant = Span(START, END), Span(_time(100))
    assert _verdict(before(period, instant))[0] == [True, False, False, False]
    instants = stats_of([_chunk(1, 0, 1, 2), _chunk(1, 100, 1, 2), _chunk(1, 200, 1, 2)])
    possible, certain = sieve(during(period, Span(_time(0), _time(150))), instants)
    assert possible.tolist() == certain.tolist() == [True, True, False]


def test_what_plain_readings_never_have_leaves_nothing() -> None:
    everything, nothing = [True] * 4, [False] * 4
    for part in (
        Compare("eq", PARAMETER, Literal("x", Kind.TEXT)),
        Compare("eq", RESULT, Literal("on", Kind.TEXT)),
        Compare("ge", Column("valid_start", Kind.TIME), _time(0)),
        Compare("eq", RESULT, NULL),
    ):
        assert _verdict(part) == (nothing, nothing)
        assert _verdict(Not(part)) == (everything, everything)


def test_what_hangs_on_the_datastream_alone_is_decided() -> None:
    names = Lookup(STREAM, {1: "Lauter", 2: "Blies"}, Kind.TEXT)
    tree = Call("startswith", (names, Literal("La", Kind.TEXT)), Kind.BOOLEAN)
    answer = [True, True, True, False]
    assert _verdict(tree) == (answer, answer)


def test_a_limit_of_the_datastream_is_compared_with_the_bounds() -> None:
    limit = Lookup(STREAM, {1: 25, 2: "none"}, Kind.JSON)
    assert _verdict(Compare("gt", RESULT, limit)) == (
        [True, True, False, False],
        [False, True, False, False],
    )


def test_arithmetic_moves_the_bounds() -> None:
    celsius = Call(
        "div", (Call("sub", (RESULT, _number(32)), Kind.NUMBER), _number(2)), Kind.NUMBER
    )
    shifted = Call("sub", (RESULT, _number(5)), Kind.NUMBER)
    assert _verdict(Compare("gt", shifted, _number(20))) == _verdict(
        Compare("gt", RESULT, _number(25))
    )
    assert _verdict(Compare("gt", celsius, _number(-100)))[0] == [True] * 4


def test_paging_goes_on_behind_a_chunk() -> None:
    tree = beyond([Order(START), Order(ID)], [101, 102])
    assert _verdict(tree) == ([False, False, True, False], [False, False, True, False])


@pytest.mark.parametrize(
    ("expression", "bounds"),
    [
        (Compare("ge", START, _time(5)), (5, None)),
        (Compare("gt", _time(5), START), (None, 4)),
        (Not(Compare("ge", START, _time(5))), (None, 4)),
        (And((Compare("ge", START, _time(5)), Compare("lt", START, _time(9)))), (5, 8)),
        (Or((Compare("eq", START, _time(5)), Compare("eq", START, _time(9)))), (5, 9)),
        (Or((Compare("eq", START, _time(5)), Compare("gt", RESULT, _number(1)))), (None, None)),
        (And((Compare("gt", START, _time(5)), Compare("gt", RESULT, _number(1)))), (6, None)),
        (Compare("ne", START, _time(5)), (None, None)),
        (And(()), (None, None)),
    ],
)
def test_the_hull_of_a_condition(expression: Expression, bounds: tuple[Any, Any]) -> None:
    assert hull(expression, "phenomenon_start") == bounds


def test_a_contradiction_has_an_empty_hull() -> None:
    for expression in (Or(()), And((Among(ID, frozenset({1})), Compare("gt", ID, _number(1))))):
        low, high = hull(expression, "id")
        assert low > high
