"""Times that clients' clocks say, in any zone and precision, and what is no time."""

from typing import Any

import pytest

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client
from stadtherz.store.public import seal
from stadtherz.store.readings import view

_INSTANTS = {
    "2026-03-29T00:30:00Z": "2026-03-29T00:30:00.000Z",
    "2026-03-29T00:30:00+00:00": "2026-03-29T00:30:00.000Z",
    "2026-03-29T00:30:00-00:00": "2026-03-29T00:30:00.000Z",
    "2026-03-29T02:30:00+02:00": "2026-03-29T00:30:00.000Z",
    "2026-03-28T20:00:00-04:30": "2026-03-29T00:30:00.000Z",
    "2026-03-29T14:30:00+14:00": "2026-03-29T00:30:00.000Z",
    "2026-03-29T02:30:00+0200": "2026-03-29T00:30:00.000Z",
    "2026-03-29T00:30:00.1Z": "2026-03-29T00:30:00.100Z",
    "2026-03-29T00:30:00.123Z": "2026-03-29T00:30:00.123Z",
    "2026-03-29T00:30:00.001+01:00": "2026-03-28T23:30:00.001Z",
    "2026-03-29T00:30:00.123456Z": "2026-03-29T00:30:00.123456Z",
    "2026-03-29T00:30:00.123456789Z": "2026-03-29T00:30:00.123456Z",
    "2026-03-29T00:30:00,5Z": "2026-03-29T00:30:00.500Z",
    "2026-03-29T00:30Z": "2026-03-29T00:30:00.000Z",
    "2024-02-29T23:59:59.999Z": "2024-02-29T23:59:59.999Z",
    "1969-12-31T23:59:59.999999Z": "1969-12-31T23:59:59.999999Z",
    "1583-01-01T00:00:00Z": "1583-01-01T00:00:00.000Z",
    "0001-01-01T00:00:00Z": "0001-01-01T00:00:00.000Z",
    "9999-12-31T23:59:59.999Z": "9999-12-31T23:59:59.999Z",
    "2038-01-19T03:14:08Z": "2038-01-19T03:14:08.000Z",
    "2026-12-31T24:00:00Z": "2027-01-01T00:00:00.000Z",
    "2016-12-31T23:59:60Z": "2017-01-01T00:00:00.000Z",
}
_NO_INSTANTS = [
    "0000-01-01T00:00:00Z",
    "10000-01-01T00:00:00Z",
    "-0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+01:00",
    "9999-12-31T23:59:59-01:00",
    "2026-02-29T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "2026-00-10T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-01-00T00:00:00Z",
    "2026-01-01T25:00:00Z",
    "2026-01-01T24:00:01Z",
    "2026-01-01T12:60:00Z",
    "2026-01-01T12:00:61Z",
    "2026-01-01T12:30:60Z",
    "2026-01-01T12:00:00+25:00",
    "2026-01-01T12:00:00+01:75",
    "2026-01-01T12:00:00 Europe/Berlin",
    "2026-1-1T0:0:0Z",
    "01.01.2026",
    "01/01/2026 12:00",
    "now",
    "now()",
    "null",
    "1767225600",
    "2026-01-01T12:00:00ZZ",
    "2026-01-01T12:00:00.Z",
    "２０２６-01-01T00:00:00Z",
    "2026-W01-1",
    "P1D",
    "T12:00:00Z",
]
_PERIODS = {
    "2026-01-01T00:00:00Z/2026-01-02T00:00:00Z":
        "2026-01-01T00:00:00.000Z/2026-01-02T00:00:00.000Z",
    "2026-01-01T00:00:00+01:00/2026-01-01T00:00:00Z":
        "2025-12-31T23:00:00.000Z/2026-01-01T00:00:00.000Z",
    "2026-01-01T00:00:00.001Z/2026-01-01T00:00:00.002Z":
        "2026-01-01T00:00:00.001Z/2026-01-01T00:00:00.002Z",
    "2026-01-01T00:00:00.000001Z/2026-01-01T00:00:00.000002Z":
        "2026-01-01T00:00:00.000001Z/2026-01-01T00:00:00.000002Z",
    "2026-01-01T00:00:00Z/2026-01-01T00:00:00Z":
        "2026-01-01T00:00:00.000Z/2026-01-01T00:00:00.000Z",
    "0001-01-01T00:00:00Z/9999-12-31T23:59:59Z":
        "0001-01-01T00:00:00.000Z/9999-12-31T23:59:59.000Z",
}  # fmt: skip
_NO_PERIODS = [
    "2026-01-02T00:00:00Z/2026-01-01T00:00:00Z",
    "2026-01-01T00:00:00Z/2026-01-01T00:00:00+01:00",
    "2026-01-01T00:00:00.002Z/2026-01-01T00:00:00.001Z",
    "2026-01-01T00:00:00Z/",
    "/2026-01-01T00:00:00Z",
    "/",
    "2026-01-01T00:00:00Z/2026-01-02T00:00:00Z/2026-01-03T00:00:00Z",
    "2026-01-01T00:00:00Z/2026-13-02T00:00:00Z",
    "2026-01-01T00:00:00Z/yesterday",
    "2026-01-01T00:00:00Z--2026-01-02T00:00:00Z",
    "../2026-01-01T00:00:00Z",
]
_NO_TEXTS: list[Any] = [1767225600, 1.5, True, [], ["2026-01-01T00:00:00Z"], {}, {"start": "x"}]
_OF_OBSERVATIONS = ("phenomenonTime", "resultTime", "validTime")


