"""Temporal relations (18-088 table 25) between instants and intervals, which are over at their end."""

import pytest

from stadtherz.sensorthings.tests.bodies import observation, station
from stadtherz.sensorthings.tests.client import Client

_TIMES = {
    "early": "2026-01-01T00:00:00.000Z/2026-01-01T02:00:00.000Z",
    "noon": "2026-01-01T12:00:00.000Z",
    "midday": "2026-01-01T11:00:00.000Z/2026-01-01T13:00:00.000Z",
    "day": "2026-01-01T00:00:00.000Z/2026-01-02T00:00:00.000Z",
    "late": "2026-01-01T13:00:00.000Z/2026-01-01T14:00:00.000Z",
}
_MIDDAY = "2026-01-01T11:00:00Z/2026-01-01T13:00:00Z"


@pytest.fixture
def hours(api: Client) -> Client:
    body = station("Clock", results=())
    body["Datastreams"][0]["Observations"] = [
        observation(name, time, validTime=time if "/" in time else None)
        for name, time in _TIMES.items()
    ]
    assert api.post("/Things", body).status == 201
    return api


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        (f"before(phenomenonTime, {_MIDDAY})", ["early"]),
        (f"after(phenomenonTime, {_MIDDAY})", ["late"]),
        ("after(phenomenonTime, 2026-01-01T12:00:00Z)", ["late"]),
        (f"during(phenomenonTime, {_MIDDAY})", ["noon", "midday"]),
        (f"overlaps(phenomenonTime, {_MIDDAY})", ["noon", "midday", "day"]),
        ("overlaps(2026-01-01T12:30:00Z, phenomenonTime)", ["midday", "day"]),
        (f"meets({_MIDDAY}, phenomenonTime)", ["late"]),
        (f"meets(phenomenonTime, {_MIDDAY})", ["late"]),
        ("starts(phenomenonTime, 2026-01-01T00:00:00Z/2026-01-05T00:00:00Z)", ["early", "day"]),
        (f"finishes(phenomenonTime, {_MIDDAY})", ["midday"]),
        (f"phenomenonTime eq {_MIDDAY}", ["midday"]),
        (f"phenomenonTime eq '{_MIDDAY}'", ["midday"]),
        (f"phenomenonTime ne {_MIDDAY}", ["early", "noon", "day", "late"]),
        ("phenomenonTime gt 2026-01-01T10:00:00Z", ["noon", "midday", "late"]),
        ("phenomenonTime lt 2026-01-01T12:30:00Z", ["early", "noon"]),
        ("during(validTime, phenomenonTime)", ["early", "midday", "day", "late"]),
        ("validTime eq null", ["noon"]),
        ("validTime ne null and before(validTime, 2026-01-01T03:00:00Z)", ["early"]),
        ("not before(validTime, 2026-01-01T03:00:00Z)", ["midday", "day", "late"]),
        (
            "phenomenonTime add duration'PT11H' eq 2026-01-01T11:00:00Z/2026-01-01T13:00:00Z",
            ["early"],
        ),
    ],
)
def test_relations_between_times(hours: Client, condition: str, names: list[str]) -> None:
    reply = hours.get(f"/Observations?$filter={condition}&$orderby=id")
    assert [o["result"] for o in reply.value] == names


def test_intervals_come_back_as_they_were_sent(hours: Client) -> None:
    shown = {o["result"]: o["phenomenonTime"] for o in hours.get("/Observations").value}
    assert shown == _TIMES


def test_times_sort_by_start_then_end(hours: Client) -> None:
    names = [o["result"] for o in hours.get("/Observations?$orderby=phenomenonTime").value]
    assert names == ["early", "day", "midday", "noon", "late"]


@pytest.mark.parametrize(
    "time", ["2026-13-01T00:00:00Z", "2026-01-02T00:00:00Z/2026-01-01T00:00:00Z"]
)
def test_times_that_cannot_be_are_refused(hours: Client, time: str) -> None:
    assert hours.get(f"/Observations?$filter=phenomenonTime lt {time}").status == 400
    key = hours.get("/Datastreams").ids[0]
    assert hours.post(f"/Datastreams({key})/Observations", observation(1, time)).status == 400


@pytest.mark.parametrize("day", ["2026-01-01T00:00:00Z/P1D", "P1D/2026-01-02T00:00:00Z"])
def test_an_interval_may_say_how_long_it_is(city: Client, day: str) -> None:
    """ISO 8601 §4.4: in filters and in what is written."""
    (stream, *_) = city.get("/Datastreams").ids
    address = f"/Datastreams({stream})/Observations"
    assert len(city.get(f"{address}?$filter=during(phenomenonTime,{day})").ids) == 2
    assert len(city.get(f"{address}?$filter=during(phenomenonTime,'{day}')").ids) == 2
    made = city.post(address, {"result": 1, "phenomenonTime": day, "validTime": day}).json
    written = "2026-01-01T00:00:00.000Z/2026-01-02T00:00:00.000Z"
    assert (made["phenomenonTime"], made["validTime"]) == (written, written)


@pytest.mark.parametrize(
    "period",
    [
        "P1D/PT1H",
        "2026-01-01T00:00:00Z/P1Y",
        "2026-01-01T00:00:00Z/P",
        "9999-12-31T00:00:00Z/P2D",
        "P1D",
    ],
)
def test_a_length_that_leads_nowhere_is_refused(city: Client, period: str) -> None:
    (stream, *_) = city.get("/Datastreams").ids
    body = {"result": 1, "phenomenonTime": period}
    assert city.post(f"/Datastreams({stream})/Observations", body).status == 400
    assert city.get(f"/Observations?$filter=during(phenomenonTime,{period})").status == 400
