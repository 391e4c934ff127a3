"""Nobody learns below a data set's URL what lies outside it, or what he may not see."""

from urllib.parse import quote

import pytest

from stadtherz.base.errors import NotFound
from stadtherz.sensorthings.tests.bodies import datastream, observation
from stadtherz.sensorthings.tests.client import HOST, Client, in_version_2
from stadtherz.sensorthings.tests.towns import KINDS, SLUG, Towns, names
from stadtherz.store.public import within


@pytest.fixture
def below(rivers: Towns) -> Client:
    """The owner, who would see everything outside as well."""
    return rivers.below(rivers.owner)


@pytest.fixture
def outside(rivers: Towns) -> dict[str, list[int]]:
    """By set, the ids of what Lautern sees but not in the data set."""
    found = {}
    for plural in (*KINDS.values(), "HistoricalLocations", "Observations"):
        everything = rivers.owner.get(f"/{plural}").ids
        within = rivers.below(rivers.owner).get(f"/{plural}").ids
        found[plural] = sorted(set(everything) - set(within))
        assert found[plural]
    return found


def test_what_is_outside_is_not_there_by_its_id(
    below: Client, outside: dict[str, list[int]]
) -> None:
    for plural, keys in outside.items():
        for key in keys:
            for client in (below, in_version_2(below)):
                assert client.get(f"/{plural}({key})").status == 404
                assert client.get(f"/{plural}({key})/$ref").status == 404
                assert client.patch(f"/{plural}({key})", {}).status == 404
                assert client.delete(f"/{plural}({key})").status == 404
    assert below.post(f"/Things({outside['Things'][0]})/Datastreams", datastream()).status == 404


@pytest.mark.parametrize(
    "address",
    ["/Things?$filter=Datastreams/name eq 'Mill secret'",
     "/Things?$filter=Datastreams/Observations/result eq 2",
     "/Locations?$filter=Things/Datastreams/name eq 'Mill secret'",
     "/Sensors?$filter=name eq 'Mill secret sensor'",
     "/Sensors?$filter=Datastreams/name eq 'Mill secret'",
     "/ObservedProperties?$filter=Datastreams/name eq 'Elsewhere level'",
     "/Observations?$filter=Datastream/name eq 'Mill secret'",
     "/Observations?$filter=Datastream/Thing/name eq 'Elsewhere'",
     "/Observations?$filter=FeatureOfInterest/name eq 'Mill secret feature'",
     "/FeaturesOfInterest?$filter=Observations/Datastream/name eq 'Mill secret'",
     "/HistoricalLocations?$filter=Thing/name eq 'Elsewhere'",
     "/Datastreams?$filter=Thing/Datastreams/name eq 'Mill secret'"],
)  # fmt: skip
def test_filters_find_nothing_outside(below: Client, address: str) -> None:
    assert below.get(f"{address}&$count=true").json == {"@iot.count": 0, "value": []}
    assert below.get(address.replace("?", "/$count?")).body == b"0"


def test_expands_show_nothing_outside(below: Client, rivers: Towns) -> None:
    mill = below.get(f"/Things({rivers.keys['Mill']})?$expand=Datastreams($count=true)").json
    assert [stream["name"] for stream in mill["Datastreams"]] == ["Mill level"]
    assert mill["Datastreams@iot.count"] == 1
    assert below.get(f"/Things({rivers.keys['Mill']})/Datastreams/$count").body == b"1"


@pytest.fixture
def shared_parts(rivers: Towns) -> Towns:
    """`Mill secret` and `Mill level` have the sensor, the property and the feature in common."""
    level, secret = rivers.keys["Mill level"], rivers.keys["Mill secret"]
    for plural, link in (("Sensors", "Sensor"), ("ObservedProperties", "ObservedProperty")):
        key = rivers.owner.get(f"/Datastreams({level})/{link}").json["@iot.id"]
        change = {link: {"@iot.id": key}}
        assert rivers.owner.patch(f"/Datastreams({secret})", change).status == 200, plural
    reading = rivers.owner.get(f"/Datastreams({level})/Observations").ids[0]
    place = rivers.owner.get(f"/Observations({reading})/FeatureOfInterest").json["@iot.id"]
    body = observation(77, FeatureOfInterest={"@iot.id": place})
    assert rivers.owner.post(f"/Datastreams({secret})/Observations", body).status == 201
    return rivers


def test_what_members_share_with_others_tells_nothing_of_these(
    shared_parts: Towns, below: Client
) -> None:
    level = shared_parts.keys["Mill level"]
    for link in ("Sensor", "ObservedProperty"):
        found = below.get(f"/Datastreams({level})/{link}?$expand=Datastreams($count=true)").json
        assert found["Datastreams@iot.count"] == 1
        streams = [stream["name"] for stream in found["Datastreams"]]
        assert streams == ["Mill level"]
    (place,) = below.get("/FeaturesOfInterest?$filter=name eq 'Mill level feature'").ids
    assert len(below.get(f"/FeaturesOfInterest({place})/Observations").value) == 1
    assert below.get(f"/FeaturesOfInterest({place})/Observations/$count").body == b"1"
    assert below.get("/FeaturesOfInterest?$filter=Observations/result eq 77").value == []


