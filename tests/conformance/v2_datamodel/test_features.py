"""conf/datamodel/core/feature, feature-type, datastream: what is observed, and what kind of thing it is."""

from typing import Any

import pytest

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client, in_version_2, member
from stadtherz.store.public import create_organisation

FEATURE = {
    "name": "Lauter",
    "encodingType": "application/geo+json",
    "feature": {"type": "Point", "coordinates": [7.78, 49.45]},
}
WELL = {**FEATURE, "name": "Well"}
RIVER = {"name": "River", "definition": "https://example.org/river"}


def stream_body(api2: Client, **more: Any) -> dict[str, Any]:
    observed = {"name": "Level", "definition": "https://example.org/level"}
    key = api2.post("/ObservedProperties", observed).key
    kind = {
        "type": "Quantity",
        "label": "Level",
        "definition": f"ObservedProperties({key})",
        "uom": {"code": "cm"},
    }
    return {"name": "Level", "resultType": kind, "Sensor": {"name": "Radar"}, **more}


@pytest.fixture
def api2(api: Client) -> Client:
    return in_version_2(api)


@pytest.fixture
def well(api2: Client) -> int:
    """A Datastream taken at a well, which stands for two waters."""
    thing = api2.post("/Things", {"name": "Mast"}).key
    body = stream_body(
        api2,
        ProximateFeatureOfInterest=WELL,
        UltimateFeaturesOfInterest=[FEATURE, {**FEATURE, "name": "Glan"}],
    )
    return api2.post(f"/Things({thing})/Datastreams", body).key


def names(client: Client, address: str) -> list[str]:
    return sorted(entity["name"] for entity in client.get(address).value)


