"""What a change brings about: histories, times and areas of streams, what goes with what is deleted."""

from typing import Any

import pytest

from stadtherz.sensorthings.standard.schema import ENTITY_SETS
from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client
from stadtherz.store.public import seal
from stadtherz.store.readings import view

_HOUR = "2026-01-01T{:02}:00:00.000Z"


# --- HistoricalLocations -------------------------------------------------------------------------------


@pytest.fixture
def thing(api: Client) -> str:
    """The address of a Thing at "old"."""
    return api.post("/Things", bodies.thing(Locations=[bodies.location("old")])).headers["location"]


def _history(api: Client, thing: str) -> list[list[str]]:
    found = api.get(f"{thing}/HistoricalLocations?$expand=Locations&$orderby=time,id").value
    return [[place["name"] for place in each["Locations"]] for each in found]


def _at(api: Client, thing: str) -> list[str]:
    return [place["name"] for place in api.get(f"{thing}/Locations").value]


def _place(api: Client, name: str = "new") -> dict[str, int]:
    return {"@iot.id": api.post("/Locations", bodies.location(name)).key}


def _moves() -> dict[str, Any]:
    def body(api: Client) -> dict[str, Any]:
        return {"Locations": [_place(api)]}

    return {
        "post": lambda api, thing: api.post(f"{thing}/Locations", bodies.location("new")),
        "patch": lambda api, thing: api.patch(thing, body(api)),
        "put": lambda api, thing: api.put(thing, {**bodies.thing(), **body(api)}),
        "put of the links": lambda api, thing: api.put(
            f"{thing}/Locations/$ref", {"value": [_place(api)]}
        ),
        "from the place": lambda api, thing: api.post(
            "/Locations", bodies.location("new", Things=[{"@iot.id": _key(thing)}])
        ),
        "by patch of the place": lambda api, thing: api.patch(
            f"/Locations({_place(api)['@iot.id']})", {"Things": [{"@iot.id": _key(thing)}]}
        ),
        "newer history": lambda api, thing: api.post(
            f"{thing}/HistoricalLocations",
            {"time": "2999-01-01T00:00:00Z", "Locations": [bodies.location("new")]},
        ),
        "newer history at the root": lambda api, thing: api.post(
            "/HistoricalLocations",
            {
                "time": "2999-01-01T00:00:00Z",
                "Locations": [bodies.location("new")],
                "Thing": {"@iot.id": _key(thing)},
            },
        ),
    }


def _key(address: str) -> int:
    return int(address.rpartition("(")[2].rstrip(")"))


@pytest.mark.parametrize("move", _moves().values(), ids=_moves())
def test_every_move_is_remembered_once(api: Client, thing: str, move: Any) -> None:
    assert move(api, thing).status in (200, 201, 204)
    assert _at(api, thing) == ["new"]
    assert _history(api, thing) == [["old"], ["new"]]


def test_a_further_place_is_remembered_with_the_others(api: Client, thing: str) -> None:
    assert api.post(f"{thing}/Locations/$ref", _place(api)).status == 204
    assert _at(api, thing) == ["old", "new"]
    assert _history(api, thing)[-1] == ["old", "new"]


@pytest.mark.parametrize("time", ["2000-01-01T00:00:00Z", "0001-01-01T00:00:00Z"])
def test_an_older_history_moves_nothing(api: Client, thing: str, time: str) -> None:
    """istSOS4 moves the Thing"""
    past = {"time": time, "Locations": [bodies.location("then")]}
    assert api.post(f"{thing}/HistoricalLocations", past).status == 201
    assert _at(api, thing) == ["old"]
    assert _history(api, thing) == [["then"], ["old"]]


def test_a_change_of_a_place_itself_is_no_move(api: Client, thing: str) -> None:
    place = api.get(f"{thing}/Locations").value[0]["@iot.selfLink"]
    point = {"type": "Point", "coordinates": [1, 2]}
    assert api.patch(place, {"location": point}).status == 200
    assert api.patch(thing, {"name": "Renamed"}).status == 200
    assert _history(api, thing) == [["old"]]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_history_is_no_longer_than_what_happened(api: Client, thing: str, number: int) -> None:
    for n in range(number):
        assert api.post(f"{thing}/Locations", bodies.location(f"{n}")).status == 201
    assert _history(api, thing) == [["old"], *([f"{n}"] for n in range(number))]
    last = api.get(f"{thing}/HistoricalLocations?$orderby=time desc&$top=1").value[0]
    assert api.delete(last["@iot.selfLink"]).status == 200
    assert len(_history(api, thing)) == number


# --- times and areas of streams ------------------------------------------------------------------------


