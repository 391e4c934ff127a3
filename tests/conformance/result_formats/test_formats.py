"""CSV, GeoJSON, Parquet and Arrow: whole sets in forms that other programs read.

The standard knows only dataArray; the names CSV and GeoJSON are those of other servers.
"""

import asyncio
import csv
import io
import json
from collections.abc import MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from django.db import connections

from stadtherz.base.visibility import SYSTEM
from stadtherz.sensorthings.answers import streams
from stadtherz.sensorthings.doors.http import Application
from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client, Reply
from stadtherz.store.public import update
from tests.conformance.sensing import SENSING

_ALL = "$resultFormat="


def rows(reply: Reply) -> list[dict[str, str]]:
    assert (reply.status, reply.content_type.partition(";")[0]) == (200, "text/csv"), reply.body
    return list(csv.DictReader(io.StringIO(reply.body.decode(), newline="")))


def features(reply: Reply) -> list[dict[str, Any]]:
    assert (reply.status, reply.content_type) == (200, "application/geo+json"), reply.body
    assert reply.json["type"] == "FeatureCollection"
    found: list[dict[str, Any]] = reply.json["features"]
    assert all(feature["type"] == "Feature" for feature in found)
    return found


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that nine readings fill several parts."""
    monkeypatch.setattr(streams, "_READINGS", 2)
    monkeypatch.setattr(streams, "_ENTITIES", 2)


# --- CSV -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SENSING)
@pytest.mark.usefixtures("small_parts")
def test_csv_holds_every_entity_with_its_properties(city: Client, name: str) -> None:
    entities = city.get(f"/{name}").value
    found = rows(city.get(f"/{name}?{_ALL}CSV"))
    assert [int(row["@iot.id"]) for row in found] == [e["@iot.id"] for e in entities]
    for row, entity in zip(found, entities, strict=True):
        for prop in SENSING[name].properties:
            value = entity.get(prop.name)
            if name == "Observations" and prop.name == "result":
                assert json.loads(row["result"]) == value
            elif value is None or isinstance(value, str):
                assert row[prop.name] == (value or "")
            else:
                assert json.loads(row[prop.name]) == value


def test_csv_of_readings_tells_datastream_and_feature(city: Client) -> None:
    for row in rows(city.get(f"/Observations?{_ALL}csv")):
        entity = f"/Observations({row['@iot.id']})"
        assert city.get(f"{entity}/Datastream").json["@iot.id"] == int(row["Datastream"])
        feature = city.get(f"{entity}/FeatureOfInterest").json["@iot.id"]
        assert feature == int(row["FeatureOfInterest"])


_ORDERS = [
    "phenomenonTime desc",
    "result desc",
    "id desc",
    "parameters/battery desc",
    "Datastream/name",
]


@pytest.mark.parametrize("order", _ORDERS)
@pytest.mark.usefixtures("small_parts")
def test_parts_follow_each_other_in_every_order(city: Client, order: str) -> None:
    whole = city.get(f"/Observations?$orderby={order}").ids
    for options, expected in (("", whole), ("&$top=5&$skip=1", whole[1:6]), ("&$top=0", [])):
        found = rows(city.get(f"/Observations?$orderby={order}{options}&{_ALL}CSV"))
        assert [int(row["@iot.id"]) for row in found] == expected


def test_select_chooses_the_columns(city: Client) -> None:
    reply = city.get(f"/Observations?$select=result,id&{_ALL}CSV")
    assert reply.body.startswith(b"result,@iot.id\r\n1,")
    reply = city.get(f"/Things?$select=name&{_ALL}CSV")
    assert reply.body == b"name\r\nLauter\r\nAlsenz\r\n100% Glan_x\r\n"


def test_texts_with_commas_quotes_and_lines_stay_one_cell(api: Client) -> None:
    name = 'a "b", c\nd'
    api.post("/Things", bodies.thing(name, properties={"x": 'y, "z"'}))
    (row,) = rows(api.get(f"/Things?{_ALL}CSV"))
    assert row["name"] == name
    assert json.loads(row["properties"]) == {"x": 'y, "z"'}


def test_csv_of_nothing_is_its_header(api: Client) -> None:
    assert api.get(f"/Observations?{_ALL}CSV").body.count(b"\r\n") == 1
    assert rows(api.get(f"/Things?{_ALL}CSV")) == []


# --- GeoJSON -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SENSING)
@pytest.mark.usefixtures("small_parts")
def test_geojson_holds_every_entity_with_its_properties(city: Client, name: str) -> None:
    entities = city.get(f"/{name}").value
    found = features(city.get(f"/{name}?{_ALL}GeoJSON"))
    assert [feature["id"] for feature in found] == [e["@iot.id"] for e in entities]
    places = {
        "Locations": "location",
        "FeaturesOfInterest": "feature",
        "Datastreams": "observedArea",
    }
    geometry = places.get(name)
    for feature, entity in zip(found, entities, strict=True):
        shown = {k: v for k, v in entity.items() if "@" not in k and k != geometry}
        assert feature["properties"] == shown


def test_places_are_those_of_the_entity_or_of_what_it_belongs_to(city: Client) -> None:
    for name in ("Things", "Locations", "FeaturesOfInterest", "Observations"):
        places = [
            f["geometry"]["coordinates"][0] for f in features(city.get(f"/{name}?{_ALL}GeoJSON"))
        ]
        assert sorted(set(places)) == [7.7, 7.8, 7.9]
    for name in ("Sensors", "ObservedProperties", "HistoricalLocations"):
        assert {f["geometry"] for f in features(city.get(f"/{name}?{_ALL}GeoJSON"))} == {None}


def test_a_place_is_a_geometry_whatever_holds_it(api: Client) -> None:
    point = {"type": "Point", "coordinates": [7.7, 49.4]}
    place = {"type": "Feature", "geometry": point, "properties": {}}
    api.post("/Locations", {**bodies.location(), "location": place})
    api.post("/Locations", {**bodies.location(), "encodingType": "text/plain", "location": "here"})
    api.post("/Things", bodies.thing())
    found = features(api.get(f"/Locations?{_ALL}GeoJSON"))
    assert [feature["geometry"] for feature in found] == [point, None]
    assert [f["geometry"] for f in features(api.get(f"/Things?{_ALL}GeoJSON"))] == [None]


def test_geojson_of_what_is_selected_and_expanded(city: Client) -> None:
    (first, *_) = features(city.get(f"/Locations?$select=name&{_ALL}GeoJSON"))
    assert first["properties"] == {"name": "Lauter bridge"}
    assert first["geometry"]["coordinates"][0] == 7.7
    assert "id" not in first
    address = f"/Things?$select=id,name&$expand=Datastreams($select=name)&{_ALL}GeoJSON"
    (first, *_) = features(city.get(address))
    assert first["properties"] == {"name": "Lauter", "Datastreams": [{"name": "Lauter level"}]}
    (first, *_) = features(city.get(f"/Things?$expand=Locations&{_ALL}GeoJSON"))
    assert first["properties"]["Locations"][0]["name"] == "Lauter bridge"
    assert first["geometry"]["coordinates"][0] == 7.7


# --- Parquet and Arrow ---------------------------------------------------------------------------


@pytest.mark.usefixtures("small_parts")
def test_readings_as_parquet_and_arrow(city: Client) -> None:
    address = "/Observations?$orderby=phenomenonTime desc&$filter=result gt 1&$top=4"
    whole = city.get(address).ids
    assert len(whole) == 4
    table = parquet.read_table(io.BytesIO(city.get(f"{address}&{_ALL}Parquet").body))
    assert table.column("id").to_pylist() == whole
    table = pa.ipc.open_stream(city.get(f"{address}&{_ALL}Arrow").body).read_all()
    assert table.column("id").to_pylist() == whole


# --- limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["CSV", "GeoJSON", "Parquet"])
def test_what_may_not_be_seen_is_not_written(city: Client, visitor: Client, name: str) -> None:
    stream = city.get("/Datastreams").ids[0]
    before = visitor.get(f"/Observations?{_ALL}{name}").body
    hidden = city.get(f"/Datastreams({stream})/Thing").json["@iot.id"]
    update("Thing", hidden, {"access": "organisation"}, SYSTEM)
    address = f"/Datastreams({stream})/Observations?{_ALL}{name}"
    assert visitor.get(address).status == 404
    assert city.get(address).status == 200
    assert visitor.get(f"/Observations?{_ALL}{name}").body != before


@pytest.mark.parametrize(
    "address",
    [
        f"/Observations/$ref?{_ALL}CSV",
        f"/Things?$expand=Locations&{_ALL}CSV",
        f"/Things?{_ALL}Parquet",
        f"/Observations?$select=result&{_ALL}Arrow",
        f"/Datastreams?$expand=Observations({_ALL}CSV)",
        f"/Observations?$filter=colour eq 1&{_ALL}CSV",
        f"/Observations?$orderby=colour&{_ALL}GeoJSON",
    ],
)
def test_what_a_format_cannot_show_is_refused(city: Client, address: str) -> None:
    reply = city.get(address)
    assert (reply.status, reply.json["code"]) == (400, 400)


def test_a_media_type_names_a_format_too(city: Client) -> None:
    assert rows(city.get("/Things?$format=text/csv"))
    assert features(city.get("/Things?$format=application/geo%2Bjson"))


# --- over the wire -------------------------------------------------------------------------------

Message = MutableMapping[str, Any]


class _Wire:
    """An HTTP server's side of one request; `stays` pieces are taken before the client goes."""

    def __init__(self, path: str, query: str, stays: int) -> None:
        self.scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": query.encode(),
            "headers": [(b"host", b"city.example")],
        }
        self.pieces: list[bytes] = []
        self._stays = stays
        self._asked = False
        self._gone = asyncio.Event()

    async def receive(self) -> Message:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            assert b"content-length" not in dict(message["headers"])
            return
        self.pieces.append(message["body"])
        if len(self.pieces) == self._stays:
            self._gone.set()
        await asyncio.sleep(0)  # as a socket lets others work


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize(("stays", "written"), [(99, 9), (2, 2)])
def test_pieces_are_sent_as_they_are_made_while_somebody_takes_them(
    city: Client, stays: int, written: int
) -> None:
    wire = _Wire("/sta/v1.1/Observations", f"{_ALL}CSV", stays)
    with ThreadPoolExecutor(1) as executor:
        asyncio.run(Application(lambda _: SYSTEM, executor)(wire.scope, wire.receive, wire.send))
        executor.submit(connections.close_all)
    assert b"".join(wire.pieces).count(b"\r\n") == 1 + written
    assert max(piece.count(b"\r\n") for piece in wire.pieces) == 2


@pytest.mark.parametrize("name", ["CSV", "GeoJSON", "Parquet", "Arrow", "dataArray"])
def test_one_entity_is_shown_as_json_alone(city: Client, name: str) -> None:
    """Whoever asks for more is told, rather than given something else."""
    address = f"/Things({city.get('/Things').ids[0]})"
    for path in (address, f"{address}/name", f"{address}/$ref"):
        reply = city.get(f"{path}?{_ALL}{name}")
        assert (reply.status, "only for sets" in reply.message) == (400, True)
    assert city.get(f"{address}?{_ALL}JSON").status == 200
