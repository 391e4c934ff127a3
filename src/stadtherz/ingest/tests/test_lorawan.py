"""Every recorded document becomes what stands beside it under `expect`."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stadtherz.base.errors import Invalid
from stadtherz.base.time import DAY, MINUTE, SECOND, parse_instant
from stadtherz.ingest.documents import uplink
from stadtherz.ingest.documents.uplink import Gateway, Other, Radio, Uplink
from stadtherz.ingest.lorawan import actility, chirpstack, helium, loriot, tts

RECEIVED = parse_instant("2026-11-26T12:00:00Z")
READERS = {
    "chirpstack-v4": chirpstack.read,
    "chirpstack-v3": chirpstack.read,
    "tts-v3": tts.read,
    "actility-thingpark": actility.read,
    "loriot": loriot.read,
    "helium-console": helium.read,
}
RECORDED = sorted((Path(__file__).parent / "recorded").glob("*.json"))


def load(name: str) -> dict[str, Any]:
    return json.loads((Path(__file__).parent / "recorded" / name).read_text())


def read(recorded: dict[str, Any], received: int = RECEIVED) -> Uplink | Other:
    query = recorded["transport"]["http"].get("query", {})
    return READERS[recorded["network_server"]](recorded["body"], query, received=received)


def up(name: str, **changes: Any) -> Uplink:
    recorded = load(name)
    recorded["body"].update(changes)
    found = read(recorded)
    assert isinstance(found, Uplink)
    return found


def told(found: Uplink) -> dict[str, Any]:
    """The uplink in the words of `expect`."""
    return {
        "dev_eui": found.dev_eui,
        "device_name": found.device,
        "device_id": found.device,
        "application": found.application,
        "f_cnt": found.f_cnt,
        "f_port": found.f_port,
        "payload_hex": found.payload.hex(),
        "confirmed": found.confirmed,
        "decoded": found.decoded,
        "gateways": [gateway_told(gateway) for gateway in found.radio.gateways],
        "frequency_hz": found.radio.frequency,
        "spreading_factor": found.radio.spreading_factor,
        "battery_percent": found.battery,
        "model": found.model,
    }


def gateway_told(gateway: Gateway) -> dict[str, Any]:
    longitude, latitude = gateway.position or (None, None)
    return {
        "id": gateway.id,
        "eui": gateway.eui,
        "rssi": gateway.rssi,
        "snr": gateway.snr,
        "lat": latitude,
        "lon": longitude,
    }


def assert_as_expected(actual: Any, expected: Any) -> None:
    """Everything `expected` names is there; gateways may say more than it names."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for name, value in expected.items():
            assert_as_expected(actual.get(name), value)
    elif isinstance(expected, list):
        assert len(actual) == len(expected)
        for one, other in zip(actual, expected, strict=True):
            assert_as_expected(one, other)
    else:
        assert actual == expected


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recorded_document_becomes_what_is_expected(path: Path) -> None:
    recorded = load(path.name)
    expected = dict(recorded["expect"])
    found = read(recorded)
    assert found.dev_eui == expected["dev_eui"]
    if "time" in expected:
        assert found.time == parse_instant(expected["time"])
    if recorded["event"] == "up":
        assert isinstance(found, Uplink)
        for name in ("time", "idempotency_key"):
            expected.pop(name, None)
        assert_as_expected(told(found), expected)
    else:
        assert isinstance(found, Other)
        assert found.event == recorded["event"]


def test_a_status_tells_the_battery() -> None:
    found = read(load("chirpstack4-status.json"))
    assert isinstance(found, Other)
    assert found.battery == 88.3


@pytest.mark.parametrize("member", ["batteryLevelUnavailable", "externalPowerSource"])
def test_a_status_without_a_battery_tells_none(member: str) -> None:
    recorded = load("chirpstack4-status.json")
    recorded["body"][member] = True
    found = read(recorded)
    assert isinstance(found, Other)
    assert found.battery is None


def test_one_id_of_two_devices_makes_two_keys() -> None:
    info = load("chirpstack4-up.json")["body"]["deviceInfo"]
    other = up("chirpstack4-up.json", deviceInfo={**info, "devEui": "0202020202020202"})
    assert other.key != up("chirpstack4-up.json").key


def test_the_networks_id_decides_and_not_what_else_differs() -> None:
    again = up("chirpstack4-up.json", fCnt=9, data="", time="2022-07-18T09:40:00Z")
    assert again.key == up("chirpstack4-up.json").key


