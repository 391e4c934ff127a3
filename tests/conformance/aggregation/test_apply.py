"""$apply: aggregates of stretches of time. The standard has none; this is a small part of OData's."""

from statistics import fmean
from typing import Any
from urllib.parse import quote

import pytest

from stadtherz.base.visibility import SYSTEM
from stadtherz.sensorthings.answers import aggregation
from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import ROOT, Client, Reply
from stadtherz.store.public import update

_HOURS = "groupby((bucket(phenomenonTime,'hour')),aggregate(result with average as mean))"
_WIDTHS = ("minute", "quarter", "hour", "day", "week", "month", "year")


def ask(client: Client, apply: str, address: str = "/Observations") -> Reply:
    return client.get(f"{address}?$apply={apply.replace('+', '%2B')}")


def buckets(client: Client, apply: str, address: str = "/Observations") -> list[dict[str, Any]]:
    return ask(client, apply, address).value


@pytest.fixture
def gauge(api: Client) -> str:
    """Readings every ten minutes from 22:00 to 02:00 in UTC, over midnight in both zones, and a text."""
    times = [f"2026-03-28T{h}:{m}0:00Z" for h in (22, 23) for m in range(6)]
    times += [f"2026-03-29T0{h}:{m}0:00Z" for h in (0, 1) for m in range(6)]
    readings = [bodies.observation(i * i, time) for i, time in enumerate(times)]
    readings.append(bodies.observation("broken", "2026-03-29T01:55:00Z"))
    station = bodies.station()
    station["Datastreams"][0]["Observations"] = readings
    assert api.post("/Things", station).status == 201
    return f"/Datastreams({api.get('/Datastreams').ids[0]})/Observations"


def test_all_aggregates_of_each_hour(api: Client, gauge: str) -> None:
    terms = "average as mean,min as low,max as high,sum as total,first as one,last as other"
    aggregate = ",".join(f"result with {term}" for term in terms.split(","))
    found = buckets(
        api, f"groupby((bucket(phenomenonTime,'hour')),aggregate({aggregate},$count as n))", gauge
    )
    squares = [[float(i * i) for i in range(first, first + 6)] for first in (0, 6, 12, 18)]
    assert [bucket["phenomenonTime"] for bucket in found] == [
        "2026-03-28T22:00:00.000Z",
        "2026-03-28T23:00:00.000Z",
        "2026-03-29T00:00:00.000Z",
        "2026-03-29T01:00:00.000Z",
    ]
    for bucket, values in zip(found, squares, strict=True):
        assert bucket["Datastream@iot.navigationLink"] == ROOT + gauge.removesuffix("/Observations")
        assert bucket["mean"] == pytest.approx(fmean(values))
        assert (bucket["low"], bucket["high"]) == (min(values), max(values))
        assert (bucket["one"], bucket["other"]) == (values[0], values[-1])
        assert (bucket["total"], bucket["n"]) == (sum(values), 6)


@pytest.mark.parametrize(
    ("zone", "starts"),
    [
        ("UTC", ["2026-03-28T00:00:00.000Z", "2026-03-29T00:00:00.000Z"]),
        ("Europe/Berlin", ["2026-03-27T23:00:00.000Z", "2026-03-28T23:00:00.000Z"]),
    ],
)
def test_days_are_those_of_the_zone(api: Client, gauge: str, zone: str, starts: list[str]) -> None:
    apply = f"groupby((bucket(phenomenonTime, 'day', '{zone}')),aggregate($count as n))"
    found = buckets(api, apply, gauge)
    assert [bucket["phenomenonTime"] for bucket in found] == starts
    assert [bucket["n"] for bucket in found] == ([12, 12] if zone == "UTC" else [6, 18])


@pytest.mark.parametrize("width", _WIDTHS)
def test_no_reading_is_lost_in_any_width(api: Client, gauge: str, width: str) -> None:
    apply = f"groupby((bucket(phenomenonTime,'{width}')),aggregate($count as n))"
    assert sum(bucket["n"] for bucket in buckets(api, apply, gauge)) == 24


