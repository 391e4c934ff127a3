"""A data set has its own URL, below which there is what hangs on its members, and nothing else."""

import re
from typing import Any

import pytest

from stadtherz.base.visibility import AccessLevel
from stadtherz.sensorthings.standard.faces import V1_1, V2_0
from stadtherz.sensorthings.tests.bodies import actuator, capability, feature, observation
from stadtherz.sensorthings.tests.client import HOST, Client, in_version_2
from stadtherz.sensorthings.tests.towns import (
    KINDS,
    SLUG,
    Towns,
    found_dataset,
    manage,
    names,
)

SETS = (*KINDS.values(), "HistoricalLocations", "Observations")
LEVELS = ("Lauter level", "Lauter flow", "Mill level")


@pytest.fixture
def ours(rivers: Towns) -> Client:
    """Somebody of Lautern, who sees all its members."""
    return rivers.below(rivers.owner)


def test_it_holds_its_members_and_what_hangs_on_them(ours: Client) -> None:
    assert names(ours, "Things") == {"Lauter", "Mill"}
    assert names(ours, "Datastreams") == set(LEVELS)
    assert names(ours, "Locations") == {"Lauter place", "Mill place"}
    for plural, word in (
        ("Sensors", "sensor"),
        ("ObservedProperties", "property"),
        ("FeaturesOfInterest", "feature"),
    ):
        assert names(ours, plural) == {f"{name} {word}" for name in LEVELS}
    assert len(ours.get("/Observations").value) == 3
    assert len(ours.get("/HistoricalLocations").value) == 2


def test_both_versions_show_the_same(ours: Client) -> None:
    newer = in_version_2(ours)
    for entity in V2_0.types.values():
        older = next((e for e in V1_1.types.values() if e.kind == entity.kind), None)
        if older is None:  # version 2.0 has it alone
            continue
        shown = [each["id"] for each in newer.get(f"/{entity.plural}").value]
        assert shown == ours.get(f"/{older.plural}").ids, entity.plural


@pytest.mark.parametrize("version_2", [False, True])
def test_every_link_stays_below_its_url(ours: Client, *, version_2: bool) -> None:
    client = in_version_2(ours) if version_2 else ours
    root = HOST + client.prefix
    for plural in [entity.plural for entity in client.face.types.values()]:
        for query in ("$top=1", "$top=1&$expand=" + ",".join(_links(client, plural))):
            found = _addresses(client.get(f"/{plural}?{query}").body.decode())
            assert found or plural not in SETS
            assert all(address.startswith(f"{root}/") for address in found), found
            assert all(client.get(_bare(a)).status in _fitting(a) for a in found if "$" not in a)


def _fitting(address: str) -> tuple[int, ...]:
    """Nothing here has a Party or License (22-022r1), and so there is nothing behind links to these."""
    return (404,) if address.endswith(("/Party", "/License")) else (200, 204)


def _links(client: Client, plural: str) -> list[str]:
    entity = client.face.entity_set(plural)
    assert entity is not None
    return [link.name for link in entity.links]


def _addresses(body: str) -> list[str]:
    return re.findall(r'"(http://city[^"]*)"', body)


def _bare(address: str) -> str:
    return address.partition("#")[0]


def test_pages_follow_each_other_below_its_url(ours: Client) -> None:
    seen, address = [], "/Datastreams?$top=1&$orderby=name desc&$count=true"
    while address:
        reply = ours.get(address)
        assert reply.json["@iot.count"] == 3
        seen += [entity["name"] for entity in reply.value]
        address = reply.json.get("@iot.nextLink", "")
        assert not address or address.startswith(HOST + ours.prefix)
    assert seen == ["Mill level", "Lauter level", "Lauter flow"]


def test_all_options_are_answered(ours: Client, rivers: Towns) -> None:
    def value(address: str) -> Any:
        return ours.get(address).value

    assert ours.get("/Observations/$count").body == b"3"
    assert [row["n"] for row in value("/Observations?$apply=" + _BY_DAY)] == [1, 1, 1]
    arrays = value("/Observations?$resultFormat=dataArray")
    assert [group["dataArray@iot.count"] for group in arrays] == [1, 1, 1]
    expanded = value("/Things?$expand=Datastreams($count=true;$expand=Observations)")
    assert [thing["Datastreams@iot.count"] for thing in expanded] == [2, 1]
    assert names(ours, "Things?$filter=Datastreams/Observations/result ge 1") == {"Mill"}
    newest = value("/Datastreams?$expand=Observations($top=1;$orderby=phenomenonTime desc)")
    assert [len(stream["Observations"]) for stream in newest] == [1, 1, 1]
    mill = rivers.keys["Mill level"]
    assert len(value(f"/Datastreams({mill})/Thing/Locations")) == 1


