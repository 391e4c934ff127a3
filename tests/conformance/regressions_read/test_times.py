"""Instants and intervals against each other: an interval begins with its start and is over at its end."""

import pytest

from stadtherz.sensorthings.tests.bodies import observation, station
from stadtherz.sensorthings.tests.client import Client

# The name of a time says it: a0801 is an instant, i08-10 lasts from eight until ten.
_TIMES = [
    "06:00",
    "07:59",
    "08:00",
    "08:01",
    "09:30",
    "10:00",
    "10:01",
    "06:00/07:00",
    "06:00/08:00",
    "06:00/08:01",
    "08:00/10:00",
    "08:01/09:30",
    "09:30/11:00",
    "10:00/11:00",
    "10:01/11:00",
    "07:59/10:01",
    "08:00/09:30",
    "08:00/10:01",
    "07:59/10:00",
    "08:01/10:00",
]


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00-01:00"])
@pytest.mark.parametrize(
    "condition",
    ["properties/since lt {T}", "Datastreams/Observations/result eq {T}", "now() gt {T}"],
)
def test_no_offset_leads_out_of_the_years(land: Client, time: str, condition: str) -> None:
    """A time that no text in UTC can name is none; such a filter was broken by it."""
    reply = land.get(f"/Things?$filter={condition.replace('{T}', time.replace('+', '%2B'))}")
    assert (reply.status, "1 to 9999" in reply.message, "position" in reply.json) == (
        400,
        True,
        True,
    )


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00-01:00"])
def test_no_reading_has_a_time_out_of_the_years(land: Client, time: str) -> None:
    body = station("Old", results=())
    body["Datastreams"][0]["Observations"] = [observation(1, time)]
    assert land.post("/Things", body).status == 400


def _iso(text: str) -> str:
    return "/".join(f"2026-05-04T{part}:00Z" for part in text.split("/"))


def _named(time: str) -> str:
    short = time.replace(":00", "").replace(":", "").replace("/", "-")
    return ("i" if "/" in time else "a") + short


@pytest.fixture(scope="module")
def clock(land: Client) -> Client:
    """One Observation for each time; those of instants have a resultTime, the others a validTime."""
    body = station("Clock", results=())
    body["Datastreams"][0]["Observations"] = [
        observation(
            _named(time), _iso(time), **{"validTime" if "/" in time else "resultTime": _iso(time)}
        )
        for time in _TIMES
    ]
    assert land.post("/Things", body).status == 201
    return land


