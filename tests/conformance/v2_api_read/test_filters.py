"""conf/api/read/options/filter, orderby: what version 2.0 asks of filters and version 1.1 does not."""

from typing import Any

import pytest

from stadtherz.sensorthings.tests.client import Client, in_version_2


@pytest.fixture
def city2(city: Client) -> Client:
    return in_version_2(city)


def names(client: Client, address: str) -> list[str]:
    return sorted(entity["name"] for entity in client.get(address).value)


# --- any -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("Datastreams/any(d: d/name eq 'Lauter level')", ["Lauter"]),
        ("Datastreams/any(d:d/name eq 'Lauter level')", ["Lauter"]),
        ("Datastreams/any(d:contains(d/name,name))", ["100% Glan_x", "Alsenz", "Lauter"]),
        ("Datastreams/any(d:d/name eq 'Lauter level') and "
         "Datastreams/any(e:e/name eq 'Lauter weather')", ["Lauter"]),
        ("Datastreams/any(d:d/name eq 'Lauter level' and d/name eq 'Lauter weather')", []),
        ("not Datastreams/any(d:d/name eq 'Lauter level')", ["100% Glan_x", "Alsenz"]),
        ("Datastreams/any(d:not (d/name eq 'Lauter level'))", ["100% Glan_x", "Alsenz", "Lauter"]),
        ("Datastreams/any()", ["100% Glan_x", "Alsenz", "Lauter"]),
        ("Datastreams/all(d:endswith(d/name,'level'))", ["100% Glan_x", "Alsenz"]),
        ("Datastreams/any(d:d/Observations/any(o:o/result gt 15))", ["Alsenz"]),
        ("Datastreams/any(d:d/Observations/any())", ["100% Glan_x", "Alsenz", "Lauter"]),
        ("Datastreams/any(d:not d/Observations/any())", ["Lauter"]),
        ("Datastreams/any(d:d/name eq 'Alsenz level' and d/Observations/any(o:o/result eq 1))", []),
        ("Datastreams/any(d:d/ObservedProperties/any(p:p/name eq 'Level 3'))", ["100% Glan_x"]),
        ("Datastreams/any(d:d/Thing/name eq 'Alsenz' or name eq 'Lauter')", ["Alsenz", "Lauter"]),
    ],
)  # fmt: skip
def test_any_looks_at_one_entity_at_a_time(
    city2: Client, condition: str, expected: list[str]
) -> None:
    """conf/api/read/options/filter: collection function any"""
    assert names(city2, f"/Things?$filter={condition}") == expected
    assert city2.get(f"/Things/$count?$filter={condition}").body == str(len(expected)).encode()


@pytest.mark.parametrize(
    "time", ["2026-05-04T06:00:00", "2026-05-04T06:00:00Z/2026-05-05T06:00:00"]
)
def test_a_time_in_a_filter_has_a_zone(city2: Client, time: str) -> None:
    """conf/api/read/options/filter: literals are as in OData, where a time has an offset"""
    reply = city2.get(f"/Observations?$filter=phenomenonTime eq {time}")
    assert (reply.status, "zone" in reply.body.decode()) == (400, True)
    for zoned in ("2026-05-04T06:00:00%2B02:00", "2026-05-04", "2026-05-04T06:00:00Z"):
        assert city2.get(f"/Observations?$filter=phenomenonTime lt {zoned}").status == 200


@pytest.mark.parametrize(
    "query",
    [
        "$filter=phenomenonTime lt {}",
        "$filter={} gt phenomenonTime/start",
        "$filter=resultTime in ({})",
        "$filter=year({}) eq 2026",
        "$filter=before(phenomenonTime,{})",
        "$filter=phenomenonTime lt interval({},duration'PT1H')",
        "$orderby=phenomenonTime sub datetimeoffset{}",
        "$apply=filter(phenomenonTime lt {})/aggregate($count as number)",
        "$apply=groupby((bucket(phenomenonTime,'day')),aggregate($count as number))/filter(phenomenonTime lt {})",
        "$apply=groupby((bucket(phenomenonTime,'day')),aggregate($count as number))&$filter=phenomenonTime lt {}",
    ],
)
def test_a_quoted_time_has_a_zone_too(city2: Client, query: str) -> None:
    stream = city2.get("/Datastreams").value[0]["id"]
    address = f"/Datastreams({stream})/Observations?{query}"
    reply = city2.get(address.format("'2026-05-04T06:00:00'"))
    assert (reply.status, "zone" in reply.body.decode()) == (400, True)
    assert city2.get(address.format("'2026-05-04T06:00:00Z'")).status == 200


