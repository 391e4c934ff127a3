"""The engine answers random queries over random cities as the reference does, for every caller.

Many more of them: `STADTHERZ_WORLDS=500 pytest src/stadtherz/sensorthings/tests/test_reference.py`.
"""

import os
import re
from random import Random
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from stadtherz.sensorthings.language.syntax import Query
from stadtherz.sensorthings.query.options import parse_query
from stadtherz.sensorthings.standard.schema import ENTITY_SETS, EntityType, target
from stadtherz.sensorthings.tests.client import Client
from stadtherz.sensorthings.tests.queries import Queries
from stadtherz.sensorthings.tests.reference import Reference
from stadtherz.sensorthings.tests.world import Builder, World

WORLDS = int(os.environ.get("STADTHERZ_WORLDS", "30"))
QUERIES_PER_WORLD = 20  # a city costs as much as a dozen queries
_MORE = "@iot.nextLink"
slow = settings(
    max_examples=WORLDS,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # a smaller seed is no smaller city
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.usefixtures("db")
@given(st.integers(0, 2**32))
@slow
def test_the_engine_agrees_with_the_reference(seed: int) -> None:
    random = Random(seed)
    with transaction.atomic():
        world = Builder(random, combined=True).build()
        _forget_history_of_the_store(world)
        for _ in range(QUERIES_PER_WORLD):
            _check(world, random)
        transaction.set_rollback(True)


@pytest.mark.usefixtures("db")
@given(st.integers(0, 2**32))
@slow
def test_values_of_several_entities_are_held_against_each_other(seed: int) -> None:
    random = Random(seed)
    with transaction.atomic():
        world = Builder(random, combined=True).build()
        _forget_history_of_the_store(world)
        for _ in range(QUERIES_PER_WORLD):
            kind, queries = random.choice(list(ENTITY_SETS.values())), Queries(random)
            number = random.choice([1, 1, 2])
            condition = " and ".join(queries.comparison(kind) for _ in range(number))
            caller, query = random.choice(world.callers), f"$filter={condition}&$top=1000"
            reply = Client(caller).get(f"/{kind.plural}?{query}")
            assert reply.status == 200, (kind.plural, condition, reply.body)
            reference = Reference(world, caller, whole=True)
            page = reference.page(kind, reference.all(kind), parse_query(query))
            expected = [entity["id"] for entity in page["entities"]]
            assert sorted(reply.ids) == sorted(expected), f"{kind.plural}?{condition}"
        transaction.set_rollback(True)


@pytest.mark.usefixtures("db")
@given(st.integers(0, 2**32))
@slow
def test_chains_of_pages_are_the_whole_in_order(seed: int) -> None:
    random = Random(seed)
    with transaction.atomic():
        world = Builder(random, combined=True).build()
        for _ in range(QUERIES_PER_WORLD):
            kind, queries = random.choice(list(ENTITY_SETS.values())), Queries(random)
            orders = ",".join(queries.order(kind) for _ in range(random.randint(1, 2)))
            address = f"/{kind.plural}?$filter={queries.filter(kind)}&$orderby={orders}"
            client = Client(random.choice(world.callers))
            whole = client.get(address)
            if whole.status == 501:  # a comparison that the server says it does not know
                continue
            assert _chained(client, f"{address}&$top=1") == whole.ids, address
        transaction.set_rollback(True)


def _chained(client: Client, address: str) -> list[int]:
    reply = client.get(address)
    following = reply.json.get(_MORE)
    return reply.ids + (_chained(client, following) if following else [])


@pytest.mark.usefixtures("db")
def test_observations_without_relations_have_nobody_whose_result_is_a_number() -> None:
    with transaction.atomic():
        world = Builder(Random(0), combined=True).build()
        _forget_history_of_the_store(world)
        kind, text = ENTITY_SETS["Observations"], "$filter=Objects/Object/result ne -3"
        caller = world.callers[0]
        found = _skeleton(
            kind, Client(caller).get(f"/Observations?{text}").json, "", parse_query(text)
        )
        transaction.set_rollback(True)
    reference = Reference(world, caller)
    assert found == reference.page(kind, reference.all(kind), parse_query(text))


def _check(world: World, random: Random) -> None:
    kind = random.choice(list(ENTITY_SETS.values()))
    text = Queries(random).query(kind)
    caller = random.choice(world.callers)
    reply = Client(caller).get(f"/{kind.plural}?{text}")
    if reply.status == 501:  # a comparison that the server says it does not know
        return
    assert reply.status == 200, (text, reply.body)
    query = parse_query(text.replace("%", "%25"))
    reference = Reference(world, caller)
    expected = reference.page(kind, reference.all(kind), query)
    assert _skeleton(kind, reply.json, "", query) == expected, f"{kind.plural}?{text}"
    _nothing_hidden(world, caller, reply.body.decode())


def _skeleton(
    kind: EntityType, document: dict[str, Any], name: str, query: Query
) -> dict[str, Any]:
    """The engine's answer in the reference's form."""
    entities = document[name or "value"]
    return {
        "entities": [_entity(kind, entity, query) for entity in entities],
        "more": f"{name}{_MORE}" in document,
        "count": document.get(f"{name}@iot.count"),
    }


def _entity(kind: EntityType, document: dict[str, Any], query: Query) -> dict[str, Any]:
    values = {p.name: document[p.name] for p in kind.properties if p.name in document}
    shown: dict[str, Any] = {"id": document["@iot.id"], "values": values}
    for expand in query.expand:
        link = kind.link(expand.link)
        assert link is not None
        if link.many:
            shown[link.name] = _skeleton(target(link), document, link.name, expand.query)
        else:
            inner = document[link.name]
            shown[link.name] = inner and _entity(target(link), inner, expand.query)
    return shown


def _nothing_hidden(world: World, caller: Any, body: str) -> None:
    """Whatever entity an answer shows, the caller may see it."""
    for plural, key in re.findall(r'selfLink":"[^"]*/(\w+)\((\d+)\)"', body):
        row = world.rows[ENTITY_SETS[plural].name][int(key)]
        assert world.sees(caller, row)


def _forget_history_of_the_store(world: World) -> None:
    """The store notes by itself when a Thing got its place; the reference knows nothing of that."""
    client = Client(world.callers[-1])
    known = world.rows.get("HistoricalLocation", {})
    for entity in client.get("/HistoricalLocations?$top=1000").value:
        if entity["@iot.id"] not in known:
            assert client.delete(f"/HistoricalLocations({entity['@iot.id']})").status == 200
