"""req/create-update-delete/create-entity, link-to-existing-entities, deep-insert, status codes."""

from typing import Any

import pytest

from stadtherz.base.time import now
from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import ROOT, Client
from tests.conformance.sensing import SENSING

_STREAM = bodies.datastream()
_SIMPLE: dict[str, dict[str, Any]] = {
    "Things": bodies.thing(properties={"a": {"b": None}}),
    "Locations": bodies.location(),
    "Sensors": bodies.sensor(metadata={"model": "R1"}),
    "ObservedProperties": bodies.observed_property(),
    "FeaturesOfInterest": bodies.feature(),
    "Datastreams": bodies.datastream(Thing=bodies.thing()),
    "MultiDatastreams": bodies.multi_datastream(Thing=bodies.thing()),
    "HistoricalLocations": {
        "time": "2025-01-01T00:00:00.000Z",
        "Thing": bodies.thing(),
        "Locations": [bodies.location()],
    },
    "Observations": bodies.observation(
        5,
        "2026-01-01T00:00:00.000Z",
        resultTime="2026-01-02T00:00:00.000Z",
        resultQuality={"grade": "good"},
        validTime="2026-01-01T00:00:00.000Z/2026-02-01T00:00:00.000Z",
        parameters={"a": [1, None]},
        Datastream=bodies.datastream(Thing=bodies.thing(Locations=[bodies.location()])),
    ),
}


@pytest.mark.parametrize("name", _SIMPLE)
def test_what_was_created_is_shown_as_it_was_sent(api: Client, name: str) -> None:
    """create-entity: 201, Location, and the entity with all its properties"""
    created = api.post(f"/{name}", _SIMPLE[name])
    assert created.status == 201, created.body
    assert created.headers["location"] == f"{ROOT}/{name}({created.key})"
    shown = api.get(created.headers["location"]).json
    assert shown == created.json
    links = {link.name for link in SENSING[name].links}
    sent = {key: value for key, value in _SIMPLE[name].items() if key not in links}
    assert sent.items() <= shown.items() or all(shown[k] == v for k, v in sent.items())


@pytest.mark.parametrize("name", _SIMPLE)
def test_a_missing_property_is_named_and_nothing_is_left(api: Client, name: str) -> None:
    kind = SENSING[name]
    needed = [p.name for p in kind.properties if p.required]
    needed += [link.name for link in kind.links if link.required]
    for missing in needed:
        body = {key: value for key, value in _SIMPLE[name].items() if key != missing}
        reply = api.post(f"/{name}", body)
        assert (reply.status, missing in reply.message) == (400, True), reply.body
    for other in SENSING:
        assert api.get(f"/{other}").value == []


def test_existing_entities_are_linked_by_their_id(api: Client) -> None:
    """link-to-existing-entities"""
    place = api.post("/Locations", bodies.location()).key
    sensor = api.post("/Sensors", bodies.sensor()).key
    prop = api.post("/ObservedProperties", bodies.observed_property()).key
    thing = api.post("/Things", bodies.thing(Locations=[{"@iot.id": place}])).key
    links = {"Sensor": {"@iot.id": sensor}, "ObservedProperty": {"@iot.id": prop}}
    stream = api.post("/Datastreams", bodies.datastream(Thing={"@iot.id": thing}, **links)).key
    reading = api.post("/Observations", bodies.observation(1, Datastream={"@iot.id": stream})).key
    chain = api.get(
        f"/Observations({reading})?$expand=Datastream/Thing/Locations,Datastream/Sensor"
    )
    assert chain.json["Datastream"]["Thing"]["Locations"][0]["@iot.id"] == place
    assert chain.json["Datastream"]["Sensor"]["@iot.id"] == sensor


def test_deep_insert_creates_every_level(api: Client) -> None:
    """deep-insert: with both kinds of children, counted"""
    created = api.post("/Things", bodies.station(results=(1, 2)))
    assert created.status == 201
    counts = {name: api.get(f"/{name}?$count=true").json["@iot.count"] for name in SENSING}
    assert {name: number for name, number in counts.items() if number} == {
        "Things": 1, "Locations": 1, "HistoricalLocations": 1, "Datastreams": 1, "Sensors": 1,
        "ObservedProperties": 1, "Observations": 2, "FeaturesOfInterest": 1,
    }  # fmt: skip


