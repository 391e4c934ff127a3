"""Messages as well-known devices and platforms send them: what the wizard proposes is right."""

from typing import Any

import orjson
import pytest

from stadtherz.base.time import parse_instant
from stadtherz.ingest.documents.uplink import Uplink
from stadtherz.ingest.forms import reading, times
from stadtherz.ingest.forms.expressions import parse, parse_readings
from stadtherz.ingest.forms.payloads import port_of
from stadtherz.ingest.forms.proposing import Shape, proposed_shape
from stadtherz.ingest.forms.reading import Address, KnownForm, query_of
from stadtherz.ingest.library.values_in import values_of
from stadtherz.ingest.lorawan import chirpstack
from stadtherz.ingest.onboarding.messages import Sample, sample_of
from stadtherz.ingest.tests.factories import EUI
from stadtherz.ingest.values.written import unit_of

AT = "2026-11-28T11:59:58Z"
S = 1_795_867_198
RECEIVED = parse_instant("2026-11-28T12:00:00Z")
MEASURED = parse_instant(AT)
ENTITY = {"id": "urn:ngsi-ld:Gauge:1", "type": "Gauge"}
LORA = {"devEui": EUI, "fPort": "2", "fCntUp": 12, "timestamp": AT, "payload": "0102", "rssi": "-90",
    "spreadingFactor": "7", "gatewayIdentifier": "123"}  # fmt: skip

