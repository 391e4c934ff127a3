"""req/party, license, group, relation and campaign: properties and relations (22-022r1 §7)."""

from typing import Any

import pytest

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import ROOT, Client, in_version_2
from tests.conformance.staplus.conftest import Station

_CONF = "http://www.opengis.net/spec/sensorthings-staplus/1.0/conf"
_NOW = "2026-05-01T00:00:00.000Z"
_FULL: dict[str, dict[str, Any]] = {
    "Parties": bodies.party(description="measures at home"),
    "Licenses": bodies.license_of(description="with name", logo="data:,x", properties={"a": 1}),
    "Campaigns": bodies.campaign(
        classification="open", privacyPolicy="none", creationTime=_NOW, startTime=_NOW,
        endTime=_NOW, url="https://example.org", properties={"a": 1},
    ),
    "ObservationGroups": bodies.observation_group(
        purpose="to learn", creationTime=_NOW, endTime=_NOW, termsOfUse="free", privacyPolicy="none",
        dataQuality={"level": 1}, properties={"a": 1},
    ),
    "Relations": bodies.relation(
        description="the same", externalResource="https://example.org/x", properties={"a": 1}
    ),
}  # fmt: skip
_LINKS = {
    "Parties": ["Things", "Datastreams", "MultiDatastreams", "ObservationGroups", "Campaigns"],
    "Licenses": ["Datastreams", "MultiDatastreams", "ObservationGroups", "Campaigns"],
    "Campaigns": ["Datastreams", "MultiDatastreams", "Party", "ObservationGroups", "License"],
    "ObservationGroups": ["License", "Observations", "Relations", "Party", "Campaigns"],
    "Relations": ["Subject", "Object", "ObservationGroups"],
}


def body_of(name: str, station: Station) -> dict[str, Any]:
    links = {"Subject": station.named(0)[0]} if name == "Relations" else {}
    return {**_FULL[name], **links}


@pytest.mark.parametrize("name", _FULL)
def test_properties_and_relations(api: Client, station: Station, name: str) -> None:
    key = api.post(f"/{name}", body_of(name, station)).key
    address = f"{ROOT}/{name}({key})"
    links = {f"{link}@iot.navigationLink": f"{address}/{link}" for link in _LINKS[name]}
    expected = {"@iot.selfLink": address, "@iot.id": key, **_FULL[name], **links}
    assert api.get(f"/{name}({key})").json == expected
    assert api.get(f"/{name}").value == [expected]
    for link in _LINKS[name]:
        found = api.get(f"/{name}({key})/{link}")
        assert found.status == (200 if link.endswith("s") or link == "Subject" else 404), link


@pytest.mark.parametrize(
    ("name", "missing"),
    [("Parties", "role"), ("Licenses", "name"), ("Licenses", "definition"), ("Campaigns", "name"),
     ("Campaigns", "description"), ("Campaigns", "termsOfUse"), ("ObservationGroups", "name"),
     ("ObservationGroups", "description"), ("Relations", "role"), ("Relations", "Subject"),
     ("Relations", "externalResource")],
)  # fmt: skip
def test_what_is_mandatory(api: Client, station: Station, name: str, missing: str) -> None:
    body = body_of(name, station)
    del body[missing]
    refused = api.post(f"/{name}", body)
    assert (refused.status, missing in refused.message) == (400, True), refused.message
    assert api.get(f"/{name}").ids == []


def test_the_server_says_when_it_was_created_unless_the_client_does(api: Client) -> None:
    for name, body in (
        ("Campaigns", bodies.campaign()),
        ("ObservationGroups", bodies.observation_group()),
    ):
        made = api.post(f"/{name}", body)
        created = made.json["creationTime"]
        assert created > "2020"
        put = api.put(f"/{name}({made.key})", body)
        assert put.json["creationTime"] == created, "PUT without it leaves it"
        changed = api.patch(f"/{name}({made.key})", {"creationTime": _NOW})
        assert changed.json["creationTime"] == _NOW
        refused = api.patch(f"/{name}({made.key})", {"creationTime": None})
        assert (refused.status, "creationTime" in refused.message) == (400, True)


def test_a_party_is_a_person_or_an_institution(api: Client) -> None:
    refused = api.post("/Parties", bodies.party(role="robot"))
    assert "role: must be individual or institutional" in refused.message


def test_sensing_entities_have_the_new_links(api: Client, station: Station) -> None:
    thing = api.get(f"/Things({station.thing})").json
    stream = api.get(f"/Datastreams({station.stream})").json
    assert thing["Party@iot.navigationLink"] == f"{ROOT}/Things({station.thing})/Party"
    for link in ("Party", "License", "Campaigns"):
        address = f"{ROOT}/Datastreams({station.stream})/{link}"
        assert stream[f"{link}@iot.navigationLink"] == address


def test_observations_show_their_new_links_where_they_are_asked_for(
    api: Client, station: Station
) -> None:
    path = f"/Observations({station.readings[0]})"
    names = ("ObservationGroups", "Subjects", "Objects")
    plain, asked = api.get(path).json, api.get(f"{path}?$select={','.join(names)}").json
    for name in names:
        assert f"{name}@iot.navigationLink" not in plain
        assert asked[f"{name}@iot.navigationLink"] == f"{ROOT}{path}/{name}"
        assert api.get(f"{path}/{name}").value == []


def test_the_service_root_names_sets_and_classes(api: Client) -> None:
    root = api.get("").json
    assert set(_FULL) <= {each["name"] for each in root["value"]}
    classes = {f"{_CONF}/{name}" for name in ("core", "create", "update", "delete")}
    assert classes <= set(root["serverSettings"]["conformance"])


