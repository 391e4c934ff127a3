"""Payloads that the network left as they were: decoded by the device's codec, or kept with a reason."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from stadtherz.base.visibility import SYSTEM
from stadtherz.ingest.devices import finding
from stadtherz.ingest.devices.register import NewField
from stadtherz.ingest.models import Codec, Device, DeviceField
from stadtherz.ingest.public import deliver as deliver_all
from stadtherz.ingest.public import register_device, replay
from stadtherz.ingest.refused.models import RefusedUplink
from stadtherz.ingest.tests.factories import (
    STRANGE_EUI,
    Door,
    Town,
    chirpstack,
    deliver,
    delivery_of,
    make_organisation,
    make_town,
    plan_of,
    results,
    tts,
)

LEVEL = """function decodeUplink(input) {
  return {data: {level_cm: input.bytes[0] * 256 + input.bytes[1]}};
}"""


def give_codec(device: int, text: str = LEVEL, name: str = "Radar") -> Codec:
    row = Device.objects.get(pk=device)
    codec, _ = Codec.objects.update_or_create(
        owner_id=row.owner_id, name=name, defaults={"text": text}
    )
    row.codec = codec
    row.save()
    return codec


def refused() -> RefusedUplink:
    return RefusedUplink.objects.get()


def test_what_a_codec_decoded_is_in_the_store_when_it_is_acknowledged(
    town: Town, door: Door
) -> None:
    give_codec(town.device)
    answers = door.post_all([tts(number, payload=bytes([0, number])) for number in range(1, 21)])
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(results(town.level)) == list(range(1, 21))
    again = door.post(tts(1, payload=b"\x00\x01")).json()
    assert (again["stored"], again["duplicates"]) == (0, 1)


def test_what_the_network_decoded_is_left_as_it_is(town: Town) -> None:
    give_codec(town.device)
    (reading,) = plan_of(town, tts(1, level_cm=7)).readings
    assert reading.result == 7


def test_an_empty_object_of_chirpstack_is_not_decoded(door: Door) -> None:
    station = make_town("village", STRANGE_EUI, "chirpstack")
    door.let_in(station, "village")
    give_codec(station.device)
    document = {**chirpstack(1, STRANGE_EUI), "data": "AQI="}
    answer = door.post(document, token="village", path="/ingest/chirpstack?event=up")
    assert answer.status_code == 200
    assert results(station.level) == [258]


def test_a_codec_gets_the_devices_variables(town: Town) -> None:
    give_codec(town.device, "function Decode(p, b, v) { return {level_cm: +v.zero - b[0]} }")
    Device.objects.update(variables={"zero": "400"})
    finding.forget()
    (reading,) = plan_of(town, tts(1, payload=b"\x0a")).readings
    assert reading.result == 390


def test_after_the_codec_is_mended_what_was_refused_is_stored(town: Town, door: Door) -> None:
    give_codec(town.device, "function Decoder(bytes) {\n  return {level_cm: byte[0]}\n}")
    answer = door.post(tts(1, payload=b"\x00\x09"))
    assert (answer.status_code, answer.json()["error"]) == (422, "codec_failed")
    assert refused().device_id == town.device
    assert door.post(tts(1, payload=b"\x00\x09")).status_code == 422
    give_codec(town.device)
    assert replay(refused().pk, SYSTEM).body["stored"] == 1
    assert results(town.level) == [9]
    assert refused().outcome == RefusedUplink.REPLAYED


SENTENCES = [
    ("function (", "The codec “Radar” gave no values: its text is no JavaScript (SyntaxError: function name expected). It was at line 1 of its text."),
    ("var a", "The codec “Radar” gave no values: it has no function decodeUplink, Decoder or Decode."),
    ("\nfunction Decoder() { throw new Error('{oops}') }", "The codec “Radar” gave no values: it stopped with an error (Error: {oops}). It was at line 2 of its text."),
    ("function decodeUplink() { return {errors: ['port 3']} }", "The codec “Radar” gave no values: it cannot read this payload (port 3)."),
    ("function Decoder() { return 1 }", "The codec “Radar” gave no values: what it gave is no object with data."),
    ("async function Decoder() {}", "The codec “Radar” gave no values: it is asynchronous (gives a promise), which is not possible here."),
    ("var o = {}; o.o = o; function Decoder() { return o }", "The codec “Radar” gave no values: what it gave contains itself."),
    ("function Decoder() { return {a: 'x'.repeat(1e5)} }", "The codec “Radar” gave no values: what it gave is too large."),
    ("function Decoder() { for (;;); }", "The codec “Radar” gave no values: it takes too long."),
    ("function Decoder() { return {a: 'x'.repeat(1e9)} }", "The codec “Radar” gave no values: it takes too much memory."),
    ("function Decoder() { return Decoder() }", "The codec “Radar” gave no values: it calls itself without end."),
    ("function Decoder() { return {a: new Array(2e9).join('ab')} }", "The codec “Radar” gave no values: it did not end and was stopped."),
    ("function Decoder() { return {level_cm: NaN} }", "level_cm: NaN is not a number."),
    ("function Decoder() { return {level_cm: -1 / 0} }", "level_cm: -Infinity is not a number."),
    ("function Decoder() { return {level_cm: () => 1} }", "level_cm: [function] is not a number."),
    ("function Decoder() { return {level_cm: new Date(0)} }", "level_cm: 1970-01-01T00:00:00.000Z is not a number."),
    ("function Decoder() { return {level_cm: 10n ** 3n} }", "level_cm: 1000 is outside 0 to 500."),
    ("function Decoder() { return {level_cm: undefined} }", "None of the device’s fields is in the message. Expected: level_cm, discharge."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "sentence"), SENTENCES)
def test_every_bad_codec_has_its_reason_in_the_refused_list(
    town: Town, text: str, sentence: str
) -> None:
    give_codec(town.device, text)
    deliver(town, tts(1, payload=b"\x01"))
    with translation.override("en"):
        assert _on_an_idle_machine(refused().sentence) == _on_an_idle_machine(sentence)
    with translation.override("de"):
        assert refused().sentence != sentence
    give_codec(town.device)
    assert replay(refused().pk, SYSTEM).status in (200, 422)
    assert refused().outcome in (RefusedUplink.REPLAYED, RefusedUplink.REFUSED_AGAIN)


def _on_an_idle_machine(sentence: str) -> str:
    """On a busy one the parent's patience may end before the half second of computing is over."""
    return sentence.replace("it did not end and was stopped.", "it takes too long.")


