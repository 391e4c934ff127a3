"""req/data-array/data-array: CreateObservations, many readings in one request (18-088 §12.2)."""

from collections.abc import Callable
from typing import Any

import pytest

from stadtherz.base.time import now
from stadtherz.base.visibility import SYSTEM
from stadtherz.sensorthings.standard.schema import DATASTREAM
from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import ROOT, Client, Reply, member
from stadtherz.store.public import create_organisation, update

_TIMES = ["2027-01-01T00:00:00.000Z", "2027-01-01T01:00:00.000Z", "2027-01-01T02:00:00.000Z"]
_PLAIN = ["phenomenonTime", "result"]
Send = Callable[..., Reply]


def group(stream: int, components: list[str], *rows: list[Any]) -> dict[str, Any]:
    return {
        "Datastream": {"@iot.id": stream},
        "components": components,
        "dataArray@iot.count": len(rows),
        "dataArray": list(rows),
    }


@pytest.fixture
def streams(city: Client) -> list[int]:
    return city.get("/Datastreams").ids


def created(client: Client, *groups: dict[str, Any]) -> list[str]:
    reply = client.post("/CreateObservations", list(groups))
    assert reply.status == 201, reply.body
    links: list[str] = reply.json
    return links


def results(client: Client, links: list[str]) -> list[Any]:
    return ["error" if link == "error" else client.get(link).json["result"] for link in links]


def test_each_row_becomes_an_observation_of_its_datastream(
    city: Client, streams: list[int]
) -> None:
    links = created(
        city,
        group(streams[0], _PLAIN, [_TIMES[0], 1], [_TIMES[1], 2.5]),
        group(streams[1], ["result", "phenomenonTime"], [3, _TIMES[2]]),
    )
    assert [link.rpartition("(")[0] for link in links] == [f"{ROOT}/Observations"] * 3
    assert results(city, links) == [1, 2.5, 3]
    assert [city.get(link).json["phenomenonTime"] for link in links] == _TIMES
    owners = [city.get(f"{link}/Datastream").json["@iot.id"] for link in links]
    assert owners == [streams[0], streams[0], streams[1]]


@pytest.mark.parametrize("result", [5, "high"], ids=["plain", "not plain"])
def test_a_row_is_kept_as_the_same_single_post_would_be(
    city: Client, streams: list[int], result: Any
) -> None:
    names = ["phenomenonTime", "resultTime", "result"]
    row = [f"{_TIMES[0]}/2027-01-01T03:00:00+02:00", "2027-01-02T00:00:00.5Z", result]
    (link,) = created(city, group(streams[0], names, row))
    single = city.post(
        f"/Datastreams({streams[0]})/Observations", dict(zip(names, row, strict=True))
    )
    bulk = city.get(link).json
    assert _without_key(bulk) == _without_key(single.json)
    for name in ("Datastream", "FeatureOfInterest"):
        address = single.headers["location"]
        assert city.get(f"{link}/{name}").json == city.get(f"{address}/{name}").json


def _without_key(entity: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in entity.items() if "@iot" not in k}


def test_every_property_can_be_a_component(city: Client, streams: list[int]) -> None:
    feature = city.post("/FeaturesOfInterest", bodies.feature()).key
    sent = {
        "phenomenonTime": _TIMES[0],
        "resultTime": _TIMES[1],
        "result": {"state": "ok"},
        "resultQuality": "good",
        "validTime": f"{_TIMES[0]}/{_TIMES[1]}",
        "parameters": {"a": [1]},
    }
    names = [*sent, "FeatureOfInterest/id"]
    (link,) = created(city, group(streams[0], names, [*sent.values(), feature]))
    assert sent.items() <= city.get(link).json.items()
    assert city.get(f"{link}/FeatureOfInterest").json["@iot.id"] == feature


def test_without_a_phenomenon_time_it_is_now(city: Client, streams: list[int]) -> None:
    today = now().date().isoformat()
    links = created(city, group(streams[0], ["result"], [1]), group(streams[1], _PLAIN, [None, 2]))
    assert all(city.get(link).json["phenomenonTime"] >= today for link in links)


@pytest.mark.parametrize(
    "row",
    [
        ["yesterday", 1],
        ["2027-02-30T00:00:00Z", 1],
        [f"{_TIMES[1]}/{_TIMES[0]}", 1],
        [5, 1],
        [_TIMES[0]],
        [_TIMES[0], 1, 2],
        "row",
        None,
        [_TIMES[0], "NUL \0"],
    ],
)
def test_a_wrong_row_is_an_error_in_its_place_and_the_others_are_kept(
    city: Client, streams: list[int], row: Any
) -> None:
    links = created(
        city, group(streams[0], _PLAIN, [_TIMES[0], 1], row), group(streams[1], _PLAIN, [None, 3])
    )
    assert results(city, links) == [1, "error", 3]
    assert city.get("/Observations?$count=true&$top=0").json["@iot.count"] == 9 + 2