def test_a_chirpstack_uplink_without_an_id_is_known_by_its_counter() -> None:
    first = up("chirpstack4-up.json", deduplicationId=None, fCnt=5)
    assert first.key == up("chirpstack4-up.json", deduplicationId=None, fCnt=5).key
    assert first.key != up("chirpstack4-up.json", deduplicationId=None, fCnt=6).key


def with_message(name: str, **changes: Any) -> Uplink:
    return up(name, uplink_message={**load(name)["body"]["uplink_message"], **changes})


@pytest.mark.parametrize(
    "changes",
    [{"f_cnt": 2}, {"session_key_id": "another"}, {"frm_payload": "gkHf"}],
    ids=["counter", "session", "payload"],
)
def test_another_counter_session_or_payload_is_another_uplink(changes: dict[str, Any]) -> None:
    assert with_message("tts3-up.json", **changes).key != up("tts3-up.json").key


def test_a_second_delivery_with_other_times_and_gateways_is_the_same_uplink() -> None:
    again = with_message("tts3-up.json", received_at="2020-02-12T16:00:00Z", rx_metadata=[])
    assert again.key == up("tts3-up.json").key


def test_without_raw_bytes_the_decoded_values_tell_uplinks_apart() -> None:
    one = with_message("tts3-up.json", frm_payload=None)
    other = with_message("tts3-up.json", frm_payload=None, decoded_payload={"temperature": 2.0})
    assert one.key != other.key
    assert one.key == with_message("tts3-up.json", frm_payload="").key


def test_a_document_without_any_time_was_received_now() -> None:
    found = up(
        "tts3-own-old.json",
        received_at=None,
        uplink_message={"frm_payload": "AA=="},
    )
    assert found.time == RECEIVED


def test_a_network_whose_clock_is_ahead_is_not_believed() -> None:
    assert up("chirpstack4-up.json", time="2026-11-26T12:04:00Z").time == RECEIVED + 4 * MINUTE
    assert up("chirpstack4-up.json", time="2026-11-27T12:00:00Z").time == RECEIVED


def test_without_the_event_in_the_address_an_uplink_is_still_recognised() -> None:
    recorded = load("chirpstack4-up.json")
    assert isinstance(chirpstack.read(recorded["body"], {}, received=RECEIVED), Uplink)


@pytest.mark.parametrize(
    ("name", "changes", "field"),
    [
        ("chirpstack4-up.json", {"deviceInfo": {}}, "deviceInfo.devEui"),
        ("chirpstack4-up.json", {"deviceInfo": {"devEui": "12"}}, "deviceInfo.devEui"),
        ("chirpstack4-up.json", {"deviceInfo": []}, "deviceInfo"),
        ("chirpstack4-up.json", {"data": "***"}, "data"),
        ("chirpstack4-up.json", {"fCnt": -1}, "fCnt"),
        ("chirpstack4-up.json", {"fCnt": "many"}, "fCnt"),
        ("chirpstack4-up.json", {"fPort": 256}, "fPort"),
        ("chirpstack4-up.json", {"time": "yesterday"}, "time"),
        ("chirpstack4-up.json", {"time": "2022-13-01T00:00:00Z"}, "time"),
        ("chirpstack4-up.json", {"object": [1]}, "object"),
        ("chirpstack4-up.json", {"rxInfo": [{"rssi": {}}]}, "rxInfo[0].rssi"),
        ("tts3-up.json", {"end_device_ids": {"device_id": "x"}}, "end_device_ids.dev_eui"),
        ("tts3-up.json", {"uplink_message": None}, "uplink_message"),
        ("tts3-up.json", {"uplink_message": 3}, "uplink_message"),
    ],
)
def test_what_cannot_be_read_names_its_place(
    name: str, changes: dict[str, Any], field: str
) -> None:
    recorded = load(name)
    recorded["body"].update(changes)
    with pytest.raises(Invalid) as caught:
        read(recorded)
    assert caught.value.field == field


@pytest.mark.parametrize("body", [None, 1, "up", [], {}, {"a": {"b": {}}}])
@pytest.mark.parametrize("reader", READERS.values(), ids=READERS.keys())
def test_any_other_json_is_refused_in_words(reader: Any, body: Any) -> None:
    with pytest.raises(Invalid):
        reader(body, {}, received=RECEIVED)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
