"""Documents of the networks as they come in the field, beyond those that were recorded: each is understood
or refused with a reason, and none is an error of the server."""

from copy import deepcopy
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stadtherz.base.errors import Invalid
from stadtherz.base.time import parse_instant
from stadtherz.ingest.documents.uplink import Other, Uplink
from stadtherz.ingest.lorawan import actility, chirpstack, helium, loriot, tts
from stadtherz.ingest.tests.factories import EUI, Door, Town, make_town

RECEIVED = parse_instant("2026-11-26T12:00:00Z")
TIME = "2026-11-26T11:59:58.123456789Z"
READERS: dict[str, Any] = {
    each.NETWORK: each.read for each in (tts, chirpstack, actility, loriot, helium)
}
IDS = {"device_id": "gauge-1", "application_ids": {"application_id": "town"}, "dev_eui": EUI}
INFO = {
    "tenantId": "52f14cd4-c6f1-4fbd-8f87-4025e1d49242",
    "applicationName": "town",
    "deviceProfileName": "Gauge",
    "deviceName": "gauge-1",
    "devEui": EUI.lower(),
    "deviceClassEnabled": "CLASS_A",
    "tags": {},
}
V3 = {
    "applicationID": "1",
    "applicationName": "town",
    "deviceName": "gauge-1",
    "devEUI": "obLD1OX2Bxg=",
    "tags": {},
}
LRC = {"Time": "2026-11-26T12:59:58.12+01:00", "DevEUI": EUI, "CustomerID": "100"}

