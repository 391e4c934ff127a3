"""The same random city, looked at through both faces, is the same.

`_as_version_2` says in its own words how an entity of version 1.1 looks in version 2.0.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings.standard.faces import V2_0
from stadtherz.sensorthings.standard.schema import ENTITY_SETS, MODELS, EntityType, Link, target
from stadtherz.sensorthings.tests.client import HOST, Client, in_version_2
from stadtherz.sensorthings.tests.queries import Queries
from stadtherz.sensorthings.tests.world import Builder, World

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
    r"|TaskingCapabilities|Party|License|Campaigns|ObservationGroups|Subjects|Objects"
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


@dataclass
class _More:
    """What version 2.0 knows of a city besides: by kind and id what is defined how, by Datastream and
    feature what it is linked with.
    """

    definitions: dict[tuple[str, int], str | None] = field(default_factory=dict)
    proximate: dict[int, int | None] = field(default_factory=dict)
    ultimate: dict[int, set[int]] = field(default_factory=dict)
    types: dict[int, set[int]] = field(default_factory=dict)


_DEFINED = ("Thing", "Location", "Sensor", "Datastream", "FeatureOfInterest")


def _add(random: Random, builder: Builder) -> _More:
    """Definitions, features of Datastreams, and types of features, told by version 2.0."""
    more, rows = _More(), builder.world.rows
    client = in_version_2(Client(builder.operator))
    for kind in _DEFINED:
        for key in rows.get(kind, ()):
            more.definitions[kind, key] = random.choice([None, "x:a", "x:b"])
            told = {"definition": more.definitions[kind, key]}
            plural = "Features" if kind == "FeatureOfInterest" else f"{kind}s"
            assert client.patch(f"/{plural}({key})", told).status == 204
    features = list(rows["FeatureOfInterest"])
    kinds = [builder.entity("FeatureType", {"name": name}, {}, {}) for name in ("River", "Lake")]
    for key in features:
        more.types[key] = set(random.sample(kinds, random.randint(0, 2)))
        _link(client, f"/Features({key})/FeatureTypes", "FeatureTypes", more.types[key])
    for key in rows.get("Datastream", ()):
        more.proximate[key] = random.choice([None, *features])
        more.ultimate[key] = set(random.sample(features, random.randint(0, len(features))))
        _link(
            client,
            f"/Datastreams({key})/UltimateFeaturesOfInterest",
            "Features",
            more.ultimate[key],
        )
        about = more.proximate[key]
        named = None if about is None else {"@id": f"Features({about})"}
        body = {"ProximateFeatureOfInterest": named}
        assert client.patch(f"/Datastreams({key})", body).status == 204
    return more


def _link(client: Client, address: str, plural: str, keys: set[int]) -> None:
    listed = {"value": [{"@id": f"{plural}({key})"} for key in keys]}
    assert client.put(f"{address}/$ref", listed).status == 204


@pytest.mark.usefixtures("db")
@given(st.integers(0, 2**32))
@slow
def test_version_2_tells_more_of_a_city_and_version_1_the_same_as_before(seed: int) -> None:
    random = Random(seed)
    with transaction.atomic():
        builder = Builder(random)
        world = builder.build()
        # In data sets and by shares, what is linked anew comes into sight in both versions.
        whole = [each for each in world.callers if each.dataset is None and not each.shares]
        one = Client(random.choice(whole))
        addresses = [f"/{kind.plural}?$expand={_all_links(kind)}" for kind in _COMMON]
        before = [one.get(address).value for address in addresses]
        more = _add(random, builder)
        assert [one.get(address).value for address in addresses] == before
        _check_definitions(in_version_2(one), more)
        _check_links(in_version_2(one), world, one.visibility, more)
        transaction.set_rollback(True)


def _all_links(kind: EntityType) -> str:
    return ",".join(link.name for link in _links(kind))


def _check_definitions(client: Client, more: _More) -> None:
    for kind in _DEFINED:
        plural = "Features" if kind == "FeatureOfInterest" else f"{kind}s"
        for entity in client.get(f"/{plural}").value:
            assert entity.get("definition") == more.definitions[kind, entity["id"]]
        found = client.get(f"/{plural}?$filter=definition eq 'x:a' or definition eq null")
        assert all(entity.get("definition") != "x:b" for entity in found.value)


def _check_links(client: Client, world: World, caller: Visibility, more: _More) -> None:
    """Whoever may not see one end of a link does not see the link."""

    def seen(kind: str, keys: Iterable[int | None]) -> set[int]:
        rows = world.rows.get(kind, {})
        return {key for key in keys if key is not None and world.sees(caller, rows[key])}

    links = "ProximateFeatureOfInterest,UltimateFeaturesOfInterest"
    for stream in client.get(f"/Datastreams?$expand={links}").value:
        key, about = stream["id"], stream["ProximateFeatureOfInterest"]
        assert ({about["id"]} if about else set()) == seen(
            "FeatureOfInterest", [more.proximate[key]]
        )
        ultimate = {feature["id"] for feature in stream["UltimateFeaturesOfInterest"]}
        assert ultimate == seen("FeatureOfInterest", more.ultimate[key])
    for feature in client.get("/Features?$expand=DatastreamsUltimate,FeatureTypes").value:
        key = feature["id"]
        streams = {stream["id"] for stream in feature["DatastreamsUltimate"]}
        assert streams == seen(
            "Datastream", [s for s, keys in more.ultimate.items() if key in keys]
        )
        kinds = {kind["id"] for kind in feature["FeatureTypes"]}
        assert kinds == seen("FeatureType", more.types[key])
    for kind in client.get("/FeatureTypes").value:
        found = client.get(f"/Features?$filter=FeatureTypes/id eq {kind['id']}").value
        having = [key for key, kinds in more.types.items() if kind["id"] in kinds]
        assert {feature["id"] for feature in found} == seen("FeatureOfInterest", having)


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
        if isinstance(inner, list):
            shown[name] = [_bare(target(link), each) for each in inner]
        else:
            found = None if inner is None else _bare(target(link), inner)
            shown[name] = found if name != "ObservedProperties" else [found] if found else []
    return shown | _navigation(kind, shown["@id"]) | _values(kind, entity)


def _navigation(kind: EntityType, address: str) -> dict[str, str]:
    """The addresses of all links, also of those that version 1.1 does not have."""
    own = next(other for other in MODELS["2.0"].values() if other.plural == _plural(kind))
    return {f"{link.name}@navigationLink": f"{address}/{link.name}" for link in own.links}


def _bare(kind: EntityType, entity: dict[str, Any]) -> dict[str, Any]:
    """An entity in which nothing is expanded."""
    address = f"{HOST}{V2_0.prefix}/{_plural(kind)}({entity['@iot.id']})"
    control = _navigation(kind, address)
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
