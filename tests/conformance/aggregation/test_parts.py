"""$apply over results of several parts: those of MultiDatastreams, and records of version 2.0."""

from typing import Any

import pytest

from stadtherz.base.visibility import SYSTEM
from stadtherz.sensorthings.answers import aggregation
from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client, Reply, in_version_2
from stadtherz.store.public import seal, update

RESULTS: list[Any] = [[10.0, True], [12.0, False], [None, True], [20.0, False]]
TIMES = ("06:00:00", "06:30:00", "07:10:00", "08:00:00")
MEANS = (
    "groupby((bucket(phenomenonTime,'hour')),aggregate(result[0] with average as mean,$count as n))"
)
MULTI = "/MultiDatastreams({})/Observations"


@pytest.fixture
def weather(api: Client) -> int:
    """Temperatures, and whether it rains; one of the temperatures is missing."""
    thing = bodies.thing(Locations=[bodies.location()])
    key = api.post("/MultiDatastreams", bodies.multi_datastream(Thing=thing)).key
    for result, time in zip(RESULTS, TIMES, strict=True):
        reading = bodies.observation(result, f"2026-01-01T{time}Z")
        assert api.post(MULTI.format(key), reading).status == 201
    return key


def ask(client: Client, address: str, apply: str) -> Reply:
    return client.get(f"{address}?$apply={apply}")


def test_a_part_is_aggregated_and_what_is_no_number_does_not_count(
    api: Client, weather: int
) -> None:
    found = ask(api, MULTI.format(weather), MEANS).value
    assert [(b["phenomenonTime"][11:13], b["mean"], b["n"]) for b in found] == [
        ("06", 11, 2),
        ("08", 20, 1),
    ]
    link = found[0]["MultiDatastream@iot.navigationLink"]
    assert link.endswith(f"/MultiDatastreams({weather})")


def test_all_aggregates_of_parts_and_all_of_the_time(api: Client, weather: int) -> None:
    terms = "average as mean,min as low,max as high,sum as total,first as one,last as other"
    aggregate = ",".join(f"result[0] with {term}" for term in terms.split(","))
    (found,) = ask(api, MULTI.format(weather), f"aggregate({aggregate})").value
    del found["MultiDatastream@iot.navigationLink"]
    expected = {"mean": 14, "low": 10, "high": 20, "total": 42, "one": 10, "other": 20}
    assert found == expected


def test_several_parts_stand_beside_each_other_and_null_is_what_has_none(api: Client) -> None:
    thing = bodies.thing(Locations=[bodies.location()])
    key = api.post("/MultiDatastreams", bodies.multi_datastream(Thing=thing)).key
    for result, hour in (([1, 5], 6), ([None, 7], 7), ([3, None], 8)):
        reading = bodies.observation(result, f"2026-01-01T0{hour}:00:00Z")
        api.post(MULTI.format(key), reading)
    terms = "result[0] with max as a,result[1] with max as b"
    hours = f"groupby((bucket(phenomenonTime,'hour')),aggregate({terms}))"
    address = MULTI.format(key)
    assert [(b["a"], b["b"]) for b in ask(api, address, hours).value] == [
        (1, 5),
        (None, 7),
        (3, None),
    ]

    def chosen(options: str) -> list[Any]:
        return [b["a"] for b in ask(api, address, hours + options).value]

    assert chosen("&$filter=a eq null") == [None]
    assert chosen("&$filter=a ne null and a gt 0") == [1, 3]
    assert chosen("&$orderby=a") == [None, 1, 3]
    assert chosen("&$orderby=a desc") == [3, 1, None]


def test_count_alone_counts_readings(api: Client, weather: int) -> None:
    days = "groupby((bucket(phenomenonTime,'day')),aggregate($count as n))"
    (found,) = ask(api, MULTI.format(weather), days).value
    assert found["n"] == 4
    since = f"filter(phenomenonTime ge 2026-01-01T07:00:00Z)/{days}"
    assert [b["n"] for b in ask(api, MULTI.format(weather), since).value] == [2]