def _found(clock: Client, condition: str) -> str:
    text = condition.replace("{T}", _iso("08:00")).replace("{I}", _iso("08:00/10:00"))
    reply = clock.get(f"/Observations?$filter={text}&$orderby=id")
    return " ".join(reading["result"] for reading in reply.value)


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("before(phenomenonTime, {T})", "a06 a0759 i06-07 i06-08"),
        ("before({T}, phenomenonTime)",
         "a0801 a0930 a10 a1001 i0801-0930 i0930-11 i10-11 i1001-11 i0801-10"),
        ("before(phenomenonTime, {I})", "a06 a0759 i06-07 i06-08"),
        ("before({I}, phenomenonTime)", "a10 a1001 i10-11 i1001-11"),
        ("before(validTime, {T})", "i06-07 i06-08"),
        ("before(validTime, {I})", "i06-07 i06-08"),
        ("before(resultTime, {T})", "a06 a0759"),
        ("before(resultTime, {I})", "a06 a0759"),
        ("after(phenomenonTime, {T})",
         "a0801 a0930 a10 a1001 i0801-0930 i0930-11 i10-11 i1001-11 i0801-10"),
        ("after({T}, phenomenonTime)", "a06 a0759 i06-07 i06-08"),
        ("after(phenomenonTime, {I})", "a10 a1001 i10-11 i1001-11"),
        ("after({I}, phenomenonTime)", "a06 a0759 i06-07 i06-08"),
        ("after(validTime, {T})", "i0801-0930 i0930-11 i10-11 i1001-11 i0801-10"),
        ("after(validTime, {I})", "i10-11 i1001-11"),
        ("after(resultTime, {T})", "a0801 a0930 a10 a1001"),
        ("after(resultTime, {I})", "a10 a1001"),
        ("meets(phenomenonTime, {T})", "a08 i06-08 i08-10 i08-0930 i08-1001"),
        ("meets({T}, phenomenonTime)", "a08 i06-08 i08-10 i08-0930 i08-1001"),
        ("meets(phenomenonTime, {I})", "a08 a10 i06-08 i10-11"),
        ("meets({I}, phenomenonTime)", "a08 a10 i06-08 i10-11"),
        ("meets(validTime, {T})", "i06-08 i08-10 i08-0930 i08-1001"),
        ("meets(validTime, {I})", "i06-08 i10-11"),
        ("meets(resultTime, {T})", "a08"),
        ("meets(resultTime, {I})", "a08 a10"),
        ("during({T}, phenomenonTime)", "i06-0801 i08-10 i0759-1001 i08-0930 i08-1001 i0759-10"),
        ("during(phenomenonTime, {I})", "a08 a0801 a0930 i08-10 i0801-0930 i08-0930 i0801-10"),
        ("during({I}, phenomenonTime)", "i08-10 i0759-1001 i08-1001 i0759-10"),
        ("during(validTime, {I})", "i08-10 i0801-0930 i08-0930 i0801-10"),
        ("during(resultTime, {I})", "a08 a0801 a0930"),
        ("overlaps(phenomenonTime, {T})",
         "a08 i06-0801 i08-10 i0759-1001 i08-0930 i08-1001 i0759-10"),
        ("overlaps({T}, phenomenonTime)",
         "a08 i06-0801 i08-10 i0759-1001 i08-0930 i08-1001 i0759-10"),
        ("overlaps(phenomenonTime, {I})",
         "a08 a0801 a0930 i06-0801 i08-10 i0801-0930 i0930-11 i0759-1001 i08-0930 i08-1001 "
         "i0759-10 i0801-10"),
        ("overlaps({I}, phenomenonTime)",
         "a08 a0801 a0930 i06-0801 i08-10 i0801-0930 i0930-11 i0759-1001 i08-0930 i08-1001 "
         "i0759-10 i0801-10"),
        ("overlaps(validTime, {T})", "i06-0801 i08-10 i0759-1001 i08-0930 i08-1001 i0759-10"),
        ("overlaps(validTime, {I})",
         "i06-0801 i08-10 i0801-0930 i0930-11 i0759-1001 i08-0930 i08-1001 i0759-10 i0801-10"),
        ("overlaps(resultTime, {T})", "a08"),
        ("overlaps(resultTime, {I})", "a08 a0801 a0930"),
        ("starts(phenomenonTime, {T})", "a08 i08-10 i08-0930 i08-1001"),
        ("starts({T}, phenomenonTime)", "a08 i08-10 i08-0930 i08-1001"),
        ("starts(phenomenonTime, {I})", "a08 i08-10 i08-0930 i08-1001"),
        ("starts({I}, phenomenonTime)", "a08 i08-10 i08-0930 i08-1001"),
        ("starts(validTime, {T})", "i08-10 i08-0930 i08-1001"),
        ("starts(validTime, {I})", "i08-10 i08-0930 i08-1001"),
        ("starts(resultTime, {T})", "a08"),
        ("starts(resultTime, {I})", "a08"),
        ("finishes(phenomenonTime, {T})", "a08 i06-08"),
        ("finishes({T}, phenomenonTime)", "a08 i06-08"),
        ("finishes(phenomenonTime, {I})", "a10 i08-10 i0759-10 i0801-10"),
        ("finishes({I}, phenomenonTime)", "a10 i08-10 i0759-10 i0801-10"),
        ("finishes(validTime, {T})", "i06-08"),
        ("finishes(validTime, {I})", "i08-10 i0759-10 i0801-10"),
        ("finishes(resultTime, {T})", "a08"),
        ("finishes(resultTime, {I})", "a10"),
        ("phenomenonTime lt {T}", "a06 a0759 i06-07 i06-08"),
        ("{T} lt phenomenonTime",
         "a0801 a0930 a10 a1001 i0801-0930 i0930-11 i10-11 i1001-11 i0801-10"),
        ("phenomenonTime lt {I}", "a06 a0759 i06-07 i06-08"),
        ("{I} lt phenomenonTime", "a10 a1001 i10-11 i1001-11"),
        ("validTime lt {T}", "i06-07 i06-08"),
        ("validTime lt {I}", "i06-07 i06-08"),
        ("resultTime lt {T}", "a06 a0759"),
        ("resultTime lt {I}", "a06 a0759"),
        ("phenomenonTime le {T}", "a06 a0759 a08 i06-07 i06-08"),
        ("{T} le phenomenonTime",
         "a08 a0801 a0930 a10 a1001 i08-10 i0801-0930 i0930-11 i10-11 i1001-11 i08-0930 "
         "i08-1001 i0801-10"),
        ("phenomenonTime le {I}", "a06 a0759 a08 i06-07 i06-08 i06-0801 i08-10 i08-0930 i0759-10"),
        ("{I} le phenomenonTime", "a10 a1001 i08-10 i0930-11 i10-11 i1001-11 i08-1001 i0801-10"),
        ("validTime le {T}", "i06-07 i06-08"),
        ("validTime le {I}", "i06-07 i06-08 i06-0801 i08-10 i08-0930 i0759-10"),
        ("resultTime le {T}", "a06 a0759 a08"),
        ("resultTime le {I}", "a06 a0759 a08"),
        ("phenomenonTime gt {T}",
         "a0801 a0930 a10 a1001 i0801-0930 i0930-11 i10-11 i1001-11 i0801-10"),
        ("{T} gt phenomenonTime", "a06 a0759 i06-07 i06-08"),
        ("phenomenonTime gt {I}", "a10 a1001 i10-11 i1001-11"),
        ("{I} gt phenomenonTime", "a06 a0759 i06-07 i06-08"),
        ("validTime gt {T}", "i0801-0930 i0930-11 i10-11 i1001-11 i0801-10"),
        ("validTime gt {I}", "i10-11 i1001-11"),
        ("resultTime gt {T}", "a0801 a0930 a10 a1001"),
        ("resultTime gt {I}", "a10 a1001"),
        ("phenomenonTime ge {T}",
         "a08 a0801 a0930 a10 a1001 i08-10 i0801-0930 i0930-11 i10-11 i1001-11 i08-0930 "
         "i08-1001 i0801-10"),
        ("{T} ge phenomenonTime", "a06 a0759 a08 i06-07 i06-08"),
        ("phenomenonTime ge {I}", "a10 a1001 i08-10 i0930-11 i10-11 i1001-11 i08-1001 i0801-10"),
        ("{I} ge phenomenonTime", "a06 a0759 a08 i06-07 i06-08 i06-0801 i08-10 i08-0930 i0759-10"),
        ("validTime ge {T}",
         "i08-10 i0801-0930 i0930-11 i10-11 i1001-11 i08-0930 i08-1001 i0801-10"),
        ("validTime ge {I}", "i08-10 i0930-11 i10-11 i1001-11 i08-1001 i0801-10"),
        ("resultTime ge {T}", "a08 a0801 a0930 a10 a1001"),
        ("resultTime ge {I}", "a10 a1001"),
        ("phenomenonTime eq {T}", "a08"),
        ("{T} eq phenomenonTime", "a08"),
        ("phenomenonTime eq {I}", "i08-10"),
        ("{I} eq phenomenonTime", "i08-10"),
        ("validTime eq {T}", ""),
        ("validTime eq {I}", "i08-10"),
        ("resultTime eq {T}", "a08"),
        ("resultTime eq {I}", ""),
    ],
)  # fmt: skip
def test_times_before_within_and_after_each_other(
    clock: Client, condition: str, names: str
) -> None:
    assert _found(clock, condition) == names


