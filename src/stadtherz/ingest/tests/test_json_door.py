"""Devices that speak no LoRaWAN: what the door answers, keeps, and runs again."""

from typing import Any

import orjson
import pytest
from django.core.exceptions import ValidationError

from stadtherz.base.errors import Conflict, Invalid
from stadtherz.base.time import now_us
from stadtherz.base.visibility import SYSTEM, Visibility
from stadtherz.ingest.devices import finding
from stadtherz.ingest.documents.document import LARGEST
from stadtherz.ingest.forms.models import MessageForm
from stadtherz.ingest.models import Device, DeviceField
from stadtherz.ingest.public import (
    Delivery,
    NewField,
    deliver,
    device_id,
    device_state,
    register_device,
    replay,
    try_form,
)
from stadtherz.ingest.refused.models import RefusedUplink
from stadtherz.ingest.tests.factories import (
    EUI,
    Door,
    Town,
    make_organisation,
    make_stream,
    make_town,
    readings,
    results,
    tts,
)

WEATHER = "/ingest/json/weather"
AT = 1764144000  # 2025-11-26T08:00:00Z


def add_form(owner: int, key: str = "weather", **more: str) -> MessageForm:
    told = {"device": "id", "time": "at", "time_zone": "UTC", **more}
    return MessageForm.objects.create(owner_id=owner, key=key, name=key.title(), **told)


@pytest.fixture
def town(town: Town) -> Town:
    """A town whose stations north and south measure a level each, by the form `weather`."""
    add_form(town.organisation)
    for name, stream in (("north", town.level), ("south", town.discharge)):
        fields = [NewField("level", stream, minimum=0, maximum=500)]
        register_device(town.organisation, "json", name, f"Station {name}", fields=fields)
    return town


def told(id: str = "north", level: Any = 5, at: Any = AT) -> dict[str, Any]:
    return {"id": id, "level": level, "at": at}


def refused() -> RefusedUplink:
    return RefusedUplink.objects.get()


def test_a_message_is_in_the_store_when_it_is_acknowledged(town: Town, door: Door) -> None:
    answer = door.post(told(level=5.5), path=WEATHER)
    assert (answer.status_code, answer.json()["stored"]) == (200, 1)
    assert results(town.level) == [5.5]
    assert readings(town.level).phenomenon_start.tolist() == [AT * 1_000_000]
    state = device_state("json", "north", town.organisation)
    assert state is not None
    assert state.last_seen is not None
    assert state.last_f_cnt is None


def test_the_same_message_again_changes_nothing(town: Town, door: Door) -> None:
    first, again = (door.post(told(), path=WEATHER).json() for _ in range(2))
    assert again == {**first, "stored": 0, "duplicates": 1}
    assert results(town.level) == [5]


def test_what_a_weather_station_pushes_is_read_as_texts(town: Town, door: Door) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = door.post(b"id=north&level=7.5&at=2025-11-26+08%3A00%3A00", path=WEATHER, **kind)
    assert answer.json().get("stored") == 1, answer.text
    assert readings(town.level).phenomenon_start.tolist() == [AT * 1_000_000]
    assert results(town.level) == [7.5]


def test_the_address_goes_on_as_a_topic_and_has_parameters(town: Town, door: Door) -> None:
    add_form(town.organisation, "path", device="topic:2")
    add_form(town.organisation, "query", device="query:station")
    assert door.post(told(at=AT + 1), path="/ingest/json/path/station/north").status_code == 200
    assert door.post(told(at=AT + 2), path="/ingest/json/query?station=north").status_code == 200
    assert results(town.level) == [5, 5]


def test_readings_of_one_message_are_stored_together_and_once(town: Town, door: Door) -> None:
    message = [told(level=1), told("south", 2), told(level=1), told(level=3, at=AT + 60)]
    answer = door.post(message, path=WEATHER).json()
    assert (answer["stored"], answer["duplicates"]) == (3, 1)
    assert (results(town.level), results(town.discharge)) == ([1, 3], [2])
    assert door.post(message, path=WEATHER).json()["stored"] == 0


def test_one_bad_reading_is_kept_with_its_place_and_replaying_makes_the_history_whole(
    town: Town, door: Door
) -> None:
    message = [told(level=1), told("east", 2), told(level=3, at="?")]
    answer = door.post(message, path=WEATHER)
    assert (answer.status_code, answer.json()["stored"]) == (404, 1)
    assert "“" not in answer.json()["detail"].partition("reading 2 of 3")[0]
    assert "2 could not be stored whole" in answer.json()["detail"]
    register_device(
        town.organisation, "json", "east", "East", fields=[NewField("level", town.discharge)]
    )
    MessageForm.objects.get().delete()
    add_form(town.organisation, time="")
    given = replay(refused().pk, by_staff(town))
    assert (given.status, given.body["stored"]) == (200, 3)
    assert results(town.discharge) == [2]