def test_a_text_that_looks_like_a_time_is_a_text_where_texts_are_compared(city2: Client) -> None:
    assert city2.get("/Things?$filter=name eq '2026-05-04T06:00:00'").status == 200


@pytest.mark.parametrize(
    ("condition", "number"),
    [
        ("Datastream/ObservedProperties/any(p:p/name eq 'Level 1')", 3),
        ("not Datastream/ObservedProperties/any(p:p/name eq 'Level 1')", 6),
        ("Datastream/Thing/Locations/any(l:contains(l/name,'Alsenz')) and result gt 0", 2),
        ("Datastream/Thing/Datastreams/any(d:d/name eq 'Lauter weather')", 3),
    ],
)
def test_any_behind_the_links_of_readings(city2: Client, condition: str, number: int) -> None:
    assert len(city2.get(f"/Observations?$filter={condition}").value) == number


@pytest.mark.parametrize(
    "condition",
    [
        "Datastreams/any(name eq 'x')",
        "Datastreams/any(d:)",
        "Datastreams/any(d:d/name)",
        "Datastreams/any(d:d/name eq 'x'",
        "Datastreams/any(d:d eq 'x')",
        "Datastreams/all()",
        "name/any(d:d/name eq 'x')",
        "Nowhere/any(d:d/name eq 'x')",
        "Datastreams/any(5:name eq 'x')",
        "any(d:d/name eq 'x')",
        "Datastreams/any(d:e/name eq 'x')",
        "Datastreams/any",
    ],
)
def test_a_broken_any_is_refused_with_its_place(city2: Client, condition: str) -> None:
    reply = city2.get(f"/Things?$filter={condition}")
    assert (reply.status, reply.json["error"]["target"]) == (400, "$filter")
    assert "position" in reply.json["error"]["innererror"]


def test_any_of_what_is_hidden_finds_nothing(city2: Client, visitor: Client) -> None:
    from stadtherz.store.models import Datastream

    Datastream.objects.filter(name="Lauter level").update(access="organisation")
    condition = "Datastreams/any(d:d/name eq 'Lauter level')"
    assert names(city2, f"/Things?$filter={condition}") == ["Lauter"]
    assert names(in_version_2(visitor), f"/Things?$filter={condition}") == []
    assert len(names(in_version_2(visitor), f"/Things?$filter=not {condition}")) == 3


# --- result types, times -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("Datastreams?$filter=resultType/type eq 'DataRecord'", ["Lauter weather"]),
        ("Datastreams?$filter=resultType/uom/code eq 'cm'",
         ["100% Glan_x level", "Alsenz level", "Lauter level"]),
        ("Datastreams?$filter=resultType/fields/0/type eq 'Quantity'", ["Lauter weather"]),
        ("Things?$filter=Datastreams/resultType/type eq 'DataRecord'", ["Lauter"]),
        ("Things?$filter=Datastreams/any(d:d/resultType/type eq 'DataRecord')", ["Lauter"]),
        ("Datastreams?$filter=resultType/nothing eq 'x'", []),
    ],
)  # fmt: skip
def test_result_types_are_asked_about(city2: Client, address: str, expected: list[str]) -> None:
    """conf/api/read/options/filter: sub-attributes of complex values, as in resultType/type"""
    assert names(city2, f"/{address}") == expected


def test_readings_are_found_by_their_result_type(city2: Client) -> None:
    found = city2.get("/Observations?$filter=Datastream/resultType/uom/code eq 'cm'")
    assert len(found.value) == 9
    ordered = city2.get("/Datastreams?$orderby=resultType/type,name desc&$select=name").value
    assert ordered[0]["name"] == "Lauter weather"