def references(client: Client, address: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = client.get(f"{address}/$ref").value
    return found


# --- definition ----------------------------------------------------------------------------------


_DEFINED = {
    "Things": {"name": "Mast"},
    "Locations": {**bodies.location()},
    "Sensors": {"name": "Radar"},
    "Features": FEATURE,
    "FeatureTypes": {"name": "River"},
}


@pytest.mark.parametrize("plural", _DEFINED)
def test_a_definition_is_kept_changed_and_cleared(api2: Client, plural: str) -> None:
    """conf/datamodel/core/thing, location, sensor, feature, feature-type: definition"""
    told = "https://register.example.org/77"
    created = api2.post(f"/{plural}", {**_DEFINED[plural], "definition": told})
    address = f"/{plural}({created.key})"
    assert api2.get(address).json["definition"] == told
    assert api2.get(f"{address}/definition").json["value"] == told
    assert len(api2.get(f"/{plural}?$filter=definition eq '{told}'").value) == 1
    assert api2.patch(address, {"definition": f"{told}/b"}).status == 204
    assert api2.get(f"{address}/definition/$value").body == f"{told}/b".encode()
    assert api2.patch(address, {"definition": None}).status == 204
    assert "definition" not in api2.get(address).json
    assert api2.patch(address, {"definition": 5}).json["error"]["target"] == "definition"


def test_a_datastream_has_a_definition(api2: Client) -> None:
    """conf/datamodel/core/datastream: definition"""
    thing = api2.post("/Things", {"name": "Mast"}).key
    body = stream_body(api2, definition="https://register.example.org/1")
    key = api2.post(f"/Things({thing})/Datastreams", body).key
    shown = api2.get(f"/Datastreams({key})").json
    assert shown["definition"] == "https://register.example.org/1"
    assert (
        api2.put(f"/Datastreams({key})", {"name": "Level", "resultType": body["resultType"]}).status
        == 204
    )
    assert "definition" not in api2.get(f"/Datastreams({key})").json


def test_version_1_neither_shows_nor_clears_what_it_does_not_know(
    api: Client, api2: Client
) -> None:
    """A face may only clear what it can show."""
    key = api2.post("/Things", {"name": "Mast", "definition": "https://example.org/mast"}).key
    assert "definition" not in api.get(f"/Things({key})").json
    assert api.get(f"/Things({key})/definition").status == 404
    assert api.post("/Things", bodies.thing(definition="x")).status == 400
    assert api.put(f"/Things({key})", bodies.thing("Tower")).status == 200
    shown = api2.get(f"/Things({key})").json
    assert (shown["name"], shown["definition"]) == ("Tower", "https://example.org/mast")


# --- features of Datastreams ---------------------------------------------------------------------


def test_a_datastream_leads_to_its_features_and_back(api2: Client, well: int) -> None:
    """conf/datamodel/core/datastream: ProximateFeatureOfInterest 0..1, UltimateFeaturesOfInterest 0..*"""
    assert api2.get(f"/Datastreams({well})/ProximateFeatureOfInterest").json["name"] == "Well"
    assert names(api2, f"/Datastreams({well})/UltimateFeaturesOfInterest") == ["Glan", "Lauter"]
    inner = "DatastreamsProximate($select=id),DatastreamsUltimate($select=id)"
    shown = {f["name"]: f for f in api2.get(f"/Features?$expand={inner}").value}
    for name, link in (("Well", "DatastreamsProximate"), ("Glan", "DatastreamsUltimate")):
        assert [each["id"] for each in shown[name][link]] == [well]
        key = shown[name]["id"]
        assert [e["id"] for e in api2.get(f"/Features({key})/{link}").value] == [well]
        assert api2.get(f"/Features({key})/{link}({well})").json["id"] == well


def test_features_of_datastreams_are_asked_about(api2: Client, well: int) -> None:
    """conf/api/read/options/filter, orderby: through the links to features"""
    for condition in (
        "ProximateFeatureOfInterest/name eq 'Well'",
        "UltimateFeaturesOfInterest/name eq 'Glan'",
        "st_within(ProximateFeatureOfInterest/feature,geography'POLYGON((7 49,8 49,8 50,7 50,7 49))')",
    ):
        assert [e["id"] for e in api2.get(f"/Datastreams?$filter={condition}").value] == [well]
    ordered = api2.get("/Datastreams?$orderby=ProximateFeatureOfInterest/name desc")
    assert [e["id"] for e in ordered.value] == [well]
    assert names(api2, "/Features?$filter=DatastreamsUltimate/name eq 'Level'") == [
        "Glan",
        "Lauter",
    ]
    api2.post(f"/Datastreams({well})/Observations", {"result": 5})
    at_well = "Datastream/ProximateFeatureOfInterest/name eq 'Well'"
    assert len(api2.get(f"/Observations?$filter={at_well}").value) == 1
    assert api2.get(f"/Observations?$filter=not ({at_well})").value == []
    assert names(api2, "/Features?$filter=DatastreamsProximate/Observations/result eq 5") == [
        "Well"
    ]


def test_without_features_there_is_none(api2: Client) -> None:
    """conf/datamodel/core/datastream: neither is required"""
    thing = api2.post("/Things", {"name": "Mast"}).key
    body = stream_body(api2, ProximateFeatureOfInterest=None)
    key = api2.post(f"/Things({thing})/Datastreams", body).key
    assert api2.get(f"/Datastreams({key})/ProximateFeatureOfInterest").status == 204
    assert api2.get(f"/Datastreams({key})/UltimateFeaturesOfInterest").value == []
    links = "ProximateFeatureOfInterest,UltimateFeaturesOfInterest"
    shown = api2.get(f"/Datastreams({key})?$expand={links}").json
    assert shown["ProximateFeatureOfInterest"] is None
    assert shown["UltimateFeaturesOfInterest"] == []


def test_a_feature_is_set_and_cleared_by_the_datastream(api2: Client, well: int) -> None:
    """conf/api/cud/update, update_relations"""
    key = api2.post("/Features", FEATURE).key
    address = f"/Datastreams({well})/ProximateFeatureOfInterest"
    assert api2.put(f"{address}/$ref", {"@id": f"Features({key})"}).status == 204
    assert api2.get(address).json["id"] == key
    assert api2.delete(f"{address}/$ref").status == 204
    assert api2.get(address).status == 204
    changed = {"ProximateFeatureOfInterest": {"@id": f"Features({key})"}}
    assert api2.patch(f"/Datastreams({well})", changed).status == 204
    assert api2.get(address).json["id"] == key
    assert api2.patch(f"/Datastreams({well})", {"ProximateFeatureOfInterest": None}).status == 204
    assert api2.get(address).status == 204


@pytest.mark.parametrize("link", ["DatastreamsProximate", "DatastreamsUltimate"])
def test_a_datastream_is_added_and_removed_by_the_feature(
    api2: Client, well: int, link: str
) -> None:
    """conf/api/cud/update_relations"""
    key = api2.post("/Features", FEATURE).key
    address, reference = f"/Features({key})/{link}", {"@id": f"Datastreams({well})"}
    for _ in range(2):  # what is there already changes nothing
        assert api2.post(f"{address}/$ref", reference).status == 204
        assert [e["id"] for e in api2.get(address).value] == [well]
    assert api2.delete(f"{address}({well})/$ref").status == 204
    assert api2.get(address).value == []
    assert api2.put(f"{address}/$ref", {"value": [reference]}).status == 204
    assert api2.delete(f"{address}/$ref?$id=../../Datastreams({well})").status == 204
    assert api2.post(f"{address}/$ref", reference).status == 204
    assert api2.delete(f"{address}/$ref").status == 204
    assert api2.get(address).value == []
    assert len(references(api2, f"/Datastreams({well})/UltimateFeaturesOfInterest")) == 2


def test_a_feature_posted_to_a_datastream_joins_the_others(api2: Client, well: int) -> None:
    """conf/api/cud/create: a related set links to the parent"""
    address = f"/Datastreams({well})/UltimateFeaturesOfInterest"
    assert api2.post(address, {**FEATURE, "name": "Alsenz"}).status == 201
    assert names(api2, address) == ["Alsenz", "Glan", "Lauter"]
    key = api2.post("/Features", FEATURE).key
    changed = {"UltimateFeaturesOfInterest": [{"@id": f"Features({key})"}]}
    assert api2.patch(f"/Datastreams({well})", changed).status == 204
    assert [e["id"] for e in api2.get(address).value] == [key]


def test_a_deleted_feature_leaves_its_datastreams(api: Client, api2: Client, well: int) -> None:
    """conf/api/cud/delete: Feature only loses its links"""
    for feature in api2.get("/Features").value:
        assert api2.delete(f"/Features({feature['id']})").status == 204
    assert api2.get(f"/Datastreams({well})/ProximateFeatureOfInterest").status == 204
    assert api2.get(f"/Datastreams({well})/UltimateFeaturesOfInterest").value == []
    assert api.get("/FeaturesOfInterest").value == []
    assert api2.delete(f"/Datastreams({well})").status == 204


def test_version_1_does_not_show_features_of_datastreams(
    api: Client, api2: Client, well: int
) -> None:
    shown = api.get(f"/Datastreams({well})").json
    assert not [name for name in shown if "Feature" in name]
    assert api.get(f"/Datastreams({well})/ProximateFeatureOfInterest").status == 404
    assert api.patch(f"/Datastreams({well})", {"name": "Depth"}).status == 200
    assert len(references(api2, f"/Datastreams({well})/UltimateFeaturesOfInterest")) == 2
    assert {e["name"] for e in api.get("/FeaturesOfInterest").value} == {"Well", "Glan", "Lauter"}


# --- types of features ---------------------------------------------------------------------------


def test_features_have_types_and_types_features(api2: Client) -> None:
    """conf/datamodel/core/feature-type"""
    key = api2.post("/Features", {**FEATURE, "FeatureTypes": [RIVER, {"name": "Water"}]}).key
    assert names(api2, f"/Features({key})/FeatureTypes") == ["River", "Water"]
    assert names(api2, "/Features?$filter=FeatureTypes/name eq 'River'") == ["Lauter"]
    shown = api2.get("/FeatureTypes?$expand=Features($select=id)&$orderby=name").value
    assert [each["id"] for each in shown[0]["Features"]] == [key]
    assert shown[0]["definition"] == RIVER["definition"]
    river = shown[0]["id"]
    glan = api2.post(f"/FeatureTypes({river})/Features", {**FEATURE, "name": "Glan"}).key
    assert [e["id"] for e in api2.get(f"/Features({glan})/FeatureTypes").value] == [river]


def test_types_are_linked_from_either_side(api2: Client) -> None:
    """conf/api/cud/update_relations"""
    feature = api2.post("/Features", {**FEATURE, "FeatureTypes": [{"name": "Water"}]}).key
    body = {**RIVER, "Features": [{"@id": f"Features({feature})"}]}
    river = api2.post("/FeatureTypes", body).key
    assert names(api2, f"/Features({feature})/FeatureTypes") == ["River", "Water"]
    assert api2.delete(f"/FeatureTypes({river})/Features({feature})/$ref").status == 204
    assert names(api2, f"/Features({feature})/FeatureTypes") == ["Water"]
    listed = {"value": [{"@id": f"FeatureTypes({river})"}]}
    assert api2.put(f"/Features({feature})/FeatureTypes/$ref", listed).status == 204
    assert names(api2, f"/Features({feature})/FeatureTypes") == ["River"]
    assert api2.delete(f"/FeatureTypes({river})").status == 204
    assert api2.get(f"/Features({feature})/FeatureTypes").value == []


def test_version_1_knows_no_types(api: Client) -> None:
    assert api.get("/FeatureTypes").status == 404


# --- who may see what ----------------------------------------------------------------------------


@pytest.fixture
def hidden(api2: Client, well: int) -> int:
    """A feature that only our organisation sees, with a type, beside those of a public Datastream."""
    from stadtherz.store.models import FeatureOfInterest, FeatureType

    body = {**FEATURE, "name": "Secret", "FeatureTypes": [{"name": "Secret type"}]}
    key = api2.post(f"/Datastreams({well})/UltimateFeaturesOfInterest", body).key
    FeatureOfInterest.objects.filter(pk=key).update(access="organisation")
    FeatureType.objects.update(access="organisation")
    return key


@pytest.mark.parametrize(
    "address",
    [
        "/Features?$filter=name eq 'Secret'",
        "/Features?$filter=FeatureTypes/name eq 'Secret type'",
        "/FeatureTypes",
        "/Datastreams?$filter=UltimateFeaturesOfInterest/name eq 'Secret'",
        "/Observations?$filter=Datastream/UltimateFeaturesOfInterest/name eq 'Secret'",
    ],
)
def test_hidden_features_are_found_on_no_way(
    api2: Client, visitor: Client, well: int, hidden: int, address: str
) -> None:
    api2.post(f"/Datastreams({well})/Observations", {"result": 5})
    assert api2.get(address).value
    assert in_version_2(visitor).get(address).value == []


def test_hidden_features_stand_behind_no_link(visitor: Client, well: int, hidden: int) -> None:
    other = in_version_2(visitor)
    for way in ("", "/$ref"):
        found = other.get(f"/Datastreams({well})/UltimateFeaturesOfInterest{way}")
        assert len(found.value) == 2
    number = other.get(f"/Datastreams({well})/UltimateFeaturesOfInterest/$count")
    assert number.body == b"2"
    link = "UltimateFeaturesOfInterest($count=true)"
    shown = other.get(f"/Datastreams({well})?$expand={link}").json
    assert shown["UltimateFeaturesOfInterest@count"] == 2
    assert other.get(f"/Datastreams({well})/UltimateFeaturesOfInterest({hidden})").status == 404
    assert other.get(f"/Features({hidden})/DatastreamsUltimate").status == 404


def test_who_does_not_see_a_feature_neither_links_nor_removes_it(
    api2: Client, well: int, hidden: int
) -> None:
    """Setting the whole list leaves what cannot be seen."""
    theirs = in_version_2(Client(member(create_organisation("other", "Other"))))
    reference = {"@id": f"Features({hidden})"}
    own = theirs.post("/Things", {"name": "Own"}).key
    body = stream_body(theirs, UltimateFeaturesOfInterest=[reference])
    refused = theirs.post(f"/Things({own})/Datastreams", body)
    assert (refused.status, refused.json["error"]["target"]) == (400, "UltimateFeaturesOfInterest")
    body = stream_body(theirs, ProximateFeatureOfInterest=reference)
    refused = theirs.post(f"/Things({own})/Datastreams", body)
    assert (refused.status, refused.json["error"]["target"]) == (400, "ProximateFeatureOfInterest")
    assert theirs.delete(f"/Datastreams({well})/UltimateFeaturesOfInterest/$ref").status == 403


def test_what_is_new_with_a_private_datastream_is_private_too(
    api2: Client, visitor: Client
) -> None:
    from stadtherz.store.models import Thing

    thing = api2.post("/Things", {"name": "Mast"}).key
    Thing.objects.filter(pk=thing).update(access="organisation")
    types = {"FeatureTypes": [RIVER]}
    body = stream_body(
        api2,
        ProximateFeatureOfInterest={**WELL, **types},
        UltimateFeaturesOfInterest=[{**FEATURE, **types}],
    )
    key = api2.post(f"/Things({thing})/Datastreams", body).key
    api2.post(f"/Datastreams({key})/UltimateFeaturesOfInterest", {**FEATURE, **types})
    reading = {"result": 1, "ProximateFeatureOfInterest": {**FEATURE, **types}}
    api2.post(f"/Datastreams({key})/Observations", reading)
    assert len(api2.get("/Features").value) == len(api2.get("/FeatureTypes").value) == 4
    for plural in ("Features", "FeatureTypes"):
        assert in_version_2(visitor).get(f"/{plural}").value == []