def by_staff(town: Town) -> Visibility:
    return Visibility(actor="user:1", home=town.organisation, everything=True, scopes=SYSTEM.scopes)


def test_an_unknown_device_is_kept_and_replayed(town: Town, door: Door) -> None:
    answer = door.post(told("west"), path=f"{WEATHER}/a/b?x=1")
    assert (answer.status_code, answer.json()["error"]) == (404, "unknown_device")
    assert "west" in answer.json()["detail"]
    register_device(town.organisation, "json", "west", "W", fields=[NewField("level", town.level)])
    assert replay(refused().pk, by_staff(town)).body["stored"] == 1


def test_an_unknown_form_does_not_exist_and_neither_does_a_neighbours(
    town: Town, door: Door
) -> None:
    village = make_town("village", "B1B2C3D4E5F60718")
    add_form(village.organisation, "theirs")
    answers = [door.post(told(), path=f"/ingest/json/{key}") for key in ("theirs", "nobodys", "")]
    assert [each.status_code for each in answers] == [404, 404, 404]
    assert {each.json()["error"] for each in answers} == {"unknown_form"}
    assert "“theirs”" in answers[0].json()["detail"]
    assert "as in /ingest/json/weather" in answers[2].json()["detail"]
    assert RefusedUplink.objects.count() == 3
    add_form(town.organisation, "nobodys")
    kept = RefusedUplink.objects.get(facts={"form": "nobodys"})
    assert replay(kept.pk, by_staff(town)).body["stored"] == 1


def test_two_organisations_may_call_their_devices_alike(town: Town, door: Door) -> None:
    village = make_organisation("village")
    stream = make_stream(village)
    register_device(village, "json", "north", "Ours", fields=[NewField("level", stream)])
    add_form(village)
    door.let_in(Town(village, stream, stream, 0), "village")
    assert door.post(told(level=1), path=WEATHER).status_code == 200
    assert door.post(told(level=2), path=WEATHER, token="village").status_code == 200
    assert (results(town.level), results(stream)) == ([1], [2])
    with pytest.raises(Invalid):
        device_id(village, "json", "south")


def test_a_deleted_and_a_changed_form_count_at_once(town: Town, door: Door) -> None:
    row = MessageForm.objects.get()
    row.device = '"south"'
    row.save()
    door.post(told(), path=WEATHER)
    assert (results(town.level), results(town.discharge)) == ([], [5])
    row.delete()
    assert door.post(told(), path=WEATHER).status_code == 404