# name: topic, message, device, the values that are proposed with their units
SENT: dict[str, tuple[str, Any, str, dict[str, str]]] = {
    "Tasmota": (
        "tele/tasmota_1A2B/SENSOR",
        {"Time": "2026-11-28T12:59:58", "DS18B20": {"Id": "01131B", "Temperature": 3}, "TempUnit": "C"},
        "tasmota_1A2B", {"DS18B20.Temperature": "Cel"}),
    "Tasmota with a meter": (
        "tele/plug-1/SENSOR",
        {"Time": "2026-11-28T12:59:58", "ENERGY": {"Power": 15, "Voltage": 231, "Current": 0.07}},
        "plug-1", {"ENERGY.Power": "W", "ENERGY.Voltage": "V", "ENERGY.Current": "A"}),
    "Shelly, second generation": (
        "",
        {"src": "shellyplusht-08b6", "dst": "x", "method": "NotifyFullStatus",
         "params": {"ts": S, "humidity:0": {"id": 0, "rh": 55.1}, "sys": {"mac": "08B6", "ram_size": 1}}},
        "shellyplusht-08b6", {'params["humidity:0"].rh': "%"}),
    "Zigbee2MQTT": (
        "zigbee2mqtt/0x00158d0001a2b3c4",
        {"temperature": 21.4, "voltage": 3005, "linkquality": 120, "last_seen": "2026-11-28T12:59:58+01:00"},
        "0x00158d0001a2b3c4", {"temperature": "Cel", "voltage": "mV"}),
    "Home Assistant": (
        "",
        {"entity_id": "sensor.gauge", "state": "12.5", "last_changed": AT,
         "attributes": {"unit_of_measurement": "m", "device_class": "distance"}},
        "sensor.gauge", {"state": "m"}),
    "Sparkplug": (
        "spBv1.0/Town/DDATA/edge1/gauge1",
        {"timestamp": S * 1000, "seq": 3,
         "metrics": [{"name": "Level", "timestamp": S * 1000, "value": 12.5}, {"name": "Temp", "value": 3}]},
        "gauge1", {"metrics[name=Level].value": "cm", "metrics[name=Temp].value": "Cel"}),
    "NGSI-v2": (
        "",
        {"subscriptionId": "5a", "data": [
            {**ENTITY, "level": {"type": "Number", "value": 1.25, "metadata": {}},
             "dateObserved": {"type": "DateTime", "value": AT}}]},
        ENTITY["id"], {"level.value": "cm"}),
    "NGSI-v2, key and values": (
        "", {"subscriptionId": "5a", "data": [{**ENTITY, "level": 3, "dateObserved": AT}]},
        ENTITY["id"], {"level": "cm"}),
    "NGSI-LD": (
        "",
        {"id": "urn:ngsi-ld:Notification:1", "type": "Notification", "subscriptionId": "x", "notifiedAt": AT,
         "data": [{**ENTITY, "level": {"type": "Property", "value": 1.25, "unitCode": "MTR", "observedAt": AT}}]},
        ENTITY["id"], {"level.value": "m"}),
    "sensor.community": (
        "",
        {"esp8266id": "1234567", "at": AT, "sensordatavalues": [
            {"value_type": "BME280_pressure", "value": "96512.34"}, {"value_type": "SDS_P1", "value": "1"}]},
        "1234567", {"sensordatavalues[value_type=BME280_pressure].value": "Pa",
                    "sensordatavalues[value_type=SDS_P1].value": "ug/m3"}),
    "Netatmo": (
        "",
        {"body": {"devices": [{"_id": "70:ee:50", "place": {"location": [10.5, 48.1]}, "dashboard_data": {
            "time_utc": S, "Temperature": 21.5, "date_max_temp": S - 100}}]}},
        "70:ee:50", {"body.devices[0].dashboard_data.Temperature": "Cel"}),
    "Davis WeatherLink": (
        "",
        {"did": "001D0A710002", "ts": S, "conditions": [
            {"lsid": 48308, "data_structure_type": 1, "txid": 1, "temp": 62.7, "dew_point": 52.1, "hum": 68.3,
             "wind_speed_last": 4.0, "wind_dir_last": 270, "rain_rate_last": 0, "rain_rate_last_mm": 0.2,
             "rainfall_daily_in": 0.11},
            {"lsid": 48306, "data_structure_type": 3, "bar_sea_level": 30.008}]},
        "001D0A710002",
        {"conditions[lsid=48308].temp": "[degF]", "conditions[lsid=48308].dew_point": "[degF]", "conditions[lsid=48308].hum": "%",
         "conditions[lsid=48308].wind_speed_last": "[mi_i]/h", "conditions[lsid=48308].wind_dir_last": "deg",
         "conditions[lsid=48308].rain_rate_last": "1", "conditions[lsid=48308].rain_rate_last_mm": "mm/h",
         "conditions[lsid=48308].rainfall_daily_in": "[in_i]", "conditions[lsid=48306].bar_sea_level": "[in_i'Hg]"}),
    "Davis WeatherLink, version 2": (
        "",
        {"station_id": 374964, "station_id_uuid": "5a0c8b", "generated_at": S, "sensors": [
            {"lsid": 656281, "sensor_type": 37, "data_structure_type": 10,
             "data": [{"ts": S, "temp": 62.7, "hum": 68.3, "rain_rate_last_mm": 0.2, "tz_offset": 3600}]},
            {"lsid": 656282, "sensor_type": 45, "data_structure_type": 10,
             "data": [{"ts": S, "temp": 50.1, "hum": 71.0, "wind_speed_last": 4.0}]},
            {"lsid": 421222, "sensor_type": 242, "data_structure_type": 12,
             "data": [{"ts": S, "bar_sea_level": 30.008}]}]},
        "374964",
        {"sensors[lsid=656281].data[0].temp": "[degF]", "sensors[lsid=656281].data[0].hum": "%",
         "sensors[lsid=656281].data[0].rain_rate_last_mm": "mm/h", "sensors[lsid=656282].data[0].temp": "[degF]",
         "sensors[lsid=656282].data[0].hum": "%", "sensors[lsid=656282].data[0].wind_speed_last": "[mi_i]/h",
         "sensors[lsid=421222].data[0].bar_sea_level": "[in_i'Hg]"}),
    "Ecowitt": (
        "", {"PASSKEY": "A1B2", "dateutc": "2026-11-28 11:59:58", "tempf": "50", "rainratein": "0.12", "dailyrainin": "0.3"},
        "A1B2", {"tempf": "[degF]", "rainratein": "[in_i]/h", "dailyrainin": "[in_i]"}),
    "Azure Event Grid": (
        "",
        [{"id": "9af8", "topic": "/IOTHUBS/town", "subject": "devices/gauge-7", "eventTime": AT,
          "eventType": "Microsoft.Devices.DeviceTelemetry",
          "data": {"systemProperties": {"iothub-connection-device-id": "gauge-7"}, "body": {"level": 3}}}],
        "gauge-7", {"data.body.level": "cm"}),
    "CloudEvents": (
        "",
        {"specversion": "1.0", "id": "A234", "source": "/sensors", "subject": "gauge-7", "time": AT,
         "type": "org.town.reading", "data": {"level": 3}},
        "gauge-7", {"data.level": "cm"}),
    "Ubidots": (
        "v1.6/devices/weather", {"temperature": {"value": 10.2, "timestamp": S * 1000}},
        "weather", {"temperature.value": "Cel"}),
    "OwnTracks": (
        "owntracks/town/bus7", {"_type": "location", "batt": 80, "lat": 48.1, "lon": 10.5, "tst": S},
        "bus7", {"batt": "%"}),
    "Dragino, NB-IoT": (
        "",
        {"IMEI": "863663062798815", "IMSI": "460083513507314", "Model": "DS02-NB", "mod": 3, "battery": 3.45,
         "signal": 22, "water_level": 82.5, "1": [81.0, "2026-11-28T11:29:58Z"], "time": AT},
        "863663062798815", {"battery": "V", "water_level": "cm"}),
    "Orange Live Objects": (
        "",
        {"streamId": "x", "timestamp": AT, "value": {"level": 12.5}, "location": {"lat": 48.1, "lon": 10.5, "accuracy": 2500},
         "metadata": {"network": {"lora": {"devEUI": EUI, "port": 2, "fcnt": 7, "esp": -79, "sf": 7, "signalLevel": 4}}}},
        EUI, {"value.level": "cm"}),
    "FIWARE, shares": (
        "", {"id": "urn:x", "type": "WeatherObserved", "dateObserved": AT, "relativeHumidity": 0.54},
        "urn:x", {"relativeHumidity": "1"}),
    "XML": (
        "", f'<m><station id="A7"><time>{AT}</time><sensor name="level" unit="cm">5</sensor></station></m>',
        "A7", {"m.station.sensor.value": "cm"}),
    "Telegraf": (
        "",
        {"metrics": [{"fields": {"level": 82.5}, "name": "gauge", "tags": {"host": "pi", "station": "mill"}, "timestamp": S}]},
        "mill", {"fields.level": "cm"}),
    "A car park": (
        "", {"name": "Market", "parkingId": "P1", "free": 33, "status": "open", "lastUpdate": AT},
        "P1", {"free": "1", "status": "1"}),
    "FIWARE, a parking space": (
        "", {"id": "urn:1", "status": {"type": "Text", "value": "free"}, "dateModified": {"type": "DateTime", "value": AT}},
        "urn:1", {"status.value": "1"}),
    "Tasmota with the head of an electricity meter": (
        "tele/meter1/SENSOR", {"Time": "2026-11-28T12:59:58", "SML": {"total_kwh": 1234.5, "volt_p1": 231, "amp_p1": 0.5}},
        "meter1", {"SML.total_kwh": "kW.h", "SML.volt_p1": "V", "SML.amp_p1": "A"}),
    "DATEX II": (
        "",
        "<d2LogicalModel xmlns='http://datex2.eu/schema/2/2_0'><payloadPublication>" + "".join(
            f"<parkingRecordStatus><parkingRecordReference id='P{n}'/><parkingStatusOriginTime>{AT}</parkingStatusOriginTime>"
            f"<parkingOccupancy><parkingNumberOfVacantSpaces>{n}</parkingNumberOfVacantSpaces></parkingOccupancy>"
            "</parkingRecordStatus>" for n in (1, 2)) + "</payloadPublication></d2LogicalModel>",
        "P1", {"parkingOccupancy.parkingNumberOfVacantSpaces": "1"}),
    "Actility, IoT Flow": (
        "", {"deviceEUI": EUI, "time": AT, "payload": {"bytes": "0102", "port": 2}}, EUI, {}),
    "Senet": (
        "", {"devEui": EUI, "txtime": AT, "port": 2, "seqNo": 12, "rssi": -90, "snr": 9, "pdu": "0102"}, EUI, {}),
    "Netmore": ("", [LORA], EUI, {}),
    "Kerlink": ("", {**LORA, "endDevice": {"devEui": EUI, "devAddr": "01"}, "devEui": None}, EUI, {}),
    "Sigfox": (
        "", {"device": "1D2A3B", "time": str(S), "data": "0a1b2c3d", "seqNumber": "12", "station": "AB1"},
        "1D2A3B", {}),
}  # fmt: skip


