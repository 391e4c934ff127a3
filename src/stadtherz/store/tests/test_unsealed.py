"""Readings that are not sealed yet: pages of them are cut where they lie."""

import pytest

from stadtherz.base.expressions import Column, Compare, Kind, Literal, Order
from stadtherz.store.public import (
    NONE,
    Reading,
    Selection,
    append,
    count,
    extents,
    seal,
    select,
    spans,
)
from stadtherz.store.readings import view
from stadtherz.store.tests.factories import reading, stream, town

pytestmark = pytest.mark.django_db(transaction=True)
_TIME = Column("phenomenon_start", Kind.TIME)


def _written() -> tuple[list[int], list[Reading], list[int]]:
    """Readings of three datastreams in commits of their own, some at one instant, one a text."""
    owner = town()
    streams = [stream(owner, name=f"s{number}") for number in range(3)]
    parts = [[reading(s, (7 * i) % 10, float(i)) for i in range(12)] for s in streams]
    parts += [[reading(streams[0], 4, "high")], [reading(streams[0], 11, 99.0)]]
    keys = [receipt.id for part in parts for receipt in append(part)]
    return streams, [each for part in parts for each in part], keys


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("limit", [0, 1, 3, 13, 14, 100])
@pytest.mark.parametrize("skip", [0, 2])
def test_a_page_by_time_is_the_same_as_a_cut_of_everything(
    again: bool, descending: bool, limit: int, skip: int
) -> None:
    streams, written, keys = _written()
    if again:
        view.forget()
    for asked in ([streams[0]], streams[:2], streams):
        held = [
            (r.phenomenon_time.start, key)
            for r, key in zip(written, keys, strict=True)
            if r.datastream in asked
        ]
        expected = [key for _, key in sorted(held, reverse=descending)][skip : skip + limit]
        order = (Order(_TIME, descending),)
        found = select(Selection(frozenset(asked), order=order, limit=limit, skip=skip))
        assert found.id.tolist() == expected


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("limit", [0, 1, 2, 3, 4, 9, 12, 20])
def test_what_comes_behind_the_time_decides_among_readings_of_one_instant(
    sealed: bool, descending: bool, limit: int
) -> None:
    streams, written, _ = _written()
    if sealed:
        seal()
    held = [(r.phenomenon_time.start, r.result) for r in written if r.datastream == streams[1]]
    sign = -1 if descending else 1
    expected = sorted(held, key=lambda each: (sign * each[0], -sign * float(each[1])))[:limit]
    order = (Order(_TIME, descending), Order(Column("result", Kind.JSON), not descending))
    found = select(Selection(frozenset({streams[1]}), order=order, limit=limit))
    assert list(zip(found.phenomenon_start, found.result, strict=True)) == expected


def test_conditions_and_counts_see_only_their_datastreams() -> None:
    streams, written, _ = _written()
    where = Compare("ge", Column("result", Kind.JSON), Literal(9.0, Kind.NUMBER))
    for asked in (streams[:1], streams[1:], streams):
        high = [
            r
            for r in written
            if r.datastream in asked and isinstance(r.result, float) and r.result >= 9
        ]
        selection = Selection(frozenset(asked), where)
        assert count(selection) == len(select(selection)) == len(high)
        assert count(Selection(frozenset(asked))) == sum(r.datastream in asked for r in written)


def test_spans_are_extents_also_of_datastreams_without_readings() -> None:
    streams, _, _ = _written()
    silent = stream(town("silent"), name="silent")
    found = spans([silent, *reversed(streams)])
    assert found.datastream.tolist() == sorted([*streams, silent])
    held = extents([*streams, silent])
    counts = dict(zip(found.datastream.tolist(), found.count.tolist(), strict=True))
    assert counts == {silent: 0, **{key: extent.count for key, extent in held.items()}}
    first = dict(zip(found.datastream.tolist(), found.phenomenon_first.tolist(), strict=True))
    assert first == {silent: NONE, **{k: e.phenomenon.start for k, e in held.items()}}
