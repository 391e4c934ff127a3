"""req/resource-path/resource-path-to-entities: usage 1 to 8 of 18-088 §9.2."""

import itertools

import pytest

from stadtherz.sensorthings.standard.schema import EntityType, target
from stadtherz.sensorthings.tests.bodies import thing
from stadtherz.sensorthings.tests.client import ROOT, Client
from tests.conformance.sensing import SENSING, links_of


def _paths(city: Client, kind: EntityType, path: str, depth: int) -> list[str]:
    """All paths over links to `depth`, picking the first entity of each set."""
    paths = []
    for link in links_of(kind):
        if "MultiDatastream" in (kind.name, link.name):
            continue  # those have no Observations yet
        paths.append(f"{path}/{link.name}")
        here = paths[-1]
        if link.many:
            here += f"({city.get(here).ids[0]})"
        if depth > 1:
            paths += _paths(city, target(link), here, depth - 1)
    return paths


@pytest.mark.parametrize("name", ["Things", "Observations"])
def test_paths_up_to_four_levels_answer(city: Client, name: str) -> None:
    key = city.get(f"/{name}").ids[0]
    paths = _paths(city, SENSING[name], f"/{name}({key})", 3)
    assert len(paths) > 15
    for path in itertools.islice(paths, 120):
        assert city.get(path).status == 200, path


def test_a_property_is_shown_by_its_name(city: Client) -> None:
    key = city.get("/Things").ids[0]
    assert city.get(f"/Things({key})/name").json == {"name": "Lauter"}
    assert city.get(f"/Things({key})/id").json == {"@iot.id": key}
    assert city.get(f"/Things({key})/properties/river/name").json == {"name": "Lauter river"}
    assert city.get(f"/Things({key})/properties/tags/1").json == {"1": "Lauter"}


def test_a_raw_value_is_plain_text_or_json(city: Client) -> None:
    key = city.get("/Things").ids[0]
    name = city.get(f"/Things({key})/name/$value")
    assert (name.body, name.content_type) == (b"Lauter", "text/plain; charset=utf-8")
    assert city.get(f"/Things({key})/properties/depth/$value").body == b"1"
    river = city.get(f"/Things({key})/properties/river/$value")
    assert river.json == {"name": "Lauter river"}
    assert river.content_type.startswith("application/json")


def test_a_property_without_value_is_no_content(api: Client) -> None:
    key = api.post("/Things", thing()).key
    for path in ("properties", "properties/$value", "properties/missing/deep"):
        reply = api.get(f"/Things({key})/{path}")
        assert (reply.status, reply.body) == (204, b"")


def test_references_are_addresses_only(city: Client) -> None:
    """§9.2.7 usage 6: associationLink"""
    key = city.get("/Things").ids[0]
    (stream,) = city.get(f"/Things({key})/Datastreams/$ref").value
    assert stream.keys() == {"@iot.selfLink"}
    assert stream["@iot.selfLink"].startswith(f"{ROOT}/Datastreams(")
    assert city.get(f"/Things({key})/$ref").json == {"@iot.selfLink": f"{ROOT}/Things({key})"}


def test_an_entity_of_another_parent_is_not_below_this_one(city: Client) -> None:
    first, second, _ = city.get("/Things").ids
    (stream,) = city.get(f"/Things({first})/Datastreams").ids
    (reading, *_) = city.get(f"/Datastreams({stream})/Observations").ids
    assert city.get(f"/Things({first})/Datastreams({stream})/Observations({reading})").status == 200
    assert city.get(f"/Things({second})/Datastreams({stream})").status == 404
    (other,) = city.get(f"/Things({second})/Datastreams").ids
    assert city.get(f"/Datastreams({other})/Observations({reading})").status == 404


@pytest.mark.parametrize("key", ["({})", "(id={})", "(@iot.id={})", "( {} )", "(id = {})"])
def test_a_key_may_be_named(city: Client, key: str) -> None:
    """OData 4.01 part 2 §4.3.1"""
    second = city.get("/Things").ids[1]
    found = city.get(f"/Things{key.format(second)}/Datastreams?$expand=Thing")
    assert [stream["Thing"]["@iot.id"] for stream in found.value] == [second]


@pytest.mark.parametrize("key", ["name=1", "Id=1", "id='1'"])
def test_what_is_no_key_finds_nothing(city: Client, key: str) -> None:
    assert city.get(f"/Things({key})").status == 404


@pytest.mark.parametrize(
    "path",
    ["/Nothing", "/things", "/Things(1)/Nothing", "/Things/name", "/Things/Datastreams",
     "/Datastreams(1)/Thing(1)", "/Things(1)/name/deeper", "/Things(1)/Datastreams/name"],
)  # fmt: skip
def test_paths_that_lead_nowhere_are_not_found(city: Client, path: str) -> None:
    assert city.get(path).status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/$value",
        "/Things(1)/$value",
        "/Things()",
        "/Things(id=)",
        "/Things(id=1,name='x')",
        "/Things('1)",
    ],
)
def test_paths_that_make_no_sense_are_refused(city: Client, path: str) -> None:
    assert city.get(path).status == 400


def test_a_trailing_slash_changes_nothing(city: Client) -> None:
    assert city.get("/Things/").json == city.get("/Things").json
