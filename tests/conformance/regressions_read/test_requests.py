"""Addresses, methods, headers and packing: what stands around a query (18-088 §9.2 and §9.1)."""

import gzip
from typing import Any

import orjson
import pytest
import zstandard

from stadtherz.base.visibility import ANONYMOUS
from stadtherz.sensorthings.answers.get import Answer
from stadtherz.sensorthings.doors.http import handle
from stadtherz.sensorthings.doors.packing import packed
from stadtherz.sensorthings.tests.client import ROOT, Client, in_version_2


@pytest.fixture(scope="module")
def ids(atlas: Client) -> dict[str, int]:
    """The ids that stand in the addresses below: of the weir, its level, its first reading and its place."""
    thing, stream = atlas.get("/Things").ids[0], atlas.get("/Datastreams").ids[0]
    reading = atlas.get(f"/Datastreams({stream})/Observations").ids[0]
    place = atlas.get(f"/Things({thing})/Locations").ids[0]
    bare = atlas.get("/Things?$filter=name eq 'Bare'").ids[0]
    empty = atlas.get("/Datastreams?$filter=name eq 'Bridge level'").ids[0]
    return {"T": thing, "D": stream, "O": reading, "L": place, "B": bare, "E": empty}


def _at(ids: dict[str, int], path: str) -> str:
    for letter, key in ids.items():
        path = path.replace(f"({letter})", f"({key})")
    return path


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/Things(T)/name", {"name": "Weir"}),
        ("/Things(T)/name/", {"name": "Weir"}),
        ("/Things(T)//name", {"name": "Weir"}),
        ("/Things%28T%29/name", None),
        ("/Things(T)/properties/owner", {"owner": {"name": "Stadt", "phone": None}}),
        ("/Things(T)/properties/owner/name", {"name": "Stadt"}),
        ("/Things(T)/properties/tags", {"tags": ["wet", "north"]}),
        ("/Things(T)/properties/tags[1]", {"tags[1]": "north"}),
        ("/Things(T)/properties/tags%5B1%5D", {"tags[1]": "north"}),
        ("/Things(T)/properties/grid[1]", {"grid[1]": [3, 4]}),
        ("/Things(T)/properties/grid[1][0]", {"grid[1][0]": 3}),
        ("/Things(T)/properties/parts[0]/id", {"id": "p1"}),
        ("/Things(T)/properties/active", {"active": True}),
        ("/Things(T)/properties/level", {"level": 1}),
        ("/Things(T)/properties/my-key", {"my-key": "dash"}),
        ("/Things(T)/properties/a.b", {"a.b": "dot"}),
        ("/Things(T)/properties/Straße", {"Straße": "Mühlgasse"}),
        ("/Things(T)/properties/Stra%C3%9Fe", {"Straße": "Mühlgasse"}),
        ("/Datastreams(D)/unitOfMeasurement/symbol", {"symbol": "cm"}),
        ("/Datastreams(D)/observedArea/type", {"type": "Point"}),
        ("/Datastreams(D)/phenomenonTime", {"phenomenonTime": "2026-03-01T00:00:00.000Z/2026-03-03T00:00:00.000Z"}),
        ("/Datastreams(D)/Thing/name", {"name": "Weir"}),
        ("/Things(T)/Datastreams(D)/name", {"name": "Weir level"}),
        ("/Things(T)/Datastreams(D)/Observations(O)/result", {"result": 1}),
        ("/Things(T)/Datastreams(D)/Observations(O)/parameters/by", {"by": "Ann"}),
        ("/Things(T)/Datastreams(D)/Observations(O)/FeatureOfInterest/name", {"name": "Here"}),
        ("/Things(T)/Datastreams(D)/Observations(O)/Datastream/Thing/name", {"name": "Weir"}),
        ("/Observations(O)/resultQuality", {"resultQuality": "good"}),
        ("/Locations(L)/location/coordinates[0]", {"coordinates[0]": 8}),
        ("/Locations(L)/Things(T)/Locations(L)/name", {"name": "Here"}),
    ],
)  # fmt: skip
def test_a_property_by_itself(atlas: Client, ids: dict[str, int], path: str, document: Any) -> None:
    if document is None:  # an encoded parenthesis is one
        path, document = f"/Things%28{ids['T']}%29/name", {"name": "Weir"}
    reply = atlas.get(_at(ids, path))
    assert (reply.status, reply.json) == (200, document)


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("/Things(T)/name/$value", b"Weir", "text/plain"),
        ("/Things(T)/properties/level/$value", b"1", "text/plain"),
        ("/Things(T)/properties/ratio/$value", b"0.5", "text/plain"),
        ("/Things(T)/properties/active/$value", b"true", "text/plain"),
        ("/Things(T)/properties/owner/name/$value", b"Stadt", "text/plain"),
        ("/Things(T)/properties/tags/$value", b'["wet","north"]', "application/json"),
        ("/Things(T)/properties/owner/$value", b'{"name":"Stadt","phone":null}', "application/json"),
        ("/Observations(O)/result/$value", b"1", "text/plain"),
        ("/Observations(O)/phenomenonTime/$value", b"2026-03-01T00:00:00.000Z", "text/plain"),
        ("/Datastreams(D)/unitOfMeasurement/symbol/$value", b"cm", "text/plain"),
        ("/Things/$count", b"5", "text/plain"),
        ("/Things/$count?$filter=name eq 'Weir'", b"1", "text/plain"),
        ("/Things/$count?$top=1&$skip=3", b"5", "text/plain"),
        ("/Things(T)/Datastreams/$count", b"2", "text/plain"),
        ("/Things(T)/Datastreams(D)/Observations/$count?$filter=result gt 1", b"2", "text/plain"),
        ("/Observations/$count", b"13", "text/plain"),
    ],
)  # fmt: skip
def test_a_raw_value(atlas: Client, ids: dict[str, int], path: str, body: bytes, kind: str) -> None:
    reply = atlas.get(_at(ids, path))
    assert (reply.status, reply.body, reply.content_type.partition(";")[0]) == (200, body, kind)


