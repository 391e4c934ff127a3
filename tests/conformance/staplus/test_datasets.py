"""Data sets and shares: of STAplus a data set has the Parties and Licenses of its members, and nothing else."""

from typing import Any

import orjson
import pytest

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client
from stadtherz.sensorthings.tests.towns import Towns, build, found_dataset

_GATHERING = ("Campaigns", "ObservationGroups", "Relations")
_SETS = ("Parties", "Licenses", *_GATHERING)


@pytest.fixture
def towns(db: None) -> Towns:
    """Within the data set are `Mill level` and all of `Lauter`; each datastream has all there is of STAplus."""
    found = build()
    found_dataset(found)
    for name in ("Mill level", "Mill secret"):
        _furnish(found, name)
    for kind, plural in (
        ("Party", "Parties"),
        ("License", "Licenses"),
        ("Campaign", "Campaigns"),
        ("ObservationGroup", "ObservationGroups"),
        ("Relation", "Relations"),
    ):
        found.hide_kind(kind, plural)
    return found


def _furnish(towns: Towns, name: str) -> None:
    api, path = towns.owner, f"/Datastreams({towns.keys[name]})"
    reading = {"@iot.id": api.get(f"{path}/Observations").ids[0]}
    for link, plural, body in (
        ("Party", "Parties", bodies.party(name)),
        ("License", "Licenses", bodies.license_of(name)),
    ):
        key = api.post(f"/{plural}", body).key
        assert api.patch(path, {link: {"@iot.id": key}}).status == 200
    relation = bodies.relation(Subject=reading, externalResource="https://a.example")
    group = bodies.observation_group(name, Observations=[reading], Relations=[relation])
    streams = [{"@iot.id": towns.keys[name]}]
    campaign = bodies.campaign(name, Datastreams=streams, ObservationGroups=[group])
    assert api.post("/Campaigns", campaign).status == 201


@pytest.fixture
def below(towns: Towns) -> Client:
    return towns.below(towns.owner)


def _reading(towns: Towns, name: str) -> int:
    (key,) = towns.owner.get(f"/Datastreams({towns.keys[name]})/Observations").ids
    return key


def test_it_has_the_parties_and_licenses_of_its_members(towns: Towns, below: Client) -> None:
    assert [each["displayName"] for each in below.get("/Parties").value] == ["Mill level"]
    assert [each["name"] for each in below.get("/Licenses").value] == ["Mill level"]
    path = f"/Datastreams({towns.keys['Mill level']})"
    shown = below.get(f"{path}?$expand=Party,License").json
    assert (shown["Party"]["displayName"], shown["License"]["name"]) == ("Mill level",) * 2
    assert below.get("/Datastreams?$filter=License/name eq 'Mill secret'").value == []


def test_parties_of_things_are_there_too(towns: Towns, below: Client) -> None:
    key = towns.owner.post("/Parties", bodies.party("Bob")).key
    assert below.get(f"/Parties({key})").status == 404
    towns.owner.patch(f"/Things({towns.keys['Lauter']})", {"Party": {"@iot.id": key}})
    assert below.get(f"/Parties({key})").json["displayName"] == "Bob"


def test_a_party_in_common_tells_nothing_of_what_is_outside(towns: Towns, below: Client) -> None:
    (key,) = below.get("/Parties").ids
    secret = f"/Datastreams({towns.keys['Mill secret']})"
    assert towns.owner.patch(secret, {"Party": {"@iot.id": key}}).status == 200
    shown = below.get(f"/Parties({key})?$expand=Datastreams($count=true)").json
    assert (shown["Datastreams@iot.count"], len(shown["Datastreams"])) == (1, 1)
    assert below.get("/Parties?$filter=Datastreams/name eq 'Mill secret'").value == []


def test_what_gathers_data_of_anybody_is_not_there(towns: Towns, below: Client) -> None:
    stream = f"/Datastreams({towns.keys['Mill level']})"
    reading = f"/Observations({_reading(towns, 'Mill level')})"
    for plural in _GATHERING:
        assert below.get(f"/{plural}?$count=true").json == {"@iot.count": 0, "value": []}
        for key in towns.owner.get(f"/{plural}").ids:
            assert below.get(f"/{plural}({key})").status == 404
            assert below.patch(f"/{plural}({key})", {"description": "new"}).status == 404
            assert below.delete(f"/{plural}({key})").status == 404
    for way in (f"{stream}/Campaigns", f"{reading}/ObservationGroups", f"{reading}/Objects"):
        assert towns.owner.get(way).ids != []
        assert below.get(way).value == []
    assert below.get("/Datastreams?$filter=Campaigns/name eq 'Mill level'").value == []
    assert below.get("/Observations?$filter=ObservationGroups/name eq 'Mill level'").value == []


