"""Links changed by POST, PUT and DELETE of `$ref`, as 23-019 and OData 4.01 §11.4.6 have it."""

from typing import Any

import pytest

from stadtherz.base.visibility import AccessLevel
from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import ROOT, Client, member, operator
from stadtherz.store.public import create_organisation, update
from tests.conformance.sensing import SENSING


@pytest.fixture
def thing(city: Client) -> str:
    return f"/Things({city.get('/Things').ids[0]})"


def _history(city: Client, thing: str) -> list[list[int]]:
    """The places of each HistoricalLocation, the oldest first."""
    entries = city.get(f"{thing}/HistoricalLocations?$orderby=id&$expand=Locations").value
    return [sorted(place["@iot.id"] for place in entry["Locations"]) for entry in entries]


def test_a_place_is_added_once_and_remembered(city: Client, thing: str) -> None:
    first, second, _ = city.get("/Locations").ids
    for _ in range(2):
        added = city.post(f"{thing}/Locations/$ref", {"@iot.id": second})
        assert (added.status, added.body) == (204, b"")
    assert sorted(city.get(f"{thing}/Locations").ids) == [first, second]
    assert _history(city, thing) == [[first], [first, second]]


def test_places_are_set_and_taken_away(city: Client, thing: str) -> None:
    first, second, third = city.get("/Locations").ids
    listed = {"value": [{"@id": f"Locations({second})"}, {"@iot.id": str(third)}]}
    assert city.put(f"{thing}/Locations/$ref", listed).status == 204
    assert sorted(city.get(f"{thing}/Locations").ids) == [second, third]
    assert city.delete(f"{thing}/Locations({second})/$ref").status == 204
    assert city.get(f"{thing}/Locations").ids == [third]
    assert city.delete(f"{thing}/Locations({second})/$ref").status == 404
    assert _history(city, thing) == [[first], [second, third], [third]]
    assert city.delete(f"{thing}/Locations/$ref").status == 204
    assert city.get(f"{thing}/Locations").ids == []
    assert city.get("/Locations").ids == [first, second, third]


@pytest.mark.parametrize("form", ["Locations({})", "../../Locations({})", ROOT + "/Locations({})"])
def test_one_place_is_taken_away_by_its_address(city: Client, thing: str, form: str) -> None:
    first, second, _ = city.get("/Locations").ids
    city.post(f"{thing}/Locations/$ref", {"@iot.id": second})
    assert city.delete(f"{thing}/Locations/$ref?$id={form.format(first)}").status == 204
    assert city.get(f"{thing}/Locations").ids == [second]


def test_the_other_end_of_a_link_to_many_changes_it_too(city: Client, thing: str) -> None:
    place = city.get("/Locations").ids[2]
    here = int(thing[8:-1])
    assert city.post(f"/Locations({place})/Things/$ref", {"@iot.id": here}).status == 204
    assert place in city.get(f"{thing}/Locations").ids
    (other,) = [key for key in city.get(f"/Locations({place})/Things").ids if key != here]
    listed = {"value": [{"@iot.id": other}]}
    assert city.put(f"/Locations({place})/Things/$ref", listed).status == 204
    assert place not in city.get(f"{thing}/Locations").ids
    assert city.get(f"/Locations({place})/Things").ids == [other]


def test_a_history_is_corrected_but_never_without_a_place(city: Client, thing: str) -> None:
    first, second, _ = city.get("/Locations").ids
    (entry,) = city.get(f"{thing}/HistoricalLocations").ids
    links = f"/HistoricalLocations({entry})/Locations"
    assert city.post(f"{links}/$ref", {"@iot.id": second}).status == 204
    assert city.delete(f"{links}({first})/$ref").status == 204
    assert _history(city, thing)[0] == [second]
    for way in (f"{links}/$ref", f"/Locations({second})/HistoricalLocations({entry})/$ref"):
        refused = city.delete(way)
        assert (refused.status, "Locations" in refused.message) == (400, True)
    assert city.get(links).ids == [second]


def test_a_link_to_one_is_set(city: Client) -> None:
    first, second, _ = city.get("/Datastreams").ids
    (reading, *_) = city.get(f"/Datastreams({first})/Observations").ids
    for source, link, kind, key in (
        (f"Datastreams({first})", "Thing", "Things", city.get("/Things").ids[1]),
        (f"Datastreams({first})", "Sensor", "Sensors", city.get("/Sensors").ids[2]),
        (f"Observations({reading})", "Datastream", "Datastreams", second),
        (f"Observations({reading})", "FeatureOfInterest", "FeaturesOfInterest",
         city.get("/FeaturesOfInterest").ids[1]),
    ):  # fmt: skip
        for form in ({"@iot.id": key}, {"@iot.selfLink": f"{ROOT}/{kind}({key})"}):
            assert city.put(f"/{source}/{link}/$ref", form).status == 204
            assert city.get(f"/{source}/{link}").json["@iot.id"] == key


