"""Bodies as bytes: encodings, kinds, sizes, depths and numbers that JSON has no room for."""

from typing import Any

import orjson
import pytest

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client

_THING = orjson.dumps(bodies.thing("Pegel Füßen"))
_BROKEN: dict[str, bytes] = {
    "empty": b"",
    "blanks": b" \r\n\t",
    "zero bytes": b"\0\0",
    "cut off": _THING[:-1],
    "cut off in a text": _THING[:20],
    "something behind": _THING + b"x",
    "two documents": _THING + _THING,
    "comma behind": _THING[:-1] + b",}",
    "single quotes": b"{'name':'a','description':'b'}",
    "names without quotes": b'{name:"a",description:"b"}',
    "comment": b'{"name":"a",/* no */"description":"b"}',
    "NaN": b'{"name":"a","description":"b","properties":{"n":NaN}}',
    "Infinity": b'{"name":"a","description":"b","properties":{"n":Infinity}}',
    "-Infinity": b'{"name":"a","description":"b","properties":{"n":-Infinity}}',
    "1e400": b'{"name":"a","description":"b","properties":{"n":1e400}}',
    "-1e400": b'{"name":"a","description":"b","properties":{"n":-1e400}}',
    "leading zero": b'{"name":"a","description":"b","properties":{"n":01}}',
    "plus": b'{"name":"a","description":"b","properties":{"n":+1}}',
    "bare point": b'{"name":"a","description":"b","properties":{"n":.5}}',
    "hexadecimal": b'{"name":"a","description":"b","properties":{"n":0x1F}}',
    "True": b'{"name":"a","description":"b","properties":{"n":True}}',
    "line end in a text": b'{"name":"a\nb","description":"b"}',
    "bad escape": b'{"name":"a\\x62","description":"b"}',
    "half a pair": b'{"name":"\\ud83c","description":"b"}',
    "half a pair in properties": b'{"name":"a","description":"b","properties":{"\\udf0a":1}}',
    "latin-1": "{'name':'Füßen','description':'b'}".replace("'", '"').encode("latin-1"),
    "utf-16": _THING.decode().encode("utf-16"),
    "utf-32": _THING.decode().encode("utf-32"),
    "overlong": b'{"name":"\xc0\xaf","description":"b"}',
    "surrogate in utf-8": b'{"name":"\xed\xa0\x80","description":"b"}',
    "form": b"name=a&description=b",
    "xml": b"<Thing><name>a</name></Thing>",
    "NUL": b'{"name":"a\\u0000","description":"b"}',
    "NUL in properties": b'{"name":"a","description":"b","properties":{"n":"\\u0000"}}',
    "NUL as a name": b'{"name":"a","description":"b","properties":{"\\u0000":1}}',
    "NUL deep inside": b'{"name":"a","description":"b","properties":{"n":[{"m":"x\\u0000"}]}}',
}


@pytest.mark.parametrize("body", _BROKEN.values(), ids=_BROKEN)
def test_what_is_no_json_is_refused_by_every_verb(api: Client, body: bytes) -> None:
    """FROST-Server answers U+0000 with 500"""
    assert api.request("POST", "/Things", body).status == 400
    assert api.get("/Things").value == []
    made = api.post("/Things", bodies.thing())
    address = made.headers["location"]
    for method in ("PATCH", "PUT"):
        assert api.request(method, address, body).status == 400
    for media in ("application/json-patch+json", "application/merge-patch+json"):
        assert api.request("PATCH", address, body, content_type=media).status == 400
    assert api.request("POST", "/$batch", body).status == 400
    assert api.request("POST", "/CreateObservations", body).status == 400
    assert api.get(address).json == made.json


@pytest.mark.parametrize(
    "text", [b'"a\\u0000b"', b'{"a":"\\u0000"}', b'["\\u0000"]', b"NaN", b"1e400", b'"\\ud800"']
)
@pytest.mark.parametrize("name", [b"result", b"resultQuality"])
def test_observations_take_nothing_that_cannot_be_kept(
    api: Client, name: bytes, text: bytes
) -> None:
    place = bodies.thing(Locations=[bodies.location()])
    stream = api.post("/Datastreams", bodies.datastream(Thing=place)).key
    body = b'{"phenomenonTime":"2026-01-01T00:00:00Z","result":1,"result":1,%b:%b}'
    reply = api.request(
        "POST", f"/Datastreams({stream})/Observations", body % (b'"%b"' % name, text)
    )
    assert reply.status == 400, reply.body
    assert api.get("/Observations").value == []


