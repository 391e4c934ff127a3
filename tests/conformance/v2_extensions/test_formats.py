"""What version 1.1 offers beside JSON pages works in version 2.0, in its words."""

import csv
import io
from typing import Any

import pytest

from stadtherz.sensorthings.standard.faces import V2_0
from stadtherz.sensorthings.tests.client import HOST, Client, in_version_2

ROOT = HOST + V2_0.prefix


@pytest.fixture
def city2(city: Client) -> Client:
    return in_version_2(city)


def sheet(client: Client, address: str) -> list[dict[str, str]]:
    reply = client.get(address)
    assert reply.status == 200, reply.body
    assert reply.content_type.startswith("text/csv")
    return list(csv.DictReader(io.StringIO(reply.body.decode())))


def test_readings_as_csv(city2: Client) -> None:
    rows = sheet(city2, "/Observations?$format=CSV&$orderby=id&$top=2")
    assert list(rows[0]) == [
        *("id", "Datastream", "phenomenonTime", "resultTime", "result"),
        *("ProximateFeatureOfInterest", "validTime", "properties"),
    ]
    assert rows[0]["phenomenonTime"] == "2026-01-01T06:00:00.000Z"
    assert rows[0]["properties"] == '{"battery":10}'
    assert (rows[0]["result"], rows[1]["result"]) == ("1", "2.5")
    chosen = sheet(city2, "/Observations?$format=CSV&$select=result,id&$top=1&$orderby=id")
    assert list(chosen[0]) == ["result", "id"]


def test_entities_as_csv(city2: Client) -> None:
    rows = sheet(city2, "/Datastreams?$format=CSV&$filter=name eq 'Lauter level'")
    assert rows[0]["phenomenonTime"] == "2026-01-01T06:00:00.000Z/2026-02-03T12:00:00.000Z"
    assert rows[0]["id"] == str(city2.get("/Datastreams?$orderby=id&$top=1").value[0]["id"])
    assert '"type":"Quantity"' in rows[0]["resultType"]


def test_records_as_csv_have_the_names_of_their_fields(city2: Client) -> None:
    key = _record(city2)
    city2.post(f"/Datastreams({key})/Observations", {"result": {"temp": 5, "rain": True}})
    (row,) = sheet(city2, f"/Datastreams({key})/Observations?$format=CSV")
    assert row["result"] == '{"temp":5,"rain":true}'


def _record(city2: Client) -> int:
    first, second = (e["id"] for e in city2.get("/ObservedProperties?$top=2&$orderby=id").value)
    thing, sensor = (city2.get(f"/{n}?$top=1").value[0]["id"] for n in ("Things", "Sensors"))
    fields: list[dict[str, Any]] = [
        {"name": "temp", "type": "Quantity", "label": "T", "uom": {"code": "Cel"},
         "definition": f"ObservedProperties({first})"},
        {"name": "rain", "type": "Boolean", "label": "R",
         "definition": f"ObservedProperties({second})"},
    ]  # fmt: skip
    body = {
        "name": "Weather",
        "resultType": {"type": "DataRecord", "fields": fields},
        "Thing": {"@id": f"Things({thing})"},
        "Sensor": {"@id": f"Sensors({sensor})"},
    }
    return city2.post("/Datastreams", body).key


@pytest.mark.parametrize(
    ("address", "kind"),
    [("Things", "Point"), ("Locations", "Point"), ("Features", "Point"), ("Observations", "Point")],
)
def test_places_as_geojson(city2: Client, address: str, kind: str) -> None:
    found = city2.get(f"/{address}?$format=GeoJSON&$orderby=id&$top=1").json
    (feature,) = found["features"]
    assert feature["geometry"]["type"] == kind
    assert feature["id"] == city2.get(f"/{address}?$orderby=id&$top=1").value[0]["id"]
    assert not [name for name in feature["properties"] if "@" in name or name == "id"]


@pytest.mark.parametrize("name", ["Parquet", "Arrow"])
def test_readings_as_columns(city2: Client, name: str) -> None:
    reply = city2.get(f"/Observations?$format={name}")
    assert reply.status == 200
    assert len(reply.body) > 100


def test_readings_as_data_arrays(city2: Client) -> None:
    stream = city2.get("/Datastreams?$filter=name eq 'Lauter level'").value[0]["id"]
    address = f"/Datastreams({stream})/Observations?$format=dataArray&$orderby=phenomenonTime"
    found = city2.get(f"{address}&$top=1&$count=true").json
    assert found["@context"] == f"{ROOT}/$metadata#Observations"
    assert found["@count"] == 3
    (group,) = found["value"]
    assert group["Datastream@navigationLink"] == f"{ROOT}/Datastreams({stream})"
    assert group["dataArray@count"] == 1
    row = dict(zip(group["components"], group["dataArray"][0], strict=True))
    assert row["phenomenonTime"] == {"start": "2026-01-01T06:00:00.000Z"}
    assert (row["result"], row["properties"]) == (1, {"battery": 10})
    chosen = "$select=result,ProximateFeatureOfInterest"
    found = city2.get(f"{address}&{chosen}").json["value"][0]
    assert found["components"] == ["result", "ProximateFeatureOfInterest/id"]