@pytest.mark.parametrize(
    ("condition", "number"),
    [
        ("phenomenonTime ge 2026-03-28T23:00:00Z", 18),
        ("phenomenonTime gt 2026-03-28T23:00:00Z", 17),
        ("phenomenonTime lt 2026-03-28T23:00:00Z", 6),
        ("phenomenonTime le 2026-03-28T23:00:00Z", 7),
        ("phenomenonTime ge 2026-03-29T00:00:00+01:00 and phenomenonTime lt 2026-03-29", 6),
        ("phenomenonTime ge '2026-03-28T23:00:00Z' and phenomenonTime ge 2026-03-29", 12),
        ("phenomenonTime ge 2027-01-01", 0),
    ],
)
def test_the_filter_sets_bounds_of_time(
    api: Client, gauge: str, condition: str, number: int
) -> None:
    stages = f"filter({condition})/groupby((bucket(phenomenonTime,'year')),aggregate($count as n))"
    assert sum(bucket["n"] for bucket in buckets(api, stages, gauge)) == number


def test_all_observations_are_told_apart_by_datastream(city: Client, visitor: Client) -> None:
    found = buckets(city, _HOURS.replace("hour", "year"))
    links = [bucket["Datastream@iot.navigationLink"] for bucket in found]
    lauter, alsenz, _texts = city.get("/Datastreams").ids
    assert links == [f"{ROOT}/Datastreams({lauter})", f"{ROOT}/Datastreams({alsenz})"]
    assert [bucket["mean"] for bucket in found] == [2.5, 9]
    hidden = city.get(f"/Datastreams({lauter})/Thing").json["@iot.id"]
    update("Thing", hidden, {"access": "organisation"}, SYSTEM)
    assert len(buckets(visitor, _HOURS.replace("hour", "year"))) == 1
    assert ask(visitor, _HOURS, f"/Datastreams({lauter})/Observations").status == 404


_MEANS = (
    "groupby((bucket(phenomenonTime,'hour')),aggregate(result with average as mean,$count as n))"
)


@pytest.mark.parametrize(
    ("options", "hours"),
    [
        ("&$orderby=mean desc", ["01", "00", "23", "22"]),
        ("&$orderby=n,phenomenonTime desc", ["01", "00", "23", "22"]),
        ("&$orderby=0 sub mean", ["01", "00", "23", "22"]),
        ("&$filter=mean gt 100", ["00", "01"]),
        ("&$filter=mean lt 100 or mean mul 2 gt 700", ["22", "23", "01"]),
        ("&$filter=not (mean gt 100) and n eq 6", ["22", "23"]),
        ("&$filter=n in (5,6) and mean sub 10 lt 0", ["22"]),
        ("&$filter=phenomenonTime ge 2026-03-29T00:00:00Z", ["00", "01"]),
        ("&$filter=phenomenonTime lt '2026-03-29'", ["22", "23"]),
        ("&$filter=Datastream/id eq 0", []),
        ("&$filter=mean div 0 gt 1", ["22", "23", "00", "01"]),
        ("&$filter=mean gt 100&$orderby=mean desc&$top=1", ["01"]),
        ("&$skip=3", ["01"]),
        ("&$top=2&$skip=1", ["23", "00"]),
        ("&$top=0", []),
    ],
)
def test_aggregates_are_chosen_and_sorted_by_their_values(
    api: Client, gauge: str, options: str, hours: list[str]
) -> None:
    found = buckets(api, _MEANS + options, gauge)
    assert [bucket["phenomenonTime"][11:13] for bucket in found] == hours


def test_a_condition_may_stand_among_the_stages(api: Client, gauge: str) -> None:
    late = "filter(phenomenonTime ge 2026-03-28T23:00:00Z)"
    assert len(buckets(api, f"{late}/{_MEANS}/filter(mean gt 100)", gauge)) == 2
    assert len(buckets(api, f"{_MEANS}/filter(mean gt 100)&$filter=mean lt 300", gauge)) == 1


def test_pages_of_aggregates_lead_to_one_another(api: Client, gauge: str) -> None:
    first = ask(api, f"{_MEANS}&$orderby=mean desc&$top=3&$count=true", gauge)
    assert (len(first.value), first.json["@iot.count"]) == (3, 4)
    second = api.get(first.json["@iot.nextLink"].removeprefix(ROOT))
    assert [bucket["phenomenonTime"][11:13] for bucket in second.value] == ["22"]
    assert "@iot.nextLink" not in second.json


@pytest.mark.parametrize("form", ["groupby((Datastream/id),{})", "{}"])
def test_all_of_the_time_is_one_group(api: Client, gauge: str, form: str) -> None:
    aggregate = "aggregate(result with average as mean,result with last as newest,$count as n)"
    (found,) = buckets(api, form.format(aggregate), gauge)
    link = ROOT + gauge.removesuffix("/Observations")
    assert found == {
        "Datastream@iot.navigationLink": link,
        "mean": pytest.approx(fmean(i * i for i in range(24))),
        "newest": 529,
        "n": 24,
    }
    assert buckets(api, f"filter(phenomenonTime ge 2027-01-01)/{aggregate}", gauge) == []