def test_a_byte_order_mark_is_no_part_of_the_text(api: Client) -> None:
    """RFC 8259 §8.1: a parser may ignore it; clients on Windows send it"""
    marked = b"\xef\xbb\xbf" + _THING
    made = api.request("POST", "/Things", marked)
    assert (made.status, made.json["name"]) == (201, "Pegel Füßen")
    assert api.request("PATCH", made.headers["location"], marked).status == 200
    assert api.request("POST", "/Things", b"\xef\xbb\xbf").status == 400


@pytest.mark.parametrize(
    "media",
    [
        "application/json",
        "application/json;charset=utf-8",
        "application/json; charset=UTF-8",
        'application/json; charset="utf-8"',
        "Application/JSON",
        " application/json ",
        "application/json; charset=iso-8859-1",  # RFC 8259 §11: means nothing
        "application/json;odata.metadata=minimal;IEEE754Compatible=false",
        "",
    ],
)
def test_json_by_all_its_names(api: Client, media: str) -> None:
    made = api.request("POST", "/Things", _THING, content_type=media)
    assert made.status == 201, made.body
    changed = api.request("PATCH", made.headers["location"], b'{"name":"a"}', content_type=media)
    assert changed.status == 200


@pytest.mark.parametrize(
    "media",
    [
        "text/plain",
        "text/xml",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/octet-stream",
        "application/geo+json",
        "nonsense",
    ],
)
def test_other_kinds_are_named_in_the_refusal(api: Client, media: str) -> None:
    reply = api.request("POST", "/Things", _THING, content_type=media)
    assert (reply.status, "application/json" in reply.message) == (415, True), reply.body
    made = api.post("/Things", bodies.thing())
    for method in ("PATCH", "PUT"):
        assert (
            api.request(method, made.headers["location"], _THING, content_type=media).status == 415
        )
    assert api.request("POST", "/CreateObservations", b"[]", content_type=media).status == 415
    assert api.request("DELETE", made.headers["location"], content_type=media).status == 200


@pytest.mark.parametrize(
    ("coding", "status"), [("gzip", 415), ("br", 415), ("identity", 201), ("", 201)]
)
def test_a_body_comes_as_it_is(api: Client, coding: str, status: int) -> None:
    """RFC 9110 §8.4: what is not understood is 415, whatever the bytes look like"""
    assert api.request("POST", "/Things", _THING, content_encoding=coding).status == status


def test_of_names_that_come_twice_the_last_counts(api: Client) -> None:
    made = api.request("POST", "/Things", b'{"name":"a","description":"b","name":"c"}')
    assert (made.status, made.json["name"]) == (201, "c")


@pytest.mark.parametrize("depth", [100, 200, 300, 2_000, 100_000])
def test_depth_has_an_end(api: Client, depth: int) -> None:
    for opened, closed in ((b"[", b"]"), (b'{"a":', b"}")):
        inner = opened * depth + b"1" + closed * depth
        body = b'{"name":"a","description":"b","properties":{"p":%b}}' % inner
        assert api.request("POST", "/Things", body).status in (400, 413)
    assert api.get("/Things").value == []


@pytest.mark.parametrize(("size", "status"), [(100_000, 201), (1_500_000, 201)])
def test_long_texts_are_kept(api: Client, size: int, status: int) -> None:
    made = api.post("/Things", bodies.thing(description="ä" * (size // 2)))
    assert made.status == status, made.body
    assert len(api.get(made.headers["location"]).json["description"]) == size // 2


@pytest.mark.parametrize("number", [300, 9_000])
def test_many_members_and_children(api: Client, number: int) -> None:
    made = api.post("/Things", bodies.thing(properties={f"p{n}": n for n in range(number)}))
    assert len(api.get(made.headers["location"]).json["properties"]) == number


def test_too_many_entities_at_once_are_refused_as_a_whole(api: Client) -> None:
    places = [{"@iot.id": 1}] * 3 + [bodies.location(str(n)) for n in range(10_001)]
    refused = api.post("/Things", bodies.thing(Locations=places))
    assert (refused.status, "10000" in refused.message) == (413, True)
    assert api.get("/Locations").value == []


_IDS: list[Any] = ["x", "", -1, 1.5, True, None, [], {}, 2**63, "9" * 30, "1 or 1=1", "1)"]


@pytest.mark.parametrize("key", _IDS, ids=repr)
def test_ids_that_are_none_lead_nowhere(api: Client, key: Any) -> None:
    body = bodies.datastream(Thing={"@iot.id": key})
    refused = api.post("/Datastreams", body)
    assert (refused.status, "Thing" in refused.message) == (400, True), refused.body
    assert api.get("/Sensors").value == []