@pytest.fixture
def stream(api: Client) -> str:
    place = bodies.thing(Locations=[bodies.location()])
    return api.post("/Datastreams", bodies.datastream(Thing=place)).headers["location"]


def _point(longitude: float) -> dict[str, Any]:
    return bodies.feature(feature={"type": "Point", "coordinates": [longitude, 49]})


def _observe(api: Client, stream: str, *hours: int) -> list[str]:
    made = []
    for hour in hours:
        more = {"resultTime": _HOUR.format(hour + 1), "FeatureOfInterest": _point(hour)}
        body = bodies.observation(hour, _HOUR.format(hour), **more)
        made.append(api.post(f"{stream}/Observations", body).headers["location"])
    return made


def _extent(api: Client, stream: str) -> tuple[Any, Any, Any]:
    """Hours of the phenomenon times and of the result times, and the eastern and western end."""
    shown = api.get(stream).json
    area = shown.get("observedArea")
    points = None if area is None else area["coordinates"]
    west_east = points and ([points[0]] if area["type"] == "Point" else [p[0] for p in points])
    return (*(_hours(shown.get(n)) for n in ("phenomenonTime", "resultTime")), west_east)


def _hours(period: str | None) -> list[int] | None:
    return None if period is None else [int(end[11:13]) for end in period.split("/")]


_CHANGES: dict[str, tuple[Any, tuple[Any, Any, Any]]] = {
    "nothing": (lambda api, stream, made: None, ([2, 8], [3, 9], [2, 8])),
    "the first deleted": (lambda api, stream, made: api.delete(made[0]), ([4, 8], [5, 9], [4, 8])),
    "the last deleted": (lambda api, stream, made: api.delete(made[-1]), ([2, 6], [3, 7], [2, 6])),
    "one in between deleted": (lambda api, stream, made: api.delete(made[1]), ([2, 8], [3, 9], [2, 8])),
    "all but one deleted": (
        lambda api, stream, made: [api.delete(each) for each in made[1:]],
        ([2, 2], [3, 3], [2]),
    ),
    "all deleted": (
        lambda api, stream, made: [api.delete(each) for each in made],
        (None, None, None),
    ),
    "by a filter": (
        lambda api, stream, made: api.delete(f"{stream}/Observations?$filter=result lt 5"),
        ([6, 8], [7, 9], [6, 8]),
    ),
    "a feature deleted": (
        lambda api, stream, made: api.delete(
            api.get(f"{made[0]}/FeatureOfInterest").json["@iot.selfLink"]
        ),
        ([4, 8], [5, 9], [4, 8]),
    ),
    "later": (
        lambda api, stream, made: api.patch(made[-1], {"phenomenonTime": _HOUR.format(10)}),
        ([2, 10], [3, 9], [2, 8]),
    ),
    "earlier": (
        lambda api, stream, made: api.patch(made[-1], {"phenomenonTime": _HOUR.format(1)}),
        ([1, 6], [3, 9], [2, 8]),
    ),
    "longer": (
        lambda api, stream, made: api.patch(
            made[-1], {"phenomenonTime": f"{_HOUR.format(0)}/{_HOUR.format(12)}"}
        ),
        ([0, 12], [3, 9], [2, 8]),
    ),
    "without a result time": (
        lambda api, stream, made: [api.patch(each, {"resultTime": None}) for each in made],
        ([2, 8], None, [2, 8]),
    ),
    "at another feature": (
        lambda api, stream, made: api.patch(
            made[-1], {"FeatureOfInterest": {"@iot.id": api.post("/FeaturesOfInterest", _point(20)).key}}
        ),
        ([2, 8], [3, 9], [2, 20]),
    ),
    "a feature moved": (
        lambda api, stream, made: api.patch(
            api.get(f"{made[-1]}/FeatureOfInterest").json["@iot.selfLink"],
            {"feature": {"type": "Point", "coordinates": [5, 49]}},
        ),
        ([2, 8], [3, 9], [2, 6]),
    ),
    "put": (
        lambda api, stream, made: api.put(made[-1], bodies.observation(1, _HOUR.format(11))),
        ([2, 11], [3, 7], None),
    ),
}  # fmt: skip


@pytest.mark.parametrize("sealed", [False, True], ids=["fresh", "sealed"])
@pytest.mark.parametrize(("change", "expected"), _CHANGES.values(), ids=_CHANGES)
def test_a_stream_knows_its_extent(
    api: Client, stream: str, change: Any, expected: tuple[Any, Any, Any], sealed: bool
) -> None:
    """table 6: phenomenonTime, resultTime, observedArea; FROST-Server's areas never shrink"""
    made = _observe(api, stream, 2, 4, 6, 8)
    if sealed:
        seal()
        view.forget()
    change(api, stream, made)
    found = _extent(api, stream)
    assert found[:2] == expected[:2]
    assert expected[2] is None or found[2] == expected[2]


