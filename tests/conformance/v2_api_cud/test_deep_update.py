"""conf/api/cud/deep_update: a list in a PATCH is all that the link leads to afterwards."""

from typing import Any

import pytest

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client, in_version_2

FEATURE = bodies.feature()


@pytest.fixture
def api2(api: Client) -> Client:
    return in_version_2(api)


@pytest.fixture
def thing(api2: Client) -> int:
    """Something with a place and a Datastream."""
    observed = api2.post("/ObservedProperties", {"name": "Level", "definition": "x:level"}).key
    return api2.post(
        "/Things",
        {
            "name": "Mast",
            "Locations": [bodies.location("First")],
            "Datastreams": [_stream(observed)],
        },
    ).key


def _stream(observed: int, name: str = "Level", **more: Any) -> dict[str, Any]:
    kind = {
        "type": "Quantity",
        "label": "Level",
        "definition": f"ObservedProperties({observed})",
        "uom": {"code": "cm"},
    }
    return {"name": name, "resultType": kind, "Sensor": {"name": "Radar"}, **more}


def names(client: Client, address: str) -> list[str]:
    return sorted(entity["name"] for entity in client.get(address).value)


def test_a_list_of_places_is_the_whole_list(api2: Client, thing: int) -> None:
    """Afterwards exactly these two, and one HistoricalLocation more."""
    other = api2.post("/Locations", bodies.location("Other")).key
    body = {
        "name": "Tower",
        "Locations": [{"@id": f"Locations({other})"}, bodies.location("Indoor plan")],
    }
    assert api2.patch(f"/Things({thing})", body).status == 204
    assert names(api2, f"/Things({thing})/Locations") == ["Indoor plan", "Other"]
    assert api2.get(f"/Things({thing})/name").json["value"] == "Tower"
    history = api2.get(f"/Things({thing})/HistoricalLocations?$expand=Locations").value
    assert [len(each["Locations"]) for each in history] == [1, 2]
    assert len(api2.get("/Locations").value) == 3


def test_what_needs_the_entity_is_not_let_go(api2: Client, thing: int) -> None:
    (stream,) = (e["id"] for e in api2.get(f"/Things({thing})/Datastreams").value)
    observed = api2.get("/ObservedProperties").value[0]["id"]
    refused = api2.patch(f"/Things({thing})", {"name": "No", "Datastreams": [_stream(observed)]})
    assert (refused.status, refused.json["error"]["target"]) == (400, "Thing")
    assert api2.get(f"/Things({thing})/name").json["value"] == "Mast"
    assert len(api2.get("/Datastreams").value) == 1
    both = [{"@id": f"Datastreams({stream})"}, _stream(observed, "Flow")]
    assert api2.patch(f"/Things({thing})", {"Datastreams": both}).status == 204
    assert names(api2, f"/Things({thing})/Datastreams") == ["Flow", "Level"]


def test_readings_come_along(api2: Client, thing: int) -> None:
    """New entities at any depth, all of them or none."""
    observed = api2.get("/ObservedProperties").value[0]["id"]
    stream = {"@id": f"Datastreams({api2.get('/Datastreams').value[0]['id']})"}
    flow = _stream(observed, "Flow", Observations=[{"result": 5}, {"result": "broken"}])
    body = {"Datastreams": [stream, flow]}
    assert api2.patch(f"/Things({thing})", body).status == 400
    assert len(api2.get("/Datastreams").value) == 1
    flow["Observations"][1]["result"] = 6
    assert api2.patch(f"/Things({thing})", body).status == 204
    condition = "Datastream/name eq 'Flow'"
    assert len(api2.get(f"/Observations?$filter={condition}").value) == 2


def test_a_list_of_readings_must_hold_all_of_them(api2: Client, thing: int) -> None:
    stream = api2.get("/Datastreams").value[0]["id"]
    first = api2.post(f"/Datastreams({stream})/Observations", {"result": 1}).key
    body = {"Observations": [{"result": 2}]}
    assert api2.patch(f"/Datastreams({stream})", body).status == 400
    body["Observations"].append({"@id": f"Observations({first})"})  # type: ignore[dict-item]
    assert api2.patch(f"/Datastreams({stream})", body).status == 204
    results = [e["result"] for e in api2.get("/Observations?$orderby=id").value]
    assert results == [1, 2]


def test_what_a_link_to_one_shall_lead_to_is_created(api2: Client, thing: int) -> None:
    stream = api2.get("/Datastreams").value[0]["id"]
    body = {"Sensor": {"name": "Float"}, "ProximateFeatureOfInterest": FEATURE}
    assert api2.patch(f"/Datastreams({stream})", body).status == 204
    assert api2.get(f"/Datastreams({stream})/Sensor/name").json["value"] == "Float"
    name = f"/Datastreams({stream})/ProximateFeatureOfInterest/name"
    assert api2.get(name).json["value"] == FEATURE["name"]
    reading = api2.post(f"/Datastreams({stream})/Observations", {"result": 1}).key
    body = {"ProximateFeatureOfInterest": {**FEATURE, "FeatureTypes": [{"name": "River"}]}}
    assert api2.patch(f"/Observations({reading})", body).status == 204
    found = "/Features?$filter=FeatureTypes/name eq 'River'&$expand=Observations"
    assert [e["id"] for e in api2.get(found).value[0]["Observations"]] == [reading]


