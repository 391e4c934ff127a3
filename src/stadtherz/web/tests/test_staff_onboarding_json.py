"""A clerk connects devices that speak no LoRaWAN, from whatever their makers thought of."""

import re
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from django.test import Client
from django.urls import reverse

from stadtherz.base.time import iso, now_us, parse_instant
from stadtherz.base.visibility import Scope, Visibility
from stadtherz.identity.public import ApiToken, AuditEntry
from stadtherz.ingest.public import (
    Delivery,
    Device,
    DeviceField,
    Draft,
    MessageForm,
    RefusedUplink,
    deliver,
    form_query,
)
from stadtherz.store.public import Selection, select
from stadtherz.web.tests.staff_cast import Town, town
from stadtherz.web.tests.test_staff_onboarding import fields_of, page, place

pytestmark = pytest.mark.django_db


def paste(client: Client, message: Any, topic: str = "") -> Draft:
    text = message if isinstance(message, str) else orjson.dumps(message).decode()
    url = reverse("device:connect")
    answer = client.post(url, {"way": "sample", "sample": text, "topic": topic})
    assert answer.status_code == 302, re.findall(r"error-message.*?</", answer.content.decode())
    assert answer["Location"].endswith("/message/")
    return Draft.objects.latest("pk")


def accepted(client: Client, draft: Draft, name: str = "Wetter", **changed: str) -> Draft:
    """Every step as it is proposed, as somebody does who trusts it."""
    url = reverse("device:connect_message", args=[draft.pk])
    answer = client.post(url, fields_of(client.get(url).content.decode()) | changed)
    assert answer.status_code == 302, re.findall(r"error-message.*?</", answer.content.decode())
    client.post(reverse("device:connect_place", args=[draft.pk]), place(name))
    url = reverse("device:connect_values", args=[draft.pk])
    answer = client.post(url, fields_of(client.get(url).content.decode()))
    assert answer["Location"].endswith("/test/"), answer.content.decode()
    draft.refresh_from_db()
    return draft


def live(client: Client, draft: Draft) -> Device:
    answer = client.post(reverse("device:connect_test", args=[draft.pk]))
    assert answer["Location"].endswith("/done/"), answer["Location"]
    draft.refresh_from_db()
    assert draft.device is not None
    return draft.device


def send(home: Town, message: Any, key: str, topic: str = "") -> Any:
    body = message.encode() if isinstance(message, str) else orjson.dumps(message)
    kind = "application/x-www-form-urlencoded" if isinstance(message, str) else ""
    by = Visibility(home=home.organisation, scopes=frozenset({Scope.INGEST}), actor="token:x")
    delivered = deliver([Delivery("json", body, form_query(key, topic, kind), now_us(), by)])[0]
    if delivered.keep:
        delivered.keep()
    return delivered.answer


def stored(device: Device) -> dict[str, tuple[float, str]]:
    """By path what was measured last, and when."""
    found = {}
    for each in DeviceField.objects.filter(device=device):
        rows = select(Selection(streams=frozenset({each.datastream_id})))
        if len(rows):
            newest = int(rows.phenomenon_start.argmax())
            at = iso(int(rows.phenomenon_start[newest]))
            found[each.path] = (round(float(rows.result[newest]), 3), at)
    return found


@dataclass(frozen=True)
class Odd:
    """A message, what its device is called, and what of it is stored under which path."""

    message: Any
    device: str
    values: dict[str, float]
    at: str = "2026-11-20T07:00:00Z"  # empty: when it arrives
    topic: str = ""
    changed: dict[str, str] = field(default_factory=dict)


