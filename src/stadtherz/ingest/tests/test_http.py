"""What the door answers, and that whatever it refuses is kept."""

from typing import Any

import orjson
import pytest

from stadtherz.base.visibility import Scope
from stadtherz.ingest.documents.document import LARGEST
from stadtherz.ingest.models import Codec, Device
from stadtherz.ingest.refused.models import RefusedUplink
from stadtherz.ingest.tests.factories import (
    EUI,
    STRANGE_EUI,
    Door,
    Town,
    chirpstack,
    deliver,
    make_town,
    plan_of,
    readings,
    results,
    time_of,
    tts,
)
from stadtherz.ingest.tests.test_lorawan import load
from stadtherz.store.public import by_id, feature_for


def refused() -> RefusedUplink:
    return RefusedUplink.objects.get()


def test_an_uplink_is_in_the_store_when_it_is_acknowledged(town: Town, door: Door) -> None:
    answer = door.post(tts(1, level_cm=120.5, discharge=3))
    assert answer.status_code == 200
    told = answer.json()
    assert (told["stored"], told["duplicates"]) == (2, 0)
    kept = by_id(told["observations"])
    assert sorted(kept.result.tolist()) == [3, 120.5]
    assert set(kept.phenomenon_start.tolist()) == {time_of(1)}
    assert set(kept.result_time.tolist()) == {time_of(1)}
    assert not RefusedUplink.objects.exists()


def test_its_feature_of_interest_is_where_the_thing_stands(town: Town, door: Door) -> None:
    told = door.post(tts(1, level_cm=120.5)).json()
    assert by_id(told["observations"]).feature.tolist() == [feature_for(town.level)]


def test_a_second_delivery_changes_nothing_and_names_the_same_observations(
    town: Town, door: Door
) -> None:
    first = door.post(tts(1, level_cm=120.5, discharge=3)).json()
    again = door.post(tts(1, level_cm=120.5, discharge=3))
    assert again.status_code == 200
    assert again.json() == {**first, "stored": 0, "duplicates": 2}
    assert len(readings(town.level, town.discharge)) == 2


def test_chirpstack_is_understood_too(door: Door) -> None:
    station = make_town("village", STRANGE_EUI, "chirpstack")
    door.let_in(station, "village")
    document = chirpstack(4, STRANGE_EUI, level_cm=88)
    answer = door.post(document, token="village", path="/ingest/chirpstack?event=up")
    assert answer.status_code == 200
    assert results(station.level) == [88]


@pytest.mark.parametrize(
    ("network", "name"),
    [("actility", "actility-own-up"), ("loriot", "loriot-own-gw"), ("helium", "helium-own-up"),
     ("chirpstack", "chirpstack3-own-up")],
)  # fmt: skip
def test_the_other_networks_have_their_doors(door: Door, network: str, name: str) -> None:
    station = make_town("village", EUI, network)
    give_codec(station.device)
    door.let_in(station, "village")
    document = load(f"{name}.json")["body"]
    answer = door.post(document, token="village", path=f"/ingest/{network}?event=up")
    assert answer.status_code == 200, answer.text
    assert results(station.level) == [123.4]
    again = door.post(document, token="village", path=f"/ingest/{network}?event=up")
    assert (again.json()["stored"], again.json()["duplicates"]) == (0, 1)


def give_codec(device: int) -> None:
    row = Device.objects.get(pk=device)
    text = "level_cm 0 u16be *0.1"
    row.codec = Codec.objects.create(owner_id=row.owner_id, name="Map", kind="bytes", text=text)
    row.save()


def test_no_or_an_unknown_token_is_refused_and_kept_for_operators(town: Town, door: Door) -> None:
    for token in (None, "forged"):
        answer = door.post(tts(1, level_cm=1), token=token)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.json()["error"] == "bad_token"
    assert refused().owner_id is None
    assert refused().count == 2
    assert "forged" not in orjson.dumps([refused().facts, refused().who]).decode()
    assert results(town.level) == []


def test_a_cookie_alone_opens_nothing(town: Town, door: Door) -> None:
    assert door.post(tts(1, level_cm=1), token=None, Cookie="sessionid=x").status_code == 401


def test_a_token_for_reading_may_not_deliver(town: Town, door: Door) -> None:
    door.let_in(town, "reader", Scope.READ)
    assert door.post(tts(1, level_cm=1), token="reader").status_code == 403
    assert (refused().reason, refused().owner_id) == ("no_scope", town.organisation)