@pytest.mark.parametrize(
    "path",
    [
        "/Things(B)/properties", "/Things(B)/properties/$value", "/Things(B)/properties/any/way",
        "/Things(T)/properties/missing", "/Things(T)/properties/owner/phone", "/Things(T)/properties/owner/phone/$value",
        "/Things(T)/properties/tags[9]", "/Datastreams(E)/phenomenonTime", "/Datastreams(E)/observedArea",
        "/Observations(O)/validTime",
    ],
)  # fmt: skip
def test_a_property_that_holds_nothing_is_no_content(
    atlas: Client, ids: dict[str, int], path: str
) -> None:
    reply = atlas.get(_at(ids, path))
    assert (reply.status, reply.body) == (204, b"")


def test_references(atlas: Client, ids: dict[str, int]) -> None:
    thing = f"{ROOT}/Things({ids['T']})"
    assert atlas.get(f"{thing}/$ref").json == {"@iot.selfLink": thing}
    assert atlas.get(_at(ids, "/Datastreams(D)/Thing/$ref")).json == {"@iot.selfLink": thing}
    first = {"@iot.selfLink": f"{ROOT}/Datastreams({ids['D']})"}
    assert atlas.get(f"{thing}/Datastreams/$ref").value[0] == first
    page = atlas.get(f"{thing}/Datastreams/$ref?$top=1&$count=true").json
    assert (page["@iot.count"], page["value"]) == (2, [first])
    assert len(atlas.get(page["@iot.nextLink"]).value) == 1


_NOT_FOUND = [
    "/Nothing",
    "/Nothing(1)",
    "/things",
    "/THINGS",
    "/Thing",
    "/Thing(1)",
    "/Things/1",
    "/Things[1]",
    "/Things(T",
    "/Things(T))",
    "/Things(T)(T)",
    "/Things(T)/Nothing",
    "/Things(T)/Thing",
    "/Things(T)/datastreams",
    "/Things(T)/Name",
    "/Things(T)/name/deeper",
    "/Things/name",
    "/Things/Datastreams",
    "/Things(T)/Datastreams/name",
    "/Datastreams(D)/Thing(T)",
    "/Things(B)/Datastreams(D)",
    "/Things(999999)",
    "/Things(999999)/name",
    "/Things(999999)/Datastreams",
    "/Things(999999)/$ref",
    "/Things(0)",
    "/Things(-1)",
    "/Things(1.0)",
    "/Things(1.5)",
    "/Things(1e3)",
    "/Things(+1)",
    "/Things('1')",
    "/Things('x')",
    '/Things("1")',
    "/Things(x)",
    "/Things(id=999999)",
    "/Things(name=1)",
    "/Things(9223372036854775807)",
    "/Things(9223372036854775808)",
    "/Things(99999999999999999999999)",
    "/Things(%00)",
    "/Things(T)/%00",
    "/%00",
    "/Things%00",
    "/..",
    "/../v1.1/Things",
    "/Things/../Datastreams",
    "/$metadata",
    "/$all",
    "/Observations(999999)",
    "/Observations('x')",
    "/Datastreams(D)/Observations(999999)",
]