def test_entities_are_drawn_to_the_one_they_belong_to(city: Client, thing: str) -> None:
    stream = city.get("/Datastreams").ids[2]
    reading = city.get("/Observations").ids[0]
    assert city.post(f"{thing}/Datastreams/$ref", {"@iot.id": stream}).status == 204
    assert stream in city.get(f"{thing}/Datastreams").ids
    assert (
        city.post(f"/Datastreams({stream})/Observations/$ref", {"@iot.id": reading}).status == 204
    )
    assert reading in city.get(f"/Datastreams({stream})/Observations").ids


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "Datastreams({})/Thing/$ref"),
        ("DELETE", "Sensors({})/Datastreams/$ref"),
        ("PUT", "Sensors({})/Datastreams/$ref"),
        ("DELETE", "Datastreams({})/Observations/$ref"),
    ],
)
def test_what_an_entity_needs_is_not_taken_away(city: Client, method: str, path: str) -> None:
    name = path.partition("(")[0]
    before = [city.get(f"/{name}").value for name in SENSING]
    address = "/" + path.format(city.get(f"/{name}").ids[0])
    assert city.request(method, address, b'{"value": []}').status == 400
    assert [city.get(f"/{name}").value for name in SENSING] == before


_REFERENCES: list[Any] = [
    None, 5, [], {}, {"@iot.id": None}, {"@iot.id": 999999}, {"@iot.id": "x"}, {"@iot.id": -1},
    {"@id": 5}, {"@id": ""}, {"@id": "Things"}, {"@id": "Sensors(1)"}, {"@id": "Locations(999999)"},
    {"@id": "Locations(1)/name"}, {"@id": "Locations(1)/$ref"}, {"@id": "https://x.example/a(1)"},
    {"@id": "Nothing(1)"}, {"@id": "Locations(x)"},
]  # fmt: skip


@pytest.mark.parametrize("reference", _REFERENCES)
def test_a_reference_that_leads_nowhere_is_refused(
    city: Client, thing: str, reference: Any
) -> None:
    before = city.get(f"{thing}/Locations").ids
    assert city.post(f"{thing}/Locations/$ref", reference).status == 400
    assert city.put(f"{thing}/Locations/$ref", {"value": [reference]}).status == 400
    assert city.put(f"{thing}/Locations/$ref", reference).status == 400
    assert city.get(f"{thing}/Locations").ids == before


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/Things/$ref", "GET"),
        ("DELETE", "{}/$ref", "GET"),
        ("PATCH", "{}/Locations/$ref", "POST"),
        ("POST", "{}/Datastreams(1)/Thing/$ref", "PUT"),
        ("PUT", "{}/Locations(1)/$ref", "DELETE"),
    ],
)
def test_other_methods_name_those_that_fit(
    city: Client, thing: str, method: str, path: str, allowed: str
) -> None:
    reply = city.request(method, path.format(thing), b"{}")
    assert (reply.status, allowed in reply.headers["allow"]) == (405, True)


def test_links_of_others_are_left_alone(city: Client, thing: str, town: int) -> None:
    stranger = Client(member(create_organisation("elsewhere", "Elsewhere")))
    own = stranger.post("/Locations", bodies.location()).key
    stream = city.get("/Datastreams").ids[1]
    before = city.get(f"{thing}/Locations").ids
    assert stranger.post(f"{thing}/Locations/$ref", {"@iot.id": own}).status == 403
    assert (
        stranger.post(f"/Locations({own})/Things/$ref", {"@iot.id": int(thing[8:-1])}).status == 403
    )
    assert stranger.delete(f"{thing}/Locations/$ref").status == 403
    assert stranger.post(f"{thing}/Datastreams/$ref", {"@iot.id": stream}).status == 403
    assert city.get(f"{thing}/Locations").ids == before
    update("Location", own, {"access": AccessLevel.ORGANISATION.value}, operator(town))
    refused = city.post(f"{thing}/Locations/$ref", {"@iot.id": own})
    nobody = city.post(f"{thing}/Locations/$ref", {"@iot.id": 999999})
    assert (refused.status, nobody.status) == (400, 400)
    assert city.get(f"{thing}/Locations").ids == before
