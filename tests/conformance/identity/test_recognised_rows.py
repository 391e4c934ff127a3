"""CreateObservations with $upsert: rows that are there already are changed, so a night can be sent again."""

from typing import Any

import pytest

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client, Reply
from stadtherz.sensorthings.writing import recognised
from stadtherz.store.public import seal
from stadtherz.store.readings import view

_BY_TIME = "/CreateObservations?$upsert=phenomenonTime"
_NAMES = ["phenomenonTime", "result"]


def _time(hour: int) -> str:
    return f"2026-01-01T{hour:02}:00:00.000Z"


@pytest.fixture
def stream(api: Client) -> int:
    place = bodies.thing(Locations=[bodies.location()])
    return api.post("/Datastreams", bodies.datastream(Thing=place)).key


def _group(stream: int, *rows: list[Any], names: list[str] = _NAMES) -> dict[str, Any]:
    return {"Datastream": {"@iot.id": stream}, "components": names, "dataArray": list(rows)}


def _send(api: Client, *groups: dict[str, Any]) -> Reply:
    reply = api.post(_BY_TIME, list(groups))
    assert reply.status in (200, 201), reply.body
    return reply


def _held(api: Client, stream: int) -> dict[str, Any]:
    found = api.get(f"/Datastreams({stream})/Observations?$orderby=phenomenonTime").value
    return {each["phenomenonTime"]: each["result"] for each in found}


@pytest.mark.parametrize("sealed", [False, True])
def test_rows_sent_again_change_what_is_there(api: Client, stream: int, sealed: bool) -> None:
    first = _send(api, _group(stream, *([_time(h), h] for h in range(5))))
    if sealed:
        seal()
        view.forget()
    second = _send(api, _group(stream, *([_time(h), h + 0.5] for h in range(3, 8))))
    assert (first.status, second.status) == (201, 201)
    assert second.json[:2] == first.json[3:]
    assert len({*first.json, *second.json}) == 8
    expected = {_time(h): h if h < 3 else h + 0.5 for h in range(8)}
    assert _held(api, stream) == expected
    third = _send(api, _group(stream, *([_time(h), h + 0.5] for h in range(3, 8))))
    assert (third.status, third.json) == (200, second.json)


@pytest.mark.parametrize("result", [1, 1.5, "text", True, None, [1, None], {"a": 1}], ids=repr)
@pytest.mark.parametrize("before", [1, "other", {"a": 2}], ids=repr)
def test_results_of_any_kind(api: Client, stream: int, before: Any, result: Any) -> None:
    first = _send(api, _group(stream, [_time(0), before], [_time(1), before]))
    second = _send(api, _group(stream, [_time(0), result], [_time(1), result]))
    assert (second.status, second.json) == (200, first.json)
    assert list(_held(api, stream).values()) == [result, result]
    assert [type(each) for each in _held(api, stream).values()] == [type(result)] * 2


def test_single_posts_and_rows_recognise_each_other(api: Client, stream: int) -> None:
    path = f"/Datastreams({stream})/Observations"
    plain = api.post(path, bodies.observation(1, _time(0))).headers["location"]
    known = api.post(f"{path}?$upsert=phenomenonTime", bodies.observation(1, _time(1)))
    links = _send(api, _group(stream, *([_time(h), 9] for h in range(3)))).json
    assert links[:2] == [plain, known.headers["location"]]
    again = api.post(f"{path}?$upsert=phenomenonTime", bodies.observation(7, _time(2)))
    assert (again.status, again.headers["location"]) == (200, links[2])
    assert list(_held(api, stream).values()) == [9, 9, 7]


def test_of_rows_for_one_moment_the_last_counts(api: Client, stream: int) -> None:
    links = _send(
        api, _group(stream, [_time(0), 1], [_time(0), 2]), _group(stream, [_time(0), 3])
    ).json
    assert len(set(links)) == 1
    assert _held(api, stream) == {_time(0): 3}


def test_an_interval_is_another_moment_than_its_start(api: Client, stream: int) -> None:
    lasting = f"{_time(0)}/{_time(1)}"
    links = _send(api, _group(stream, [_time(0), 1], [lasting, 2])).json
    assert _send(api, _group(stream, [lasting, 3], [_time(0), 4])).json == links[::-1]
    assert _held(api, stream) == {_time(0): 4, lasting: 3}


def test_streams_do_not_recognise_each_others_rows(api: Client, stream: int) -> None:
    place = bodies.thing(Locations=[bodies.location()])
    other = api.post("/Datastreams", bodies.datastream(Thing=place)).key
    _send(api, _group(stream, [_time(0), 1]))
    assert _send(api, _group(other, [_time(0), 2]), _group(stream, [_time(0), 3])).status == 201
    assert (_held(api, stream), _held(api, other)) == ({_time(0): 3}, {_time(0): 2})