@pytest.mark.parametrize(
    ("condition", "number"),
    [
        ("during(phenomenonTime,interval(2026-01-01T00:00:00Z,2026-01-02T00:00:00Z))", 6),
        ("during(phenomenonTime,interval(2026-01-01T00:00:00Z,duration'PT12H'))", 3),
        ("overlaps(phenomenonTime,interval(2026-02-03T00:00:00Z,duration'P1D'))", 3),
        ("phenomenonTime lt interval(2026-02-01T00:00:00Z,2026-03-01T00:00:00Z)", 6),
        ("phenomenonTime/start gt 2026-02-01T00:00:00Z", 3),
        ("phenomenonTime/end eq null", 9),
    ],
)
def test_intervals_are_made_in_filters(city2: Client, condition: str, number: int) -> None:
    """conf/api/read/options/filter: interval(start, end or duration)"""
    assert len(city2.get(f"/Observations?$filter={condition}").value) == number


@pytest.mark.parametrize(
    "condition", ["interval(now())", "phenomenonTime lt interval(5,6)", "interval(now(),now())"]
)
def test_a_broken_interval_is_refused(city2: Client, condition: str) -> None:
    assert city2.get(f"/Observations?$filter={condition}").status == 400


# --- fields of records ---------------------------------------------------------------------------


def field(name: str, observed: int, kind: str = "Quantity") -> dict[str, Any]:
    made = {
        "name": name,
        "type": kind,
        "label": name,
        "definition": f"ObservedProperties({observed})",
    }
    return made | ({"uom": {"code": "Cel"}} if kind == "Quantity" else {})


@pytest.fixture
def weather(city2: Client) -> list[int]:
    """Two Datastreams with the same fields in another order, three readings each."""
    first, second = (e["id"] for e in city2.get("/ObservedProperties?$top=2&$orderby=id").value)
    thing, sensor = (
        city2.get(f"/{n}?$top=1&$orderby=id").value[0]["id"] for n in ("Things", "Sensors")
    )
    fields = [field("temp", first), field("rain", second, "Boolean")]
    made = []
    for listed in (fields, fields[::-1]):
        body = {
            "name": "Roof",
            "resultType": {"type": "DataRecord", "fields": listed},
            "Thing": {"@id": f"Things({thing})"},
            "Sensor": {"@id": f"Sensors({sensor})"},
        }
        key = city2.post("/Datastreams", body).key
        made.append(key)
        for temp in (3, 1, 2):
            reading = {"result": {"temp": temp * key, "rain": temp == 2}}
            assert city2.post(f"/Datastreams({key})/Observations", reading).status == 201
    return made


def results(client: Client, address: str) -> list[Any]:
    return [entity["result"] for entity in client.get(address).value]


def test_readings_are_found_by_the_fields_of_their_results(
    city2: Client, weather: list[int]
) -> None:
    """conf/api/read/options/filter: result/temp, wherever the field stands"""
    first, second = weather
    found = results(city2, "/Observations?$filter=result/rain eq true&$orderby=id")
    assert found == [{"temp": 2 * key, "rain": True} for key in weather]
    found = results(city2, f"/Observations?$filter=result/temp gt {2 * second}&$orderby=id")
    assert found == [{"temp": 3 * first, "rain": False}, {"temp": 3 * second, "rain": False}]
    found = results(city2, "/Observations?$filter=result/temp gt 0 and result/rain eq true")
    assert len(found) == 2
    assert results(city2, "/Observations?$filter=result/wind gt 0") == []
    assert len(results(city2, "/Observations?$filter=result/temp eq null")) == 9
    assert len(results(city2, "/Observations?$filter=not (result/temp ne null)")) == 9
    assert len(results(city2, "/Observations?$filter=result gt 1 or result/temp gt 0")) == 10
    condition = f"Observations/result/temp eq {3 * first}"
    assert [e["id"] for e in city2.get(f"/Datastreams?$filter={condition}").value] == [first]
    condition = "Observations/any(o:o/result/rain eq true)"
    assert [e["id"] for e in city2.get(f"/Datastreams?$filter={condition}").value] == weather


