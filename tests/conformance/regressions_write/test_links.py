"""Links to what exists, in every direction: by id, to nothing, to what cannot be seen."""

from dataclasses import dataclass
from typing import Any

import pytest

from stadtherz.base.visibility import SYSTEM, AccessLevel
from stadtherz.sensorthings.standard.model import Own
from stadtherz.sensorthings.standard.schema import ENTITY_SETS, MODELS, Link
from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client, Reply, member
from stadtherz.store.public import create_organisation, update
from tests.conformance.regressions_write.forms import WHOLE, create


@dataclass(frozen=True)
class Way:
    """A link of a type, as in `Things/Locations`."""

    name: str
    link: Link

    @property
    def plural(self) -> str:
        return MODELS["1.1"][self.link.target].plural

    def __str__(self) -> str:
        return f"{self.name}.{self.link.name}"


WAYS = [
    way
    for name in WHOLE
    for way in (Way(name, link) for link in ENTITY_SETS[name].links)
    if way.plural in WHOLE
]
_OBSERVED = {"MultiDatastreams.ObservedProperties", "ObservedProperties.MultiDatastreams"}
_FREE = [way for way in WAYS if str(way) not in _OBSERVED]
_TO_ONE = [way for way in WAYS if isinstance(way.link.via, Own)]


def _body(way: Way, *keys: Any) -> dict[str, Any]:
    """A new entity with its link to what has these ids."""
    references = [{"@iot.id": key} for key in keys]
    body = {**WHOLE[way.name], way.link.name: references if way.link.many else references[0]}
    if way.name == "Observations" and way.link.name == "MultiDatastream":
        del body["Datastream"]
        body["result"] = [1, True]
    return body


@pytest.mark.parametrize("name", ["odata.bind", "bind", "iot.bind"])
def test_links_as_odata_4_0_writes_them(api: Client, name: str) -> None:
    """OData JSON format 4.0 §8.5"""
    place = api.post("/Locations", bodies.location("Here")).headers["location"]
    relative = place.rpartition("/")[2]
    for address in (place, relative):
        body = {**bodies.thing(), f"Locations@{name}": [address]}
        created = api.post("/Things", body).headers["location"]
        assert len(api.get(f"{created}/Locations").value) == 1
    stream = {k: v for k, v in bodies.datastream("Level").items() if k != "Thing"}
    bound = f"Things({_key(created)})"
    made = api.post("/Datastreams", {**stream, f"Thing@{name}": bound}).headers["location"]
    assert api.get(f"{made}/Thing").json["@iot.id"] == _key(created)


@pytest.mark.parametrize("value", ["Locations(1)", [1], [{"@iot.id": 1}], ["Things(1)"], None])
def test_links_that_are_no_list_of_addresses_are_refused(api: Client, value: Any) -> None:
    reply = api.post("/Things", {**bodies.thing(), "Locations@odata.bind": value})
    assert (reply.status, "Locations@odata.bind" in reply.message) == (400, True)


def _key(address: str) -> int:
    return int(address.rpartition("(")[2].rstrip(")"))


def _leads_to(client: Client, address: str, way: Way) -> list[int]:
    found = client.get(f"{address}/{way.link.name}")
    return found.ids if way.link.many else [found.json["@iot.id"]]


def _other(api: Client, way: Way) -> int:
    """What the link shall lead to; an Observation of several parts is one where it must be."""
    more: dict[str, Any] = {}
    if way.plural == "Observations" and way.name == "MultiDatastreams":
        body = {**WHOLE["Observations"], "result": [1, True]}
        del body["Datastream"]
        place = bodies.thing(Locations=[bodies.location()])
        body["MultiDatastream"] = bodies.multi_datastream(Thing=place)
        return api.post("/Observations", body).key
    return _key(create(api, way.plural, **more))