def test_figures_of_stretches_of_time(city2: Client) -> None:
    stream = city2.get("/Datastreams?$filter=name eq 'Lauter level'").value[0]["id"]
    apply = "groupby((bucket(phenomenonTime,'month')),aggregate(result with max as most))"
    found = city2.get(f"/Datastreams({stream})/Observations?$apply={apply}").json
    assert found["@context"] == f"{ROOT}/$metadata#Observations"
    assert found["value"] == [
        {
            "Datastream@navigationLink": f"{ROOT}/Datastreams({stream})",
            "phenomenonTime": {"start": start},
            "most": most,
        }
        for start, most in (("2026-01-01T00:00:00.000Z", 2.5), ("2026-02-01T00:00:00.000Z", 4))
    ]


def test_how_many_there_are(city2: Client) -> None:
    assert city2.get("/Things/$count").body == b"3"
    assert city2.get("/Observations/$count?$filter=result gt 5").body == b"2"


def test_what_a_format_has_no_place_for_is_refused(city2: Client) -> None:
    for address in (
        "/Things?$format=Parquet",
        "/Things?$format=dataArray",
        "/Things?$format=CSV&$expand=Locations",
        "/Things?$apply=groupby((bucket(phenomenonTime,'hour')),aggregate($count as n))",
    ):
        reply = city2.get(address)
        assert (reply.status, reply.json["error"]["code"]) == (400, "400")


# --- CreateObservations --------------------------------------------------------------------------


def group(stream: int, rows: list[Any], *components: str, name: str = "@id") -> dict[str, Any]:
    reference = {name: f"Datastreams({stream})" if name == "@id" else stream}
    return {"Datastream": reference, "components": components, "dataArray": rows}


def lauter(city2: Client) -> int:
    return int(city2.get("/Datastreams?$filter=name eq 'Lauter level'").value[0]["id"])


@pytest.mark.parametrize("name", ["@id", "id", "@iot.id"])
def test_many_readings_at_once(city2: Client, name: str) -> None:
    stream = lauter(city2)
    rows = [
        [{"start": "2026-05-01T00:00:00Z", "end": "2026-05-02T00:00:00Z"}, 7, {"a": 1}],
        ["2026-05-03T00:00:00Z", "broken", None],
        [{"end": "2026-05-03T00:00:00Z"}, 8, None],
        ["2026-05-04T00:00:00Z", 9, None],
    ]
    body = group(stream, rows, "phenomenonTime", "result", "properties", name=name)
    reply = city2.post("/CreateObservations", [body])
    assert reply.status == 201
    first, second, third, last = reply.json
    assert (second, third) == ("error", "error")
    shown = city2.get(first).json
    assert shown["phenomenonTime"]["end"] == "2026-05-02T00:00:00.000Z"
    assert (shown["result"], shown["properties"]) == (7, {"a": 1})
    assert city2.get(last).json["phenomenonTime"] == {"start": "2026-05-04T00:00:00.000Z"}
    feature = last.removeprefix(ROOT) + "/ProximateFeatureOfInterest"
    assert city2.get(feature).status == 204


def test_many_plain_numbers_with_features(city2: Client) -> None:
    stream = lauter(city2)
    feature = city2.get("/Features?$top=1").value[0]["id"]
    rows = [["2026-05-01T00:00:00Z", 1, feature], ["2026-05-02T00:00:00Z", 2, None]]
    names = ("phenomenonTime", "result", "ProximateFeatureOfInterest/id")
    first, second = city2.post("/CreateObservations", [group(stream, rows, *names)]).json
    link = "?$expand=ProximateFeatureOfInterest($select=id)"
    assert city2.get(first + link).json["ProximateFeatureOfInterest"]["id"] == feature
    assert city2.get(second + link).json["ProximateFeatureOfInterest"] is None


def test_many_records_at_once(city2: Client) -> None:
    key = _record(city2)
    rows = [[{"temp": 5, "rain": True}], [{"temp": 6}], [[5, True]], [7]]
    found = city2.post("/CreateObservations", [group(key, rows, "result")]).json
    assert found[1:] == ["error"] * 3
    assert city2.get(found[0]).json["result"] == {"temp": 5, "rain": True}


def test_rows_of_streams_that_are_not_there_or_not_ours_are_errors(
    city2: Client, visitor: Client
) -> None:
    for reference in ("Datastreams(99)", "Things(1)", f"{ROOT}/Datastreams(x)"):
        body = {"Datastream": {"@id": reference}, "components": ["result"], "dataArray": [[1]]}
        assert city2.post("/CreateObservations", [body]).json == ["error"]
    body = group(lauter(city2), [[1]], "result")
    assert in_version_2(visitor).post("/CreateObservations", [body]).status == 401


@pytest.mark.parametrize(
    "broken",
    [
        {},
        [1],
        [{"Datastream": {}, "components": ["result"], "dataArray": []}],
        [{"MultiDatastream": {"@iot.id": 1}, "components": ["result"], "dataArray": []}],
        [{"Datastream": {"id": 1}, "components": ["parameters", "result"], "dataArray": []}],
        [{"Datastream": {"id": 1}, "components": ["phenomenonTime"], "dataArray": []}],
        [{"Datastream": {"id": 1}, "components": ["result"], "dataArray": {}}],
    ],
)
def test_what_is_no_list_of_data_arrays_is_refused(city2: Client, broken: Any) -> None:
    reply = city2.post("/CreateObservations", broken)
    assert reply.status == 400
    assert reply.json["error"]["target"]