# name: network, query, document, event of what it is ("up" for measurements) or the field that is refused
UNSEEN: dict[str, tuple[str, str, Any, str]] = {
    "tts up without decoder": (
        "tts", "",
        {"end_device_ids": {**IDS, "join_eui": "0000000000000000", "dev_addr": "260B0001"},
         "received_at": TIME,
         "uplink_message": {
             "session_key_id": "AZ==", "frm_payload": "AQI=", "f_port": 2, "f_cnt": 70_000,
             "rx_metadata": [
                 {"gateway_ids": {"gateway_id": "packetbroker"}, "packet_broker": {"message_id": "1"},
                  "rssi": -113, "channel_rssi": -113, "snr": -2.2, "location": {}},
                 {"gateway_ids": {"gateway_id": "roof", "eui": "58A0CBFFFE80"}, "snr": 9}],
             "settings": {"data_rate": {"fsk": {"bit_rate": 50_000}}, "frequency": "868800000"},
             "received_at": TIME, "confirmed": True, "consumed_airtime": "0.056576s",
             "last_battery_percentage": {"f_cnt": 69_000}, "network_ids": {"net_id": "000013"}}},
        "up"),
    "tts simulated": (
        "tts", "",
        {"end_device_ids": IDS, "simulated": True,
         "uplink_message": {"f_port": 1, "frm_payload": "", "rx_metadata": None}},
        "up"),
    "tts join": ("tts", "", {"end_device_ids": IDS, "join_accept": {"session_key_id": "AZ=="}}, "join"),
    "tts failed": (
        "tts", "",
        {"end_device_ids": IDS, "downlink_failed": {
            "downlink": {"f_port": 1, "frm_payload": "AA==", "correlation_ids": None},
            "error": {"namespace": "pkg/networkserver", "name": "application_downlink_too_long",
                      "message_format": "too long", "attributes": {}, "code": 3}}},
        "failed"),
    "tts nack": ("tts", "", {"end_device_ids": IDS, "downlink_nack": {"f_cnt": 4}}, "nack"),
    "tts invalidated": (
        "tts", "",
        {"end_device_ids": IDS, "downlink_queue_invalidated": {"downlinks": [], "last_f_cnt_down": 3}},
        "invalidated"),
    "tts location": (
        "tts", "",
        {"end_device_ids": IDS, "location_solved": {
            "service": "lora-cloud", "location": {"latitude": 48.1, "source": "SOURCE_COMBINED"}}},
        "location"),
    "tts service": ("tts", "", {"end_device_ids": IDS, "service_data": {"service": "x", "data": 1}}, "service"),
    "tts v2": ("tts", "", {"app_id": "a", "dev_id": "b", "hardware_serial": EUI, "payload_raw": "AA=="}, "uplink_message"),
    "tts not a number": (
        "tts", "",
        {"end_device_ids": IDS, "uplink_message": {"rx_metadata": [{"rssi": "nan"}]}},
        "uplink_message.rx_metadata[0].rssi"),
    "chirpstack relay, LR-FHSS": (
        "chirpstack", "event=up",
        {"deduplicationId": "x", "time": TIME, "deviceInfo": INFO, "devAddr": "00189440", "dr": 8,
         "fPort": 1, "data": "AQI=", "relayRxInfo": {"relayDevEui": "00"}, "object": None,
         "rxInfo": [{"gatewayId": "0016c001f153a14c", "uplinkId": 4_217_106_255, "rssi": -36,
                     "snr": 10.5, "location": {}, "crcStatus": "CRC_OK"}],
         "txInfo": {"frequency": 868_100_000, "modulation": {"lrFhss": {"codeRate": "CR_4_6_LI"}}},
         "regionConfigId": "eu868"},
        "up"),
    "chirpstack join": (
        "chirpstack", "event=join",
        {"deduplicationId": "x", "time": TIME, "deviceInfo": INFO, "devAddr": "00189440",
         "relayRxInfo": None, "joinServerContext": None}, "join"),
    "chirpstack status without battery": (
        "chirpstack", "event=status",
        {"deviceInfo": INFO, "margin": -6, "externalPowerSource": False, "batteryLevelUnavailable": True,
         "batteryLevel": 0}, "status"),
    "chirpstack nack": ("chirpstack", "event=ack", {"deviceInfo": INFO, "queueItemId": "x", "fCntDown": 3}, "nack"),
    "chirpstack txack": (
        "chirpstack", "event=txack",
        {"downlinkId": 3_000_000_000, "deviceInfo": INFO, "queueItemId": "", "fCntDown": 3,
         "gatewayId": "0016c001f153a14c", "txInfo": {"frequency": 868_100_000, "power": 16}}, "txack"),
    "chirpstack log": (
        "chirpstack", "event=log",
        {"time": TIME, "deviceInfo": INFO, "level": "WARNING", "code": "UPLINK_F_CNT_RETRANSMISSION",
         "description": "again", "context": {"deduplication_id": "x"}}, "log"),
    "chirpstack location": (
        "chirpstack", "event=location",
        {"deviceInfo": INFO, "location": {"latitude": 48.1, "longitude": 10.5, "source": "GEO_RESOLVER_TDOA"}},
        "location"),
    "chirpstack integration": (
        "chirpstack", "event=integration",
        {"deviceInfo": INFO, "integrationName": "loracloud", "eventType": "x", "object": {"a": []}},
        "integration"),
    "chirpstack unknown event": ("chirpstack", "event=gateway", {"deviceInfo": INFO}, "event"),
    "chirpstack 3 up": (
        "chirpstack", "event=up",
        {**V3, "rxInfo": [{"gatewayID": "ABbAAfFToUw=", "time": None, "timeSinceGPSEpoch": None,
                           "rssi": -57, "loRaSNR": 10, "channel": 6, "location": {"latitude": 0},
                           "fineTimestampType": "NONE", "uplinkID": "x"}],
         "txInfo": {"frequency": 868_500_000, "modulation": "LORA",
                    "loRaModulationInfo": {"bandwidth": 125, "spreadingFactor": 7}},
         "adr": True, "dr": 5, "fCnt": 4, "fPort": 2, "data": "AQI=", "objectJSON": "",
         "confirmedUplink": False, "devAddr": "ABiUQA==", "publishedAt": TIME}, "up"),
    "chirpstack 3 hexadecimal": (
        "chirpstack", "",
        {**V3, "devEUI": EUI.lower(), "rxInfo": [{"gatewayID": "0016c001f153a14c", "rssi": -57, "loRaSNR": 10}],
         "txInfo": {"frequency": 868_500_000, "dr": 5}, "fCnt": 10, "fPort": 5, "data": "AQI=",
         "object": {"level_cm": 3}}, "up"),
    "chirpstack 3 error": (
        "chirpstack", "event=error",
        {**V3, "type": "UPLINK_FCNT_RETRANSMISSION", "error": "frame-counter did not increment", "fCnt": 4},
        "error"),
    "chirpstack 3 ack": ("chirpstack", "event=ack", {**V3, "acknowledged": True, "fCnt": 12}, "ack"),
    "chirpstack 3 status": (
        "chirpstack", "event=status",
        {**V3, "margin": 6, "externalPowerSource": False, "batteryLevelUnavailable": False, "batteryLevel": 75.5},
        "status"),
    "actility untyped": (
        "actility", f"LrnDevEui={EUI}&LrnFPort=2&LrnInfos=TWA_1",
        {"DevEUI_uplink": {**LRC, "FPort": "2", "FCntUp": "7011", "ADRbit": "1", "MType": "2", "FCntDn": "11",
                           "payload_hex": "0102", "mic_hex": "38e7a3b9", "Lrcid": "00000065", "LrrRSSI": "-60.0",
                           "LrrSNR": "9.75", "LrrESP": "", "SpFact": "7", "SubBand": "G1", "Channel": "LC2",
                           "DevLrrCnt": "1", "Lrrid": "08040059", "Late": "0", "LrrLAT": "", "LrrLON": "",
                           "Lrrs": {"Lrr": {"Lrrid": "08040059", "Chain": "0", "LrrRSSI": "-60.0",
                                            "LrrSNR": "9.75"}},
                           "CustomerData": {"alr": {"pro": "LORA/Generic", "ver": "1"}}, "ModelCfg": "0",
                           "DevAddr": "14997A67", "Frequency": "868.1"}}, "up"),
    "actility sent": (
        "actility", "",
        {"DevEUI_downlink_Sent": {**LRC, "FPort": 1, "FCntDn": 3, "DeliveryStatus": 1, "DeliveryFailedCause1": "00"}},
        "sent"),
    "actility rejected": (
        "actility", "", {"DevEUI_downlink_Rejected": {**LRC, "FPort": 1, "DownlinkRejectionCause": "11"}}, "failed"),
    "actility joined": ("actility", "", {"DevEUI_notification": {**LRC, "Type": "join", "Var1": "", "FCntDn": 0}}, "join"),
    "actility reset": (
        "actility", "", {"DevEUI_notification": {**LRC, "Type": "reset", "Var1": "admin_reset"}}, "notification"),
    "actility status": (
        "actility", "", {"DevEUI_notification": {**LRC, "Type": "devstatusans", "Var1": "127", "Var2": "-3"}}, "status"),
    "actility location": (
        "actility", "",
        {"DevEUI_location": {**LRC, "DevLAT": 48.1, "DevLON": 10.5, "DevLocTime": "2026-11-26T12:00:00+01:00"}},
        "location"),
    "actility report of a new kind": (
        "actility", "", {"DevEUI_microflow_session": {**LRC, "SessionId": "x", "UplinkBytes": 120}}, "notification"),
    "actility measurement by another name": (
        "actility", "", {"DevEUI_multicast": {**LRC, "payload_hex": "01"}}, "DevEUI_uplink"),
    "actility endless frequency": (
        "actility", "", {"DevEUI_uplink": {**LRC, "Frequency": 1e308}}, "DevEUI_uplink.Frequency"),
    "loriot extended": (
        "loriot", "",
        {"cmd": "rx", "seqno": 51, "EUI": "A1-B2-C3-D4-E5-F6-07-18", "ts": 1_795_694_398_123, "fcnt": 3, "port": 2,
         "freq": 868_500_000, "toa": 61, "dr": "SF7 BW125 4/5", "ack": False, "bat": 255, "offline": False,
         "rssi": -67, "snr": 9.2, "data": "0102", "decoded": None}, "up"),
    "loriot without a key": (
        "loriot", "", {"cmd": "gw", "EUI": EUI, "ts": 1_795_694_398_123, "fcnt": 3, "port": 2, "encdata": "9a4d", "gws": []},
        "encdata"),
    "loriot taken": ("loriot", "", {"cmd": "tx", "EUI": EUI, "success": "Data enqueued", "data": "01"}, "queued"),
    "loriot sent": ("loriot", "", {"cmd": "txd", "EUI": EUI, "seqdn": 4, "seqq": 0, "ts": 1_795_694_398_123}, "sent"),
    "loriot join request": (
        "loriot", "",
        {"cmd": "join_request", "EUI": EUI, "appeui": "0102030405060708", "devnonce": 4711, "ts": 1_795_694_398_123,
         "freq": 868_100_000, "dr": "SF10 BW125 4/5", "gws": [{"rssi": -67, "snr": 9.2, "gweui": "58A0CBFFFE80"}]},
        "join"),
    "loriot joined": (
        "loriot", "", {"cmd": "join", "EUI": EUI, "devaddr": "01A2B3C4", "ts": 1_795_694_398_123}, "join"),
    "loriot status": (
        "loriot", "", {"cmd": "status", "EUI": EUI, "bat": 127, "margin": 12, "ts": 1_795_694_398_123}, "status"),
    "loriot something new": (
        "loriot", "", {"cmd": "mac", "EUI": EUI, "maccmds": ["06ff0a"], "ts": 1_795_694_398_123}, "notification"),
    "loriot a measurement by another name": (
        "loriot", "", {"cmd": "uplink", "EUI": EUI, "fcnt": 3, "port": 2, "data": "0102"}, "cmd"),
    "loriot without a command": ("loriot", "", {"EUI": EUI, "ts": 1_795_694_398_123}, "cmd"),
    "loriot confirmed nothing": ("loriot", "", {"cmd": "txd", "ts": 1_795_694_398_123}, "EUI"),
    "helium decoder failed": (
        "helium", "",
        {"type": "uplink", "uuid": "x", "dev_eui": EUI, "name": "gauge-1", "fcnt": 3, "port": 2, "payload": "AQI=",
         "payload_size": 2, "raw_packet": "x", "reported_at": 1_795_694_398_123, "replay": False,
         "decoded": {"error": "timeout", "status": "error", "payload": ""}, "metadata": {"labels": [], "cf_list_enabled": False},
         "dc": {"balance": 1, "nonce": 1}, "downlink_url": "https://console.helium.example/down",
         "hotspots": [{"channel": 7, "frequency": 868.5, "hold_time": 0, "id": "11x", "name": "roof", "lat": None,
                       "long": None, "rssi": -90, "snr": 6.5, "spreading": "SF7BW125", "status": "success"}]}, "up"),
    "helium join": ("helium", "", {"type": "join", "dev_eui": EUI, "reported_at": 1_795_694_398_123}, "join"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNSEEN)
def test_each_is_understood_or_refused_by_its_field(name: str) -> None:
    network, query, body, wanted = UNSEEN[name]
    asked = dict(each.split("=") for each in query.split("&") if each)
    found = outcome(network, asked, deepcopy(body))
    if isinstance(found, Invalid):
        assert found.field == wanted
        return
    assert found.dev_eui == EUI
    assert (found.event if isinstance(found, Other) else "up") == wanted


def outcome(network: str, query: dict[str, str], body: Any) -> Uplink | Other | Invalid:
    try:
        found: Uplink | Other = READERS[network](body, query, received=RECEIVED)
    except Invalid as problem:
        return problem
    return found


def test_no_document_is_an_error_of_the_server(
    door: Door, town: Town, transactional_db: None
) -> None:
    for network in READERS:
        if network != "tts":
            make_town(f"town-{network}", EUI, network=network)
    for name, (network, query, body, wanted) in UNSEEN.items():
        response = door.post(body, path=f"/ingest/{network}?{query}")
        assert response.status_code < 500, name
        told = response.json()
        assert told.get("event") == wanted or told["detail"] or told["stored"], name


def test_an_untyped_document_of_thingpark_says_the_same_as_a_typed_one() -> None:
    found = actility.read(UNSEEN["actility untyped"][2], {}, received=RECEIVED)
    assert isinstance(found, Uplink)
    assert (found.f_cnt, found.f_port, found.payload) == (7011, 2, b"\1\2")
    assert (found.radio.frequency, found.radio.spreading_factor) == (868_100_000, 7)
    assert [(each.id, each.rssi) for each in found.radio.gateways] == [("08040059", -60)]


def test_a_notification_of_thingpark_tells_the_battery() -> None:
    found = actility.read(UNSEEN["actility status"][2], {}, received=RECEIVED)
    assert found.battery == 50.0


def test_what_loriot_tells_of_no_device_is_taken_and_changes_nothing() -> None:
    for body in ({"cmd": "cq", "page": 1, "total": 0, "cache": []}, {"cmd": "gwinfo", "gws": []}):
        found = loriot.read(body, {}, received=RECEIVED)
        assert isinstance(found, Other)
        assert found.dev_eui is None


def test_a_status_of_loriot_tells_the_battery() -> None:
    assert loriot.read(UNSEEN["loriot status"][2], {}, received=RECEIVED).battery == 50.0


def test_where_a_webhook_delivers_only_what_is_normalized_that_counts() -> None:
    def decoded(**more: Any) -> Any:
        found = tts.read(
            {"end_device_ids": IDS, "uplink_message": {"f_cnt": 4, **more}}, {}, received=RECEIVED
        )
        assert isinstance(found, Uplink)
        return found.decoded

    entries = [{"air": {"temperature": 21.4}}, {"air": {"temperature": 21.5}}]
    assert decoded(normalized_payload=entries) == {**entries[0], "normalized_payload": entries}
    assert decoded(normalized_payload=entries[0])["air"] == {"temperature": 21.4}
    assert decoded(normalized_payload=entries, decoded_payload={"t": 1}) == {"t": 1}
    assert decoded(normalized_payload=entries, frm_payload="AQ==") is None
    assert decoded(normalized_payload="x") is None


ODD = st.sampled_from(
    ["nan", "inf", "-inf", 1e308, -1e308, 10**30, "", "1e999", [], {}, True, "\0", "９９", -1]
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_value_that_nobody_expects_does_no_harm_wherever_it_stands(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(UNSEEN)))
    network, _, body, _ = UNSEEN[name]
    changed = orjson.loads(orjson.dumps(body))
    place = data.draw(st.sampled_from(list(_places(changed))))
    holder = changed
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = data.draw(ODD)
    found = outcome(network, {"event": "up"}, changed)
    if isinstance(found, Invalid):
        assert found.field
        return
    numbers = found.facts.values() if isinstance(found, Uplink) else [found.battery]
    assert all(abs(each) < 1e19 for each in numbers if each is not None)


def _places(holder: Any, before: tuple[str | int, ...] = ()) -> Any:
    steps = holder.items() if isinstance(holder, dict) else enumerate(holder)
    for step, value in steps:
        yield (*before, step)
        if isinstance(value, dict | list):
            yield from _places(value, (*before, step))
