"""How many there are behind a link, in `$filter` and `$orderby` (OData 4.01 part 2 §5.1.1.15)."""

import pytest

from stadtherz.base.visibility import ANONYMOUS
from stadtherz.sensorthings.standard.faces import V2_0
from stadtherz.sensorthings.tests.bodies import datastream, feature, location, observation, thing
from stadtherz.sensorthings.tests.client import Client
from stadtherz.store.models import Datastream, Thing


@pytest.fixture
def uneven(city: Client) -> Client:
    """The city with two more Things: Otter has two Datastreams with two readings and none, Wald none."""
    streams = [
        datastream("Otter level", Observations=[observation(1), observation(2)]),
        datastream("Otter rain"),
    ]
    for body in (
        thing("Otter", Datastreams=streams, Locations=[location("Otter bridge", 7.6)]),
        thing("Wald"),
    ):
        assert city.post("/Things", body).status == 201
    return city


def names(reply_of: Client, address: str) -> list[str]:
    reply = reply_of.get(address)
    assert reply.status == 200, reply.body
    return [entity["name"] for entity in reply.value]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("Datastreams/$count gt 1", ["Otter"]),
        ("Datastreams/$count eq 0", ["Wald"]),
        ("not (Datastreams/$count le 1)", ["Otter"]),
        ("Datastreams/$count add Locations/$count eq 0", ["Wald"]),
        ("MultiDatastreams/$count eq 1", ["Lauter"]),
        ("Datastreams/$count in (0, 2)", ["Otter", "Wald"]),
        ("Datastreams/any(d: d/Observations/$count eq 2)", ["Otter"]),
        ("Datastreams/all(d: d/Observations/$count gt 0)", ["Lauter", "Alsenz", "100% Glan_x", "Wald"]),
        ("Datastreams/$count gt Locations/$count", ["Otter"]),
    ],
)  # fmt: skip
def test_things_by_what_they_have(uneven: Client, condition: str, expected: list[str]) -> None:
    assert names(uneven, f"/Things?$orderby=id&$filter={condition}") == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("Observations/$count ge 3", ["Lauter level", "Alsenz level", "100% Glan_x level"]),
        ("Observations/$count eq 0", ["Otter rain"]),
        ("Thing/Datastreams/$count eq 2", ["Otter level", "Otter rain"]),
    ],
)
def test_datastreams_by_their_readings(uneven: Client, condition: str, expected: list[str]) -> None:
    assert names(uneven, f"/Datastreams?$orderby=id&$filter={condition}") == expected


def test_readings_by_what_their_thing_has(uneven: Client) -> None:
    asked = "/Observations?$orderby=id&$filter=Datastream/Thing/Datastreams/$count eq 2"
    assert [reading["result"] for reading in uneven.get(asked).value] == [1, 2]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("Observations/$count eq 3", ["Lauter bridge", "Alsenz bridge", "100% Glan_x bridge"]),
        ("Observations/$count lt 3", ["Otter bridge"]),
        ("Observations/$count eq 0", []),
        ("Observations/any(o: o/FeatureOfInterest/Observations/$count eq 2)", ["Otter bridge"]),
    ],
)
def test_features_by_their_readings(uneven: Client, condition: str, expected: list[str]) -> None:
    assert names(uneven, f"/FeaturesOfInterest?$orderby=id&$filter={condition}") == expected


def test_features_are_ordered_by_how_many_readings_they_have(uneven: Client) -> None:
    asked = "/FeaturesOfInterest?$orderby=Observations/$count,id desc"
    assert names(uneven, asked)[0] == "Otter bridge"
    assert names(uneven, f"{asked}&$top=1&$skip=1") == ["100% Glan_x bridge"]


def test_readings_by_how_many_their_feature_has(uneven: Client) -> None:
    asked = "/Observations?$orderby=id&$filter=FeatureOfInterest/Observations/$count eq 2"
    assert [reading["result"] for reading in uneven.get(asked).value] == [1, 2]


def test_a_feature_without_readings_has_none(uneven: Client) -> None:
    bare = feature("Bare")
    assert uneven.post("/FeaturesOfInterest", bare).status == 201
    assert names(uneven, "/FeaturesOfInterest?$filter=Observations/$count eq 0") == ["Bare"]


def test_readings_of_others_are_not_counted_at_a_feature(uneven: Client) -> None:
    Datastream.objects.exclude(name="Otter level").update(access="organisation")
    asked = "/FeaturesOfInterest?$filter=Observations/$count gt 0"
    assert names(Client(ANONYMOUS), asked) == ["Otter bridge"]
    assert len(names(uneven, asked)) == 4


