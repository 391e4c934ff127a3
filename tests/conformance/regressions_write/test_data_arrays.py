"""CreateObservations and what is odd in it, and Observations of MultiDatastreams (18-088 §11, §12)."""

from typing import Any

import pytest

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import ROOT, Client, member
from stadtherz.store.public import create_organisation

_TIMES = [f"2026-01-01T{hour:02}:00:00.000Z" for hour in range(6)]
_NAMES = ["phenomenonTime", "result"]


@pytest.fixture
def stream(api: Client) -> int:
    place = bodies.thing(Locations=[bodies.location()])
    return api.post("/Datastreams", bodies.datastream(Thing=place)).key


@pytest.fixture
def multi(api: Client) -> int:
    place = bodies.thing(Locations=[bodies.location()])
    return api.post("/MultiDatastreams", bodies.multi_datastream(Thing=place)).key


def _group(stream: Any, *rows: Any, names: Any = _NAMES, **more: Any) -> dict[str, Any]:
    own = {"Datastream": {"@iot.id": stream}, "components": names, "dataArray": list(rows)}
    return own | more


def _created(api: Client, *groups: Any) -> list[str]:
    reply = api.post("/CreateObservations", list(groups))
    assert reply.status == 201, reply.body
    links: list[str] = reply.json
    return links


_COMPONENTS: dict[str, tuple[list[str], list[Any]]] = {
    "the result alone": (["result"], [5]),
    "in the usual order": (_NAMES, [_TIMES[0], 5]),
    "in another order": (["result", "phenomenonTime"], [5, _TIMES[0]]),
    "with an id that is not read": (["id", *_NAMES], [4711, _TIMES[0], 5]),
    "with a control id": (["@iot.id", *_NAMES], [4711, _TIMES[0], 5]),
    "with a link that is not read": (["@iot.selfLink", *_NAMES], ["x", _TIMES[0], 5]),
    "with nulls": ([*_NAMES, "resultTime", "validTime"], [_TIMES[0], 5, None, None]),
    "with a result time": ([*_NAMES, "resultTime"], [_TIMES[0], 5, _TIMES[1]]),
    "with a valid time": (["validTime", *_NAMES], [f"{_TIMES[0]}/{_TIMES[1]}", _TIMES[0], 5]),
    "with an interval": (_NAMES, [f"{_TIMES[0]}/{_TIMES[1]}", 5]),
    "with quality": ([*_NAMES, "resultQuality"], [_TIMES[0], 5, {"q": [None]}]),
    "with parameters": ([*_NAMES, "parameters"], [_TIMES[0], 5, {"p": {"a": None}}]),
    "with no feature": ([*_NAMES, "FeatureOfInterest/id"], [_TIMES[0], 5, None]),
}


@pytest.mark.parametrize(("names", "row"), _COMPONENTS.values(), ids=_COMPONENTS)
def test_components_in_any_order(
    api: Client, stream: int, names: list[str], row: list[Any]
) -> None:
    links = _created(api, _group(stream, row, row, names=names))
    assert len(set(links)) == 2
    shown = api.get(links[0]).json
    sent = dict(zip(names, row, strict=True))
    known = [name for name in names if "/" not in name and name != "id" and "@" not in name]
    assert {name: shown.get(name) for name in known} == {name: sent[name] for name in known}
    assert api.get(f"{links[0]}/FeatureOfInterest").status == 200


_ROWS: dict[str, Any] = {
    "no list": 5,
    "null": None,
    "an object": {"result": 5},
    "empty": [],
    "too short": [_TIMES[0]],
    "too long": [_TIMES[0], 5, 6],
    "no time": ["yesterday", 5],
    "a number as time": [5, 5],
    "reversed": [f"{_TIMES[1]}/{_TIMES[0]}", 5],
    "out of the calendar": ["9999-12-31T23:59:59-01:00", 5],
    "NUL": [_TIMES[0], "a\0"],
    "NUL inside": [_TIMES[0], {"a": ["\0"]}],
}


@pytest.mark.parametrize("place", [0, 1, 2], ids=["first", "between", "last"])
@pytest.mark.parametrize("wrong", _ROWS.values(), ids=_ROWS)
def test_a_wrong_row_is_an_error_in_its_place(
    api: Client, stream: int, wrong: Any, place: int
) -> None:
    rows: list[Any] = [[_TIMES[1], 1], [_TIMES[2], 2]]
    rows.insert(place, wrong)
    links = _created(api, _group(stream, *rows))
    assert [link == "error" for link in links] == [n == place for n in range(3)]
    assert len(api.get(f"/Datastreams({stream})/Observations").value) == 2


_GROUPS: dict[str, Any] = {
    "a text": "group",
    "a list": [],
    "no stream": {"components": _NAMES, "dataArray": []},
    "a stream without id": _group(1) | {"Datastream": {"name": "x"}},
    "a stream as a number": _group(1) | {"Datastream": 1},
    "no components": {"Datastream": {"@iot.id": 1}, "dataArray": []},
    "components as a text": _group(1, names="result"),
    "numbers as components": _group(1, names=[1]),
    "no result": _group(1, names=["phenomenonTime"]),
    "a component twice": _group(1, names=["result", "result"]),
    "an unknown component": _group(1, names=["result", "colour"]),
    "no rows": {"Datastream": {"@iot.id": 1}, "components": _NAMES},
    "rows as an object": _group(1) | {"dataArray": {}},
}