def test_an_unknown_device_is_refused_and_kept(town: Town, door: Door) -> None:
    answer = door.post(tts(1, STRANGE_EUI, level_cm=1))
    assert answer.status_code == 404
    assert STRANGE_EUI in answer.json()["detail"]
    assert (refused().reason, refused().owner_id) == ("unknown_device", town.organisation)
    assert orjson.loads(refused().document_text) == tts(1, STRANGE_EUI, level_cm=1)


def test_a_device_of_others_looks_like_an_unknown_one(town: Town, door: Door) -> None:
    unknown = door.post(tts(1, STRANGE_EUI, level_cm=1))
    village = make_town("village", STRANGE_EUI)
    theirs = door.post(tts(2, STRANGE_EUI, level_cm=1))
    assert (theirs.status_code, theirs.content) == (unknown.status_code, unknown.content)
    assert results(village.level) == []
    assert not RefusedUplink.objects.exclude(owner=town.organisation).exists()


def test_a_broken_document_is_refused_and_kept_as_it_came(door: Door) -> None:
    answer = door.post(b'{"\xff')
    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert bytes(refused().document) == b'{"\xff'


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b"[]", b"1", b'{"a": NaN}', b"[" * 40 + b"]" * 40, b"[" * 50_000,
     b'{"uplink_message": {}}', b'{"end_device_ids": {"dev_eui": "12"}, "uplink_message": {}}'],
)  # fmt: skip
def test_whatever_is_no_document_of_the_network_is_refused(town: Town, body: bytes) -> None:
    refusal = plan_of(town, body).refusal
    assert refusal is not None
    assert refusal.reason == "broken_document"
    assert refusal.facts["problem"]


def test_an_impossible_value_names_field_and_range_and_the_others_are_stored(
    town: Town, door: Door
) -> None:
    answer = door.post(tts(1, level_cm=99999, discharge=3))
    told = answer.json()
    assert answer.status_code == 422
    assert (told["error"], told["stored"]) == ("impossible_value", 1)
    assert told["problems"] == [
        {"field": "level_cm", "kind": "out_of_range", "value": 99999, "minimum": 0, "maximum": 500}
    ]
    assert "level_cm" in told["detail"]
    assert "500" in told["detail"]
    assert (results(town.level), results(town.discharge)) == ([], [3])
    assert refused().device_id == town.device


@pytest.mark.parametrize("value", [-1, 1e308, "high", True, 65535, [1], "12\u0000"])
def test_every_impossible_value_is_refused_and_kept(town: Town, value: Any) -> None:
    assert not deliver(town, tts(1, level_cm=value)).readings
    assert refused().reason == "impossible_value"


def test_a_field_that_is_not_in_the_payload_is_simply_not_there(town: Town, door: Door) -> None:
    assert door.post(tts(1, level_cm=5)).status_code == 200
    assert door.post(tts(2, level_cm=None, discharge=2)).status_code == 200
    assert (results(town.level), results(town.discharge)) == ([5], [2])


def test_a_payload_without_any_known_field_is_refused(door: Door) -> None:
    answer = door.post(tts(1, humidity=5))
    assert (answer.status_code, answer.json()["error"]) == (422, "nothing_usable")
    assert "level_cm" in answer.json()["detail"]


def test_a_document_that_is_too_large_is_refused_and_its_beginning_kept(door: Door) -> None:
    answer = door.post(b" " * (LARGEST + 1))
    assert answer.status_code == 413
    assert refused().truncated
    assert len(refused().document) == 64 * 1024


def test_the_largest_allowed_document_is_read(town: Town, door: Door) -> None:
    body = orjson.dumps(tts(1, level_cm=5))
    assert door.post(body + b" " * (LARGEST - len(body))).status_code == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "OPTIONS"])
def test_only_post_is_answered(method: str) -> None:
    answer = Door().post(b"", method=method)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("path", ["/ingest", "/ingest/", "/ingest/ttn", "/ingest/tts/x"])
def test_another_address_is_not_found(path: str) -> None:
    assert Door().post(tts(1, level_cm=1), path=path).status_code == 404


def test_german_is_spoken_when_asked_for(door: Door) -> None:
    answer = door.post(tts(1, level_cm=9999), **{"Accept-Language": "de-DE,de;q=0.9"})
    assert "liegt nicht zwischen 0 und 500" in answer.json()["detail"]


def test_a_join_is_understood_and_stores_nothing(town: Town, door: Door) -> None:
    body = tts(1)
    del body["uplink_message"]
    answer = door.post({**body, "join_accept": {"session_key_id": "x"}})
    assert (answer.status_code, answer.json()["event"]) == (200, "join")
    assert not RefusedUplink.objects.exists()
