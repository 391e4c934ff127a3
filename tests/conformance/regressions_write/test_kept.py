"""What is sent is what is shown: texts, documents, numbers, results of any kind, by every door."""

from typing import Any

import orjson
import pytest

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client
from stadtherz.store.public import seal
from stadtherz.store.readings import view

_DEEP: Any = 1
for _ in range(28):
    _DEEP = {"a": [_DEEP]}

_TEXTS = {
    "umlauts": "Fließgewässer Überwachung",
    "other scripts": "水位 уровень مستوى",
    "beyond the first plane": "🌊 𝔊auge",
    "combining": "u\u0308 is not ü",
    "from right to left": "\u202eegdirb",
    "quotes": 'O\'Brien "the" `best`',
    "doubled quotes": "it''s",
    "backslashes": "C:\\new\\table",
    "markup": "<script>alert(1)</script>&amp;",
    "line ends": "one\ntwo\r\nthree\ttab",
    "control characters": "\x01\x1f\x7f",
    "wildcards": "100%_[a-z]*?",
    "placeholders": "%s {} {0} $1 :name ?",
    "statement": "'; DROP TABLE store_thing; --",
    "blanks": "  around  ",
    "no character": "\ufffe\uffff",
    "separator": "a\u2028b",
    "as null": "null",
    "as number": "007",
}

_DOCUMENTS: dict[str, Any] = {
    "empty": {},
    "nulls": {"a": None, "b": {"c": None, "d": [None, {"e": None}]}},
    "empty ones": {"a": {}, "b": [], "c": "", "d": [[], {}]},
    "mixed list": {"a": [1, "1", True, None, 1.5, {"b": []}]},
    "deep": {"a": _DEEP},
    "whole numbers": {"a": 2**53, "b": 2**53 + 1, "c": -(2**63), "d": 2**63 - 1, "e": 2**64 - 1},
    "fractions": {"a": 0.1, "b": 1e-7, "c": 123456789.123456, "d": 5e-324, "e": 1.7e308},
    "names": {"": 1, " ": 2, "a b": 3, "a/b": 4, "ä": 5, "@x": 6, "a.b": 7, "$": 8, "id": 9},
    "reserved names": {"__proto__": 1, "constructor": 2, "@iot.id": 3, "name": 4},
    "texts": dict(_TEXTS),
    "long list": {"a": list(range(2000))},
}

_RESULTS: dict[str, Any] = {
    "zero": 0,
    "one": 1,
    "negative": -17,
    "fraction": 12.25,
    "small": 5e-324,
    "large": 1.7976931348623157e308,
    "exact": 2**53 - 1,
    "true": True,
    "false": False,
    "null": None,
    "empty text": "",
    "text": "hoch",
    "number as text": "6",
    "text with quotes": 'O\'Brien "x" \\',
    "text as null": "null",
    "long text": "x" * 20_000,
    "array": [1, 2.5, "a", None, True],
    "empty array": [],
    "nested array": [[1, [2]], []],
    "object": {"a": 1, "b": {"c": None}},
    "empty object": {},
    "GeoJSON": {"type": "Point", "coordinates": [7.5, 49.25, 210.5]},
}


def same(one: Any, other: Any) -> bool:
    """The same document; members are in no order, and true is not 1."""
    return orjson.dumps(one, option=orjson.OPT_SORT_KEYS) == orjson.dumps(
        other, option=orjson.OPT_SORT_KEYS
    )


@pytest.mark.parametrize("text", _TEXTS.values(), ids=_TEXTS)
def test_texts(api: Client, text: str) -> None:
    made = api.post("/Things", bodies.thing(text, description=text, properties={"t": text}))
    assert made.status == 201, made.body
    shown = api.get(made.headers["location"]).json
    assert (shown["name"], shown["description"], shown["properties"]) == (text, text, {"t": text})
    assert api.patch(made.headers["location"], {"description": f"{text}!"}).status == 200
    assert api.get(made.headers["location"]).json["description"] == f"{text}!"


def test_a_description_may_be_empty_and_a_name_may_not(api: Client) -> None:
    assert api.post("/Things", bodies.thing(description="")).json["description"] == ""
    assert api.post("/Things", bodies.thing("")).status == 400
    assert api.post("/Things", bodies.thing("   ")).status == 400


@pytest.mark.parametrize("document", _DOCUMENTS.values(), ids=_DOCUMENTS)
def test_documents(api: Client, document: dict[str, Any]) -> None:
    """FROST-Server drops nested nulls, and needs a text as metadata."""
    made = api.post("/Sensors", bodies.sensor(metadata=document, properties=document))
    assert made.status == 201, made.body
    shown = api.get(made.headers["location"]).json
    assert same(shown["metadata"], document)
    assert same(shown.get("properties", {}), document) or not document