def test_readings_by_what_is_told_of_them(uneven: Client) -> None:
    first, second = uneven.get("/Observations?$orderby=id&$top=2").ids
    relation = {"role": "before", "Subject": {"@iot.id": first}, "Object": {"@iot.id": second}}
    assert uneven.post("/Relations", relation).status == 201

    def found(condition: str) -> list[int]:
        return uneven.get(f"/Observations?$orderby=id&$filter={condition}").ids

    assert found("Objects/$count eq 1") == [first]
    assert found("Subjects/$count gt 0 and Objects/$count eq 0") == [second]
    assert len(found("Subjects/$count eq 0 and Objects/$count eq 0")) == 9
    ordered = uneven.get("/Observations?$orderby=Subjects/$count desc,id&$top=2").ids
    assert ordered == [second, first]
    told = uneven.get(
        "/Relations?$filter=Subject/Objects/$count eq 1 and Object/Objects/$count eq 0"
    )
    assert len(told.value) == 1


def test_groups_by_the_readings_in_them(uneven: Client) -> None:
    held = [{"@iot.id": key} for key in uneven.get("/Observations?$orderby=id&$top=4").ids]
    for name, members in (("Flood", held[:1]), ("Calm", held), ("Empty", [])):
        body = {"name": name, "description": name, "Observations": members}
        assert uneven.post("/ObservationGroups", body).status == 201
    asked = "/ObservationGroups?$orderby=Observations/$count desc&$filter=Observations/$count"
    assert names(uneven, f"{asked} ge 0") == ["Calm", "Flood", "Empty"]
    assert names(uneven, f"{asked} eq 0") == ["Empty"]
    Datastream.objects.filter(name="Lauter level").update(access="organisation")
    assert names(Client(ANONYMOUS), f"{asked} eq 1") == ["Calm"]
    grouped = "/Observations?$filter=ObservationGroups/$count eq 2"
    assert uneven.get(grouped).ids == [held[0]["@iot.id"]]


def test_an_order_by_how_many_goes_on_over_pages(uneven: Client) -> None:
    address, found = "/Things?$top=2&$orderby=Datastreams/$count desc,name&$select=name", []
    while address:
        reply = uneven.get(address)
        found += [entity["name"] for entity in reply.value]
        address = reply.json.get("@iot.nextLink", "")
    assert found == ["Otter", "100% Glan_x", "Alsenz", "Lauter", "Wald"]


def test_readings_are_ordered_by_how_many_their_datastream_has(uneven: Client) -> None:
    asked = "/Observations?$orderby=Datastream/Observations/$count,id&$top=3"
    assert [reading["result"] for reading in uneven.get(asked).value] == [1, 2, 1]


def test_within_an_expand_it_counts_too(uneven: Client) -> None:
    asked = "/Things?$filter=name eq 'Otter'&$expand=Datastreams($filter=Observations/$count gt 0)"
    (otter,) = uneven.get(asked).value
    assert [stream["name"] for stream in otter["Datastreams"]] == ["Otter level"]


def test_what_is_not_seen_is_not_counted(uneven: Client) -> None:
    Datastream.objects.exclude(name="Otter rain").update(access="organisation")
    stranger = Client(ANONYMOUS)
    assert names(stranger, "/Things?$filter=Datastreams/$count gt 1") == []
    assert names(stranger, "/Things?$filter=Datastreams/$count eq 1") == ["Otter"]
    Thing.objects.filter(name="Otter").update(access="organisation")
    assert names(stranger, "/Things?$filter=Datastreams/$count gt 0") == []


def test_version_2_counts_as_well(uneven: Client) -> None:
    new = Client(uneven.visibility, face=V2_0)
    counted = names(new, "/Things?$orderby=id&$filter=Datastreams/$count eq 2")
    assert counted == ["Lauter", "Otter"]  # one that measures several things is a Datastream there


@pytest.mark.parametrize(
    ("asked", "status", "reason"),
    [
        ("/Things?$filter=name/$count gt 1", 400, "belongs behind a link to many"),
        ("/Datastreams?$filter=Thing/$count gt 1", 400, "belongs behind a link to many"),
        ("/Things?$filter=$count gt 1", 400, "cannot stand here"),
        ("/Things?$filter=Datastreams/Observations/$count gt 1", 400, "ask for it inside any()"),
        ("/Things?$filter=Datastreams/$count", 400, "not a condition"),
        ("/Things?$filter=Datastreams/$count/name eq 1", 400, "has no property"),
    ],
)
def test_what_cannot_be_counted_is_said(
    uneven: Client, asked: str, status: int, reason: str
) -> None:
    reply = uneven.get(asked)
    assert (reply.status, reason in reply.body.decode()) == (status, True), reply.body