@pytest.mark.parametrize("way", _FREE, ids=str)
def test_a_new_entity_is_linked_to_an_old_one(api: Client, way: Way) -> None:
    """link-to-existing-entities, also from the side that does not hold the link"""
    key = _other(api, way)
    made = api.post(f"/{way.name}", _body(way, key))
    assert made.status == 201, made.body
    assert _leads_to(api, made.headers["location"], way) == [key]


@pytest.mark.parametrize("way", _FREE, ids=str)
def test_an_id_may_come_as_text(api: Client, way: Way) -> None:
    key = _other(api, way)
    made = api.post(f"/{way.name}", _body(way, str(key)))
    assert made.status == 201, made.body
    assert _leads_to(api, made.headers["location"], way) == [key]


def _counts(api: Client) -> dict[str, int]:
    return {n: api.get(f"/{n}?$count=true&$top=0").json["@iot.count"] for n in ENTITY_SETS}


def _refused(reply: Reply, way: Way) -> None:
    """The link is named, or that to what a MultiDatastream observes."""
    names = (way.link.name, way.link.target, "ObservedProperties")
    assert reply.status == 400, reply.body
    assert any(name in reply.message for name in names), reply.body


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_what_is_not_there_cannot_be_linked(api: Client, way: Way) -> None:
    for key in (999_999, 0, 2**62):
        _refused(api.post(f"/{way.name}", _body(way, key)), way)
    assert set(_counts(api).values()) == {0}
    address = create(api, way.name)
    before = api.get(address).headers["etag"]
    for key in (999_999, 0, 2**62):
        reference: Any = {"@iot.id": key}
        changed = api.patch(address, {way.link.name: [reference] if way.link.many else reference})
        assert changed.status == 400, changed.body
    assert api.get(address).headers["etag"] == before


_HIDDEN = [
    way
    for way in _FREE
    if way.plural not in ("Observations", "HistoricalLocations", "Tasks")
    and way.link.name != "MultiDatastream"
]


@pytest.mark.parametrize("way", _HIDDEN, ids=str)
def test_what_cannot_be_seen_is_not_there(api: Client, way: Way) -> None:
    theirs = Client(member(create_organisation("others", "Others")))
    key = _key(create(theirs, way.plural))
    entity = ENTITY_SETS[way.plural]
    hidden = {"access": AccessLevel.ORGANISATION.value}
    update(entity.kind, key, hidden, SYSTEM)  # type: ignore[arg-type]
    before = _counts(api)
    missing = api.post(f"/{way.name}", _body(way, 999_999))
    reply = api.post(f"/{way.name}", _body(way, key))
    _refused(reply, way)
    assert reply.message == missing.message.replace("999999", str(key))
    assert _counts(api) == before


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_link_to_one_is_an_object_and_to_many_a_list(api: Client, way: Way) -> None:
    one = [5, "1", True, [], [{"@iot.id": 1}], {}, {"@iot.id": None}]
    many = [5, "1", True, {}, {"@iot.id": 1}, [5], [None], [[]]]
    for value in many if way.link.many else one:
        body = {**(WHOLE[way.name] if way.link.many else _body(way, 1)), way.link.name: value}
        reply = api.post(f"/{way.name}", body)
        assert (reply.status, way.link.name in reply.message) == (400, True), (value, reply.body)
    assert set(_counts(api).values()) == {0}


@pytest.mark.parametrize("way", [way for way in _FREE if way.link.many], ids=str)
def test_a_list_of_links_may_be_empty_where_none_is_needed(api: Client, way: Way) -> None:
    made = api.post(f"/{way.name}", {**WHOLE[way.name], way.link.name: []})
    assert made.status == (400 if way.link.required else 201), made.body


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_patch_takes_no_new_entity_inside(api: Client, way: Way) -> None:
    """update-entity, ETS invalidPatchEntities: related entities inline are refused"""
    address = create(api, way.name)
    inner = WHOLE[way.plural]
    before = _counts(api)
    reply = api.patch(address, {way.link.name: [inner] if way.link.many else inner})
    assert (reply.status, way.link.name in reply.message) == (400, True), reply.body
    assert _counts(api) == before