def understood(topic: str, message: Any) -> tuple[Sample, Shape, Uplink]:
    """What the proposed form makes of the first reading."""
    query = query_of("", topic) if topic else ""
    text = message if isinstance(message, str) else orjson.dumps(message).decode()
    sample = sample_of(text, query)
    shape = proposed_shape(sample.message, RECEIVED, "Europe/Berlin")
    form = KnownForm(
        owner=1,
        key="k",
        device=parse(shape.device),
        time=parse(shape.time) if shape.time else None,
        zone=shape.time_zone,
        message_id=None,
        readings=parse_readings(shape.readings) if shape.readings else None,
        payload=parse(shape.payload) if shape.payload else None,
        payload_kind=shape.payload_kind,
    )
    first = reading.read(form, Address("", sample.topic), sample.content, RECEIVED)[0]
    assert isinstance(first, Uplink), first
    return sample, shape, first


@pytest.mark.parametrize("name", SENT)
def test_device_time_and_values_are_found(name: str) -> None:
    topic, message, device, values = SENT[name]
    _, shape, first = understood(topic, message)
    assert (first.dev_eui, first.time) == (device, MEASURED)
    meant = frozenset({shape.device, shape.time, shape.payload})
    found = {
        e.proposal.path: e.proposal.unit
        for e in values_of(first.decoded or {}, without=meant)
        if e.likely
    }
    assert found == values