@pytest.mark.parametrize("inner", ["Sensor", "ObservedProperty"])
def test_a_deep_insert_that_fails_below_leaves_nothing(api: Client, inner: str) -> None:
    """deep-insert-status-code"""
    body = bodies.station()
    del body["Datastreams"][0][inner]
    reply = api.post("/Things", body)
    assert (reply.status, inner in reply.message) == (400, True)
    broken = bodies.station()
    del broken["Datastreams"][0][inner]["name"]
    assert f"Datastreams/{inner}/name" in api.post("/Things", broken).message
    assert all(api.get(f"/{name}").value == [] for name in SENSING)


@pytest.mark.parametrize("path", ["Sensors", "ObservedProperties"])
def test_entities_are_created_below_their_parent(api: Client, path: str) -> None:
    thing = api.post("/Things", bodies.thing()).key
    parent = api.post(f"/{path}", _SIMPLE[path]).key
    stream = api.post(f"/{path}({parent})/Datastreams", bodies.datastream(Thing={"@iot.id": thing}))
    assert api.get(f"/{path}({parent})/Datastreams").ids == [stream.key]


def test_collections_of_a_thing_take_new_members(api: Client) -> None:
    thing = api.post("/Things", bodies.thing()).key
    place = api.post(f"/Things({thing})/Locations", bodies.location()).key
    stream = api.post(f"/Things({thing})/Datastreams", bodies.datastream()).key
    reading = api.post(f"/Datastreams({stream})/Observations", bodies.observation(7)).key
    assert api.get(f"/Things({thing})/Locations").ids == [place]
    assert api.get(
        f"/Things({thing})/Datastreams({stream})/Observations({reading})/result"
    ).json == {"result": 7}
    (feature,) = api.get("/FeaturesOfInterest").ids
    another = api.post(f"/FeaturesOfInterest({feature})/Observations",
                       bodies.observation(8, Datastream={"@iot.id": stream})).key  # fmt: skip
    assert api.get(f"/FeaturesOfInterest({feature})/Observations").ids == [reading, another]
    other = api.post(f"/Locations({place})/Things", bodies.thing("Other")).key
    assert api.get(f"/Things({other})/Locations").ids == [place]


def test_a_new_location_is_remembered_in_the_history(api: Client) -> None:
    """historical-location-auto-creation"""
    thing = api.post("/Things", bodies.thing(Locations=[bodies.location("old")])).key
    api.post(f"/Things({thing})/Locations", bodies.location("new"))
    assert [place["name"] for place in api.get(f"/Things({thing})/Locations").value] == ["new"]
    history = api.get(f"/Things({thing})/HistoricalLocations?$expand=Locations&$orderby=time").value
    assert [h["Locations"][0]["name"] for h in history] == ["old", "new"]


def test_an_older_historical_location_moves_nothing(api: Client) -> None:
    thing = api.post("/Things", bodies.thing(Locations=[bodies.location("now")])).key
    old = {"time": "2020-01-01T00:00:00Z", "Locations": [bodies.location("then")]}
    assert api.post(f"/Things({thing})/HistoricalLocations", old).status == 201
    assert [place["name"] for place in api.get(f"/Things({thing})/Locations").value] == ["now"]


def test_a_newer_historical_location_moves_the_thing(api: Client) -> None:
    """historical-location-manual-creation: the newest one tells where the Thing is"""
    thing = api.post("/Things", bodies.thing(Locations=[bodies.location("old")])).key
    newer = {"time": "2099-01-01T00:00:00Z", "Locations": [bodies.location("new")]}
    assert api.post(f"/Things({thing})/HistoricalLocations", newer).status == 201
    assert [place["name"] for place in api.get(f"/Things({thing})/Locations").value] == ["new"]
    assert len(api.get(f"/Things({thing})/HistoricalLocations").value) == 2
    between = {"time": "2098-01-01T00:00:00Z", "Locations": [bodies.location("between")]}
    body = {**between, "Thing": {"@iot.id": thing}}
    assert api.post("/HistoricalLocations", body).status == 201
    assert [place["name"] for place in api.get(f"/Things({thing})/Locations").value] == ["new"]


def test_a_feature_is_made_from_the_location_once(api: Client) -> None:
    """create-entity: FeatureOfInterest is created from the Thing's Location if it is left out"""
    key = api.post("/Things", bodies.station(results=())).key
    stream = api.get(f"/Things({key})/Datastreams").ids[0]
    for result in (1, 2):
        api.post(f"/Datastreams({stream})/Observations", bodies.observation(result))
    (feature,) = api.get("/FeaturesOfInterest").value
    assert feature["feature"] == bodies.location()["location"]
    assert len(api.get(f"/FeaturesOfInterest({feature['@iot.id']})/Observations").value) == 2