def test_next_links_of_the_whole_lead_to_nothing_outside(below: Client, rivers: Towns) -> None:
    following = rivers.owner.get("/Datastreams?$top=2&$orderby=name").json["@iot.nextLink"]
    moved = following.replace("/sta/", f"/datasets/{SLUG}/sta/")
    assert names(below, moved) <= {"Lauter level", "Lauter flow", "Mill level"}
    outside = rivers.keys["Elsewhere"]
    assert below.get(f"/Things({outside})/Datastreams?{moved.partition('?')[2]}").status == 404


@pytest.mark.parametrize("written", ["CSV", "GeoJSON", "dataArray", "Parquet"])
def test_exports_hold_nothing_outside(below: Client, written: str) -> None:
    address = f"/Observations?$resultFormat={written}&$filter=result eq 2"
    empty = below.get(f"/Observations?$resultFormat={written}&$filter=result eq 12345")
    assert below.get(address).status == empty.status == 200
    if written != "Parquet":
        assert below.get(address).body == empty.body


def test_a_batch_reaches_nothing_outside(below: Client, rivers: Towns) -> None:
    key = rivers.keys["Mill secret"]
    urls = [
        f"Datastreams({key})",
        f"/Datastreams({key})",
        f"{HOST}/sta/v1.1/Datastreams({key})",
        f"/sta/v1.1/Datastreams({key})",
        f"../../../../sta/v1.1/Datastreams({key})",
        f"{below.prefix}/Datastreams({key})",
    ]
    requests = [{"id": str(i), "method": "GET", "url": url} for i, url in enumerate(urls)]
    reply = below.post("/$batch", {"requests": requests}, prefer="continue-on-error")
    statuses = [answer["status"] for answer in reply.json["responses"]]
    assert len(statuses) == len(urls)
    assert all(status in (400, 404) for status in statuses)
    own = {"id": "1", "method": "GET", "url": "Datastreams?$count=true"}
    (answer,) = below.post("/$batch", {"requests": [own]}).json["responses"]
    assert answer["body"]["@iot.count"] == 3


def test_changes_cannot_be_made_outside(below: Client, rivers: Towns) -> None:
    key = rivers.keys["Mill secret"]
    before = rivers.owner.get("/Observations").value
    inline = observation(1, Datastream={"@iot.id": key})
    assert below.post("/Observations", inline).status == 400
    assert below.post(f"/Datastreams({key})/Observations", observation()).status == 404
    rows = {"Datastream": {"@iot.id": key}, "components": ["result"], "dataArray": [[5]]}
    assert below.post("/CreateObservations", [rows]).json == ["error"]
    assert below.delete("/Observations?$filter=result ge 2").status == 200
    mine = below.get("/Observations").ids[0]
    assert below.patch(f"/Observations({mine})", {"Datastream": {"@iot.id": key}}).status == 400
    assert rivers.owner.get("/Observations").value == before


def test_names_in_addresses_are_read_as_they_stand(rivers: Towns) -> None:
    owner = rivers.owner
    for path in (
        f"/datasets/{SLUG}/../../sta/v1.1/Things",
        f"/datasets/{SLUG}//sta/v1.1/Things",
        "/datasets//sta/v1.1/Things",
        f"/datasets/{SLUG}/sta/v1.1/../../../../sta/v1.1/Things",
        f"/datasets/{SLUG}/sta",
        f"/datasets/{SLUG}/datasets/{SLUG}/sta/v1.1/Things",
        f"/datasets/{quote('rivers/sta')}/sta/v1.1/Things",
    ):
        assert owner.ask("GET", path).status == 404, path


def test_members_that_are_hidden_leave_no_trace(rivers: Towns) -> None:
    """A public sensor of a hidden member is not shown: it would tell that there is one."""
    level = rivers.keys["Mill level"]
    for entity, link in (("Sensor", "Sensor"), ("ObservedProperty", "ObservedProperty")):
        key = rivers.owner.get(f"/Datastreams({level})/{link}").json["@iot.id"]
        rivers.reveal(entity, key)
    (place,) = rivers.owner.get("/Locations?$filter=name eq 'Mill place'").ids
    rivers.reveal("Location", place)
    assert {"Mill level sensor"} <= names(rivers.stranger, "Sensors")
    stranger = rivers.below(rivers.stranger)
    for plural in ("Sensors", "ObservedProperties", "Locations", "Things"):
        assert stranger.get(f"/{plural}?$count=true").json["@iot.count"] == 0


def test_a_hidden_data_set_answers_as_one_that_is_not_there(rivers: Towns) -> None:
    rivers.close()
    messages = []
    for slug in (SLUG, "nothing"):
        with pytest.raises(NotFound) as refused:
            within(rivers.neighbour.visibility, slug)
        messages.append(str(refused.value).replace(slug, ""))
    assert messages[0] == messages[1]