@pytest.mark.parametrize("path", _NOT_FOUND)
def test_what_is_not_there_is_not_found(atlas: Client, ids: dict[str, int], path: str) -> None:
    reply = atlas.get(_at(ids, path))
    assert (reply.status, reply.json["code"], reply.json["type"]) == (404, 404, "error"), reply.body


@pytest.mark.parametrize(
    "path",
    ["/Things()", "/Things('1)", "/Things(T)/$value", "/Things/$value", "/Things(T)/$count", "/Things(T)/name/$ref",
     "/Things(T)/name/$count", "/$count", "/$ref", "/$value", "/Datastreams(D)/Thing/$count", "/Things(T)" + "/Datastreams(D)/Thing" * 12],
)  # fmt: skip
def test_addresses_without_sense_are_refused(atlas: Client, ids: dict[str, int], path: str) -> None:
    assert atlas.get(_at(ids, path)).status == 400


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/Things(T)", "GET, HEAD, OPTIONS, PATCH, PUT, DELETE"),
        ("PUT", "/Things", "GET, HEAD, OPTIONS, POST, DELETE"),
        ("PATCH", "/Things", "GET, HEAD, OPTIONS, POST, DELETE"),
        ("PUT", "/Things(T)/Datastreams", "GET, HEAD, OPTIONS, POST, DELETE"),
        ("POST", "/Things(T)/name", "GET, HEAD, OPTIONS"),
        ("DELETE", "/Things(T)/name/$value", "GET, HEAD, OPTIONS"),
        ("POST", "/Things/$count", "GET, HEAD, OPTIONS"),
        ("POST", "/", "GET, HEAD, OPTIONS"),
        ("DELETE", "/", "GET, HEAD, OPTIONS"),
        ("GET", "/CreateObservations", "POST, OPTIONS"),
        ("HEAD", "/CreateObservations", "POST, OPTIONS"),
        ("PUT", "/CreateObservations", "POST, OPTIONS"),
        ("GET", "/$batch", "POST, OPTIONS"),
        ("DELETE", "/$batch/", "POST, OPTIONS"),
        ("POST", "/openapi.json", "GET, HEAD, OPTIONS"),
        ("TRACE", "/Things", "GET, HEAD, OPTIONS, POST, PATCH, PUT, DELETE"),
        ("BREW", "/Things", "GET, HEAD, OPTIONS, POST, PATCH, PUT, DELETE"),
    ],
)
def test_a_method_that_does_not_fit_is_told_which_do(
    atlas: Client, ids: dict[str, int], method: str, path: str, allowed: str
) -> None:
    reply = atlas.request(method, _at(ids, path), b"{}")
    assert (reply.status, reply.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize("path", ["/$batch", "/CreateObservations", "/openapi.json", "/Things"])
def test_who_asks_what_is_possible_is_told(atlas: Client, path: str) -> None:
    for client in (atlas, in_version_2(atlas)):
        for asked in ({}, {"access_control_request_method": "POST"}):
            reply = client.request("OPTIONS", path, **asked)
            if reply.status == 200:  # in version 2.0 as GET would be answered
                assert client.get(path).status == 200
                continue
            possible = set(reply.headers["allow"].split(", "))
            assert (reply.status, "POST" in possible) == (204, path != "/openapi.json")
            assert ("GET" in possible) == (path in ("/openapi.json", "/Things"))


def test_blanks_before_an_option_do_not_hide_it(atlas: Client) -> None:
    """One client's diagrams ask like this, and `$filter` would be passed over in silence."""
    query = "%20%20%20%20$filter=name%20eq%20'Weir'&%20%20%20%20$select=name"
    assert atlas.get(f"/Things?{query}").value == [{"name": "Weir"}]
    assert atlas.delete("/Things(1)?%20$filter=name%20eq%20'x'").status == 400


def test_head_answers_as_get(atlas: Client, ids: dict[str, int]) -> None:
    for path in ("/Things(T)", "/Things", "/Things/$count", "/", "/Things(T)/name"):
        head, get = atlas.request("HEAD", _at(ids, path)), atlas.get(_at(ids, path))
        assert (head.status, head.headers, head.content_type) == (
            200,
            get.headers,
            get.content_type,
        )
    assert atlas.request("HEAD", "/Things(999999)").status == 404


@pytest.mark.parametrize(
    "accept",
    ["application/json", "*/*", "", "application/xml", "text/plain, */*;q=0.1", "application/json;odata=verbose", "nonsense"],
)  # fmt: skip
def test_whatever_is_accepted_the_answer_is_json(atlas: Client, accept: str) -> None:
    reply = atlas.get("/Things?$top=1", accept=accept)
    assert (reply.status, reply.content_type) == (200, "application/json; charset=utf-8")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        # what does not begin with a dollar sign is none of the standard's business
        ("", 200), ("&", 200), ("&&", 200), ("foo=bar", 200), ("filter=name eq 'x'", 200), ("top=0", 200), ("%00=1", 200),
        ("%24top=1", 200), ("$top=1&_=123", 200), ("$top=1&", 200),
        # clients break long addresses into lines, and the blanks come along
        ("   $top=1&%0A    $select=name", 200), ("   $foo=bar", 400), ("   $top=-1", 400),
        # what does is known or refused
        ("$foo=bar", 400), ("$Filter=true", 400), ("$TOP=1", 400), ("$=1", 400), ("$filter", 400), ("$top", 400),
        ("$top=1&$top=1", 400), ("$filter=true&$filter=true", 400), ("$resultFormat=JSON&$format=json", 400),
        ("$search=x", 501), ("$compute=x", 501),
        # empty or unreadable values
        ("$top=", 400), ("$skip=", 400), ("$count=", 400), ("$select=", 400), ("$expand=", 400), ("$orderby=", 400),
        ("$filter=", 400), ("$top=-1", 400), ("$skip=-5", 400), ("$top=1.5", 400), ("$top=x", 400), ("$top=%2B1", 400),
        ("$count=yes", 400), ("$count=TRUE", 400), ("$count=1", 400), ("$skiptoken=x", 400),
        ("$top=99999999999999999999999999", 200), ("$skip=99999999999999999999999999", 200), ("$top=0", 200),
        # formats
        ("$resultFormat=JSON", 200), ("$resultFormat=json", 200), ("resultFormat=JSON", 200), ("$format=json", 200),
        ("$format=application/json", 200), ("$format=application/geo%2Bjson", 200), ("$format=application/geo+json", 200), ("$resultFormat=CSV", 200), ("$resultFormat=GeoJSON", 200),
        ("$resultFormat=dataArray", 400), ("$resultFormat=XML", 400), ("$format=xml", 400), ("$resultFormat=", 400),
        # bytes that are no text
        ("$filter=name eq '%FF'", 400), ("$filter=name eq '%ED%A0%80'", 400), ("$filter=name eq '%00'", 400),
        ("$orderby=name%00", 400), ("$select=name%00", 400), ("$expand=Datastreams%00", 400),
    ],
)  # fmt: skip
def test_options_are_known_or_refused(atlas: Client, query: str, status: int) -> None:
    reply = atlas.get(f"/Things?{query}")
    assert reply.status == status, reply.body
    if status == 400:
        assert (reply.json["code"], reply.json["type"]) == (400, "error")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("$select=name", 200), ("$expand=Datastreams", 200), ("$top=1", 200), ("$skip=0", 200), ("$count=true", 200),
        ("$filter=true", 400), ("$orderby=name", 400), ("$skiptoken=WzFd", 400), ("$top=-1", 400), ("$foo=1", 400),
    ],
)  # fmt: skip
def test_one_entity_takes_no_filter(
    atlas: Client, ids: dict[str, int], query: str, status: int
) -> None:
    assert atlas.get(_at(ids, f"/Things(T)?{query}")).status == status