_BY_DAY = "groupby((bucket(phenomenonTime,'day')),aggregate($count as n))"


@pytest.mark.parametrize("written", ["CSV", "GeoJSON"])
def test_exports_hold_the_same(ours: Client, written: str) -> None:
    text = ours.get(f"/Datastreams?$resultFormat={written}").body.decode()
    assert all(name in text for name in LEVELS)
    assert "secret" not in text
    assert "Elsewhere" not in text


def test_it_describes_itself(ours: Client) -> None:
    root = HOST + ours.prefix
    landing = ours.get("").json
    assert {each["url"] for each in landing["value"]} >= {f"{root}/Things"}
    assert landing["serverSettings"]["datasets"] == {"endpoints": [f"{HOST}/datasets"]}
    assert ours.get("/openapi.json").json["servers"] == [{"url": root}]


def test_who_may_not_see_a_member_sees_nothing_of_it(rivers: Towns) -> None:
    stranger = rivers.below(rivers.stranger)
    for plural in SETS:
        assert stranger.get(f"/{plural}?$count=true").json == {"@iot.count": 0, "value": []}


def test_public_members_are_there_for_everybody(towns: Towns) -> None:
    found_dataset(towns, datastreams=[towns.keys["Elsewhere level"]])
    stranger = towns.below(towns.stranger)
    assert names(stranger, "Things") == {"Elsewhere"}
    assert names(stranger, "Sensors") == {"Elsewhere level sensor"}
    assert len(stranger.get("/Observations").value) == 1


@pytest.mark.parametrize("slug", ["nothing", "Rivers", "..", "rivers%2F", "1", "%"])
def test_what_is_no_data_set_is_not_there(rivers: Towns, slug: str) -> None:
    assert rivers.below(rivers.owner, slug).get("/Things").status == 404


def test_a_data_set_that_one_may_not_read_is_not_there(rivers: Towns) -> None:
    manage(rivers.owner, "PATCH", SLUG, {"access": AccessLevel.ORGANISATION.value})
    for client in (rivers.stranger, rivers.neighbour):
        assert rivers.below(client).get("/Things").status == 404
        assert rivers.below(client).get("").status == 404
        assert manage(client, "GET", SLUG).status == 404
        assert manage(client, "GET").value == []
    assert rivers.below(rivers.owner).get("/Things").status == 200


def test_things_bring_what_they_can_be_told_and_shares_do_not_open_it(rivers: Towns) -> None:
    for name in ("Lauter", "Mill"):
        path = f"/Things({rivers.keys[name]})/TaskingCapabilities"
        body = capability(f"{name} gate", Actuator=actuator(f"{name} motor"))
        assert rivers.owner.post(path, body).status == 201
    ours = rivers.below(rivers.owner)
    assert names(ours, "TaskingCapabilities") == {"Lauter gate"}
    assert names(ours, "Actuators") == {"Lauter motor"}
    assert ours.get("/Tasks").value == []
    rivers.hide_kind("TaskingCapability", "TaskingCapabilities")
    rivers.hide_kind("Actuator", "Actuators")
    rivers.share(contributors=["speyer"])
    for plural in ("TaskingCapabilities", "Actuators", "Tasks"):
        assert rivers.neighbour.get(f"/{plural}").value == []


def test_features_come_and_go_with_readings(rivers: Towns, ours: Client) -> None:
    stream = rivers.keys["Mill level"]
    body = observation(9, "2026-02-01T00:00:00Z", FeatureOfInterest=feature("Weir"))
    key = ours.post(f"/Datastreams({stream})/Observations", body).key
    assert "Weir" in names(ours, "FeaturesOfInterest")
    assert ours.delete(f"/Observations({key})").status == 200
    assert "Weir" not in names(ours, "FeaturesOfInterest")
    assert "Weir" in names(rivers.owner, "FeaturesOfInterest")
    again = body | {"FeatureOfInterest": {"@iot.id": _key(rivers.owner, "Weir")}}
    assert rivers.owner.post(f"/Datastreams({stream})/Observations", again).status == 201
    assert "Weir" in names(ours, "FeaturesOfInterest")


def _key(client: Client, name: str) -> int:
    (found,) = client.get(f"/FeaturesOfInterest?$filter=name eq '{name}'").ids
    return found


def test_what_is_taken_out_is_no_longer_there(rivers: Towns, ours: Client) -> None:
    manage(rivers.owner, "PATCH", SLUG, {"things": []})
    assert names(ours, "Datastreams") == {"Mill level"}
    assert rivers.owner.delete(f"/Datastreams({rivers.keys['Mill level']})").status == 200
    assert all(ours.get(f"/{plural}").value == [] for plural in SETS)