@pytest.mark.parametrize(
    "metadata", ["text", "", 5, 1.5, True, [], ["a", {"b": None}], {}, {"a": [1]}], ids=repr
)
def test_metadata_of_a_sensor_is_any_json(api: Client, metadata: Any) -> None:
    made = api.post("/Sensors", bodies.sensor(metadata=metadata))
    assert made.status == 201, made.body
    assert same(api.get(made.headers["location"]).json["metadata"], metadata)


@pytest.fixture
def stream(api: Client) -> str:
    place = bodies.thing(Locations=[bodies.location()])
    return f"/Datastreams({api.post('/Datastreams', bodies.datastream(Thing=place)).key})"


def _results(api: Client, stream: str) -> list[Any]:
    found = api.get(f"{stream}/Observations?$orderby=phenomenonTime").value
    return [each["result"] for each in found]


@pytest.mark.parametrize("result", _RESULTS.values(), ids=_RESULTS)
def test_results_by_every_door(api: Client, stream: str, result: Any) -> None:
    """istSOS4 takes neither arrays nor null. Post, data array, change and replacement, also sealed."""
    times = [f"2026-01-01T0{hour}:00:00Z" for hour in range(4)]
    made = api.post(f"{stream}/Observations", bodies.observation(result, times[0]))
    assert made.status == 201, made.body
    assert same(made.json["result"], result)
    key = api.get(stream).json["@iot.id"]
    rows = {
        "Datastream": {"@iot.id": key},
        "components": ["phenomenonTime", "result"],
        "dataArray": [[times[1], result]],
    }
    assert "error" not in api.post("/CreateObservations", [rows]).json
    for time in times[2:]:
        other = api.post(f"{stream}/Observations", bodies.observation(99.5, time))
        change = api.patch if time == times[2] else api.put
        assert change(other.headers["location"], bodies.observation(result, time)).status == 200
    assert all(same(each, result) for each in _results(api, stream)), _results(api, stream)
    seal()
    view.forget()
    assert all(same(each, result) for each in _results(api, stream)), _results(api, stream)
    assert same(api.get(made.headers["location"]).json["result"], result)


@pytest.mark.parametrize("number", ["-0", "-0.0", "0e5", "1E2", "1.0", "100e-2"])
def test_other_spellings_of_numbers(api: Client, stream: str, number: str) -> None:
    body = b'{"phenomenonTime":"2026-01-01T00:00:00Z","result":%b}' % number.encode()
    made = api.request("POST", f"{stream}/Observations", body)
    assert made.status == 201, made.body
    assert made.json["result"] == float(number)
    assert api.get(made.headers["location"]).json["result"] == float(number)
    thing = b'{"name":"a","description":"b","properties":{"n":%b}}' % number.encode()
    made = api.request("POST", "/Things", thing)
    assert api.get(made.headers["location"]).json["properties"]["n"] == float(number)


@pytest.mark.parametrize("result", [2**53, -(2**53), 2**53 + 2, 2**63, 10**30])
def test_numbers_as_results_are_those_of_ieee_754(api: Client, stream: str, result: int) -> None:
    """As in RFC 8259 §6; whole numbers of 64 bits that none is are refused (test_large_numbers)."""
    made = api.post(f"{stream}/Observations", {"result": float(result)})
    body = b'{"result":%d}' % result
    again = api.request("POST", f"{stream}/Observations", body)
    assert made.json["result"] == again.json["result"] == float(result)
    assert api.get(f"{stream}/Observations?$filter=result eq {result}").status == 200


@pytest.mark.parametrize("name", ["resultQuality", "parameters"])
@pytest.mark.parametrize("document", _DOCUMENTS.values(), ids=_DOCUMENTS)
def test_notes_of_observations(
    api: Client, stream: str, name: str, document: dict[str, Any]
) -> None:
    made = api.post(f"{stream}/Observations", bodies.observation(1, **{name: document}))
    assert made.status == 201, made.body
    assert same(api.get(made.headers["location"]).json.get(name), document)
    seal()
    view.forget()
    assert same(api.get(made.headers["location"]).json.get(name), document)


@pytest.mark.parametrize("quality", ["good", 5, 1.5, True, [], ["a"], {"DQ": None}], ids=repr)
def test_quality_is_any_json(api: Client, stream: str, quality: Any) -> None:
    made = api.post(f"{stream}/Observations", bodies.observation(1, resultQuality=quality))
    assert made.status == 201, made.body
    assert same(api.get(made.headers["location"]).json["resultQuality"], quality)


@pytest.mark.parametrize(
    "unit",
    [
        {"name": "degree", "symbol": "°C", "definition": "ucum:Cel"},
        {"name": None, "symbol": None, "definition": None},
        {"name": "x", "symbol": "", "definition": "", "more": {"a": [1]}},
        {},
    ],
    ids=["full", "nulls", "more", "empty"],
)
def test_units_are_kept(api: Client, unit: dict[str, Any]) -> None:
    body = bodies.datastream(Thing=bodies.thing(), unitOfMeasurement=unit)
    made = api.post("/Datastreams", body)
    assert made.status == 201, made.body
    assert same(api.get(made.headers["location"]).json["unitOfMeasurement"], unit)