_ALL = " ".join(map(_named, _TIMES))
_INTERVALS = " ".join(name for name in map(_named, _TIMES) if name.startswith("i"))
_INSTANTS = " ".join(name for name in map(_named, _TIMES) if name.startswith("a"))


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        # what has no such time is neither before nor after, and not the contrary either
        ("validTime eq null", _INSTANTS),
        ("null eq validTime", _INSTANTS),
        ("validTime ne null", _INTERVALS),
        ("resultTime eq null", _INTERVALS),
        ("resultTime ne null", _INSTANTS),
        ("validTime lt null", ""),
        ("not before(resultTime, {T})", "a08 a0801 a0930 a10 a1001"),
        ("not after(validTime, {T}) and not during(validTime, {I})",
         "i06-07 i06-08 i06-0801 i0759-1001 i08-1001 i0759-10"),
        ("before(resultTime, {T}) eq false", "a08 a0801 a0930 a10 a1001"),
        ("before(resultTime, {T}) eq true", "a06 a0759"),
        # times of the same Observation against each other
        ("validTime eq phenomenonTime", _INTERVALS),
        ("resultTime eq phenomenonTime", _INSTANTS),
        ("overlaps(validTime, phenomenonTime)", _INTERVALS),
        ("meets(validTime, phenomenonTime)", ""),
        # durations
        ("phenomenonTime add duration'PT2H' eq {T}", "a06"),
        ("phenomenonTime sub duration'-PT2H' eq {T}", "a06"),
        ("duration'PT2H' add phenomenonTime eq {T}", "a06"),
        ("phenomenonTime add duration'PT2H' eq 2026-05-04T10:00:00Z/2026-05-04T12:00:00Z", "i08-10"),
        ("phenomenonTime sub duration'PT2H' eq 2026-05-04T06:00:00Z/2026-05-04T08:00:00Z", "i08-10"),
        ("validTime add duration'PT1H' gt {I}", "i0930-11 i10-11 i1001-11"),
        ("phenomenonTime gt {I} sub duration'PT1H'", "a0930 a10 a1001 i0930-11 i10-11 i1001-11"),
        ("phenomenonTime lt {T} sub duration'PT1H'", "a06 i06-07"),
        ("phenomenonTime sub {T} eq duration'PT2H'", "a10 i10-11"),
        ("phenomenonTime sub {T} lt duration'PT0S'",
         "a06 a0759 i06-07 i06-08 i06-0801 i0759-1001 i0759-10"),
        ("{T} sub phenomenonTime eq duration'PT1M'", "a0759 i0759-1001 i0759-10"),
        ("resultTime sub {T} ge duration'P0DT2H'", "a10 a1001"),
        ("resultTime sub {T} eq duration'PT7200S'", "a10"),
        ("resultTime sub {T} eq duration'PT0.5H' add duration'PT1.5H'", "a10"),
        ("resultTime sub {T} gt -duration'PT2H' and resultTime lt {T}", "a0759"),
        # the parts of a time; of an interval those of its start
        ("hour(phenomenonTime) eq 9", "a0930 i0930-11"),
        ("minute(phenomenonTime) eq 59", "a0759 i0759-1001 i0759-10"),
        ("hour(resultTime) mul 60 add minute(resultTime) eq 570", "a0930"),
        ("day(validTime) eq 4", _INTERVALS),
        ("day(validTime) eq null", _INSTANTS),
        ("time(resultTime) eq '09:30:00'", "a0930"),
        ("time(phenomenonTime) eq '09:30'", "a0930 i0930-11"),
        ("time(phenomenonTime) ge duration'PT10H'", "a10 a1001 i10-11 i1001-11"),
        ("date(phenomenonTime) eq 2026-05-04", _ALL),
        ("date(resultTime) eq date'2026-05-04'", _INSTANTS),
        ("date(resultTime) eq date(phenomenonTime)", _INSTANTS),
        ("totaloffsetminutes(resultTime) eq 0", _INSTANTS),
        # the same moment in other words
        ("phenomenonTime eq 2026-05-04T10:00:00%2B02:00", "a08"),
        ("phenomenonTime eq 2026-05-04T10:00:00+02:00", "a08"),
        ("phenomenonTime eq 2026-05-04T03:30:00-04:30", "a08"),
        ("phenomenonTime eq 2026-05-04T08:00Z", "a08"),
        ("phenomenonTime eq 2026-05-04T08:00:00.000Z", "a08"),
        ("phenomenonTime eq 2026-05-04T08:00:00.000000000Z", "a08"),
        ("phenomenonTime eq 2026-05-04t08:00:00z", "a08"),
        ("phenomenonTime eq '2026-05-04T08:00:00Z'", "a08"),
        ("phenomenonTime eq datetime'2026-05-04T08:00:00Z'", "a08"),
        ("phenomenonTime eq datetimeoffset'2026-05-04T08:00:00Z'", "a08"),
        ("phenomenonTime eq '{I}'", "i08-10"),
        ("phenomenonTime eq 2026-05-04T10:00:00%2B02:00/2026-05-04T12:00:00%2B02:00", "i08-10"),
        ("phenomenonTime gt 2026-05-04 and phenomenonTime lt 2026-05-04T07:00:00Z", "a06 i06-07"),
        ("phenomenonTime gt mindatetime() and phenomenonTime lt maxdatetime()", _ALL),
        ("phenomenonTime gt maxdatetime()", ""),
        ("phenomenonTime lt mindatetime()", ""),
        ("phenomenonTime gt now()", ""),
        ("now() gt phenomenonTime", _ALL),
        ("phenomenonTime gt now() sub duration'P36500D'", _ALL),
        ("during(phenomenonTime, {I}) and not (phenomenonTime eq {I})",
         "a08 a0801 a0930 i0801-0930 i08-0930 i0801-10"),
        ("not phenomenonTime lt {T} and not phenomenonTime ge 2026-05-04T10:00:00Z",
         "a08 a0801 a0930 i06-0801 i08-10 i0801-0930 i0930-11 i0759-1001 i08-0930 i08-1001 i0759-10 "
         "i0801-10"),
    ],
)  # fmt: skip
def test_times_with_durations_parts_and_other_spellings(
    clock: Client, condition: str, names: str
) -> None:
    assert _found(clock, condition) == names