def test_version_2_leaves_them_out(api: Client, station: Station) -> None:
    newer = in_version_2(api)
    assert newer.get("/Parties").status == 404
    assert "Party" not in newer.get(f"/Things({station.thing})").body.decode()


@pytest.mark.parametrize("name", _FULL)
def test_create_update_and_delete(api: Client, station: Station, name: str) -> None:
    made = api.post(f"/{name}", body_of(name, station))
    assert made.headers["location"] == f"{ROOT}/{name}({made.key})"
    path = f"/{name}({made.key})"
    assert api.patch(path, {"description": "other"}).json["description"] == "other"
    operations = [{"op": "replace", "path": "/description", "value": "patched"}]
    patched = api.patch(path, operations, content_type="application/json-patch+json")
    assert patched.json["description"] == "patched"
    assert api.put(path, _FULL[name]).status == 200
    assert api.get(path).json.get("description") == _FULL[name]["description"]
    inline = api.patch(path, {"ObservationGroups": [bodies.observation_group()]})
    assert inline.status == 400
    assert api.delete(path).status == 200
    assert api.get(path).status == 404


def test_a_party_is_recognised_by_its_identity(api: Client) -> None:
    first = api.post("/Parties?$upsert=authId", bodies.party())
    again = api.post("/Parties?$upsert=authId", bodies.party(description="moved"))
    assert (first.status, again.status) == (201, 200)
    assert (api.get("/Parties").ids, again.json["description"]) == ([first.key], "moved")


def test_links_to_one(api: Client, station: Station) -> None:
    """Party and License of Things, Datastreams, groups and campaigns: set, changed, taken away."""
    ada, bob = (api.post("/Parties", bodies.party(name)).key for name in ("Ada", "Bob"))
    licence = api.post("/Licenses", bodies.license_of()).key
    for path in (f"/Things({station.thing})", f"/Datastreams({station.stream})"):
        assert api.patch(path, {"Party": {"@iot.id": ada}}).status == 200
        assert api.get(f"{path}/Party").json["displayName"] == "Ada"
        assert api.put(f"{path}/Party/$ref", {"@iot.id": bob}).status == 204
        assert api.get(f"{path}?$expand=Party").json["Party"]["displayName"] == "Bob"
    assert (
        api.post(f"/Licenses({licence})/Datastreams/$ref", {"@iot.id": station.stream}).status
        == 204
    )
    assert (
        api.get(f"/Parties({bob})?$expand=Things,Datastreams").json["Things"][0]["name"] == "Gauge"
    )
    found = api.get("/Observations?$filter=Datastream/License/name eq 'CC BY 4.0'&$count=true")
    assert found.json["@iot.count"] == 3
    assert api.get("/Things?$filter=Party/displayName eq 'Ada'").ids == []
    assert api.delete(f"/Things({station.thing})/Party/$ref").status == 204
    assert api.get(f"/Things({station.thing})/Party").status == 404
    assert api.delete(f"/Parties({bob})").status == 200
    assert api.get(f"/Datastreams({station.stream})/Party").status == 404
    assert api.get("/Datastreams").ids == [station.stream]


def test_a_thing_brings_its_party_along(api: Client) -> None:
    stream = bodies.datastream(Party=bodies.party(), License=bodies.license_of())
    key = api.post("/Things", bodies.thing(Party=bodies.party("Bob"), Datastreams=[stream])).key
    way = "$expand=Party,Datastreams($expand=Party,License)"
    thing = api.get(f"/Things({key})?{way}").json
    assert thing["Party"]["displayName"] == "Bob"
    assert thing["Datastreams"][0]["Party"]["displayName"] == "Ada"
    assert thing["Datastreams"][0]["License"]["name"] == "CC BY 4.0"


def test_campaigns_gather_datastreams_and_groups(api: Client, station: Station) -> None:
    several = api.post(f"/Things({station.thing})/MultiDatastreams", bodies.multi_datastream()).key
    key = api.post(
        "/Campaigns",
        bodies.campaign(
            Datastreams=[{"@iot.id": station.stream}],
            MultiDatastreams=[{"@iot.id": several}],
            ObservationGroups=[bodies.observation_group()],
        ),
    ).key
    shown = api.get(
        f"/Campaigns({key})?$expand=Datastreams,MultiDatastreams,ObservationGroups"
    ).json
    assert [each["@iot.id"] for each in shown["Datastreams"]] == [station.stream]
    assert [each["@iot.id"] for each in shown["MultiDatastreams"]] == [several]
    assert [each["name"] for each in shown["ObservationGroups"]] == ["Flood"]
    assert api.get(f"/Datastreams({station.stream})/Campaigns").ids == [key]
    assert api.get("/Campaigns?$filter=Datastreams/Thing/name eq 'Gauge'").ids == [key]
    assert api.get("/Campaigns?$filter=Datastreams/Observations/result gt 2").ids == [key]
    assert api.get("/Campaigns?$filter=Datastreams/Observations/result gt 3").ids == []
    wrong = api.patch(f"/Campaigns({key})", {"MultiDatastreams": [{"@iot.id": station.stream}]})
    assert (wrong.status, "MultiDatastreams: there is no" in wrong.message) == (400, True)
    assert api.delete(f"/Campaigns({key})/Datastreams({station.stream})/$ref").status == 204
    assert api.get(f"/Campaigns({key})/Datastreams").ids == []
    path = f"/Datastreams({station.stream})/Campaigns"
    assert api.post(f"{path}/$ref", {"@iot.id": key}).status == 204
    second = api.post(path, bodies.campaign("Winter")).key
    assert api.get(path).ids == [key, second]
    assert api.delete(f"/Datastreams({station.stream})").status == 200
    assert api.get(f"/Campaigns({second})/Datastreams").ids == []