def test_all_observations_take_part_where_they_have_the_part(api: Client, weather: int) -> None:
    station = bodies.station()
    station["Datastreams"][0]["Observations"] = [bodies.observation(4, "2026-01-01T06:00:00Z")]
    assert api.post("/Things", station).status == 201
    seal()
    days = "groupby((bucket(phenomenonTime,'day')),aggregate({}))"
    parts = ask(api, "/Observations", days.format("result[0] with max as high,$count as n")).value
    assert [(b["high"], b["n"]) for b in parts] == [(20, 3)]
    both = "result[0] with max as high,result with max as plain,$count as n"
    rows = ask(api, "/Observations", days.format(both)).value
    assert sorted((b["high"] or 0, b["plain"] or 0, b["n"]) for b in rows) == [
        (0, 4, 1),
        (20, 0, 3),
    ]
    links = {name for b in rows for name in b if name.endswith("navigationLink")}
    assert links == {"MultiDatastream@iot.navigationLink", "Datastream@iot.navigationLink"}


def test_version_2_names_the_part(api: Client) -> None:
    second = in_version_2(api)
    names = ("temp", "rain")
    keys = [second.post("/ObservedProperties", {"name": n, "definition": n}).key for n in names]
    kinds = (("Quantity", {"uom": {"code": "Cel"}}), ("Boolean", {}))
    fields = [
        {"name": n, "type": t, "label": n, "definition": f"ObservedProperties({k})", **more}
        for n, k, (t, more) in zip(names, keys, kinds, strict=True)
    ]
    stream = second.post(
        "/Datastreams",
        {
            "name": "Weather",
            "resultType": {"type": "DataRecord", "fields": fields},
            "Thing": {"name": "Station"},
            "Sensor": {"name": "Probe"},
        },
    ).key
    for hour, temp in ((6, 1.5), (7, 2.5)):
        reading = {
            "phenomenonTime": {"start": f"2026-01-01T0{hour}:00:00Z"},
            "result": {"temp": temp, "rain": True},
        }
        assert second.post(f"/Datastreams({stream})/Observations", reading).status == 201
    apply = "aggregate(result/temp with average as mean)"
    for address in (f"/Datastreams({stream})/Observations", "/Observations"):
        (found,) = ask(second, address, apply).value
        assert found["mean"] == 2
        assert found["Datastream@navigationLink"].endswith(f"/Datastreams({stream})")
    (found,) = ask(api, MULTI.format(stream), apply.replace("/temp", "[0]")).value
    assert found["mean"] == 2


def test_whose_readings_are_hidden_is_not_told(api: Client, visitor: Client, weather: int) -> None:
    thing = api.get(f"/MultiDatastreams({weather})/Thing").json["@iot.id"]
    assert len(ask(visitor, "/Observations", MEANS).value) == 2
    update("Thing", thing, {"access": "organisation"}, SYSTEM)
    assert ask(visitor, "/Observations", MEANS).value == []
    assert ask(visitor, MULTI.format(weather), MEANS).status == 404


@pytest.mark.parametrize(
    ("apply", "named"),
    [
        ("aggregate(result with average as mean)", "result[0]"),
        ("aggregate(result[x] with average as mean)", "aggregate is"),
        ("aggregate(result[0 with average as mean)", "aggregate is"),
        ("aggregate(result[0] with average as MultiDatastream)", "taken"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_position(
    api: Client, weather: int, apply: str, named: str
) -> None:
    reply = ask(api, MULTI.format(weather), apply)
    assert (reply.status, named in reply.message) == (400, True), reply.body
    assert isinstance(reply.json["position"], int)


def test_what_costs_too_much_is_refused_and_less_time_is_not(
    api: Client, weather: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aggregation, "MAX_WITH_PARTS", 2)
    reply = ask(api, MULTI.format(weather), MEANS)
    assert (reply.status, "less time" in reply.message) == (400, True)
    morning = f"filter(phenomenonTime lt 2026-01-01T07:00:00Z)/{MEANS}"
    assert len(ask(api, MULTI.format(weather), morning).value) == 1
