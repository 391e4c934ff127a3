"""InfluxDB's own addresses, as Telegraf, gateways and Home Assistant write to them."""

import gzip

import orjson
import pytest

from stadtherz.base.time import now_us
from stadtherz.ingest.documents import document
from stadtherz.ingest.public import NewField, register_device
from stadtherz.ingest.tests.factories import Door, Town, readings, results, tts
from stadtherz.ingest.tests.test_json_door import AT, add_form, refused

TOKEN = "sh_0123456789ab_" + "x" * 43
LINES = b"w,station=mill level=1 %d\nw,station=mill level=2 %d\n" % (AT, AT + 3600)
V2 = "/api/v2/write?org=town&bucket=lines&precision=ns"


@pytest.fixture
def town(town: Town, door: Door) -> Town:
    add_form(town.organisation, "lines", device="tags.station", time="time")
    fields = [NewField("fields.level", town.level, maximum=500)]
    register_device(town.organisation, "json", "mill", "Mill", fields=fields)
    door.let_in(town, TOKEN)
    return town


@pytest.mark.parametrize(
    ("path", "authorization"),
    [
        (V2, f"Token {TOKEN}"),
        (V2, f"token {TOKEN}"),
        (V2, f"Bearer {TOKEN}"),
        ("/ingest/json/lines/api/v2/write?org=x&bucket=y", f"Token {TOKEN}"),
        (f"/ingest/json/{TOKEN}/lines/api/v2/write?org=x&bucket=y", ""),
        ("/write?db=lines&rp=&consistency=any", f"Token telegraf:{TOKEN}"),
        (f"/write?db=lines&u=telegraf&p={TOKEN}", ""),
        (f"/ingest/json/lines/write?db=telegraf&u=x&p={TOKEN}", ""),
    ],
)
def test_what_is_written_is_stored_once(
    town: Town, door: Door, path: str, authorization: str
) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    for _ in "12":
        answer = door.post(LINES, path=path, token=None, **headers)
        assert (answer.status_code, answer.content) == (204, b""), answer.text
    assert results(town.level) == [1, 2]
    assert readings(town.level).phenomenon_start.tolist() == [AT * 10**6, (AT + 3600) * 10**6]


@pytest.mark.parametrize(
    ("precision", "time"),
    [("h", AT // 3600), ("m", AT // 60), ("s", AT), ("ms", AT * 10**3), ("us", AT * 10**6),
     ("u", AT * 10**6), ("n", AT * 10**9), ("ns", AT * 10**9)],
)  # fmt: skip
def test_times_are_in_the_unit_that_the_address_tells(
    town: Town, door: Door, precision: str, time: int
) -> None:
    body = b"w,station=mill level=1 %d" % time
    answer = door.post(body, path=f"/write?db=lines&precision={precision}", token=TOKEN)
    assert answer.status_code == 204, answer.text
    assert readings(town.level).phenomenon_start.tolist() == [AT * 10**6]


def test_a_line_without_a_time_is_from_when_it_came(town: Town, door: Door) -> None:
    before = now_us()
    assert door.post(b"w,station=mill level=1", path=V2, token=TOKEN).status_code == 204
    (at,) = readings(town.level).phenomenon_start.tolist()
    assert before <= at <= now_us()


def test_an_unknown_unit_of_times_is_refused_and_kept(town: Town, door: Door) -> None:
    answer = door.post(LINES, path="/write?db=lines&precision=d", token=TOKEN)
    assert (answer.status_code, refused().facts["field"]) == (400, "precision")


def test_packed_lines_are_unpacked(town: Town, door: Door) -> None:
    first, second = LINES.splitlines(keepends=True)
    packed = gzip.compress(first) + gzip.compress(second)
    answer = door.post(packed, path=V2, token=TOKEN, **{"Content-Encoding": "gzip"})
    assert answer.status_code == 204, answer.text
    assert results(town.level) == [1, 2]


def test_any_networks_document_may_be_packed(town: Town, door: Door) -> None:
    body = gzip.compress(orjson.dumps(tts(1, level_cm=80)))
    answer = door.post(body, **{"Content-Encoding": "gzip"})
    assert answer.json()["stored"] == 1, answer.text


def test_what_was_packed_and_is_too_large_is_refused_as_such(town: Town, door: Door) -> None:
    body = gzip.compress(b"w,station=mill level=1\n" * 2_000_000)
    assert len(body) < document.LARGEST
    answer = door.post(body, path=V2, token=TOKEN, **{"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["code"]) == (413, "request too large")


def test_what_cannot_be_unpacked_is_kept_with_the_reason(town: Town, door: Door) -> None:
    for body in (gzip.compress(LINES)[:-20], b"\x1f\x8bno"):
        answer = door.post(body, path="/ingest/json/lines", **{"Content-Encoding": "gzip"})
        assert "packed with gzip" in answer.json()["detail"], answer.text
    answer = door.post(LINES, path=V2, token=TOKEN, **{"Content-Encoding": "br"})
    assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "gzip")


@pytest.mark.parametrize(
    ("path", "body", "status", "code", "error"),
    [
        (V2, b"w,station=east level=1", 404, "not found", "unknown_device"),
        (V2, b"w,station=mill level=900", 422, "unprocessable entity", "impossible_value"),
        ("/write?db=no", LINES, 404, None, "partial write: There is no message form"),
        ("/write?db=lines", b"w", 422, None, "partial write: Line 1"),
    ],
)  # fmt: skip
def test_a_refusal_is_told_as_influxdb_tells_it(
    town: Town, door: Door, path: str, body: bytes, status: int, code: str | None, error: str
) -> None:
    """Telegraf sends what is no partial write again for ever, and nothing behind it."""
    answer = door.post(body, path=path, token=TOKEN)
    told = answer.json()
    assert (answer.status_code, told.get("code")) == (status, code), answer.text
    assert told["error"].startswith(error)
    if code:
        assert told["message"] == told["detail"]


@pytest.mark.parametrize("authorization", ["", "Token no", "Token"])
def test_without_a_token_nothing_is_written(town: Town, door: Door, authorization: str) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    answer = door.post(LINES, path=V2, token=None, **headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert not results(town.level)


def test_no_refused_message_keeps_the_password(town: Town, door: Door) -> None:
    door.post(b"w,station=east level=1", path=f"/write?db=lines&u=a&p={TOKEN}", token=None)
    assert "sh_" not in refused().query + refused().document_text


def test_other_addresses_are_as_they_were(town: Town, door: Door) -> None:
    add_form(town.organisation, "topics", device="topic:1")
    answer = door.post({"id": 1, "at": AT}, path="/ingest/json/topics/write")
    assert "device write" in answer.json()["detail"]
    assert door.post(LINES, path="/write", token=TOKEN).status_code == 404
    assert door.post(b"", path=V2, method="GET", token=TOKEN).status_code == 404