# --- packed answers ----------------------------------------------------------------------------------


def _answer(path: str, **headers: str) -> Answer:
    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": f"/sta/v1.1{path}",
        "query_string": query.encode(),
        "headers": [(b"host", b"city.example"), *given],
    }
    return packed(handle(scope, b"", lambda _: ANONYMOUS), scope)


@pytest.mark.parametrize(
    "encoding",
    [
        *("gzip", "gzip, deflate, br", "br;q=1.0, gzip;q=0.8", "*", "GZIP", "identity;q=0, *"),
        *("gzip, zstd;q=0.9", "zstd;q=0, gzip;q=0.1", "identity;q=0.2, gzip;q=0.3"),
    ],
)
def test_who_takes_gzip_gets_it(atlas: Client, encoding: str) -> None:
    plain, small = _answer("/Things"), _answer("/Things", accept_encoding=encoding)
    assert dict(small.headers)["content-encoding"] == "gzip"
    assert (gzip.decompress(small.body), len(small.body) < len(plain.body) / 3) == (
        plain.body,
        True,
    )


@pytest.mark.parametrize(
    "encoding",
    ["zstd", "gzip, deflate, br, zstd", "ZSTD;q=0.5, gzip;q=0.4", "gzip;q=0, zstd", "zstd, *"],
)
def test_who_likes_zstd_as_much_gets_it(atlas: Client, encoding: str) -> None:
    plain, small = _answer("/Things"), _answer("/Things", accept_encoding=encoding)
    assert dict(small.headers)["content-encoding"] == "zstd"
    assert zstandard.ZstdDecompressor().decompress(small.body) == plain.body
    assert len(small.body) < len(plain.body) / 3