def test_an_observation_without_any_place_needs_a_feature(api: Client) -> None:
    thing = api.post("/Things", bodies.thing()).key
    stream = api.post(f"/Things({thing})/Datastreams", bodies.datastream()).key
    path = f"/Datastreams({stream})/Observations"
    refused = api.post(path, bodies.observation())
    assert (refused.status, "FeatureOfInterest" in refused.message) == (400, True)
    assert api.post(path, bodies.observation(FeatureOfInterest=bodies.feature())).status == 201


def test_an_observation_happens_now_unless_it_says_when(api: Client) -> None:
    """table 12: phenomenonTime is set by the server when it is left out; resultTime may be null"""
    api.post("/Things", bodies.station(results=()))
    stream = api.get("/Datastreams").ids[0]
    shown = api.post(f"/Datastreams({stream})/Observations", {"result": None}).json
    assert shown["phenomenonTime"].startswith(f"{now():%Y-%m}")
    assert (shown["result"], shown["resultTime"]) == (None, None)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"name": 5}, "name"),
        ({"name": "x" * 300}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"description": None}, "description"),
        ({"properties": [1]}, "properties"),
        ({"propertis": {}}, "propertis"),
        ({"Locations": {}}, "Locations"),
        ({"Locations": [{"@iot.id": 999}]}, "Locations"),
        ({"Locations": [5]}, "Locations"),
        ({"Datastreams": [{}]}, "Datastreams/name"),
        ({"Locations": [bodies.location(location={"type": "Point", "coordinates": [500, 0]})]},
         "Locations/location"),
        ({"Locations": [bodies.location(location={"type": "Polygon", "coordinates":
          [[[0, 0], [1, 0], [1, 1], [0, 1]]]})]}, "Locations/location"),
    ],
)  # fmt: skip
def test_values_that_cannot_be_kept_are_named(
    api: Client, change: dict[str, Any], named: str
) -> None:
    reply = api.post("/Things", {**bodies.thing(), **change})
    assert (reply.status, reply.message.split(":")[0]) == (400, named), reply.body


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b"null", b"\xff", b'{"name": NaN}'])
def test_bodies_that_are_no_object_are_refused(api: Client, body: bytes) -> None:
    assert api.request("POST", "/Things", body).status == 400


def test_control_information_that_comes_back_is_not_read(api: Client) -> None:
    shown = api.post("/Things", bodies.thing()).json
    again = api.post("/Things", shown)
    assert again.status == 201
    assert again.key != shown["@iot.id"]


def test_a_link_is_a_reference_whatever_else_the_client_remembers(city: Client) -> None:
    """link-to-existing-entities: client libraries send back the whole entity they have read"""
    stream = city.get("/Datastreams").value[0]
    remembered = {k: v for k, v in stream.items() if "Link" not in k}
    reading = city.post("/Observations", bodies.observation(77, Datastream=remembered)).key
    assert city.get(f"/Observations({reading})/Datastream").json["name"] == stream["name"]
    assert len(city.get("/Datastreams").value) == 3
    other = city.get("/Datastreams").value[1]
    moved = city.patch(f"/Observations({reading})", {"Datastream": other})
    assert moved.status == 200, moved.body
    assert city.get(f"/Observations({reading})/Datastream").json["name"] == other["name"]


def test_a_remembered_entity_that_is_gone_is_not_made_again(api: Client) -> None:
    """A client that sends back what it has read here means this entity and no other."""
    gone = api.get(api.post("/Locations", bodies.location()).headers["location"]).json
    api.delete(gone["@iot.selfLink"])
    reply = api.post("/Things", bodies.thing(Locations=[gone]))
    assert (reply.status, "Locations" in reply.message) == (400, True)
    assert api.get("/Locations").value == api.get("/Things").value == []


def test_times_are_shown_with_milliseconds(api: Client) -> None:
    """As the official test suite expects them, which compares texts: in UTC, `.000` included."""
    sent = {"phenomenonTime": "2015-03-01T01:10:00+01:00/2015-03-01T00:10:00.25Z",
            "resultTime": "2015-03-01T00:10:00Z"}  # fmt: skip
    api.post("/Things", bodies.thing(
        Locations=[bodies.location()],
        Datastreams=[bodies.datastream(Observations=[bodies.observation(1, **sent)])],
    ))  # fmt: skip
    (shown,) = api.get("/Observations").value
    assert shown["phenomenonTime"] == "2015-03-01T00:10:00.000Z/2015-03-01T00:10:00.250Z"
    assert shown["resultTime"] == "2015-03-01T00:10:00.000Z"
    assert api.get("/Datastreams").value[0]["resultTime"].startswith("2015-03-01T00:10:00.000Z/")