def test_an_observation_that_moves_changes_both_streams(api: Client, stream: str) -> None:
    thing = {"@iot.id": api.get(f"{stream}/Thing").json["@iot.id"]}
    other = api.post("/Datastreams", bodies.datastream(Thing=thing)).headers["location"]
    made = _observe(api, stream, 2, 4, 8)
    assert api.patch(made[-1], {"Datastream": {"@iot.id": _key(other)}}).status == 200
    assert _extent(api, stream) == ([2, 4], [3, 5], [2, 4])
    assert _extent(api, other) == ([8, 8], [9, 9], [8])


def test_a_data_array_widens_the_extent(api: Client, stream: str) -> None:
    features = [api.post("/FeaturesOfInterest", _point(n)).key for n in (3, 9)]
    rows = [
        [_HOUR.format(h), _HOUR.format(h + 1), h, f] for h, f in zip((3, 9), features, strict=True)
    ]
    names = ["phenomenonTime", "resultTime", "result", "FeatureOfInterest/id"]
    group = {"Datastream": {"@iot.id": _key(stream)}, "components": names, "dataArray": rows}
    assert api.post("/CreateObservations", [group]).status == 201
    assert _extent(api, stream) == ([3, 9], [4, 10], [3, 9])


# --- deleting ------------------------------------------------------------------------------------------


_GOES_WITH = {
    "Things": {"Datastreams", "MultiDatastreams", "HistoricalLocations", "Observations"},
    "Locations": {"HistoricalLocations"},
    "HistoricalLocations": set(),
    "Sensors": {"Datastreams", "MultiDatastreams", "Observations"},
    "ObservedProperties": {"Datastreams", "MultiDatastreams", "Observations"},
    "Datastreams": {"Observations"},
    "MultiDatastreams": {"Observations"},
    "Observations": set(),
    "FeaturesOfInterest": {"Observations"},
}


def _counts(api: Client) -> dict[str, int]:
    return {n: api.get(f"/{n}?$count=true&$top=0").json["@iot.count"] for n in ENTITY_SETS}


@pytest.fixture
def two(api: Client) -> Client:
    """Two stations with nothing in common, each with a Datastream and a MultiDatastream."""
    for name in ("one", "other"):
        multi = bodies.multi_datastream(Observations=[bodies.observation([1, True])])
        body = bodies.station(name, MultiDatastreams=[multi])
        assert api.post("/Things", body).status == 201
    return api


@pytest.mark.parametrize("by_filter", [False, True], ids=["by id", "by filter"])
@pytest.mark.parametrize("name", _GOES_WITH)
def test_integrity_takes_along_what_cannot_be_alone(
    two: Client, name: str, by_filter: bool
) -> None:
    """deleteEntities, table 26: of the same station only"""
    before = _counts(two)
    keys = two.get(f"/{name}?$orderby=id").ids
    mine = keys[: len(keys) // 2]
    for key in mine:
        address = f"/{name}?$filter=id eq {key}" if by_filter else f"/{name}({key})"
        assert two.delete(address).status == 200
        assert two.get(f"/{name}({key})").status == 404
        assert two.delete(f"/{name}({key})").status == 404
    after = _counts(two)
    gone = {other for other, number in before.items() if after[other] < number}
    assert gone == _GOES_WITH[name] | {name}
    assert all(after[other] >= before[other] / 2 for other in gone), "the other station stays"


@pytest.mark.parametrize("name", ENTITY_SETS)
def test_what_is_not_there_cannot_be_deleted(api: Client, name: str) -> None:
    """deleteNoneexistentEntities"""
    for key in ("999999", "0", "-1", str(2**63 - 1), str(2**70), "'a'"):
        for method in ("DELETE", "PATCH", "PUT"):
            assert api.request(method, f"/{name}({key})", b"{}").status == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("Things", 400),
        ("Things?$filter=", 400),
        ("Things?$filter=colour eq 1", 400),
        ("Things?$filter=id gt 0&$top=1", 400),
        ("Things?$top=1", 400),
        ("Things(1)/Datastreams", 400),
        ("Observations", 400),
        ("Observations?$filter=result eq", 400),
        ("", 405),
        ("Nothing(1)", 404),
        ("Things(1)/name", 405),
        ("Things(1", 404),
    ],
)
def test_nothing_is_deleted_by_a_slip(two: Client, path: str, status: int) -> None:
    before = _counts(two)
    assert two.delete(f"/{path}").status == status
    assert _counts(two) == before