@pytest.mark.parametrize("stream", [4711, "4711", "x", None, -1, 2**63, {}])
def test_rows_of_a_datastream_that_is_not_there_are_errors(
    city: Client, streams: list[int], stream: Any
) -> None:
    links = created(
        city,
        group(stream, _PLAIN, [_TIMES[0], 1], [_TIMES[0], 2]),
        group(streams[0], _PLAIN, [_TIMES[0], 3]),
    )
    assert results(city, links) == ["error", "error", 3]


@pytest.mark.parametrize("feature", [4711, "x", 1.5, {}, True])
def test_a_feature_that_is_not_there_is_an_error(
    city: Client, streams: list[int], feature: Any
) -> None:
    names = [*_PLAIN, "FeatureOfInterest/id"]
    links = created(city, group(streams[0], names, [_TIMES[0], 1, feature], [_TIMES[0], 2, None]))
    assert results(city, links) == ["error", 2]


def test_a_thing_without_a_place_needs_rows_that_name_a_feature(api: Client) -> None:
    assert api.post("/Things", bodies.thing(Datastreams=[bodies.datastream()])).status == 201
    (stream,) = api.get("/Datastreams").ids
    feature = api.post("/FeaturesOfInterest", bodies.feature()).key
    names = [*_PLAIN, "FeatureOfInterest/id"]
    links = created(
        api,
        group(stream, _PLAIN, [_TIMES[0], 1]),
        group(stream, names, [_TIMES[0], 2, feature], [_TIMES[0], 3, None]),
    )
    assert results(api, links) == ["error", 2, "error"]


def test_what_may_not_be_seen_or_changed_takes_no_rows(
    city: Client, visitor: Client, streams: list[int]
) -> None:
    other = Client(member(create_organisation("village", "Village")))
    rows = group(streams[0], _PLAIN, [_TIMES[0], 1])
    assert created(other, rows) == ["error"]
    hidden = city.get(f"/Datastreams({streams[0]})/Thing").json["@iot.id"]
    update("Thing", hidden, {"access": "organisation"}, SYSTEM)
    assert created(other, rows) == ["error"]
    assert visitor.post("/CreateObservations", [rows]).status == 401
    assert results(city, created(city, rows)) == [1]


def test_what_was_read_as_a_data_array_can_be_sent_as_one(city: Client, streams: list[int]) -> None:
    address = f"/Datastreams({streams[0]})/Observations?$resultFormat=dataArray"
    (read,) = city.get(address).value
    sent = group(streams[1], read["components"], *read["dataArray"])
    assert results(city, created(city, sent)) == [1, 2.5, 4]


def _broken(**change: Any) -> list[Any]:
    return [{**group(1, _PLAIN, [_TIMES[0], 1]), **change}]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "list"),
        ([1], "[0]"),
        (_broken(Datastream=None), "[0]/Datastream"),
        (_broken(Datastream={}), "[0]/Datastream"),
        (_broken(dataArray={}), "[0]/dataArray"),
        (_broken(components="result"), "[0]/components"),
        (_broken(components=[1]), "[0]/components"),
        (_broken(components=["phenomenonTime"]), "result"),
        (_broken(components=["result", "result"]), "twice"),
        (_broken(components=["result", "colour"]), "colour"),
    ],
)
def test_a_body_that_is_none_is_refused_as_a_whole(city: Client, body: Any, named: str) -> None:
    stream = city.get("/Datastreams").ids[0]
    first = [group(stream, _PLAIN, [_TIMES[0], 1])] if isinstance(body, list) else []
    reply = city.post("/CreateObservations", [*body, *first] if isinstance(body, list) else body)
    assert (reply.status, named in reply.message) == (400, True), reply.body
    assert city.get("/Observations?$count=true&$top=0").json["@iot.count"] == 9


def test_nothing_to_create_is_no_mistake(city: Client, streams: list[int]) -> None:
    assert created(city) == []
    assert created(city, group(streams[0], _PLAIN)) == []


def test_too_many_rows_are_refused(city: Client, streams: list[int]) -> None:
    rows = [[1]] * 50_001
    assert city.post("/CreateObservations", [group(streams[0], ["result"], *rows)]).status == 413


def test_it_takes_only_json_by_post(city: Client) -> None:
    reply = city.request("POST", "/CreateObservations", b"[]", content_type="text/csv")
    assert reply.status == 415
    for method in ("PATCH", "PUT", "DELETE"):
        reply = city.request(method, "/CreateObservations", b"[]")
        assert (reply.status, "POST" in reply.headers["allow"]) == (405, True)


def test_the_datastream_knows_the_times_of_its_new_readings(
    city: Client, streams: list[int]
) -> None:
    created(city, group(streams[0], _PLAIN, [_TIMES[2], 1], [_TIMES[0], 2]))
    times = city.get(f"/{DATASTREAM.plural}({streams[0]})").json["phenomenonTime"]
    assert times == f"2026-01-01T06:00:00.000Z/{_TIMES[2]}"
