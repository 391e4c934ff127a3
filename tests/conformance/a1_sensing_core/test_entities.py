"""req/datamodel/*: each entity has its mandatory properties, control information and links."""

import pytest

from stadtherz.sensorthings.standard.schema import ENTITY_SETS, EntityType
from stadtherz.sensorthings.tests.client import ROOT, Client
from tests.conformance.sensing import SENSING, links_of

every_type = pytest.mark.parametrize("kind", SENSING.values(), ids=SENSING)


@every_type
def test_a_set_shows_mandatory_properties_and_links(city: Client, kind: EntityType) -> None:
    """req/datamodel/<entity>/properties and relations, req/resource-path/resource-path-to-entities"""
    entities = city.get(f"/{kind.plural}").value
    assert entities
    for entity in entities:
        address = f"{ROOT}/{kind.plural}({entity['@iot.id']})"
        assert entity["@iot.selfLink"] == address
        assert {p.name for p in kind.properties if p.required} <= entity.keys()
        for link in links_of(kind):
            if (kind.name, link.name) != (
                "Observation",
                "MultiDatastream",
            ):  # all are of Datastreams
                assert entity[f"{link.name}@iot.navigationLink"] == f"{address}/{link.name}"


@every_type
def test_one_entity_looks_as_in_its_set(city: Client, kind: EntityType) -> None:
    first = city.get(f"/{kind.plural}").value[0]
    assert city.get(first["@iot.selfLink"]).json == first


@every_type
def test_an_unknown_id_is_not_found(city: Client, kind: EntityType) -> None:
    for key in ("999999", "'x'", "-1", "9" * 30):
        reply = city.get(f"/{kind.plural}({key})")
        assert (reply.status, reply.json["code"]) == (404, 404)


@every_type
def test_navigation_links_lead_to_the_linked_entities(city: Client, kind: EntityType) -> None:
    entity = city.get(f"/{kind.plural}").value[0]
    for link in links_of(kind):
        if (kind.name, link.name) == ("Observation", "MultiDatastream"):
            assert f"{link.name}@iot.navigationLink" not in entity, "it is of a Datastream"
            continue
        reply = city.get(entity[f"{link.name}@iot.navigationLink"])
        if (kind.name, link.name) != ("MultiDatastream", "Observations"):  # it has none yet
            assert reply.value if link.many else reply.json["@iot.id"]


def test_the_service_root_lists_all_sets_and_what_is_kept(visitor: Client) -> None:
    """req/resource-path/resource-path-to-entities, §9.2.1"""
    document = visitor.get("/").json
    assert {entry["name"]: entry["url"] for entry in document["value"]} == {
        name: f"{ROOT}/{name}" for name in ENTITY_SETS
    }
    claimed = document["serverSettings"]["conformance"]
    assert "http://www.opengis.net/spec/iot_sensing/1.1/req/datamodel" in claimed
    assert visitor.get("").json == document


def test_extents_of_a_datastream_follow_its_observations(city: Client) -> None:
    """req/datamodel/datastream/properties: phenomenonTime and resultTime"""
    stream = city.get("/Datastreams").value[0]
    assert stream["phenomenonTime"] == "2026-01-01T06:00:00.000Z/2026-02-03T12:00:00.000Z"
    assert stream["resultTime"] == "2026-01-01T06:00:00.000Z/2026-02-03T12:00:00.000Z"


def test_results_come_back_with_the_type_they_had(city: Client) -> None:
    """req/datamodel/observation/properties: result of any type"""
    results = [o["result"] for o in city.get("/Observations?$orderby=id").value]
    assert results == [1, 2.5, 4, 10, 20, -3, "high", True, {"state": "ok"}]
    assert [type(r) for r in results[:3]] == [int, float, int]