def test_readings_are_sorted_by_the_fields_of_their_results(
    city2: Client, weather: list[int]
) -> None:
    """conf/api/read/options/orderby"""
    for key in weather:
        address = f"/Datastreams({key})/Observations?$orderby=result/temp desc"
        assert [r["temp"] for r in results(city2, address)] == [3 * key, 2 * key, key]
        assert results(city2, f"{address}&$top=1&$skip=1")[0]["temp"] == 2 * key
    reply = city2.get("/Observations?$orderby=result/temp")
    assert (reply.status, reply.json["error"]["target"]) == (400, "$orderby")


def test_readings_that_are_expanded_are_found_by_fields(city2: Client, weather: list[int]) -> None:
    inner = "Observations($filter=result/rain eq true)"
    found = city2.get(f"/Datastreams?$filter=name eq 'Roof'&$expand={inner}&$orderby=id").value
    assert [len(each["Observations"]) for each in found] == [1, 1]


def test_version_1_names_the_places(city: Client, weather: list[int]) -> None:
    assert len(city.get("/Observations?$filter=result[0] eq true").value) == 1
    assert city.get("/Observations?$filter=result/temp gt 0").value == []


# --- order by what is observed -------------------------------------------------------------------


def test_datastreams_are_sorted_by_what_they_observe_first(city2: Client) -> None:
    """conf/api/read/options/orderby: ObservedProperties/name"""
    found = city2.get("/Datastreams?$orderby=ObservedProperties/name desc,name").value
    assert [each["name"] for each in found] == [
        *("100% Glan_x level", "Alsenz level", "Lauter level", "Lauter weather")
    ]
    pages = city2.get("/Datastreams?$orderby=ObservedProperties/name&$top=3").json
    rest = city2.get(pages["@nextLink"]).value
    assert [each["name"] for each in rest] == ["100% Glan_x level"]
    readings = city2.get(
        "/Observations?$orderby=Datastream/ObservedProperties/name desc,result&$top=1"
    )
    assert readings.status == 200
    assert city2.get("/Things?$orderby=Datastreams/name").status == 400


# --- zones of times ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "number"),
    [
        ("hour(phenomenonTime,'Europe/Berlin') eq hour(phenomenonTime) add 1", 1),
        ("hour(phenomenonTime/start,'Asia/Kolkata') lt 24", 1),
        ("totaloffsetminutes(phenomenonTime,'Asia/Kolkata') eq 330", 1),
        ("totaloffsetminutes(phenomenonTime,'-02:30') eq -150", 1),
        ("minute(phenomenonTime,'+00:30') eq minute(phenomenonTime add duration'PT30M')", 1),
        ("year(phenomenonTime,'Z') eq year(phenomenonTime)", 1),
        ("totaloffsetminutes(phenomenonTime,' 02:30') eq 150", 1),
        ("time(phenomenonTime,'+00:00') eq time(phenomenonTime)", 1),
        ("date(phenomenonTime,'-12:00') le date(phenomenonTime)", 1),
        ("hour(phenomenonTime,Datastream/Thing/name) ge 0", 0),  # no zone, no hour
        ("hour(phenomenonTime,Datastream/Thing/properties/none) ge 0", 0),
    ],
)
def test_functions_of_times_take_a_zone(city2: Client, condition: str, number: int) -> None:
    """conf/api/read/options/filter: date functions with a time zone"""
    found = city2.get(f"/Observations?$filter={condition.replace('+', '%2B')}").value
    assert bool(found) == bool(number)
    assert not number or len(found) == len(city2.get("/Observations").value)


def test_the_zone_of_a_thing_decides_what_day_it_is(city2: Client) -> None:
    for address in ("/Things?$filter=", "/HistoricalLocations?$filter="):
        when = "now()" if "Things" in address else "time"
        for zone in ("'Europe/Berlin'", "'+14:00'"):
            assert city2.get(f"{address}day({when},{zone.replace('+', '%2B')}) gt 0").status == 200


@pytest.mark.parametrize(
    "zone", ["'Nowhere'", "'CEST'", "'europe/berlin'", "'+25:00'", "''", "5", "'Europe/Berlin','x'"]
)
def test_what_is_no_zone_is_refused(city2: Client, zone: str) -> None:
    answer = city2.get(
        f"/Observations?$filter=hour(phenomenonTime,{zone.replace('+', '%2B')}) eq 1"
    )
    assert answer.status == 400