def _attempts(towns: Towns) -> list[tuple[str, str, dict[str, Any]]]:
    """To create or link, within the data set, what does not belong to one."""
    stream = {"@iot.id": towns.keys["Mill level"]}
    reading = {"@iot.id": _reading(towns, "Mill level")}
    path = f"/Datastreams({towns.keys['Mill level']})"
    campaign, relation = (
        {"@iot.id": towns.owner.get(f"/{plural}").ids[1]} for plural in ("Campaigns", "Relations")
    )
    related = bodies.relation(Subject=reading, externalResource="https://b.example")
    whole = bodies.datastream(Campaigns=[bodies.campaign("New")])
    return [
        ("POST", "/Campaigns", bodies.campaign("New", Datastreams=[stream])),
        ("POST", f"{path}/Campaigns", bodies.campaign("New")),
        ("POST", "/ObservationGroups", bodies.observation_group("New", Observations=[reading])),
        ("POST", "/Relations", related),
        ("POST", "/Parties", bodies.party("New")),
        ("POST", "/Licenses", bodies.license_of("New")),
        ("POST", "/Things", bodies.thing("New", Datastreams=[whole])),
        ("PATCH", path, {"Campaigns": [campaign]}),
        ("POST", f"{path}/Campaigns/$ref", campaign),
        ("PATCH", f"/Observations({reading['@iot.id']})", {"Objects": [relation]}),
        ("POST", f"/Observations({reading['@iot.id']})/Objects/$ref", relation),
        ("POST", f"{path}/Observations", bodies.observation(Objects=[relation])),
    ]


def test_nothing_of_it_is_created_or_linked_there(towns: Towns, below: Client) -> None:
    def everything() -> list[Any]:
        sets = (*_SETS, "Things", "Datastreams", "Observations")
        return [towns.owner.get(f"/{plural}").value for plural in sets]

    before = everything()
    for method, path, body in _attempts(towns):
        reply = below.request(method, path, orjson.dumps(body))
        assert reply.status in (400, 403), (path, reply.body)
        assert everything() == before, path


def test_members_bring_their_parties_and_licenses(towns: Towns, below: Client) -> None:
    stream = bodies.datastream(Party=bodies.party("Eve"), License=bodies.license_of("CC0"))
    body = bodies.thing("Weir", Party=bodies.party("Bob"), Datastreams=[stream])
    assert below.post("/Things", body).status == 201
    assert {"Bob", "Eve"} < {each["displayName"] for each in below.get("/Parties").value}
    assert "CC0" in {each["name"] for each in below.get("/Licenses").value}


def test_shares_open_readings_and_not_who_measures_or_what_gathers(towns: Towns) -> None:
    reading = _reading(towns, "Mill level")
    towns.share(readers=["speyer"])
    for plural in _SETS:
        assert towns.neighbour.get(f"/{plural}").value == []
    assert towns.neighbour.get(f"/Observations({reading})").status == 200
    assert towns.neighbour.get(f"/Datastreams({towns.keys['Mill level']})/Party").status == 404


def test_groups_are_made_of_what_is_shared_and_lose_it_with_the_share(towns: Towns) -> None:
    shared, secret = _reading(towns, "Mill level"), _reading(towns, "Mill secret")
    named = {"Observations": [{"@iot.id": shared}]}
    body = bodies.observation_group("Theirs", **named)
    assert towns.neighbour.post("/ObservationGroups", body).status == 400
    towns.share(readers=["speyer"])
    key = towns.neighbour.post("/ObservationGroups", body).key
    path = f"/ObservationGroups({key})"
    assert towns.neighbour.get(f"{path}/Observations").ids == [shared]
    assert towns.stranger.get(path).status == 404
    hidden = {"Observations": [{"@iot.id": secret}]}
    assert towns.neighbour.patch(path, hidden).status == 400
    related = bodies.relation(Subject={"@iot.id": secret}, externalResource="https://b.example")
    assert towns.neighbour.post("/Relations", related).status == 400
    towns.share(readers=[])
    assert towns.neighbour.get(f"{path}/Observations").ids == []
    assert towns.neighbour.get("/ObservationGroups?$filter=Observations/result ge 0").ids == []