MEMBERS = st.sampled_from(
    ["DevEUI_uplink", "cmd", "EUI", "ts", "dev_eui", "payload", "hotspots", "devEUI", "objectJSON",
     "end_device_ids", "uplink_message", "received_at", "join_accept", "deviceInfo", "time", "data",
     "object", "rxInfo", "txInfo", "fCnt", "fPort", "deduplicationId"]
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(MEMBERS, JSON))
def test_a_reader_answers_or_says_invalid_whatever_comes(body: dict[str, Any]) -> None:
    for reader in READERS.values():
        with suppress(Invalid):
            assert reader(body, {"event": "up"}, received=RECEIVED)


def test_a_devices_own_time_counts_only_if_it_can_be_true() -> None:
    assert uplink.measured_at(None, RECEIVED) == RECEIVED
    assert uplink.measured_at(RECEIVED - DAY, RECEIVED) == RECEIVED - DAY
    assert uplink.measured_at(RECEIVED + 6 * MINUTE, RECEIVED) == RECEIVED
    assert uplink.measured_at(SECOND, RECEIVED) == RECEIVED  # a clock that starts in 1970


def test_parts_of_a_key_do_not_run_into_one_another() -> None:
    assert uplink.key("n", "E", "ab", "c") != uplink.key("n", "E", "a", "bc")


def test_the_gateway_that_heard_loudest_is_the_best() -> None:
    quiet, loud, deaf = Gateway("a", rssi=-120), Gateway("b", rssi=-60), Gateway("c")
    assert Radio(gateways=(quiet, loud, deaf)).best is loud
    assert Radio().best is None


@pytest.mark.parametrize(
    ("name", "changes", "field"),
    [
        ("actility-own-up.json", {"DevEUI_uplink": {}}, "DevEUI_uplink.DevEUI"),
        ("actility-own-up.json", {"DevEUI_uplink": 1}, "DevEUI_uplink"),
        ("actility-own-up.json", {"DevEUI_uplink": {"DevEUI": []}}, "DevEUI_uplink.DevEUI"),
        ("loriot-own-gw.json", {"cmd": "other"}, "cmd"),
        ("loriot-own-gw.json", {"data": "zz"}, "data"),
        ("loriot-own-gw.json", {"ts": 10**18}, "ts"),
        ("helium-own-up.json", {"payload": "***"}, "payload"),
        ("helium-own-up.json", {"reported_at": "soon"}, "reported_at"),
        ("chirpstack3-own-up.json", {"devEUI": "AQI="}, "devEUI"),
        ("chirpstack3-own-up.json", {"objectJSON": "{"}, "objectJSON"),
    ],
)
def test_what_the_other_networks_write_wrongly_names_its_place_too(
    name: str, changes: dict[str, Any], field: str
) -> None:
    recorded = load(name)
    recorded["body"].update(changes)
    with pytest.raises(Invalid) as caught:
        read(recorded)
    assert caught.value.field == field


def test_loriots_two_documents_of_one_frame_are_one_uplink() -> None:
    full = up("loriot-own-gw.json")
    short = up("loriot-own-gw.json", cmd="rx", gws=None, rssi=-106, snr=-4.5)
    assert full.key == short.key
    assert short.radio.best is not None
    assert up("loriot-own-gw.json", seqno=27).key != full.key


@pytest.mark.parametrize(("level", "percent"), [(None, None), (0, None), (255, None), (254, 100)])
def test_loriots_battery_is_percent_where_there_is_one(
    level: int | None, percent: float | None
) -> None:
    assert up("loriot-own-gw.json", bat=level).battery == percent


@pytest.mark.parametrize(
    ("name", "changes", "query", "event"),
    [
        ("loriot-own-gw.json", {"cmd": "txd"}, {}, "sent"),
        ("helium-own-up.json", {"type": "join"}, {}, "join"),
        ("chirpstack3-own-up.json", {"batteryLevel": 80.5}, {"event": "status"}, "status"),
        ("chirpstack3-own-up.json", {}, {"event": "txack"}, "txack"),
        ("actility-own-join.json", {}, {}, "join"),
    ],
)
def test_what_is_no_uplink_is_understood(
    name: str, changes: dict[str, Any], query: dict[str, str], event: str
) -> None:
    recorded = load(name)
    recorded["body"].update(changes)
    reader = READERS[recorded["network_server"]]
    found = reader(recorded["body"], query, received=RECEIVED)
    assert isinstance(found, Other)
    assert (found.event, found.dev_eui) == (event, "A1B2C3D4E5F60718")
    assert found.battery == changes.get("batteryLevel")
