"""req/data-array/data-array: sets of Observations as arrays (18-088 §12)."""

from typing import Any

import pytest

from stadtherz.base.visibility import SYSTEM
from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import ROOT, Client
from stadtherz.store.public import update

_ALL = ["id", "phenomenonTime", "resultTime", "result", "resultQuality", "validTime", "parameters"]
_AS_ARRAY = "$resultFormat=dataArray"


def rows(group: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a group by the names of its components."""
    assert group["dataArray@iot.count"] == len(group["dataArray"])
    names = group["components"]
    return [dict(zip(names, row, strict=True)) for row in group["dataArray"]]


def test_a_datastream_is_one_group_of_rows(city: Client) -> None:
    stream = city.get("/Datastreams").ids[0]
    (group,) = city.get(f"/Datastreams({stream})/Observations?{_AS_ARRAY}").value
    assert group["Datastream@iot.navigationLink"] == f"{ROOT}/Datastreams({stream})"
    assert group["components"] == _ALL
    assert [row["result"] for row in rows(group)] == [1, 2.5, 4]


def test_a_row_says_what_the_entity_says(city: Client) -> None:
    for group in city.get(f"/Observations?{_AS_ARRAY}").value:
        for row in rows(group):
            entity = city.get(f"/Observations({row.pop('id')})").json
            assert {k: v for k, v in row.items() if v is not None} == {
                k: v for k, v in entity.items() if "@" not in k
            }


@pytest.mark.parametrize("order", ["phenomenonTime", "phenomenonTime desc", "result", "id desc"])
def test_all_observations_are_grouped_by_datastream_in_order(city: Client, order: str) -> None:
    entities = city.get(f"/Observations?$orderby={order}&$expand=Datastream($select=id)").value
    expected: dict[int, list[int]] = {}
    for entity in entities:
        expected.setdefault(entity["Datastream"]["@iot.id"], []).append(entity["@iot.id"])
    groups = city.get(f"/Observations?$orderby={order}&{_AS_ARRAY}").value
    found = {
        int(group["Datastream@iot.navigationLink"].rpartition("(")[2][:-1]): group
        for group in groups
    }
    assert list(found) == list(expected)
    assert {k: [row["id"] for row in rows(g)] for k, g in found.items()} == expected


@pytest.mark.parametrize(
    ("selected", "components"),
    [
        ("result", ["result"]),
        ("result,phenomenonTime", ["result", "phenomenonTime"]),
        ("@iot.id,parameters", ["@iot.id", "parameters"]),
        ("id,Datastream,FeatureOfInterest", ["id", "FeatureOfInterest/id"]),
        ("@iot.selfLink", ["@iot.selfLink"]),
        ("Datastream", []),
    ],
)
def test_select_chooses_the_components_and_their_order(
    city: Client, selected: str, components: list[str]
) -> None:
    stream = city.get("/Datastreams").ids[0]
    (group,) = city.get(f"/Datastreams({stream})/Observations?$select={selected}&{_AS_ARRAY}").value
    assert group["components"] == components
    assert len(rows(group)) == 3


def test_selected_features_and_links_are_those_of_the_entities(city: Client) -> None:
    groups = city.get(f"/Observations?$select=id,FeatureOfInterest,@iot.selfLink&{_AS_ARRAY}").value
    for row in (row for group in groups for row in rows(group)):
        entity = city.get(row["@iot.selfLink"]).json
        feature = city.get(f"{row['@iot.selfLink']}/FeatureOfInterest").json
        assert (row["id"], row["FeatureOfInterest/id"]) == (entity["@iot.id"], feature["@iot.id"])


@pytest.mark.parametrize("set_of", ["Observations", "Datastreams({})/Observations"])
def test_next_links_lead_through_all_rows(city: Client, set_of: str) -> None:
    address = f"/{set_of.format(city.get('/Datastreams').ids[1])}"
    whole = city.get(f"{address}?$orderby=result desc").ids
    address += f"?$orderby=result desc&$top=2&{_AS_ARRAY}&$count=true"
    collected = []
    while address:
        reply = city.get(address)
        assert reply.json["@iot.count"] == len(whole)
        collected += [row["id"] for group in reply.value for row in rows(group)]
        address = reply.json.get("@iot.nextLink", "")
        assert not address or "dataArray" in address
    assert sorted(collected) == sorted(whole)
    assert len(collected) == len(set(collected))


def test_filter_skip_and_an_empty_answer(city: Client) -> None:
    (group,) = city.get(f"/Observations?$filter=result eq 20&{_AS_ARRAY}").value
    assert [row["result"] for row in rows(group)] == [20]
    assert city.get(f"/Observations?$skip=100&{_AS_ARRAY}").json == {"value": []}
    assert city.get(f"/Observations?$top=0&$count=true&{_AS_ARRAY}").json == {
        "@iot.count": 9,
        "value": [],
    }


def test_numbers_texts_documents_and_times_keep_their_form(api: Client) -> None:
    results = (6.0, -0.0, 0.1, 1e300, "ä\n", True, None, {"a": [1, None]}, 2**53)
    readings = [bodies.observation(r, f"2026-01-01T00:00:0{i}Z") for i, r in enumerate(results)]
    readings[0] |= {
        "phenomenonTime": "2026-01-01T00:00:00.123456Z/2026-01-02T00:00:00Z",
        "resultTime": "0999-12-31T23:59:59.999+00:00",
        "resultQuality": [{"a": "good"}],
        "validTime": "2026-01-01T00:00:00Z/2026-01-02T00:00:00Z",
    }
    city_of_one = bodies.station(results=())
    city_of_one["Datastreams"][0]["Observations"] = readings
    assert api.post("/Things", city_of_one).status == 201
    address = "/Observations?$orderby=phenomenonTime"
    (group,) = api.get(f"{address}&{_AS_ARRAY}").value
    found = rows(group)
    assert [row["result"] for row in found] == [6, 0, *results[2:]]
    assert type(found[0]["result"]) is int
    assert found[0]["phenomenonTime"] == "2026-01-01T00:00:00.123456Z/2026-01-02T00:00:00.000Z"
    assert found[0]["resultTime"] == "0999-12-31T23:59:59.999Z"
    assert found[0]["resultQuality"] == [{"a": "good"}]
    assert found[1]["validTime"] is None
    entities = api.get(address).value
    expanded = api.get(f"{address}&$expand=Datastream").value
    for entity in expanded:
        del entity["Datastream"]
    assert entities == expanded


def test_what_may_not_be_seen_is_in_no_group(city: Client, visitor: Client) -> None:
    stream, *others = city.get("/Datastreams").ids
    hidden = city.get(f"/Datastreams({stream})/Thing").json["@iot.id"]
    update("Thing", hidden, {"access": "organisation"}, SYSTEM)
    assert len(visitor.get(f"/Observations?{_AS_ARRAY}").value) == len(others)
    assert len(city.get(f"/Observations?{_AS_ARRAY}").value) == len(others) + 1
    assert visitor.get(f"/Datastreams({stream})/Observations?{_AS_ARRAY}").status == 404


@pytest.mark.parametrize(
    "address",
    [
        "/Things?$resultFormat=dataArray",
        "/Observations/$ref?$resultFormat=dataArray",
        "/Observations?$resultFormat=dataArray&$expand=Datastream",
        "/Datastreams?$expand=Observations($resultFormat=dataArray)",
        "/Observations?$resultFormat=dataArray&$resultFormat=dataArray",
    ],
)
def test_where_a_data_array_has_no_place_it_is_refused(city: Client, address: str) -> None:
    reply = city.get(address)
    assert (reply.status, "$resultFormat" in reply.message) == (400, True)


def test_an_unknown_format_is_refused_and_the_known_ones_are_named(city: Client) -> None:
    reply = city.get("/Observations?$resultFormat=XML")
    assert (reply.status, "dataArray" in reply.message) == (400, True)