AT = "2026-11-20T07:00:00Z"
ODD = {
    "nested, as an industrial gateway sends it": Odd(
        {"device": {"serial": "WS-7", "fw": 3}, "measured": AT, "data": {"air": {"temp_C": -2.5, "rh": 81}}},
        "WS-7",
        {"data.air.temp_C": -2.5, "data.air.rh": 81},
    ),
    "numbers as German texts": Odd(
        {"Gerät": "Pegel 4", "Zeitpunkt": "20.11.2026 08:00:00", "Wasserstand_cm": "1.023,5", "Temperatur": "4,25"},
        "Pegel 4",
        {"Wasserstand_cm": 1023.5, "Temperatur": 4.25},
    ),
    "seconds since 1970": Odd({"id": 17, "ts": 1795158000, "level": 5}, "17", {"level": 5}),
    "milliseconds since 1970 as text": Odd(
        {"sensorId": "a-1", "timestamp": "1795158000000", "co2": 512}, "a-1", {"co2": 512}
    ),
    "a time without a zone": Odd(
        {"station": "Markt", "time": "2026-11-20T08:00:00", "windspeed_kmh": 12}, "Markt", {"windspeed_kmh": 12}
    ),
    "day and time apart": Odd(
        {"kennung": "Z9", "datum": "2026-11-20", "uhrzeit": "08:00", "fahrzeuge": 44}, "Z9", {"fahrzeuge": 44}
    ),
    "values in a list with names and units": Odd(
        {"imei": "867", "time": AT, "values": [
            {"name": "temp", "value": 50, "unit": "°F"}, {"name": "soil moisture", "value": "31,5", "unit": "%"}]},
        "867",
        {"values[name=temp].value": 10, "values[name=soil moisture].value": 31.5},
    ),
    "several readings in one message": Odd(
        {"logger": "GW-2", "readings": [{"t": 1795154400, "depth_m": 3.5}, {"t": 1795158000, "depth_m": 3.25}]},
        "GW-2",
        {"depth_m": 3.25},
    ),
    "rows under a list of names, units with them": Odd(
        {"station": "Mühle", "fields": ["zeit", "pegel [m]", "temp (°C)"],
         "values": [["2026-11-20T06:00:00Z", 1.4, None], ["2026-11-20T07:00:00Z", 1.5, 4.5]]},
        "Mühle",
        {"pegel": 1.5, "temp": 4.5},
    ),
    "a table whose first row has the names": Odd(
        [["serial", "time", "level_cm"], ["T-1", 1795154400, 80], ["T-1", 1795158000, 81]], "T-1", {"level_cm": 81}
    ),
    "a column for each name": Odd(
        {"id": "C-1", "data": {"time": [1795154400, 1795158000], "temperature": [20, 21]},
         "data_units": {"temperature": "°F"}},
        "C-1",
        {"temperature": -6.111},
    ),
    "values with their unit as text": Odd(
        {"device": "Halle 3", "time": AT, "temperature": "21,5 °C", "level": "1,2 m", "humidity": "45 % rF"},
        "Halle 3",
        {"temperature": 21.5, "level": 1.2, "humidity": 45},
    ),
    "SenML": Odd(
        [{"bn": "urn:dev:mac:0024befffe804ff1:", "bt": 1795158000, "n": "temperature", "u": "Cel", "v": 21.5},
         {"n": "humidity", "u": "%RH", "v": 45}, {"n": "temperature", "u": "Cel", "t": -60, "v": 20}, {"n": "lid", "vb": True}],
        "urn:dev:mac:0024befffe804ff1",
        {"values.temperature": 21.5, "values.humidity": 45, "values.lid": 1},
    ),
    "SenML of one value": Odd(
        [{"n": "urn:dev:ow:10e2073a01080063", "t": 1795158000, "u": "K", "v": 296.15}],
        "urn:dev:ow:10e2073a01080063",
        {"values.value": 23},
    ),
    "a bare list": Odd(
        [{"mac": "AA:BB:CC", "at": AT, "noise": 55.5}], "AA:BB:CC", {"noise": 55.5}
    ),
    "units in the names, of another continent": Odd(
        {"stationId": "US1", "dateutc": "2026-11-20 07:00:00", "temp_F": 212, "barometer_inHg": 29.92, "wind_mph": 10},
        "US1",
        {"temp_F": 100, "barometer_inHg": 1013.205, "wind_mph": 4.47},
    ),
    "what weather stations push, in their own words": Odd(
        "ID=KXDE1&dateutc=2026-11-20+07%3A00%3A00&tempf=50.0&humidity=80&windspeedmph=0&rainin=1&softwaretype=x1.2",
        "KXDE1",
        {"tempf": 10, "humidity": 80, "windspeedmph": 0, "rainin": 25.4},
    ),
    "the device only in the topic": Odd(
        {"ENERGY": {"Power": 120, "Total": 5.5}, "Time": "2026-11-20T08:00:00"},
        "plug-3",
        {"ENERGY.Power": 120, "ENERGY.Total": 5.5},
        topic="tele/plug-3/SENSOR",
    ),
    "nothing names it, and there is no clock": Odd(
        {"temperature": 21.5, "battery": 3.6},
        "Serverraum",
        {"temperature": 21.5, "battery": 3.6},
        at="",
        changed={"device": "own", "own": "Serverraum"},
    ),
    "values as objects with a unit beside": Odd(
        {"serialNumber": "0042", "timestamp": "2026-11-20T08:00:00+01:00", "luftdruck": {"wert": "1013,2", "einheit": "hPa"}},
        "0042",
        {"luftdruck.wert": 1013.2},
    ),
    "names with dots, blanks and brackets": Odd(
        {"sn": "7", "time": AT, "PM 2.5 [µg/m³]": 8, "Temp. (°C)": 3.5},
        "7",
        {'["PM 2.5 [µg/m³]"]': 8, '["Temp. (°C)"]': 3.5},
    ),
    "a citizen's particulate matter sensor": Odd(
        {"esp8266id": "12345678", "software_version": "NRZ-2024-135", "sensordatavalues": [
            {"value_type": "SDS_P1", "value": "12.55"}, {"value_type": "BME280_temperature", "value": "9.31"},
            {"value_type": "signal", "value": "-71"}]},
        "12345678",
        {"sensordatavalues[value_type=SDS_P1].value": 12.55, "sensordatavalues[value_type=BME280_temperature].value": 9.31},
        at="",
    ),
    "a climate sensor of a smart home": Odd(
        {"src": "shellyplusht-08b61f", "method": "NotifyStatus", "params": {
            "ts": 1795158000, "temperature:0": {"id": 0, "tC": 21.5, "tF": 50},
            "devicepower:0": {"battery": {"V": 5.8, "percent": 90}}}},
        "shellyplusht-08b61f",
        {'params["temperature:0"].tC': 21.5, 'params["temperature:0"].tF': 10,
         'params["devicepower:0"].battery.V': 5.8, 'params["devicepower:0"].battery.percent': 90},
    ),
    "a feature of GeoJSON": Odd(
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [7.77, 49.44]},
         "properties": {"sensor_id": "g-1", "datetime": AT, "pm25": 8.1, "no2": "12,4"}},
        "g-1",
        {"properties.pm25": 8.1, "properties.no2": 12.4},
    ),
    "a bicycle counter": Odd(
        {"counterId": 100012, "date": "2026-11-20T08:00:00+0100", "counts": 12, "status": "raw"},
        "100012",
        {"counts": 12},
    ),
    "a car park": Odd(
        {"parkhaus": "P1 Zentrum", "frei": 123, "gesamt": 400, "stand": "20.11.2026 08:00 Uhr"},
        "P1 Zentrum",
        {"frei": 123, "gesamt": 400},
    ),
    "numbers in a nested list": Odd(
        {"node": {"id": "n1"}, "epoch": 1795158000, "probes": [[10.5, 11.5], [12.5]]},
        "n1",
        {"probes[0][0]": 10.5, "probes[0][1]": 11.5, "probes[1][0]": 12.5},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_an_odd_message_is_connected_by_accepting_what_is_proposed(
    name: str, home: Town, editor: Client
) -> None:
    odd = ODD[name]
    draft = accepted(editor, paste(editor, odd.message, odd.topic), **odd.changed)
    assert draft.dev_eui == odd.device
    device = live(editor, draft)
    answer = send(home, odd.message, draft.form.key, odd.topic)
    assert answer.status == 200, answer.body
    found = stored(device)
    assert {path: value for path, (value, _at) in found.items()} == odd.values
    if odd.at:
        assert {at for _value, at in found.values()} == {odd.at}
    else:
        assert all(abs(parse_instant(at) - now_us()) < 60_000_000 for _v, at in found.values())


def test_the_first_step_says_what_was_understood(editor: Client) -> None:
    draft = paste(
        editor, {"station": {"serial": "WS-7"}, "measured": AT, "rain": {"level_mm": 4.5}}
    )
    shown = page(editor, "connect_message", draft.pk)
    assert "Gerät „WS-7“" in shown
    assert "20. November 2026" in shown
    third = page(editor, "connect_values", draft.pk)
    assert "4,5\N{NO-BREAK SPACE}mm" in third


def test_a_person_says_otherwise_and_sees_it_at_once(editor: Client) -> None:
    draft = paste(editor, {"id": "a", "serial": "b", "time": AT, "level": 5})
    url = reverse("device:connect_message", args=[draft.pk])
    given = fields_of(editor.get(url).content.decode())
    answer = editor.post(url, given | {"device": "id", "time": "", "look": "1"})
    assert answer["Location"].endswith("/message/")
    assert "Gerät „a“" in page(editor, "connect_message", draft.pk)
    wrong = editor.post(url, given | {"device": "own", "own": ""}).content.decode()
    assert "Schreiben Sie einen Namen" in wrong


def test_the_second_device_of_a_kind_uses_the_form_of_the_first(home: Town, editor: Client) -> None:
    message = {"id": "north", "time": AT, "level": 5}
    forms = MessageForm.objects.filter(owner=home.organisation).count()
    live(editor, accepted(editor, paste(editor, message), "Nord"))
    second = paste(editor, message | {"id": "south"})
    assert second.form is not None
    assert "sind schon bekannt" in page(editor, "connect_message", second.pk)
    device = live(editor, accepted(editor, second, "Süd"))
    assert MessageForm.objects.filter(key="north").count() == 1
    assert MessageForm.objects.filter(owner=home.organisation).count() == forms + 1
    assert (device.dev_eui, device.name) == ("south", "Süd")
    again = paste(editor, message)
    url = reverse("device:connect_message", args=[again.pk])
    told = editor.post(url, fields_of(editor.get(url).content.decode())).content.decode()
    assert "schon angeschlossen" in told


LINES = "\n".join(
    f"water,station={name} level={80 + n} 17956764{n}0000000000"
    for n, name in enumerate(("a", "b", "c"))
)


def test_of_several_devices_in_a_message_one_after_the_other_is_connected(
    home: Town, editor: Client
) -> None:
    for name, wanted in (("b", {"which": "b"}), ("c", {}), ("a", {})):
        draft = paste(editor, LINES)
        shown = page(editor, "connect_message", draft.pk)
        assert "Welches Gerät schließen Sie an?" in shown
        assert ("b – ist schon angeschlossen" in shown) == (name != "b")
        assert live(editor, accepted(editor, draft, f"Pegel {name}", **wanted)).dev_eui == name
    connected = Device.objects.filter(network="json")
    assert set(connected.values_list("dev_eui", flat=True)) == {"a", "b", "c"}
    assert MessageForm.objects.filter(device="tags.station").count() == 1


def test_one_that_is_connected_already_is_refused_at_its_field(home: Town, editor: Client) -> None:
    live(editor, accepted(editor, paste(editor, LINES), "Pegel", which="b"))
    draft = paste(editor, LINES)
    url = reverse("device:connect_message", args=[draft.pk])
    given = fields_of(editor.get(url).content.decode())
    answer = editor.post(url, given | {"which": "b"}).content.decode()
    label, select = answer.index('for="id_which"'), answer.index('id="id_which"')
    assert label < answer.index("Es heißt „Pegel“.") < select


def test_messages_for_an_unknown_address_wait_and_become_measurements(
    home: Town, editor: Client
) -> None:
    for minute in range(3):
        answer = send(home, {"id": "x", "ts": 1795158000 + 60 * minute, "level": minute}, "mill")
        assert answer.status == 404
    start = page(editor, "connect")
    assert "/ingest/json/mill" in start
    refused = RefusedUplink.objects.latest("pk")
    assert reverse("device:connect_refused", args=[refused.pk]) in page_of(editor, refused)
    editor.post(reverse("device:connect_refused", args=[refused.pk]))
    draft = accepted(editor, Draft.objects.latest("pk"))
    assert "Pegel" not in draft.name
    device = live(editor, draft)
    assert draft.form.key == "mill"
    rows = select(Selection(streams=frozenset(device.fields.values_list("datastream", flat=True))))
    assert sorted(rows.result.tolist()) == [0, 1, 2]


def page_of(client: Client, refused: RefusedUplink) -> str:
    return client.get(reverse("refused:inspect", args=[refused.pk])).content.decode()


def test_an_unknown_device_of_a_known_form_is_connected_from_the_list(
    home: Town, editor: Client
) -> None:
    live(editor, accepted(editor, paste(editor, {"id": "a", "time": AT, "level": 5})))
    assert send(home, {"id": "b", "time": AT, "level": 7}, "a").status == 404
    assert "b" in page(editor, "connect")
    editor.post(reverse("device:connect_refused", args=[RefusedUplink.objects.latest("pk").pk]))
    device = live(editor, accepted(editor, Draft.objects.latest("pk"), "Zwei"))
    assert stored(device)["level"][0] == 7


def test_the_device_gets_a_token_of_its_own_that_is_shown_once(home: Town, editor: Client) -> None:
    device = live(editor, accepted(editor, paste(editor, {"id": "a", "time": AT, "level": 5})))
    draft = Draft.objects.get(device=device)
    url = reverse("device:connect_done", args=[draft.pk])
    done = editor.get(url).content.decode()
    assert "/ingest/json/a" in done
    assert "ingest/json/a" in done
    shown = editor.post(url, {"token": "1"}).content.decode()
    text = re.search(r"sh_[0-9a-f]{12}_[\w-]{43}", shown)
    assert text is not None
    token = ApiToken.objects.get(prefix=text[0][3:15])
    assert (token.device_id, token.scopes) == (device.pk, ["ingest"])
    assert text[0] not in editor.get(url).content.decode()
    assert AuditEntry.objects.filter(action="token").count() == 1
    assert text[0] not in str(list(AuditEntry.objects.values_list("changes", flat=True)))


def test_a_second_sensor_hangs_at_an_existing_station(home: Town, editor: Client) -> None:
    first = live(
        editor, accepted(editor, paste(editor, {"id": "a", "time": AT, "level": 5}), "Brücke")
    )
    draft = paste(editor, {"id": "b", "time": AT, "level": 6})
    url = reverse("device:connect_message", args=[draft.pk])
    editor.post(url, fields_of(editor.get(url).content.decode()))
    url = reverse("device:connect_place", args=[draft.pk])
    assert "Brücke" in editor.get(url).content.decode()
    told = editor.post(url, place("Brücke", station="brü")).content.decode()
    assert "gibt es schon einen Sensor" in told
    told = editor.post(url, place("Radar", station="Mühle")).content.decode()
    assert "Keine Station passt" in told
    assert editor.post(url, place("Radar", station="brück")).status_code == 302
    url = reverse("device:connect_values", args=[draft.pk])
    editor.post(url, fields_of(editor.get(url).content.decode()))
    second = live(editor, draft)
    streams = [d.fields.get().datastream for d in (first, second)]
    assert streams[0].thing_id == streams[1].thing_id
    assert streams[0].pk != streams[1].pk
    assert streams[1].name.startswith("Radar: ")


def test_bytes_in_a_field_are_read_by_a_byte_map(home: Town, editor: Client) -> None:
    message = {"imei": "86", "time": AT, "rssi": -70, "payload": "04d2ff"}
    draft = paste(editor, message)
    url = reverse("device:connect_message", args=[draft.pk])
    given = fields_of(editor.get(url).content.decode())
    editor.post(url, given | {"payload": "hex payload"})
    editor.post(reverse("device:connect_place", args=[draft.pk]), place("Schacht"))
    url = reverse("device:connect_values", args=[draft.pk])
    editor.get(url)
    editor.post(url, {"read": "1", "byte_map": "level_cm 0 u16be *0.1 cm"})
    values = editor.get(url).content.decode()
    assert "123,4\N{NO-BREAK SPACE}cm" in values
    editor.post(url, fields_of(values))
    device = live(editor, draft)
    assert send(home, message, Draft.objects.get().form.key).status == 200
    assert stored(device) == {"level_cm": (123.4, AT)}
    broken = send(home, message | {"payload": "xyz"}, Draft.objects.get().form.key)
    assert (broken.status, broken.body["error"]) == (422, "form_misfit")


def test_another_organisations_messages_and_forms_are_not_there(home: Town, editor: Client) -> None:
    other = town("speyer")
    send(other, {"id": "x", "level": 1}, "secret-mill")
    assert "secret-mill" not in page(editor, "connect")
    refused = RefusedUplink.objects.latest("pk")
    url = reverse("device:connect_refused", args=[refused.pk])
    assert editor.post(url).status_code == 404


def test_sensors_of_one_station_become_datastreams_that_are_told_apart(
    home: Town, editor: Client
) -> None:
    def message(at: int, *temps: tuple[int, float]) -> dict[str, Any]:
        sensors = [
            {"lsid": lsid, "sensor_type": 37, "data_structure_type": 10, "data": [{"ts": at, "temp": temp}]}
            for lsid, temp in temps
        ]  # fmt: skip
        return {"station_id": 374964, "generated_at": at, "sensors": sensors}

    now = now_us() // 1_000_000
    device = live(
        editor, accepted(editor, paste(editor, message(now - 60, (11, 50.0), (12, 59.0))))
    )
    streams = {row.datastream.name: row.datastream_id for row in device.fields.all()}
    assert {name.rpartition(": ")[2] for name in streams} == {"Temperatur (11)", "Temperatur (12)"}
    key = MessageForm.objects.latest("pk").key
    for body in (message(now - 30, (12, 68.0), (11, 50.0)), message(now - 20, (12, 77.0))):
        assert send(home, body, key).status == 200
    found = {
        name.rpartition(": ")[2]: select(Selection(streams=frozenset({pk}))).result.tolist()
        for name, pk in streams.items()
    }
    assert found["Temperatur (11)"] == pytest.approx([10.0])
    assert found["Temperatur (12)"] == pytest.approx([20.0, 25.0])


def test_a_number_that_may_mean_a_thousandfold_is_told_before_it_is_stored(editor: Client) -> None:
    draft = accepted(editor, paste(editor, {"id": "meter-1", "volume": "1.234 m³"}))
    url = reverse("device:connect_test", args=[draft.pk])
    shown = editor.get(url).content.decode()
    assert "„1.234 m³“ wird als 1,234 m³ gelesen, mit Nachkommastellen." in shown
    draft.streams = [{**each, "minimum": 1000.0} for each in draft.streams]
    draft.save()
    assert "Nachkommastellen" not in editor.get(url).content.decode()


def test_topics_of_one_device_become_one_device_with_a_datastream_for_each(
    home: Town, editor: Client
) -> None:
    def tell(topic: str, value: str) -> int:
        body, at = value.encode(), now_us()
        by = Visibility(home=home.organisation, scopes=frozenset({Scope.INGEST}), actor="token:x")
        done = deliver([Delivery("json", body, form_query("solar", topic), at, by)])[0]
        if done.keep:
            done.keep()
        return done.answer.status

    values = {"voltage": "231.2", "power": "15.7 W", "temperature": "40.5"}
    for name, value in values.items():
        assert tell(f"solar/116180400132/0/{name}", value) == 404
    assert tell("solar/116180400999/0/power", "7") == 404
    row = RefusedUplink.objects.filter(query__contains="132").latest("pk")
    answer = editor.post(reverse("device:connect_refused", args=[row.pk]))
    draft = Draft.objects.latest("pk")
    assert answer["Location"].endswith("/message/")
    device = live(editor, accepted(editor, draft, "Dach"))
    assert device.dev_eui == "116180400132"
    paths = {row.path: row.datastream_id for row in device.fields.all()}
    assert paths.keys() == {"0_voltage", "0_power", "0_temperature"}
    assert tell("solar/116180400132/0/power", "20 W") == 200
    assert tell("solar/116180400132/status/producing", "1") == 200  # which nobody wanted
    found = {
        path: select(Selection(streams=frozenset({pk}))).result.tolist()
        for path, pk in paths.items()
    }
    assert found == {"0_voltage": [231.2], "0_power": [15.7, 20], "0_temperature": [40.5]}
    assert not RefusedUplink.objects.filter(query__contains="producing").exists()


def test_lines_of_a_listening_program_are_pasted(editor: Client) -> None:
    text = "esp-1/sensor/temperature/state 21.5\nesp-1/sensor/humidity/state 55"
    draft = accepted(editor, paste(editor, text), "Keller")
    assert draft.dev_eui == "esp-1"
    assert {each["path"]: each["example"] for each in draft.streams} == {
        "temperature": 21.5, "humidity": 55.0
    }  # fmt: skip