def test_a_time_ahead_of_the_clock_names_the_zone(town: Town, door: Door) -> None:
    answer = door.post(told(at=now_us() // 1_000_000 + 3600), path=WEATHER)
    assert (answer.status_code, answer.json()["error"]) == (422, "form_misfit")
    assert "time zone" in answer.json()["detail"]
    german = door.post(told(at="x"), path=WEATHER, **{"Accept-Language": "de"})
    assert "keine Zeit" in german.json()["detail"]


@pytest.mark.parametrize(
    ("body", "kind", "status", "told"),
    [
        (b'{"id": "north", "lev', "application/json", 400, "it is no JSON from character"),
        (b'{"id": "north", "level": NaN}', "application/json", 400, "it is no JSON from character"),
        (
            b'{"id": "north", "level": Infinity}',
            "application/json",
            400,
            "it is no JSON from character",
        ),
        (b'{"id": "\xff"}', "application/json", 400, "it is no JSON from character"),
        (b"[" * 200 + b"]" * 200, "application/json", 400, "nested"),
        (b"<weather>", "text/xml", 400, "text/xml; send JSON, XML"),
        (b"<!DOCTYPE a><a/>", "text/xml", 400, "declares its own type"),
        (b"<weather/>", "text/xml", 422, "not in the message"),
        (b" " * (LARGEST + 1), "application/json", 413, "256 kB"),
        (orjson.dumps([{}] * 10_000), "application/json", 422, "10000 are too many"),
        (orjson.dumps({"id": "north", "at": AT, "other": 1}), "text/plain", 422, "level"),
        (orjson.dumps(told(level="1e999")), "application/json", 422, "not a number"),
    ],
)
def test_bad_input_is_kept_with_a_reason_and_nothing_else_stops(
    town: Town, door: Door, body: bytes, kind: str, status: int, told: str
) -> None:
    answer = door.post(body, path=WEATHER, **{"Content-Type": kind})
    assert (answer.status_code, told in answer.json()["detail"]) == (status, True), answer.text
    assert refused().owner_id == town.organisation
    assert door.post({"id": "north", "level": 1, "at": AT}, path=WEATHER).status_code == 200


def test_trying_an_example_leaves_no_trace(town: Town, door: Door) -> None:
    DeviceField.objects.filter(datastream=town.level).update(jump=10)
    finding.forget()
    door.post(told(level=5), path=WEATHER)
    trial = try_form(MessageForm.objects.get(), orjson.dumps(told(level=400, at=AT + 60)))
    assert [each.result for each in trial.readings[0].values] == [400]
    assert door.post(told(level=6, at=AT + 120), path=WEATHER).json()["stored"] == 1
    assert results(town.level) == [5, 6]
    assert readings(town.level).result_quality is None  # no jump from 400 to 6


def test_unknown_fields_are_of_no_account(town: Town, door: Door) -> None:
    assert door.post({**told(), "more": {"a": [1]}, "": None}, path=WEATHER).status_code == 200


def test_a_topic_that_is_too_long_to_be_kept_is_refused(town: Town, door: Door) -> None:
    answer = door.post(told(), path=f"{WEATHER}/{'x' * 600}")
    assert (answer.status_code, answer.json()["error"]) == (400, "broken_document")
    assert replay(refused().pk, by_staff(town)).status == 400


def test_networks_have_nothing_behind_their_address(door: Door) -> None:
    assert door.post({}, path="/ingest/tts/more").status_code == 404


def test_many_deliveries_at_once_and_none_of_them_by_http(town: Town) -> None:
    def delivery(body: Any, query: str) -> Delivery:
        by = Visibility(home=town.organisation, scopes=SYSTEM.scopes)
        return Delivery("json", orjson.dumps(body), query, now_us(), by)

    done = deliver(
        [
            delivery([told(level=1), told("south", 2)], "form=weather&topic=a/b"),
            delivery(told(), "form=other&topic="),
            delivery(told(level=3), "form=weather&topic="),
        ]
    )
    assert [each.answer.status for each in done] == [200, 404, 200]
    assert [each.keep is None for each in done] == [True, False, True]
    assert (results(town.level), results(town.discharge)) == ([1, 3], [2])


# --- tokens of one device ------------------------------------------------------------------------


def let_in_for(door: Door, town: Town, device: int) -> None:
    door.let_in(town, "device")
    known = door.tokens["device"]
    door.tokens["device"] = Visibility(
        actor=known.actor, home=known.home, scopes=known.scopes, device=device
    )


def test_a_devices_token_delivers_for_it_and_for_no_other(town: Town, door: Door) -> None:
    let_in_for(door, town, device_id(town.organisation, "json", "north"))
    assert door.post(told(), path=WEATHER, token="device").status_code == 200
    for stranger in ("south", "nobody"):
        answer = door.post(told(stranger), path=WEATHER, token="device")
        assert (answer.status_code, answer.json()["error"]) == (403, "other_device")
    assert door.post(tts(1, level_cm=5), token="device").json()["error"] == "other_device"
    assert (results(town.level), results(town.discharge)) == ([5], [])


def test_a_devices_token_stays_limited_when_its_message_is_replayed(town: Town, door: Door) -> None:
    let_in_for(door, town, device_id(town.organisation, "json", "north"))
    mixed = [told(level=1), told("south", 2)]
    assert door.post(mixed, path="/ingest/json/later", token="device").status_code == 404
    add_form(town.organisation, "later")
    assert replay(refused().pk, by_staff(town)).status == 403
    assert (results(town.level), results(town.discharge)) == ([1], [])


def test_a_lorawan_devices_token_delivers_for_it(town: Town, door: Door) -> None:
    let_in_for(door, town, town.device)
    assert door.post(tts(1, EUI, level_cm=5), token="device").status_code == 200
    assert door.post(told(), path=WEATHER, token="device").status_code == 403


# --- what may be registered ----------------------------------------------------------------------


def test_what_names_a_device_stays_as_it_is_written(town: Town) -> None:
    register_device(town.organisation, "json", "Höhe: a-b ", "Case")
    register_device(town.organisation, "json", "HÖHE: A-B ", "Other case")
    assert Device.objects.filter(network="json", dev_eui="Höhe: a-b ").exists()
    assert device_id(town.organisation, "tts", EUI.lower()) == town.device


@pytest.mark.parametrize(
    ("network", "name"), [("json", "a\nb"), ("json", "x" * 101), ("json", ""), ("tts", "station 7")]
)
def test_what_cannot_name_a_device_is_refused(town: Town, network: str, name: str) -> None:
    with pytest.raises(Invalid) as caught:
        register_device(town.organisation, network, name, "Wrong")
    assert caught.value.field == "dev_eui"


def test_no_lorawan_device_belongs_to_two(town: Town) -> None:
    with pytest.raises(Conflict):
        register_device(make_organisation("village"), "tts", EUI, "Theirs")


@pytest.mark.parametrize(
    ("field", "written"),
    [
        ("device", "a..b"),
        ("time", "topic:0"),
        ("message_id", "bytes:0:u8"),
        ("readings", "["),
        ("time_zone", "Mars/Phobos"),
        ("key", "with space"),
        ("key", "weather"),
    ],
)
def test_a_form_with_a_mistake_is_refused_naming_the_field(
    town: Town, field: str, written: str
) -> None:
    told = {"key": "new", "device": "id", "time": "", "time_zone": "UTC", field: written}
    with pytest.raises(ValidationError) as caught:
        MessageForm(owner_id=town.organisation, name="New", **told).full_clean()
    assert set(caught.value.message_dict) <= {field, "__all__"}


# --- tables, SenML, units ---------------------------------------------------------------------------


def test_a_table_in_a_message_is_stored_row_by_row_and_once(town: Town, door: Door) -> None:
    add_form(town.organisation, "tables", readings="table:values")
    rows = [[AT, "4,5 m"], [AT + 60, 500], [AT + 120, "5 °C"]]
    message = {"id": "north", "fields": ["at", "level"], "values": rows}
    answer = door.post(message, path="/ingest/json/tables").json()
    assert (answer["stored"], answer["error"]) == (2, "impossible_value")
    assert results(town.level) == [450, 500]
    assert "“5 °C” cannot be turned into cm" in answer["detail"]
    assert door.post(message, path="/ingest/json/tables").json()["duplicates"] == 2


def test_a_pack_of_senml_is_stored_in_the_unit_of_the_datastream(town: Town, door: Door) -> None:
    add_form(town.organisation, "packs", device="device", time="time", readings="senml:")
    fields = [NewField("values.level", town.level)]
    register_device(town.organisation, "json", "urn:dev:mac:1", "Senml", fields=fields)
    records = [
        {"bn": "urn:dev:mac:1:", "bt": AT, "bu": "m", "n": "level", "v": 4.5},
        {"n": "level", "t": 60, "u": "mm", "v": 4600},
    ]
    answer = door.post(records, path="/ingest/json/packs").json()
    assert answer["stored"] == 2
    assert results(town.level) == [450, 460]


def test_what_is_no_pack_is_kept_with_the_reason(town: Town, door: Door) -> None:
    add_form(town.organisation, "packs", device="device", time="time", readings="senml:")
    answer = door.post([{"bn": "x", "v": 1, "new_": 5}], path="/ingest/json/packs")
    assert answer.status_code == 422
    assert "“new_” must be understood" in answer.json()["detail"]
    assert refused().reason == "form_misfit"


@pytest.mark.parametrize(
    "at",
    [
        "2025-11-26T08:00:00Z/2025-11-26T09:00:00Z",
        "2025-11-26T09:00:00+01:00/2025-11-26T10:00:00+01:00",
        {"start": "2025-11-26T08:00:00Z", "end": "2025-11-26T09:00:00Z"},
    ],
)
def test_an_interval_is_kept_as_one(town: Town, door: Door, at: Any) -> None:
    assert door.post(told(level=5.5, at=at), path=WEATHER).json()["stored"] == 1
    kept = readings(town.level)
    assert kept.phenomenon_start.tolist() == [AT * 1_000_000]
    assert kept.phenomenon_end.tolist() == [(AT + 3600) * 1_000_000]
    assert kept.result_time.tolist() == [(AT + 3600) * 1_000_000]


@pytest.mark.parametrize(
    "at",
    [
        "2025-11-26T09:00:00Z/2025-11-26T08:00:00Z",
        "2025-11-26T09:00:00Z/2199-11-26T08:00:00Z",
        "2025-11-26T09:00:00Z/PT1H",
        {"start": "2025-11-26T08:00:00Z"},
    ],
)
def test_what_is_no_interval_is_refused_at_its_time(town: Town, door: Door, at: Any) -> None:
    answer = door.post(told(at=at), path=WEATHER)
    assert (answer.status_code, answer.json()["error"]) == (422, "form_misfit")
    assert refused().facts["part"] == "time"