@pytest.fixture
def stream(api: Client) -> str:
    place = bodies.thing(Locations=[bodies.location()])
    return f"/Datastreams({api.post('/Datastreams', bodies.datastream(Thing=place)).key})"


def _row(api: Client, stream: str, name: str, time: Any) -> Any:
    """What CreateObservations answers for a row with the time."""
    components = ["result", name]
    key = api.get(stream).json["@iot.id"]
    group = {"Datastream": {"@iot.id": key}, "components": components, "dataArray": [[1, time]]}
    (link,) = api.post("/CreateObservations", [group]).json
    return link


@pytest.mark.parametrize("sent", _INSTANTS)
def test_instants_are_kept_in_utc(api: Client, stream: str, sent: str) -> None:
    """istSOS4 cuts milliseconds; by post, by data array and sealed they are the same here"""
    body = {"result": 1, **dict.fromkeys(_OF_OBSERVATIONS, sent)}
    made = api.post(f"{stream}/Observations", body)
    assert made.status == 201, made.body
    rows = [_row(api, stream, name, sent) for name in _OF_OBSERVATIONS]
    for _ in ("fresh", "sealed"):
        shown = api.get(made.headers["location"]).json
        assert {shown[name] for name in _OF_OBSERVATIONS} == {_INSTANTS[sent]}
        for name, link in zip(_OF_OBSERVATIONS, rows, strict=True):
            assert api.get(link).json[name] == _INSTANTS[sent]
        seal()
        view.forget()


@pytest.mark.parametrize("name", ["phenomenonTime", "validTime"])
@pytest.mark.parametrize("sent", _PERIODS)
def test_periods_are_kept(api: Client, stream: str, name: str, sent: str) -> None:
    """django-ogc-sensorthings answers them with 500"""
    made = api.post(f"{stream}/Observations", {"result": 1, name: sent})
    assert made.status == 201, made.body
    link = _row(api, stream, name, sent)
    assert made.json[name] == api.get(link).json[name] == _PERIODS[sent]
    seal()
    view.forget()
    assert (
        api.get(link).json[name] == api.get(made.headers["location"]).json[name] == _PERIODS[sent]
    )


@pytest.mark.parametrize("sent", [*_NO_INSTANTS, *_NO_PERIODS, *_NO_TEXTS], ids=str)
def test_what_is_no_time_is_refused(api: Client, stream: str, sent: Any) -> None:
    """istSOS4 accepts bad times and periods that end before they start"""
    held = api.post(f"{stream}/Observations", bodies.observation())
    for name in _OF_OBSERVATIONS:
        refused = api.post(f"{stream}/Observations", {"result": 1, name: sent})
        assert (refused.status, name in refused.message) == (400, True), refused.body
        assert _row(api, stream, name, sent) == "error"
        assert api.patch(held.headers["location"], {name: sent}).status == 400
    assert api.get(held.headers["location"]).json == held.json


@pytest.mark.parametrize("sent", _PERIODS)
def test_a_result_time_is_an_instant(api: Client, stream: str, sent: str) -> None:
    assert api.post(f"{stream}/Observations", {"result": 1, "resultTime": sent}).status == 400
    assert _row(api, stream, "resultTime", sent) == "error"


@pytest.mark.parametrize("sent", _INSTANTS)
def test_the_time_of_a_historical_location(api: Client, sent: str) -> None:
    body = {"time": sent, "Thing": bodies.thing(), "Locations": [bodies.location()]}
    made = api.post("/HistoricalLocations", body)
    assert made.status == 201, made.body
    assert api.get(made.headers["location"]).json["time"] == _INSTANTS[sent]


@pytest.mark.parametrize("sent", [*_NO_INSTANTS, *_NO_PERIODS, *_PERIODS, *_NO_TEXTS], ids=str)
def test_a_historical_location_needs_an_instant(api: Client, sent: Any) -> None:
    body = {"time": sent, "Thing": bodies.thing(), "Locations": [bodies.location()]}
    refused = api.post("/HistoricalLocations", body)
    assert (refused.status, "time" in refused.message) == (400, True)
    assert api.get("/Things").value == []


@pytest.mark.parametrize("name", _OF_OBSERVATIONS)
def test_times_can_be_taken_back(api: Client, stream: str, name: str) -> None:
    """table 12: all but phenomenonTime may be nothing; this is then when the server heard of it"""
    time = "2020-01-01T00:00:00Z"
    made = api.post(f"{stream}/Observations", {"result": 1, name: time})
    changed = api.patch(made.headers["location"], {name: None})
    assert changed.status == 200, changed.body
    shown = changed.json.get(name)
    if name == "phenomenonTime":
        assert shown is not None
    else:
        assert shown is None