def test_lists_of_features_and_types_are_replaced(api2: Client, thing: int) -> None:
    stream = api2.get("/Datastreams").value[0]["id"]
    listed = [{**FEATURE, "name": name} for name in ("Lauter", "Glan")]
    body = {"UltimateFeaturesOfInterest": listed}
    assert api2.patch(f"/Datastreams({stream})", body).status == 204
    glan = api2.get("/Features?$filter=name eq 'Glan'").value[0]["id"]
    body = {"UltimateFeaturesOfInterest": [{"@id": f"Features({glan})"}, listed[0]]}
    assert api2.patch(f"/Datastreams({stream})", body).status == 204
    assert len(api2.get("/Features").value) == 3
    kinds = {"FeatureTypes": [{"name": "River"}, {"name": "Water"}]}
    assert api2.patch(f"/Features({glan})", kinds).status == 204
    river = api2.get("/FeatureTypes?$filter=name eq 'River'").value[0]["id"]
    body = {"Features": [{**FEATURE, "name": "Alsenz"}]}
    assert api2.patch(f"/FeatureTypes({river})", body).status == 204
    assert names(api2, f"/Features({glan})/FeatureTypes") == ["Water"]
    assert names(api2, f"/FeatureTypes({river})/Features") == ["Alsenz"]
    assert api2.patch(f"/FeatureTypes({river})", {"Features": []}).status == 204
    assert api2.get(f"/FeatureTypes({river})/Features").value == []


@pytest.mark.parametrize(
    ("body", "target"),
    [
        ({"Locations": bodies.location()}, "Locations"),
        ({"Locations": [5]}, "Locations"),
        ({"Locations": [{"name": "No place"}]}, "Locations/encodingType"),
        ({"Locations": [{"@id": "Things(1)"}]}, "Locations"),
        ({"Locations": [{"@id": "Locations(99)"}]}, "Locations"),
        ({"Locations": None}, "Locations"),
        ({"Datastreams": [{"@id": "Datastreams(99)"}]}, "Datastreams"),
        ({"Locations": [bodies.location(), {"name": "No place"}]}, "Locations[1]/encodingType"),
        ({"Datastreams": [{"name": "No kind"}]}, "Datastreams/resultType"),
        ({"HistoricalLocations": []}, "Thing"),
        ({"Datastreams": []}, "Thing"),
        ({"name": None, "Locations": []}, "name"),
    ],
)
def test_what_makes_no_sense_changes_nothing(
    api2: Client, thing: int, body: dict[str, Any], target: str
) -> None:
    reply = api2.patch(f"/Things({thing})", body)
    assert (reply.status, reply.json["error"]["target"]) == (400, target)
    assert names(api2, f"/Things({thing})/Locations") == ["First"]
    assert names(api2, f"/Things({thing})/Datastreams") == ["Level"]


def test_a_replacement_holds_no_new_entities(api2: Client, thing: int) -> None:
    """conf/api/cud/replace: links are left alone"""
    reply = api2.put(f"/Things({thing})", {"name": "Mast", "Locations": [bodies.location()]})
    assert (reply.status, reply.json["error"]["target"]) == (400, "Locations")
    assert api2.put(f"/Things({thing})", {"name": "Tower"}).status == 204
    assert names(api2, f"/Things({thing})/Locations") == ["First"]


def test_version_1_takes_references_only(api: Client, thing: int) -> None:
    assert api.patch(f"/Things({thing})", {"Locations": [bodies.location()]}).status == 400


def test_new_entities_of_something_private_are_private(
    api2: Client, visitor: Client, thing: int
) -> None:
    from stadtherz.store.models import Thing

    Thing.objects.filter(pk=thing).update(access="organisation")
    stream = api2.get("/Datastreams").value[0]["id"]
    assert api2.patch(f"/Things({thing})", {"Locations": [bodies.location("Secret")]}).status == 204
    body = {
        "Sensor": {"name": "Secret"},
        "ProximateFeatureOfInterest": {**FEATURE, "name": "Secret"},
        "UltimateFeaturesOfInterest": [{**FEATURE, "name": "Secret"}],
    }
    assert api2.patch(f"/Datastreams({stream})", body).status == 204
    feature = api2.get("/Features").value[0]["id"]
    body = {"FeatureTypes": [{"name": "Secret"}]}
    assert api2.patch(f"/Features({feature})", body).status == 204
    for plural in ("Locations", "Sensors", "Features", "FeatureTypes"):
        address = f"/{plural}?$filter=name eq 'Secret'"
        assert api2.get(address).value
        assert in_version_2(visitor).get(address).value == []
