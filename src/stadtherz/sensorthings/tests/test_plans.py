"""Every plan is accepted by the engine, values stand in parameters, and no query breaks us."""

from random import Random
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stadtherz.base.visibility import ANONYMOUS
from stadtherz.sensorthings.answers.resolve import Resolution
from stadtherz.sensorthings.language.grammar import MAX_HEIGHT
from stadtherz.sensorthings.query import sql
from stadtherz.sensorthings.query.execute import reader_for, rows
from stadtherz.sensorthings.query.options import parse_query
from stadtherz.sensorthings.query.plan import plan_set
from stadtherz.sensorthings.standard.schema import ENTITY_SETS, OBSERVATION
from stadtherz.sensorthings.tests.bodies import station
from stadtherz.sensorthings.tests.client import Client
from stadtherz.sensorthings.tests.queries import Queries
from stadtherz.sql.public import Sql
from stadtherz.store.public import on_sqlite

quick = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.usefixtures("db")
@given(st.integers(0, 2**32))
@quick
def test_every_plan_passes_explain(seed: int) -> None:
    kind = Random(seed).choice([k for k in ENTITY_SETS.values() if k is not OBSERVATION])
    query = parse_query(Queries(Random(seed)).query(kind, 0).replace("%", "%25"))
    reader = reader_for(ANONYMOUS)
    plan, resolution = plan_set(kind, query, now=0), Resolution(reader)
    plan = plan.resolved(
        resolution.for_entities(kind, plan.where), resolution.order_of_entities(kind, plan.order)
    )
    for statement in (sql.page(plan, reader), sql.count(plan, reader)):
        assert rows(Sql(f"EXPLAIN {statement.text}", statement.parameters))
        assert "'a" not in statement.text.replace("access", "")


@pytest.mark.parametrize("text", ["x' OR 1=1 --", "%s", "%(a)s", "100%", "\\", "{}", "?", "$1"])
def test_texts_of_users_are_never_part_of_a_statement(api: Client, text: str) -> None:
    quoted = text.replace("'", "''").replace("%", "%25")
    reply = api.get(f"/Things?$filter=name eq '{quoted}' or properties/a eq '{quoted}'")
    assert reply.value == []


@pytest.mark.django_db(transaction=True)
def test_the_number_of_statements_does_not_grow_with_the_answer(api: Client) -> None:
    """The dashboard's query over two stations and over seven, in a process that has answered it.

    Not within a transaction of the test: there the store keeps nothing that it learns, and how
    often it reads its log would depend on what other tests have left it to know.
    """
    address = "/Things?$expand=Locations,Datastreams($expand=ObservedProperty,Observations($orderby=phenomenonTime desc;$top=1))"
    numbers = []
    for size in (1, 2, 7):
        while len(api.get("/Things").value) < size:
            api.post("/Things", station())
        with CaptureQueriesContext(connection) as captured:
            assert len(api.get(address).value) == size
        numbers.append(len(captured))
    told = (
        0 if on_sqlite() else 2
    )  # how long PostgreSQL may take, and that it may take longer again
    assert numbers[1] == numbers[2] <= 16 + told  # each look at the readings begins with the log


_PIECES = st.sampled_from(
    ["name", "result", "Datastream/Thing/name", "Datastreams/Observations/result", "properties/a/b",
     "phenomenonTime", "validTime", "id", "location", "feature", "Observations/parameters/x", "eq", "ne",
     "lt", "add", "div", "mod", "and", "or", "not", "in", "(", ")", ",", "'a'", "'5'", "5", "0", "-1.5",
     "1e308", "9223372036854775807", "null", "true", "2026-01-01T00:00:00Z",
     "2026-01-01T00:00:00Z/2026-01-02T00:00:00Z", "duration'P9999999D'", "geography'POINT(1 2)'", "now()",
     "length(", "year(", "st_within(", "geo.distance(", "before(", "substring(", "round(", "date("]
)  # fmt: skip
_OPTIONS = st.sampled_from(["$filter", "$orderby", "$expand", "$select", "$top", "$skip", "$count"])
_QUERY = st.lists(st.tuples(_OPTIONS, st.lists(_PIECES, max_size=7).map(" ".join)), max_size=3).map(
    lambda pairs: "&".join(f"{name}={text}" for name, text in pairs)
)


@given(
    path=st.sampled_from([f"/{name}" for name in ENTITY_SETS]), query=_QUERY | st.text(max_size=20)
)
@settings(quick, max_examples=300)
def test_no_query_is_answered_with_a_failure_of_ours(api: Client, path: str, query: str) -> None:
    with transaction.atomic():  # on PostgreSQL a refused value ends the transaction
        assert api.get(f"{path}?{query}").status in (200, 400, 501)
        transaction.set_rollback(True)


@pytest.fixture
def stocked(api: Client) -> Client:
    """A city with a station, made once for all examples."""
    api.post("/Things", station())
    return api


_OPERANDS = st.sampled_from(
    ["1e308", "9223372036854775807", "-9223372036854775808", "result", "0", "1e-300", "phenomenonTime",
     "duration'P9999999D'", "maxdatetime()", "properties/a"]
)  # fmt: skip


@given(
    st.lists(_OPERANDS, min_size=2, max_size=5),
    st.sampled_from(["add", "sub", "mul", "div", "mod"]),
)
@settings(quick, max_examples=150)
def test_numbers_beyond_all_limits_are_no_failure_of_ours(
    stocked: Client, operands: list[str], operator: str
) -> None:
    with transaction.atomic():
        text = f" {operator} ".join(operands)
        reply = stocked.get(f"/Observations?$filter={text} lt 5")
        assert reply.status in (200, 400), reply.body
        transaction.set_rollback(True)


@pytest.mark.parametrize("address", ["/Things?$filter=name eq '\0'", "/Things?$filter=properties/\0 eq 1",
    "/Things?$filter=substringof('\0', name)", "/Observations?$filter=result eq '\0'", "/Things(1)/\0",
    "/Things?$filter=properties/a eq '\ufffe'", "/Things?$select=\0", "/\0"])  # fmt: skip
def test_the_nul_character_is_no_failure_of_ours(api: Client, address: str) -> None:
    with transaction.atomic():
        assert api.get(address).status in (200, 400, 404)
        transaction.set_rollback(True)


@pytest.mark.parametrize("operator", ["add", "div", "mod"])
def test_the_longest_chains_are_computed(api: Client, operator: str) -> None:
    api.post("/Things", station())
    chain = f" {operator} ".join(["result", *["1"] * (MAX_HEIGHT - 2)])
    assert api.get(f"/Observations?$filter={chain} lt 0").status == 200
    assert api.get(f"/Datastreams?$filter=Observations/{chain} lt 0").status == 200
    assert api.get(f"/Observations?$filter={chain} {operator} 1 lt 0").status == 400
    deep = "not (" * 7 + "startswith(toupper(trim(Datastream/name)), 'x')" + ")" * 7
    assert len(api.get(f"/Observations?$filter={deep}").value) == 3
    many = " or ".join(f"result eq {number}" for number in range(49))
    assert len(api.get(f"/Observations?$filter={many}").value) == 3


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["name", "description", "Datastreams", "Locations", "@iot.id", "result", "Thing", "time"]) | st.text(max_size=3), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


@given(path=st.sampled_from(list(ENTITY_SETS)), body=_JSON)
@settings(quick, max_examples=150)
def test_no_body_is_answered_with_a_failure_of_ours(api: Client, path: str, body: Any) -> None:
    with transaction.atomic():
        assert api.post(f"/{path}", body).status in (201, 400)
        transaction.set_rollback(True)