def test_a_device_whose_codec_fails_is_alive(town: Town) -> None:
    give_codec(town.device, "function (")
    assert plan_of(town, tts(1, payload=b"\x01")).seen


def test_a_codec_that_hangs_holds_up_no_other_device(town: Town, door: Door) -> None:
    give_codec(town.device, "function Decoder() { for (;;); }")
    other = NewField("level_cm", town.discharge)
    healthy = register_device(town.organisation, "tts", STRANGE_EUI, "Other", fields=[other])
    give_codec(healthy, LEVEL, "Other")
    stuck = [tts(number, payload=b"\x00\x01") for number in range(1, 5)]
    good = [tts(number, STRANGE_EUI, payload=b"\x00\x02") for number in range(1, 21)]
    answers = door.post_all(stuck + good)
    assert {answer.status_code for answer in answers[4:]} == {200}
    assert {answer.json()["error"] for answer in answers[:4]} <= {"codec_failed", "codec_busy"}
    assert results(town.discharge) == [2] * 20


def test_messages_of_a_broker_are_decoded_together(town: Town, door: Door) -> None:
    give_codec(town.device)
    bodies = [tts(1, payload=b"\x00\x05"), tts(2, level_cm=6), tts(3, payload=b"\x00\x07")]
    delivered = deliver_all([authorised(town, door, body) for body in bodies])
    assert [each.answer.status for each in delivered] == [200, 200, 200]
    assert results(town.level) == [5, 6, 7]


def authorised(town: Town, door: Door, body: Any) -> Any:
    delivery = delivery_of(town, body)
    return type(delivery)(
        delivery.network, delivery.body, "", delivery.received, door.tokens["town"]
    )


def test_a_changed_text_counts_from_the_next_uplink_on(town: Town) -> None:
    give_codec(town.device)
    plan_of(town, tts(1, payload=b"\x00\x05"))
    give_codec(town.device, "function Decoder(b) { return {level_cm: b[1] + 100} }")
    (reading,) = plan_of(town, tts(2, payload=b"\x00\x05")).readings
    assert reading.result == 105


def test_a_codec_of_others_cannot_be_chosen(town: Town) -> None:
    village = make_organisation("village")
    device = Device.objects.get()
    device.codec = Codec.objects.create(owner_id=village, name="Theirs", text=LEVEL)
    with pytest.raises(ValidationError) as caught:
        device.full_clean()
    assert list(caught.value.message_dict) == ["codec"]


@pytest.mark.parametrize("variables", [[], {"a": 1}, "text", {"a": None}])
def test_variables_are_names_with_text(town: Town, variables: Any) -> None:
    device = Device.objects.get()
    device.variables = variables
    with pytest.raises(ValidationError) as caught:
        device.full_clean()
    assert list(caught.value.message_dict) == ["variables"]


def test_a_codec_without_text_is_refused(town: Town) -> None:
    with pytest.raises(ValidationError) as caught:
        Codec(owner_id=town.organisation, name="Empty", text="  ").full_clean()
    assert list(caught.value.message_dict) == ["text"]


def test_a_byte_map_reads_a_payload(town: Town) -> None:
    codec = give_codec(town.device, "port 1\nlevel_cm 0 u16be *0.1 cm")
    codec.kind = Codec.Kind.BYTES
    codec.save()
    (reading,) = plan_of(town, tts(1, payload=b"\x04\xd2")).readings
    assert reading.result == 123.4
    deliver(town, tts(2, payload=b"\x04"))
    with translation.override("en"):
        assert refused().sentence.endswith("the payload ends before its last value (1 bytes).")


def test_cayenne_lpp_needs_no_text(town: Town) -> None:
    codec = give_codec(town.device, "")
    codec.kind = Codec.Kind.CAYENNE
    codec.full_clean()
    codec.save()
    DeviceField.objects.filter(path="level_cm").update(path="distance_3", factor=100)
    finding.forget()
    (reading,) = plan_of(town, tts(1, payload=bytes.fromhex("0382000004d2"))).readings
    assert reading.result == 123.4
    deliver(town, tts(2, payload=b"\x01\x09\x00"))
    with translation.override("en"):
        assert "type 9 at byte 1" in refused().sentence


def test_a_byte_map_that_cannot_be_read_names_its_line(town: Town) -> None:
    row = Codec(owner_id=town.organisation, name="Map", kind="bytes", text="a 0 u8\nb 1 u7")
    with pytest.raises(ValidationError) as caught:
        row.full_clean()
    assert "2" in caught.value.message_dict["text"][0]