@pytest.mark.parametrize(("name", "port"), [("Netmore", 2), ("Kerlink", 2), ("Sigfox", 0)])
def test_the_payload_of_a_radio_that_nobody_here_knows_goes_to_a_codec(
    name: str, port: int
) -> None:
    _, shape, first = understood(*SENT[name][:2])
    assert (shape.payload, shape.payload_kind) in {("payload", "hex"), ("data", "hex")}
    assert (first.payload[:1] in (b"\x01", b"\x0a"), first.f_port) == (True, port)


@pytest.mark.parametrize(
    ("message", "port"),
    [
        ({"a": {"fPort": 85}}, 85),
        ({"params": {"port": 7, "counter_up": 3}}, 7),
        ({"port": 1883}, None),
        ({"port": 5}, None),
        ({"fPort": 256}, None),
        ({"fPort": "²"}, None),
        ({"fPort": None}, None),
    ],
)
def test_a_port_is_one_only_where_frames_are_told_of(message: Any, port: int | None) -> None:
    assert port_of(message) == port


def test_every_entity_of_a_notification_is_a_reading() -> None:
    rows = [{"id": f"gauge-{n}", "type": "Gauge", "level": n, "dateObserved": AT} for n in (1, 2)]
    sample, shape, _ = understood("", {"subscriptionId": "5a", "data": rows})
    form = KnownForm(
        1, "k", parse(shape.device), parse(shape.time), "UTC", None, parse(shape.readings)
    )
    found = reading.read(form, Address(""), sample.content, RECEIVED)
    assert [each.dev_eui for each in found if isinstance(each, Uplink)] == ["gauge-1", "gauge-2"]