@pytest.mark.parametrize(
    "encoding",
    [
        *("", "identity", "gzip;q=0", "gzip; q=0.0", "br", "*;q=0", "deflate"),
        *("zstd;q=0", "gzip;q=0.5, identity", "zstd;q=0.1, gzip;q=0.2, identity;q=0.3"),
    ],
)
def test_who_does_not_take_it_packed_is_spared(atlas: Client, encoding: str) -> None:
    answer = _answer("/Things", accept_encoding=encoding)
    assert "content-encoding" not in dict(answer.headers)
    assert len(orjson.loads(answer.body)["value"]) == 5


@pytest.mark.parametrize(
    "path", ["/Things/$count", "/Things?$top=0", "/Things(999999)", "/Things?$foo=1"]
)
def test_what_is_short_or_an_error_is_not_packed(atlas: Client, path: str) -> None:
    assert "content-encoding" not in dict(_answer(path, accept_encoding="gzip").headers)


def test_a_large_entity_is_packed_with_a_tag_of_its_own(
    atlas: Client, ids: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stadtherz.sensorthings.doors.packing.LEAST_WITH_TAG", 100)
    path = f"/Things({ids['T']})"
    plain, small = _answer(path), _answer(path, accept_encoding="gzip")
    other = _answer(path, accept_encoding="zstd")
    assert small.tag == str(plain.tag)[:-1] + '-gzip"'
    assert other.tag == str(plain.tag)[:-1] + '-zstd"'
    assert gzip.decompress(small.body) == plain.body
    for tag in (str(plain.tag), str(small.tag), str(other.tag)):
        assert _answer(path, if_none_match=tag).status == 304
        assert _answer(path, if_none_match=tag, accept_encoding="gzip").status == 304


def test_a_whole_set_is_packed_as_it_is_written(atlas: Client) -> None:
    plain = _answer("/Observations?$resultFormat=CSV").whole()
    small = _answer("/Observations?$resultFormat=CSV", accept_encoding="gzip")
    assert small.more is not None
    assert gzip.decompress(small.whole().body) == plain.body
    small = _answer("/Observations?$resultFormat=CSV", accept_encoding="zstd")
    assert small.more is not None
    reader = zstandard.ZstdDecompressor().decompressobj()
    assert reader.decompress(small.whole().body) == plain.body