@pytest.mark.parametrize(
    ("condition", "position"),
    [
        ("phenomenonTime lt 2026-05-04T10:00:00Z/2026-05-04T08:00:00Z", 18),
        ("phenomenonTime lt 2026-02-30T10:00:00Z", 18),
        ("phenomenonTime lt 2026-05-04T25:00:00Z", 18),
        ("phenomenonTime lt 2026-05-04T10:61:00Z", 18),
        ("phenomenonTime lt 'yesterday'", 15),
        ("phenomenonTime lt 5", 15),
        ("phenomenonTime eq true", 15),
        ("phenomenonTime", 0),
        ("phenomenonTime add 5 gt 2026-05-04T08:00:00Z", 15),
        ("phenomenonTime add phenomenonTime gt 2026-05-04T08:00:00Z", 15),
        ("phenomenonTime sub 2026-05-04T08:00:00Z eq 5", 40),
        ("phenomenonTime add duration'1H' gt 2026-05-04T08:00:00Z", 19),
        ("phenomenonTime add duration'P1Y' gt 2026-05-04T08:00:00Z", 19),
        ("phenomenonTime add duration'P' gt 2026-05-04T08:00:00Z", 19),
        ("during(phenomenonTime, 2026-05-04T08:00:00Z)", 23),
        ("during(2026-05-04T08:00:00Z, resultTime)", 29),
        ("before(phenomenonTime)", 0),
        ("before(phenomenonTime, 5)", 23),
        ("before(true, 2026-05-04T08:00:00Z)", 7),
        ("year(5) eq 1", 5),
        ("now(5) eq 1", 0),
    ],
)
def test_times_that_are_none_are_refused_where_they_stand(
    clock: Client, condition: str, position: int
) -> None:
    reply = clock.get(f"/Observations?$filter={condition}")
    assert (reply.status, reply.json.get("position")) == (400, position), reply.body