@pytest.mark.parametrize(
    "time",
    ["20261128125958", "20261128T125958", "20261128T115958Z", "28.11.26 12:59:58", "2026/11/28 12:59:58",
     "Sat, 28 Nov 2026 11:59:58 GMT", "28 Nov 2026 12:59:58 +0100", 20261128125958, "11/28/2026 12:59:58 PM",
     "28/11/2026 12:59:58", "2026-11-28 12:59:58 pm", "28.11.2026 12:59:58 p.m.", "11/28/2026, 11:59:58 AM Z"],
)  # fmt: skip
def test_a_time_is_read_however_it_is_written(time: Any) -> None:
    _, shape, first = understood("", {"id": "x", "time": time, "level": 5})
    assert (shape.time, first.time) == ("time", MEASURED)


@pytest.mark.parametrize(
    "time",
    ["11/10/2026 12:59:58 PM", "13/28/2026 12:59:58", "20261328125958", "28 Foo 2026 12:59:58 GMT"],
)
def test_a_time_that_may_mean_two_is_none(time: str) -> None:
    sample = sample_of(orjson.dumps({"id": "x", "time": time}).decode())
    assert not proposed_shape(sample.message, RECEIVED, "Europe/Berlin").time


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("12/1/2026 3:05 PM", "2026-12-01T14:05:00Z"),
        ("1/12/2026 3:05 PM", "2026-12-01T14:05:00Z"),
        ("12/1/2026 12:00:30 AM", "2026-11-30T23:00:30Z"),
        ("12/12/2026 3 PM", "2026-12-12T14:00:00Z"),
        ("2/14/2026 13:05 PM", ""),
        ("12/3/2026 3:05:00 pm", ""),
    ],
)
def test_of_two_days_that_one_is_meant_at_which_the_message_came(text: str, at: str) -> None:
    received = parse_instant("2026-12-01T14:10:00Z")
    if not at:
        with pytest.raises(times.NoTime):
            times.instant(text, times.zone("Europe/Berlin"), received)
        return
    assert times.instant(text, times.zone("Europe/Berlin"), received) == parse_instant(at)


@pytest.mark.parametrize(
    "time", [f"{AT}/2026-11-28T12:00:00Z", {"start": AT, "end": "2026-11-28T12:00:00Z"}]
)
def test_an_observation_of_an_interval_has_its_own_time(time: Any) -> None:
    message = {"phenomenonTime": time, "result": 5, "Datastream": {"@iot.id": 7}}
    _, shape, first = understood("", message)
    assert (shape.time, first.time, first.ends) == ("phenomenonTime", MEASURED, RECEIVED)


def test_a_day_and_a_time_of_twelve_hours_are_put_together() -> None:
    _, shape, first = understood(
        "", {"id": "x", "date": "11/28/2026", "time": "12:59:58 PM", "level": 5}
    )
    assert (shape.time, first.time) == ('date + " " + time', MEASURED)


def test_a_gateway_of_milesight_tells_who_heard_it() -> None:
    document = {
        "applicationID": 1, "deviceName": "gauge", "devEUI": EUI.lower(), "time": AT, "fCnt": 5, "fPort": 85,
        "data": "AXVk", "rxInfo": [{"mac": "24e124fffef12345", "rssi": -50, "loRaSNR": 12.5}],
        "txInfo": {"frequency": 868_100_000, "dataRate": {"modulation": "LORA", "spreadFactor": 7}},
    }  # fmt: skip
    found = chirpstack.read(document, {"event": "up"}, received=RECEIVED)
    assert isinstance(found, Uplink)
    assert found.radio.spreading_factor == 7
    assert [each.id for each in found.radio.gateways] == ["24E124FFFEF12345"]


@pytest.mark.parametrize(
    ("code", "unit"), [("MTR", "m"), ("CEL", "Cel"), ("P1", "%"), ("A97", "hPa")]
)
def test_a_unit_as_trade_writes_it_is_known(code: str, unit: str) -> None:
    assert unit_of(code) == unit
