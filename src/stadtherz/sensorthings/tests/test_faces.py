"""The same random city, looked at through both faces, is the same.

`_as_version_2` says in its own words how an entity of version 1.1 looks in version 2.0.
"""

import os
import re
from random import Random
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from stadtherz.sensorthings.faces import V2_0
from stadtherz.sensorthings.schema import ENTITY_SETS, MODELS, EntityType, Link, target
from stadtherz.sensorthings.tests.client import HOST, Client, in_version_2
from stadtherz.sensorthings.tests.queries import Queries
from stadtherz.sensorthings.tests.world import Builder

WORLDS = int(os.environ.get("STADTHERZ_WORLDS", "10"))
slow = settings(
    max_examples=WORLDS,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # a smaller seed is no smaller city
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_NAMES = {
    "FeaturesOfInterest": "Features",
    "FeatureOfInterest": "ProximateFeatureOfInterest",
    "ObservedProperty": "ObservedProperties",
}
_OPTIONS = (
    "$select={0},{1}",
    "$expand={0}",
    "$orderby={0},{1}/start desc",
    "$filter={0} eq null",
    "$filter={0}/type eq 'Quantity' or {1} ne 5",
    "$filter={0}/end gt 2026-01-01T00:00:00Z and {1} lt now()",
    "$select=id&$filter=contains({0},'a')&$orderby={1}/name",
)
# What a Datastream observes is behind a link to many in version 2.0, by which nothing is ordered.
_ONLY_IN_1 = re.compile(
    r"unitOfMeasurement|observationType|resultQuality|MultiDatastream|ObservedProperty/"
    r"|TaskingCapabilities"
)
_KINDS_OF_2 = {kind.kind for kind in MODELS["2.0"].values()}


def _in_both(kind: EntityType) -> bool:
    """MultiDatastreams have tests of their own."""
    return kind.kind in _KINDS_OF_2 and kind.name != "MultiDatastream"


_COMMON = [kind for kind in ENTITY_SETS.values() if _in_both(kind)]


@pytest.mark.usefixtures("db")
@given(st.integers(0, 2**32))
@slow
def test_both_faces_tell_the_same_of_a_city(seed: int) -> None:
    random = Random(seed)
    with transaction.atomic():
        world = Builder(random).build()
        for kind in _COMMON:
            one = Client(random.choice(world.callers))
            links = [link.name for link in _links(kind)]
            options = "$count=true&$orderby=id&$expand="
            seen = one.get(f"/{kind.plural}?{options}{','.join(links)}").json
            expands = ",".join(_NAMES.get(name, name) for name in links)
            other = in_version_2(one).get(f"/{_plural(kind)}?{options}{expands}").json
            assert other["@count"] == seen["@iot.count"]
            found = [_without_result_types(entity) for entity in other["value"]]
            assert found == [_as_version_2(kind, entity) for entity in seen["value"]]
        transaction.set_rollback(True)


@pytest.mark.usefixtures("db")
@given(st.integers(0, 2**32))
@slow
def test_both_faces_find_and_order_the_same(seed: int) -> None:
    random = Random(seed)
    with transaction.atomic():
        world = Builder(random).build()
        for _ in range(20):
            kind, queries = random.choice(_COMMON), Queries(random)
            text = f"$filter={queries.filter(kind)}&$orderby={queries.order(kind)},id"
            if _ONLY_IN_1.search(text):
                continue
            one = Client(random.choice(world.callers))
            other = in_version_2(one).get(f"/{_plural(kind)}?{_translated(text)}")
            assert [e["id"] for e in other.value] == one.get(f"/{kind.plural}?{text}").ids, text
        transaction.set_rollback(True)


@pytest.mark.usefixtures("db")
@given(st.integers(0, 2**32))
@slow
def test_random_queries_in_version_2_are_answered_or_refused(seed: int) -> None:
    random = Random(seed)
    with transaction.atomic():
        world = Builder(random).build()
        for _ in range(30):
            kind = random.choice(list(MODELS["2.0"].values()))
            client = in_version_2(Client(random.choice(world.callers)))
            for address in _addresses(random, kind):
                reply = client.get(address)
                assert reply.status in (200, 204, 400, 404, 501), (address, reply.body)
        transaction.set_rollback(True)


def _addresses(random: Random, kind: EntityType) -> list[str]:
    """A query, and paths into what one of its entities may have."""
    names = [p.name for p in kind.properties] + [link.name for link in kind.links]
    some, other, option = random.choice(names), random.choice(names), random.choice(_OPTIONS)
    one = f"/{kind.plural}({random.randint(1, 3)})"
    return [
        f"/{kind.plural}?{Queries(random).query(kind)}",
        f"/{kind.plural}?{option.format(some, other)}",
        f"{one}/{some}",
        f"{one}/{some}/{other}",
        f"{one}/{some}/$ref",
        f"{one}/{some}/$value",
        f"{one}?{option.format(some, other)}",
    ]


@pytest.mark.parametrize("kind", _COMMON, ids=[kind.plural for kind in _COMMON])
def test_a_change_through_one_face_is_seen_through_the_other(api: Client, kind: EntityType) -> None:
    world = Builder(Random(7)).build()
    one = Client(world.callers[-1])
    other = in_version_2(one)
    entities = one.get(f"/{kind.plural}").value
    assert entities
    for entity in entities[:1]:
        key, now = entity["@iot.id"], "2026-03-01T00:00:00.000Z"
        names = {prop.name for prop in kind.properties}
        name = "name" if "name" in names else "time" if "time" in names else "resultTime"
        value = "new" if name == "name" else now
        assert other.patch(f"/{_plural(kind)}({key})", {name: value}).status == 204
        assert one.get(f"/{kind.plural}({key})").json[name] == value
        assert one.delete(f"/{kind.plural}({key})").status == 200
        assert other.get(f"/{_plural(kind)}({key})").status == 404


def _without_result_types(shown: Any) -> Any:
    """The cities' Datastreams do not say what their results are; so they may be anything."""
    if isinstance(shown, list):
        return [_without_result_types(item) for item in shown]
    if not isinstance(shown, dict):
        return shown
    if "resultType" in shown:
        made = shown["resultType"]
        assert (made["type"], made["label"]) == ("DataChoice", shown["name"])
    return {k: _without_result_types(v) for k, v in shown.items() if k != "resultType"}


def _links(kind: EntityType) -> list[Link]:
    """Those that both versions have."""
    return [link for link in kind.links if _in_both(target(link))]


def _plural(kind: EntityType) -> str:
    return _NAMES.get(kind.plural, kind.plural)


def _translated(text: str) -> str:
    """The same query in the names of version 2.0."""
    for old, new in {**_NAMES, "parameters": "properties"}.items():
        text = re.sub(rf"\b{old}\b", new, text)
    return text


def _as_version_2(kind: EntityType, entity: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "@id": f"{HOST}{V2_0.prefix}/{_plural(kind)}({entity['@iot.id']})",
        "id": entity["@iot.id"],
    }
    for link in _links(kind):
        name, inner = _NAMES.get(link.name, link.name), entity[link.name]
        shown[f"{name}@navigationLink"] = f"{shown['@id']}/{name}"
        if isinstance(inner, list):
            shown[name] = [_bare(target(link), each) for each in inner]
        else:
            found = None if inner is None else _bare(target(link), inner)
            shown[name] = found if name != "ObservedProperties" else [found] if found else []
    return shown | _values(kind, entity)


def _bare(kind: EntityType, entity: dict[str, Any]) -> dict[str, Any]:
    """An entity in which nothing is expanded."""
    address = f"{HOST}{V2_0.prefix}/{_plural(kind)}({entity['@iot.id']})"
    links = [_NAMES.get(link.name, link.name) for link in _links(kind)]
    control = {f"{name}@navigationLink": f"{address}/{name}" for name in links}
    return {"@id": address, "id": entity["@iot.id"], **control, **_values(kind, entity)}


def _values(kind: EntityType, entity: dict[str, Any]) -> dict[str, Any]:
    values = {p.name: entity[p.name] for p in kind.properties if p.name in entity}
    if kind.name == "Datastream":
        del values["observationType"], values["unitOfMeasurement"]
    if kind.name in ("Datastream", "Observation"):
        for name in values.keys() & {"phenomenonTime", "validTime"}:
            values[name] = _time(values[name], always=kind.name == "Datastream")
    if kind.name == "Datastream" and "resultTime" in values:
        values["resultTime"] = _time(values["resultTime"], always=True)
    if "parameters" in values:
        values["properties"] = values.pop("parameters")
    return values


def _time(text: str, *, always: bool) -> dict[str, str]:
    start, _, end = text.partition("/")
    if always or end:
        return {"start": start, "end": end or start}
    return {"start": start}
