"""Queries and plans that are remembered are those that would be made anew."""

import pytest

from stadtherz.sensorthings.language.syntax import Query
from stadtherz.sensorthings.query.options import parse_query
from stadtherz.sensorthings.query.plan import plan_set, planned
from stadtherz.sensorthings.standard.schema import ENTITY_SETS, OBSERVATION

_QUERIES = (
    "$filter=result%20gt%205&$orderby=phenomenonTime%20desc",
    "$filter=result%20gt%206&$orderby=phenomenonTime%20desc",
    "$filter=phenomenonTime%20lt%20now()",
    "$select=result&$top=5",
    "$select=id&$top=5&$skip=1&$count=true",
    "$skiptoken=WzEsMl0",
    "$expand=Datastream($select=name)",
    "",
    "$filter=" + "%20or%20".join(f"result%20eq%20{n}" for n in range(40)),
)


@pytest.mark.parametrize("now", [0, 1_000_000])
def test_a_plan_is_the_same_whether_it_is_remembered_or_not(now: int) -> None:
    for raw in (*_QUERIES, *_QUERIES):
        query = parse_query(raw)
        fresh = plan_set(OBSERVATION, query, now=now)
        assert planned(OBSERVATION, query, now=now) == fresh


def test_the_same_texts_on_another_set_are_another_plan() -> None:
    for entity in ENTITY_SETS.values():
        assert planned(entity, Query(), now=0).entity is entity


def test_mistakes_are_found_each_time() -> None:
    for _ in range(2):
        with pytest.raises(Exception, match="known are"):
            parse_query("$tip=5")