@pytest.mark.parametrize("group", _GROUPS.values(), ids=_GROUPS)
def test_a_wrong_group_refuses_all(api: Client, stream: int, group: Any) -> None:
    reply = api.post("/CreateObservations", [_group(stream, [_TIMES[0], 1]), group])
    assert (reply.status, "[1]" in reply.message) == (400, True), reply.body
    assert api.get("/Observations").value == []


@pytest.mark.parametrize("count", [0, 1, 2, 99, None, "2"])
def test_a_count_is_not_trusted(api: Client, stream: int, count: Any) -> None:
    group = _group(stream, [_TIMES[0], 1], [_TIMES[1], 2], **{"dataArray@iot.count": count})
    assert len(_created(api, group)) == 2


def test_several_streams_of_both_kinds_mix(api: Client, stream: int, multi: int) -> None:
    other = _group(multi, [_TIMES[0], [1, True]], [_TIMES[1], 5])
    other["MultiDatastream"] = other.pop("Datastream")
    groups = [
        _group(stream, [_TIMES[0], 1]),
        other,
        _group(stream, [_TIMES[1], "a"]),
        _group(999_999, [_TIMES[0], 1]),
    ]
    links = _created(api, *groups)
    assert [link == "error" for link in links] == [False, False, True, False, True]
    assert all(link.startswith(f"{ROOT}/Observations(") for link in links if link != "error")
    found = [api.get(link).json["result"] for link in links if link != "error"]
    assert found == [1, [1, True], "a"]


def test_neither_strangers_nor_the_invisible_are_told_apart(api: Client, stream: int) -> None:
    stranger = Client(member(create_organisation("elsewhere", "Elsewhere")))
    rows = [_group(stream, [_TIMES[0], 1]), _group(999_999, [_TIMES[0], 1])]
    assert _created(stranger, *rows) == ["error", "error"]
    assert api.get("/Observations").value == []


# --- MultiDatastreams ----------------------------------------------------------------------------------


_PARTS: dict[str, tuple[Any, int]] = {
    "as many": ([21.5, True], 201),
    "with null": ([None, None], 201),
    "of other types": (["a", {"b": 1}], 201),
    "too few": ([1], 400),
    "too many": ([1, True, 2], 400),
    "none": ([], 400),
    "a number": (5, 400),
    "a text": ("[1, true]", 400),
    "null": (None, 400),
    "an object": ({"0": 1, "1": True}, 400),
}


@pytest.mark.parametrize(("result", "status"), _PARTS.values(), ids=_PARTS)
def test_results_of_several_parts_by_every_door(
    api: Client, multi: int, result: Any, status: int
) -> None:
    """18-088 §11.4: one part for each ObservedProperty, in their order"""
    path = f"/MultiDatastreams({multi})/Observations"
    assert api.post(path, bodies.observation(result)).status == status
    link = {"MultiDatastream": {"@iot.id": multi}}
    assert api.post("/Observations", bodies.observation(result, **link)).status == status
    group = {**link, "components": ["result"], "dataArray": [[result]]}
    assert (_created(api, group) == ["error"]) == (status == 400)
    held = api.post(path, bodies.observation([0, False])).headers["location"]
    for change in (api.patch, api.put):
        assert change(held, bodies.observation(result)).status == (200 if status == 201 else 400)
    tree = bodies.multi_datastream(Observations=[bodies.observation(result)])
    body = bodies.thing(Locations=[bodies.location()], MultiDatastreams=[tree])
    assert api.post("/Things", body).status == status
    assert all(len(each["result"]) == 2 for each in api.get("/Observations").value)


_CHANGES: dict[str, tuple[dict[str, Any], int]] = {
    "units": ({"unitOfMeasurements": [bodies.UNIT, bodies.UNIT]}, 200),
    "types": ({"multiObservationDataTypes": [bodies.TRUTH, bodies.TRUTH]}, 200),
    "name and properties": ({"name": "Other", "properties": {}}, 200),
    "one unit": ({"unitOfMeasurements": [bodies.UNIT]}, 400),
    "three types": ({"multiObservationDataTypes": [bodies.TRUTH] * 3}, 400),
    "no unit": ({"unitOfMeasurements": []}, 400),
    "null": ({"unitOfMeasurements": None}, 400),
    "another type": ({"observationType": bodies.MEASUREMENT}, 400),
    "no properties observed": ({"ObservedProperties": []}, 400),
    "one property observed": ({"ObservedProperties": [{"@iot.id": 1}]}, 400),
}


@pytest.mark.parametrize(("change", "status"), _CHANGES.values(), ids=_CHANGES)
def test_a_multidatastream_stays_whole(
    api: Client, multi: int, change: dict[str, Any], status: int
) -> None:
    before = api.get(f"/MultiDatastreams({multi})").json
    changed = api.patch(f"/MultiDatastreams({multi})", change)
    assert changed.status == status, changed.body
    expected = {**before, **change} if status == 200 else before
    shown = api.get(f"/MultiDatastreams({multi})").json
    assert {k: shown.get(k) for k in expected if expected[k] != {}} == {
        k: v for k, v in expected.items() if v != {}
    }


def test_an_observation_belongs_to_one_of_both(api: Client, stream: int, multi: int) -> None:
    plain, several = {"Datastream": {"@iot.id": stream}}, {"MultiDatastream": {"@iot.id": multi}}
    both = bodies.observation([1, True], **plain, **several)
    assert api.post("/Observations", both).status == 400
    assert api.post("/Observations", bodies.observation([1, True])).status == 400
    wrong = {"Datastream": {"@iot.id": multi}}
    assert api.post("/Observations", bodies.observation(1, **wrong)).status == 400
    assert api.post(f"/Datastreams({multi})/Observations", bodies.observation(1)).status == 404
    assert api.get("/Observations").value == []