@pytest.mark.parametrize("way", [w for w in _TO_ONE if w.link.name != "MultiDatastream"], ids=str)
def test_patch_changes_a_link_to_one(api: Client, way: Way) -> None:
    address, key = create(api, way.name), _other(api, way)
    assert _leads_to(api, address, way) != [key]
    changed = api.patch(address, {way.link.name: {"@iot.id": key}})
    assert changed.status == 200, changed.body
    assert _leads_to(api, address, way) == [key]


@pytest.mark.parametrize("way", [w for w in _TO_ONE if w.link.name != "MultiDatastream"], ids=str)
def test_put_changes_a_link_to_one_and_keeps_what_it_does_not_name(api: Client, way: Way) -> None:
    address, key = create(api, way.name), _other(api, way)
    own = {p.name: WHOLE[way.name].get(p.name) for p in ENTITY_SETS[way.name].properties}
    own = {name: value for name, value in own.items() if value is not None}
    held = _leads_to(api, address, way)
    assert api.put(address, own).status == 200
    assert _leads_to(api, address, way) == held
    changed = api.put(address, {**own, way.link.name: {"@iot.id": key}})
    assert changed.status == 200, changed.body
    assert _leads_to(api, address, way) == [key]


_TURNED = [way for way in _FREE if way.link.many and str(way) != "Things.Locations"
           and str(way) != "HistoricalLocations.Locations"]  # fmt: skip


@pytest.mark.parametrize("way", _TURNED, ids=str)
def test_patch_adds_to_what_is_behind_a_link_to_many(api: Client, way: Way) -> None:
    """update-entity: what is named joins; nothing else goes away (FROST-Server does the same)"""
    address, key = create(api, way.name), _other(api, way)
    before = _leads_to(api, address, way)
    changed = api.patch(address, {way.link.name: [{"@iot.id": key}]})
    assert changed.status == 200, changed.body
    assert sorted(_leads_to(api, address, way)) == sorted([*before, key])


def test_a_place_joins_the_others_of_a_historical_location(api: Client) -> None:
    past = create(api, "HistoricalLocations")
    (held,) = api.get(f"{past}/Locations").ids
    reference = {"HistoricalLocations": [{"@iot.id": _key(past)}]}
    made = api.post("/Locations", bodies.location("In words", **reference))
    assert made.status == 201, made.body
    assert api.get(f"{past}/Locations").ids == [held, made.key]


@pytest.mark.parametrize("way", [way for way in _TO_ONE if way.plural != "Observations"], ids=str)
def test_what_a_client_remembers_incompletely_is_a_reference(api: Client, way: Way) -> None:
    """A stock client sends null where it has not understood what it has read"""
    key = _other(api, way)
    half = dict.fromkeys(p.name for p in ENTITY_SETS[way.plural].properties if p.required)
    body = _body(way, key)
    body[way.link.name] = {**half, "name": "remembered", "@iot.id": key}
    if way.plural == "HistoricalLocations":
        del body[way.link.name]["name"]
    made = api.post(f"/{way.name}", body)
    assert made.status == 201, made.body
    assert _leads_to(api, made.headers["location"], way) == [key]


@pytest.mark.parametrize("way", [way for way in WAYS if not way.link.required], ids=str)
def test_null_is_a_link_that_is_not_there(api: Client, way: Way) -> None:
    """Programs that write every member of a class send it; in a PATCH it would say something else"""
    made = api.post(f"/{way.name}", {**WHOLE[way.name], way.link.name: None})
    assert made.status == 201, made.body
    own = {p.name: WHOLE[way.name].get(p.name) for p in ENTITY_SETS[way.name].properties}
    put = {k: v for k, v in own.items() if v is not None} | {way.link.name: None}
    assert api.put(made.headers["location"], put).status == 200
    assert api.patch(made.headers["location"], {way.link.name: None}).status == 400