def test_what_was_deleted_is_new_again(api: Client, stream: int) -> None:
    (link,) = _send(api, _group(stream, [_time(0), 1])).json
    assert api.delete(link).status == 200
    again = _send(api, _group(stream, [_time(0), 2]))
    assert again.status == 201, again.body
    assert _held(api, stream) == {_time(0): 2}


def test_what_has_moved_in_time_is_not_where_it_was(api: Client, stream: int) -> None:
    (link,) = _send(api, _group(stream, [_time(0), 1])).json
    assert api.patch(link, {"phenomenonTime": _time(5)}).status == 200
    assert "error" not in _send(api, _group(stream, [_time(5), 2])).json
    assert _held(api, stream) == {_time(5): 2}


def test_wrong_rows_are_errors_in_their_place(api: Client, stream: int) -> None:
    path = f"/Datastreams({stream})/Observations"
    for result in (1, 2):
        api.post(path, bodies.observation(result, _time(9)))
    _send(api, _group(stream, [_time(0), 1]))
    rows = [
        [None, 5],  # without its time it cannot be recognised
        ["yesterday", 5],
        ["0001-01-01T00:00:00+01:00", 5],
        [_time(0), "NUL \0"],
        [_time(1), "NUL \0"],
        [_time(9), 5],  # there are two
        [_time(2)],
        [_time(3), 6],
    ]
    links = _send(api, _group(stream, *rows), _group(4711, [_time(0), 1])).json
    assert [link == "error" for link in links] == [True] * 7 + [False, True]
    assert sorted(map(str, _held(api, stream).values())) == ["1", "2", "6"]


def test_what_somebody_deletes_meanwhile_spoils_its_own_row(
    api: Client, stream: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other client comes between looking and changing."""
    first, second = _send(api, _group(stream, [_time(0), 1], [_time(1), 1])).json
    look = recognised._held

    def interrupted(wanted: Any) -> Any:
        held = look(wanted)
        assert api.delete(first).status == 200
        return held

    monkeypatch.setattr(recognised, "_held", interrupted)
    again = _send(api, _group(stream, [_time(0), 2], [_time(1), 2]))
    assert again.json == ["error", second]
    assert _held(api, stream) == {_time(1): 2}


def test_all_components_change(api: Client, stream: int) -> None:
    feature = api.post("/FeaturesOfInterest", bodies.feature()).key
    _send(api, _group(stream, [_time(0), 1]))
    names = [
        *_NAMES,
        "resultTime",
        "resultQuality",
        "validTime",
        "parameters",
        "FeatureOfInterest/id",
    ]
    row = [_time(0), 2, _time(1), "good", f"{_time(0)}/{_time(1)}", {"a": [1]}, feature]
    (link,) = _send(api, _group(stream, row, names=names)).json
    shown = api.get(link).json
    assert [shown[name] for name in names[:-1]] == row[:-1]
    assert api.get(f"{link}/FeatureOfInterest").json["@iot.id"] == feature


def test_results_of_several_parts(api: Client) -> None:
    place = bodies.thing(Locations=[bodies.location()])
    key = api.post("/MultiDatastreams", bodies.multi_datastream(Thing=place)).key
    group = {"MultiDatastream": {"@iot.id": key}, "components": _NAMES}
    (first,) = _send(api, {**group, "dataArray": [[_time(0), [1, True]]]}).json
    second = _send(api, {**group, "dataArray": [[_time(0), [2, False]], [_time(1), [2]]]})
    assert second.json == [first, "error"]
    assert api.get(first).json["result"] == [2, False]


@pytest.mark.parametrize("option", ["result", "properties/a", "", "phenomenonTime/a"])
def test_rows_are_recognised_by_their_time_alone(api: Client, stream: int, option: str) -> None:
    reply = api.post(f"/CreateObservations?$upsert={option}", [_group(stream, [_time(0), 1])])
    assert (reply.status, "$upsert" in reply.message) == (400, True)
    assert _held(api, stream) == {}


def test_many_rows_are_sent_again(api: Client, stream: int) -> None:
    rows = [
        [f"2026-01-{d:02}T{h:02}:{m:02}:00Z", d]
        for d in range(1, 11)
        for h in range(24)
        for m in range(0, 60, 2)
    ]
    first = _send(api, _group(stream, *rows)).json
    changed = [[time, value + (0.5 if n % 2 else 0)] for n, (time, value) in enumerate(rows)]
    assert _send(api, _group(stream, *changed)).json == first
    assert api.get(f"/Datastreams({stream})/Observations/$count").body == b"7200"
    odd = api.get(
        f"/Datastreams({stream})/Observations?$filter=result ne floor(result)&$count=true&$top=0"
    )
    assert odd.json["@iot.count"] == 3600