@pytest.mark.parametrize("key", ["Datastream/id,{}", "{},Datastream/id", "Datastream/@iot.id,{}"])
def test_groups_may_name_the_datastream_they_are_of(api: Client, gauge: str, key: str) -> None:
    bucket = "bucket(phenomenonTime,'hour')"
    assert len(buckets(api, _HOURS.replace(bucket, key.format(bucket)), gauge)) == 4


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ("&$filter=result gt 1", "'result'"),
        ("&$orderby=Datastream/name", "'Datastream/name'"),
        ("&$filter=mean gt 'x'", "number"),
        ("&$filter=mean", "boolean"),
        ("&$filter=phenomenonTime gt 'x'", "ISO 8601"),
        ("&$filter=phenomenonTime gt mean", "time"),
        ("&$filter=length(mean) gt 1", "aggregates"),
        ("&$filter=mean mod 2 eq 1", "mod"),
        ("&$orderby=mean gt 1", "order"),
        ("/filter(result gt 1)", "'result'"),
    ],
)
def test_what_aggregates_cannot_be_asked_is_refused_with_its_position(
    api: Client, gauge: str, options: str, named: str
) -> None:
    reply = ask(api, _HOURS + options, gauge)
    assert (reply.status, named in reply.message) == (400, True), reply.body
    assert isinstance(reply.json["position"], int)


def test_what_costs_too_much_is_refused_and_less_time_is_not(
    api: Client, gauge: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    minutes = "groupby((bucket(phenomenonTime,'minute')),aggregate($count as n))"
    monkeypatch.setattr(aggregation, "MAX_ROWS", 12)
    assert (ask(api, minutes).status, len(buckets(api, _HOURS))) == (400, 4)
    hour = "filter(phenomenonTime ge 2026-03-29T01:00:00Z)"
    assert len(buckets(api, f"{hour}/{minutes}")) == 6
    monkeypatch.setattr(aggregation, "MAX_READINGS", 5)
    assert ask(api, f"{hour}/{minutes}").status == 400
    monkeypatch.setattr(aggregation, "MAX_STREAMS", 0)
    assert ask(api, _HOURS).status == 400


@pytest.mark.parametrize(
    ("apply", "named"),
    [
        ("", "groupby"),
        ("groupby", "groupby"),
        ("filter(result gt 1)", "groupby"),
        (f"filter(result gt 1)/{_HOURS}", "phenomenonTime"),
        (f"filter(phenomenonTime gt 1)/{_HOURS}", "phenomenonTime"),
        (f"filter(phenomenonTime gt 'x')/{_HOURS}", "ISO 8601"),
        (f"filter(phenomenonTime lt 2026-01-01 or phenomenonTime gt 2027-01-01)/{_HOURS}", "and"),
        (f"{_HOURS}/{_HOURS}/{_HOURS}", "groupby"),
        (_HOURS.replace("hour", "fortnight"), "fortnight"),
        (_HOURS.replace("hour'", "hour','Atlantis/Town'"), "Atlantis"),
        (_HOURS.replace("((bucket", "(bucket").replace("')),", "'),"), "groupby"),
        (_HOURS.replace("average", "variance"), "variance"),
        (_HOURS.replace("as mean", ""), "as mean"),
        (_HOURS.replace("as mean", "as phenomenonTime"), "taken"),
        (_HOURS.replace("as mean", "as a,$count as a"), "taken"),
        (_HOURS.replace("as mean", 'as "a'), "as mean"),
        (_HOURS + ")", "')'"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_position(
    city: Client, apply: str, named: str
) -> None:
    reply = ask(city, quote(apply))
    assert (reply.status, named in reply.message) == (400, True), reply.body
    assert "position" in reply.json or "Atlantis" in apply


@pytest.mark.parametrize(
    "address",
    [
        f"/Things?$apply={_HOURS}",
        f"/Things(1)?$apply={_HOURS}",
        f"/Observations/$ref?$apply={_HOURS}",
        f"/Observations/$count?$apply={_HOURS}",
        f"/Observations?$apply={_HOURS}&$select=mean",
        f"/Observations?$apply={_HOURS}&$resultFormat=CSV",
        f"/Datastreams?$expand=Observations($apply={_HOURS})",
    ],
)
def test_it_is_for_sets_of_observations_and_takes_no_form_of_entities_beside_it(
    city: Client, address: str
) -> None:
    reply = city.get(address)
    assert (reply.status, "$apply" in reply.message) == (400, True), reply.body