_DAY, _HALF = (
    "2026-05-04T06:00:00Z/2026-05-04T11:00:00Z",
    "2026-05-04T07:00:00Z/2026-05-04T10:30:00Z",
)


@pytest.mark.parametrize(
    ("condition", "number"),
    [
        (f"phenomenonTime eq {_DAY}", 1),
        (f"phenomenonTime ne {_DAY}", 0),
        (f"during(phenomenonTime, {_DAY})", 1),
        (f"during(phenomenonTime, {_HALF})", 0),
        (f"during({_HALF}, phenomenonTime)", 1),
        (f"overlaps(phenomenonTime, {_HALF})", 1),
        ("overlaps(phenomenonTime, 2026-05-04T11:00:00Z)", 0),
        ("meets(phenomenonTime, 2026-05-04T11:00:00Z)", 1),
        ("before(phenomenonTime, 2026-05-04T11:00:00Z)", 1),
        ("after(phenomenonTime, 2026-05-04T05:59:59Z)", 1),
        ("starts(phenomenonTime, 2026-05-04T06:00:00Z)", 1),
        ("finishes(phenomenonTime, 2026-05-04T11:00:00Z)", 1),
        ("phenomenonTime ge 2026-05-04T06:00:00Z and phenomenonTime le 2026-05-04T11:00:00Z", 1),
        ("phenomenonTime gt 2026-05-04T06:00:00Z", 0),
        ("resultTime eq 2026-05-04T06:00:00Z/2026-05-04T10:01:00Z", 1),
        ("resultTime lt 2026-05-04T10:01:00Z", 1),
        ("resultTime le phenomenonTime", 1),
        ("year(phenomenonTime) eq 2026", 1),
    ],
)
def test_the_times_of_a_datastream_are_intervals(
    clock: Client, condition: str, number: int
) -> None:
    """They reach from the first of its Observations to the last."""
    assert clock.get(f"/Datastreams?$filter={condition}&$count=true").json["@iot.count"] == number
    assert (
        clock.get(
            f"/Things/$count?$filter={condition.replace('phenomenonTime', 'Datastreams/phenomenonTime').replace('resultTime', 'Datastreams/resultTime')}"
        ).body
        == str(number).encode()
    )
