"""conf/datamodel/core/*: each entity has its attributes and links, as version 2.0 spells them."""

import pytest

from stadtherz.sensorthings.standard.faces import V1_1, V2_0
from stadtherz.sensorthings.standard.schema import MODELS, EntityType
from stadtherz.sensorthings.tests.client import HOST, Client, in_version_2

ROOT = HOST + V2_0.prefix
TYPES = {entity.plural: entity for entity in MODELS["2.0"].values()}
every_type = pytest.mark.parametrize("kind", TYPES.values(), ids=TYPES)


@pytest.fixture
def city2(city: Client) -> Client:
    """The city of the other tests, looked at in version 2.0, where its features have a type."""
    found = in_version_2(city)
    river = found.post("/FeatureTypes", {"name": "River"}).key
    for stream in found.get("/Datastreams").value:
        feature = found.get("/Features?$top=1&$orderby=id").value[0]["id"]
        about = {"@id": f"Features({feature})"}
        links = {"ProximateFeatureOfInterest": about, "UltimateFeaturesOfInterest": [about]}
        assert found.patch(stream["@id"], links).status == 204
        types = {"FeatureTypes": [{"@id": f"FeatureTypes({river})"}]}
        assert found.patch(f"/{about['@id']}", types).status == 204
    return found


@every_type
def test_an_entity_has_its_attributes_and_links(city2: Client, kind: EntityType) -> None:
    """conf/datamodel/core/<entity>"""
    entities = city2.get(f"/{kind.plural}").value
    assert entities
    for entity in entities:
        address = f"{ROOT}/{kind.plural}({entity['id']})"
        assert entity["@id"] == address
        assert {p.name for p in kind.properties if p.required} <= entity.keys()
        for link in kind.links:
            assert entity[f"{link.name}@navigationLink"] == f"{address}/{link.name}"
        assert not [name for name in entity if "iot" in name]


@every_type
def test_one_entity_looks_as_in_its_set(city2: Client, kind: EntityType) -> None:
    first = city2.get(f"/{kind.plural}").value[0]
    context = {"@context": f"{ROOT}/$metadata#{kind.plural}/$entity"}
    assert city2.get(first["@id"]).json == context | first


@every_type
def test_navigation_links_lead_to_the_linked_entities(city2: Client, kind: EntityType) -> None:
    entity = city2.get(f"/{kind.plural}").value[0]
    for link in kind.links:
        reply = city2.get(entity[f"{link.name}@navigationLink"])
        assert reply.value if link.many else reply.json["id"]


def test_times_are_objects(city2: Client) -> None:
    """conf/datamodel/core/observation, datastream: TM_Object and TM_Period"""
    observation = city2.get("/Observations?$orderby=id").value[0]
    assert observation["phenomenonTime"] == {"start": "2026-01-01T06:00:00.000Z"}
    assert observation["resultTime"] == "2026-01-01T06:00:00.000Z"
    whole = {"start": "2026-01-01T06:00:00.000Z", "end": "2026-02-03T12:00:00.000Z"}
    stream = city2.get("/Datastreams").value[0]
    assert (stream["phenomenonTime"], stream["resultTime"]) == (whole, whole)


def test_parameters_and_quality_are_properties_of_an_observation(
    city: Client, city2: Client
) -> None:
    stream = city.get("/Datastreams").ids[0]
    body = {"result": 1, "parameters": {"battery": 3}, "resultQuality": "good"}
    key = city.post(f"/Datastreams({stream})/Observations", body).key
    for address in (f"/Observations({key})", f"/Observations?$filter=id eq {key}"):
        reply = city2.get(address).json
        shown = reply if "id" in reply else reply["value"][0]
        assert shown["properties"] == {"battery": 3, "resultQuality": "good"}
    found = city2.get("/Observations?$filter=properties/resultQuality eq 'good'").value
    assert [each["id"] for each in found] == [key]


def test_a_result_type_is_made_from_the_unit_of_version_1(city2: Client) -> None:
    """conf/datamodel/core/datastream: resultType"""
    stream = city2.get("/Datastreams?$expand=ObservedProperties").value[0]
    (observed,) = stream["ObservedProperties"]
    assert stream["resultType"] == {
        "type": "Quantity",
        "label": stream["name"],
        "definition": f"ObservedProperties({observed['id']})",
        "uom": {"label": "centimetre", "symbol": "cm", "code": "cm"},
    }


def test_a_description_that_is_empty_is_not_there(city: Client, city2: Client) -> None:
    key = city.post("/Things", {"name": "bare", "description": ""}).key
    assert "description" not in city2.get(f"/Things({key})").json


def test_the_other_face_still_speaks_version_1(city: Client) -> None:
    entity = city.get("/Features").status, city.get("/FeaturesOfInterest").value[0]
    assert entity[0] == 404
    assert entity[1]["@iot.selfLink"].startswith(HOST + V1_1.prefix)
