"""phenomenonTime, resultTime and observedArea of Datastreams follow their Observations."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client, in_version_2
from stadtherz.store.public import seal, tend
from stadtherz.store.readings import view
from stadtherz.store.readings.areas import widen

HOUR = "2026-01-01T{:02}:00:00Z"


def _place(longitude: float, latitude: float = 49.0) -> dict[str, Any]:
    point = {"type": "Point", "coordinates": [longitude, latitude]}
    return bodies.feature(f"at {longitude}", feature=point)


@pytest.fixture
def stream(api: Client) -> str:
    """The address of a Datastream without Observations."""
    thing = bodies.thing(Locations=[bodies.location(longitude=7.5, latitude=49.0)])
    return f"/Datastreams({api.post('/Datastreams', bodies.datastream(Thing=thing)).key})"


def _observe(api: Client, stream: str, *places: Any) -> list[int]:
    """One Observation an hour at each place: a feature, the id of one, or None."""
    keys = []
    for hour, place in enumerate(places):
        named = {"@iot.id": place} if isinstance(place, int) else place
        more = {} if named is None else {"FeatureOfInterest": named}
        reading = bodies.observation(hour, HOUR.format(hour), resultTime=HOUR.format(hour), **more)
        keys.append(api.post(f"{stream}/Observations", reading).key)
    return keys


def _area(api: Client, stream: str) -> Any:
    return api.get(stream).json.get("observedArea")


def _box(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def test_the_area_is_that_of_the_features(api: Client, stream: str) -> None:
    assert _area(api, stream) is None
    _observe(api, stream, None)
    assert _area(api, stream) == {"type": "Point", "coordinates": [7.5, 49.0]}
    _observe(api, stream, _place(7.7))
    assert _area(api, stream) == {"type": "LineString", "coordinates": [[7.5, 49.0], [7.7, 49.0]]}
    _observe(api, stream, _place(7.6, 50.0), _place(7.6, 49.5))
    assert _area(api, stream) == _box(7.5, 49.0, 7.7, 50.0)
    assert in_version_2(api).get(stream).json["observedArea"] == _box(7.5, 49.0, 7.7, 50.0)


@pytest.mark.parametrize("sealed", [False, True])
def test_the_area_shrinks_with_what_is_deleted(api: Client, stream: str, sealed: bool) -> None:
    keys = _observe(api, stream, _place(7.0), _place(8.0), _place(9.0), _place(8.0))
    if sealed:
        seal()
        view.forget()
    api.delete(f"/Observations({keys[2]})")
    assert _area(api, stream)["coordinates"] == [[7.0, 49.0], [8.0, 49.0]]
    api.delete(f"/Observations({keys[1]})")
    assert _area(api, stream)["coordinates"] == [[7.0, 49.0], [8.0, 49.0]], "one is left at 8"
    api.delete(f"{stream}/Observations?$filter=result eq 3")
    assert _area(api, stream) == {"type": "Point", "coordinates": [7.0, 49.0]}
    api.delete(f"/Observations({keys[0]})")
    assert _area(api, stream) is None
    _observe(api, stream, _place(9.0))
    assert _area(api, stream) == {"type": "Point", "coordinates": [9.0, 49.0]}


def test_texts_and_documents_count_like_numbers(api: Client, stream: str) -> None:
    for result, place in (("a", 7.0), ({"b": 1}, 8.0)):
        reading = bodies.observation(result, FeatureOfInterest=_place(place))
        assert api.post(f"{stream}/Observations", reading).status == 201
    assert _area(api, stream)["coordinates"] == [[7.0, 49.0], [8.0, 49.0]]
    api.delete(f"{stream}/Observations?$filter=result eq 'a'")
    assert _area(api, stream) == {"type": "Point", "coordinates": [8.0, 49.0]}


def test_the_area_follows_a_corrected_observation(api: Client, stream: str) -> None:
    here, there = (api.post("/FeaturesOfInterest", _place(at)).key for at in (7.0, 9.0))
    key, _ = _observe(api, stream, here, here)
    api.patch(f"/Observations({key})", {"FeatureOfInterest": {"@iot.id": there}})
    assert _area(api, stream)["coordinates"] == [[7.0, 49.0], [9.0, 49.0]]
    api.patch(f"/Observations({key})", {"FeatureOfInterest": {"@iot.id": here}})
    assert _area(api, stream) == {"type": "Point", "coordinates": [7.0, 49.0]}
    thing = {"@iot.id": api.get(f"{stream}/Thing").json["@iot.id"]}
    other = api.post("/Datastreams", bodies.datastream(Thing=thing)).key
    api.patch(f"/Observations({key})", {"Datastream": {"@iot.id": other}})
    assert _area(api, f"/Datastreams({other})") == {"type": "Point", "coordinates": [7.0, 49.0]}


@pytest.mark.parametrize("sealed", [False, True])
def test_the_area_follows_a_feature_that_moves_or_goes(
    api: Client, stream: str, sealed: bool
) -> None:
    here, there = (api.post("/FeaturesOfInterest", _place(at)).key for at in (7.0, 9.0))
    _observe(api, stream, here, there)
    if sealed:
        seal()
    moved = {"type": "Point", "coordinates": [8.0, 49.0]}
    assert api.patch(f"/FeaturesOfInterest({there})", {"feature": moved}).status == 200
    assert _area(api, stream)["coordinates"] == [[7.0, 49.0], [8.0, 49.0]]
    api.delete(f"/FeaturesOfInterest({there})")
    assert _area(api, stream) == {"type": "Point", "coordinates": [7.0, 49.0]}


def test_an_area_that_a_client_gave_holds_what_is_observed_too(api: Client, stream: str) -> None:
    given = _box(7.0, 48.0, 8.0, 50.0)
    api.patch(stream, {"observedArea": given})
    _observe(api, stream, _place(7.5))
    assert _area(api, stream) == given
    _observe(api, stream, _place(9.0))
    assert _area(api, stream) == _box(7.0, 48.0, 9.0, 50.0)
    api.patch(stream, {"observedArea": None})
    assert _area(api, stream)["coordinates"] == [[7.5, 49.0], [9.0, 49.0]]
    links = ("Sensor", "ObservedProperty")
    api.put(stream, {k: v for k, v in bodies.datastream("New").items() if k not in links})
    assert _area(api, stream)["coordinates"] == [[7.5, 49.0], [9.0, 49.0]]


def test_a_place_that_is_no_geometry_has_no_area(api: Client, stream: str) -> None:
    odd = bodies.feature(encodingType="text/plain", feature="behind the mill")
    _observe(api, stream, odd)
    assert _area(api, stream) is None
    whole = {"type": "Feature", "properties": {}, "geometry": _box(7.0, 48.0, 8.0, 50.0)}
    _observe(api, stream, bodies.feature(feature=whole))
    assert _area(api, stream) == _box(7.0, 48.0, 8.0, 50.0)


def test_areas_can_be_asked_for(api: Client, stream: str) -> None:
    _observe(api, stream, _place(7.0), _place(8.0, 50.0))
    inside = "st_within(observedArea, geography'POLYGON((6 48, 9 48, 9 51, 6 51, 6 48))')"
    assert len(api.get(f"/Datastreams?$filter={inside}").value) == 1
    outside = inside.replace("9 ", "7.5 ")
    assert api.get(f"/Datastreams?$filter={outside}").value == []


def test_many_at_once_widen_the_area_as_well(api: Client, stream: str) -> None:
    features = [api.post("/FeaturesOfInterest", _place(7 + n / 10)).key for n in range(4)]
    rows = [[HOUR.format(n % 24), n, features[n % 4]] for n in range(200)]
    key = api.get(stream).json["@iot.id"]
    assert api.post("/CreateObservations", [
        {"Datastream": {"@iot.id": key},
         "components": ["phenomenonTime", "result", "FeatureOfInterest/id"],
         "dataArray": rows},
    ]).status == 201  # fmt: skip
    assert _area(api, stream)["coordinates"] == [[7.0, 49.0], [7.3, 49.0]]


@pytest.mark.parametrize("sealed", [False, True])
def test_times_grow_and_shrink_with_the_observations(
    api: Client, stream: str, sealed: bool
) -> None:
    keys = _observe(api, stream, None, None, None)
    if sealed:
        seal()
        tend()
    for name in ("phenomenonTime", "resultTime"):
        assert api.get(stream).json[name] == "2026-01-01T00:00:00.000Z/2026-01-01T02:00:00.000Z"
    api.delete(f"/Observations({keys[0]})")
    api.patch(f"/Observations({keys[2]})", {"resultTime": HOUR.format(5)})
    shown = api.get(stream).json
    assert shown["phenomenonTime"] == "2026-01-01T01:00:00.000Z/2026-01-01T02:00:00.000Z"
    assert shown["resultTime"] == "2026-01-01T01:00:00.000Z/2026-01-01T05:00:00.000Z"
    api.delete(f"{stream}/Observations?$filter=true")
    assert not api.get(stream).json.keys() & {"phenomenonTime", "resultTime", "observedArea"}


def test_who_adds_no_new_feature_asks_the_database_nothing_more(api: Client, stream: str) -> None:
    _observe(api, stream, None, None)  # in a transaction of the test, so each learns it anew
    key = api.get(stream).json["@iot.id"]
    known = view.current().copy()
    (feature,) = api.get("/FeaturesOfInterest").ids
    assert (key, feature) in known.areas
    readings = known.unsealed([key])
    with CaptureQueriesContext(connection) as heard:
        widen(readings, known.areas)
    assert not heard.captured_queries
    with CaptureQueriesContext(connection) as heard:
        widen(readings, set())
    assert len(heard.captured_queries) == 3, "two look-ups, and the pair, which is noted already"
