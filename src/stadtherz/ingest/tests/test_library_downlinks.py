"""What collections tell beside a decoder: encoders in files of their own, messages to devices, and normalized values."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stadtherz.base.errors import Invalid
from stadtherz.codecs.public import stop as stop_codecs
from stadtherz.ingest.devices.decoding import known_codec
from stadtherz.ingest.downlinks.encoding import encode
from stadtherz.ingest.library.checking import check
from stadtherz.ingest.library.found import Example, FoundCodec
from stadtherz.ingest.library.proposing import proposals_of
from stadtherz.ingest.models import Codec, DeviceField, DeviceType
from stadtherz.ingest.public import changes_of, import_types, propose_again, set_up_device
from stadtherz.ingest.tests.factories import STRANGE_EUI, Town

DECODER = """function Buffer(size) { this.size = size }
function decodeUplink(input) {
  if (input.fPort === 9) return {data: {sent: new Date().toISOString(), level_cm: input.bytes[0]}};
  return {data: {f1: input.bytes[0] / 10, f2: input.bytes[1] * 2, temp: 20.5, at: input.recvTime}};
}"""
ENCODER = """function Buffer(size) { this.list = []; }
Buffer.prototype.put = function (byte) { this.list.push(byte); return this };
function encodeDownlink(input) {
  if (!(input.data.minutes > 0)) return {errors: ["minutes must be above 0"]};
  return {bytes: new Buffer(2).put(1).put(input.data.minutes).list, fPort: 85};
}
function decodeDownlink(input) { return {data: {minutes: input.bytes[1]}}; }"""
CODEC_YAML = """uplinkDecoder:
  fileName: probe.js
  examples:
    - description: values
      input: {fPort: 1, bytes: [36, 250], recvTime: 2026-03-01T10:00:00Z}
      output: {data: {f1: 3.6, f2: 500, temp: 20.5, at: 2026-03-01 10:00:00+00:00}}
      normalizedOutput:
        data:
          - air: {temperature: 20.5, co2: 500}
          - battery: 3.6
    - description: on the day of the maker
      input: {fPort: 9, bytes: [7]}
      output: {data: {sent: 2024-05-06T07:08:09.000Z, level_cm: 7}}
downlinkEncoder:
  fileName: probe-encoder.js
  examples:
    - description: every quarter of an hour
      input: {data: {minutes: 15}}
      output: {bytes: [1, 15], fPort: 85}
    - description: never
      input: {data: {minutes: 0}}
      output: {errors: [minutes must be above 0]}
    - description: wrong
      input: {data: {minutes: 5}}
      output: {bytes: [1, 6], fPort: 85}
downlinkDecoder:
  fileName: probe-encoder.js
  examples:
    - input: {bytes: [1, 15], fPort: 85}
      output: {data: {minutes: 15}}
"""


@pytest.fixture(autouse=True)
def _stopped() -> Iterator[None]:
    yield
    stop_codecs()


def lay(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def probe(town: Town, tmp_path: Path) -> DeviceType:
    """A device whose decoder and encoder are two files, as large makers have it."""
    device = (
        "name: Probe\nfirmwareVersions:\n- profiles: {EU863-870: {id: p, codec: probe-codec}}\n"
    )
    folder = lay(
        tmp_path,
        {
            "vendor/index.yaml": "vendors: [{id: mill, name: Mill}]",
            "vendor/mill/probe.yaml": device,
            "vendor/mill/probe-codec.yaml": CODEC_YAML,
            "vendor/mill/probe.js": DECODER,
            "vendor/mill/probe-encoder.js": ENCODER,
        },
    )
    import_types(town.organisation, folder, "mill/probe")
    return DeviceType.objects.get()


def test_every_test_of_a_codec_runs_also_those_of_messages_to_the_device(probe: DeviceType) -> None:
    assert probe.test_problems == ["wrong: what it gives differs from what its test expects"]
    assert (probe.tests_held, probe.tests_total) == (5, 6)


def test_an_encoder_in_a_file_of_its_own_makes_the_bytes(probe: DeviceType) -> None:
    codec = known_codec(probe.codec_id)
    assert codec is not None
    told = encode(codec, {"minutes": 30}, 1, {})
    assert (told.payload, told.f_port) == (b"\x01\x1e", 85)
    with pytest.raises(Invalid, match="above 0"):
        encode(codec, {"minutes": 0}, 1, {})


def test_a_new_encoder_is_used_from_the_next_message_on(probe: DeviceType) -> None:
    codec = Codec.objects.get()
    known_codec(codec.pk)
    codec.encoder = ENCODER.replace("put(1)", "put(2)")
    codec.save()
    new = known_codec(codec.pk)
    assert new is not None
    assert encode(new, {"minutes": 30}, 1, {}).payload == b"\x02\x1e"


def test_what_the_maker_says_the_device_can_be_told_is_kept_as_far_as_it_is_true(
    probe: DeviceType,
) -> None:
    (told,) = probe.downlinks
    assert told == {
        "name": "every quarter of an hour",
        "data": {"minutes": 15},
        "bytes": "010f",
        "f_port": 85,
    }


def test_chirpstacks_tests_of_encoders_run_too(town: Town, tmp_path: Path) -> None:
    folder = lay(
        tmp_path,
        {
            "vendors/mill/devices/a.toml": '[device]\nname = "A"\n[[device.firmware]]\ncodec = "a.js"\n',
            "vendors/mill/codecs/a.js": DECODER.replace("Buffer", "Held") + ENCODER,
            "vendors/mill/codecs/test_encode_a.json": """[ // written as JavaScript writes objects
                {name: 'a', input: {data: {minutes: 5}}, expected: {bytes: [0x01, 5]}}, ]""",
        },
    )
    import_types(town.organisation, folder)
    kind = DeviceType.objects.get()
    assert (kind.tests_held, kind.tests_total) == (1, 1)
    assert [each["data"] for each in kind.downlinks] == [{"minutes": 5}]


def said(kind: DeviceType) -> dict[str, tuple[str, str]]:
    return {each["path"]: (each["name"], each["unit"]) for each in kind.proposals}


def test_values_are_what_the_maker_calls_them_in_the_networks_vocabulary(probe: DeviceType) -> None:
    assert said(probe) == {
        "f1": ("Battery voltage", "V"),
        "f2": ("Carbon dioxide", "[ppm]"),
        "temp": ("Temperature", "Cel"),
        "level_cm": ("Level", "cm"),
    }


def ran(data: str, normalized: Any) -> dict[str, tuple[str, str]]:
    text = f"function decodeUplink() {{ return {{data: {data}}} }}"
    codec = FoundCodec("x", text, (Example("a", b"", 1, normalized=normalized),))
    rows = proposals_of(check(codec).ran)
    return {each["path"]: (each["name"], each["unit"]) for each in rows}


@pytest.mark.parametrize(
    ("data", "normalized", "expected"),
    [
        # The number is the same, so the unit is the vocabulary's, whatever the name would be taken for.
        ("{conductivity: 0.4}", {"soil": {"ec": 0.4}}, {"conductivity": ("Conductivity", "dS/m")}),
        ("{total: 1200}", {"metering": {"water": {"total": 1200}}}, {"total": ("Volume", "L")}),
        # Against the vocabulary, many write a battery's percent.
        ("{battery: 80}", [{"battery": 80}], {"battery": ("Battery level", "%")}),
        # Two values that are equal tell nothing of either.
        ("{a: 5, b: 5}", {"wind": {"speed": 5}}, {"a": ("A", "1"), "b": ("B", "1")}),
        # What the name says exactly stays.
        (
            "{water_temperature: 7}",
            [{"air": {"temperature": 7}}],
            {"water_temperature": ("Water temperature", "Cel")},
        ),
        ("{x: 1}", "nothing", {"x": ("X", "1")}),
        ("{x: 1}", [[[{"air": []}]]], {"x": ("X", "1")}),
    ],
)
def test_what_normalized_values_tell_of_others(data: str, normalized: Any, expected: Any) -> None:
    assert ran(data, normalized) == expected


def test_a_type_is_proposed_again_from_its_examples_and_devices_stay(
    town: Town, probe: DeviceType
) -> None:
    set_up_device(town.organisation, "tts", STRANGE_EUI, "Market", "mill/probe", paths=["f2"])
    fields = list(DeviceField.objects.values())
    learned = probe.proposals
    probe.proposals = [
        {**learned[1], "name": "F2", "unit": "1", "definition": "urn:x-stadtherz:f2"},
        {**learned[2], "path": "by.hand"},
    ]
    probe.save()
    told = {each.path: each.old.get("name", "") for each in propose_again(probe)}
    assert told == {"f1": "", "f2": "F2", "temp": "", "level_cm": ""}
    probe.refresh_from_db()
    assert [each["path"] for each in probe.proposals] == ["f1", "f2", "temp", "level_cm", "by.hand"]
    assert said(probe)["f2"] == ("Carbon dioxide", "[ppm]")
    assert list(DeviceField.objects.values()) == fields
    assert changes_of(probe, probe.proposals) == []


def test_a_type_that_kept_no_examples_is_judged_by_its_proposals(town: Town) -> None:
    old = {"name": "X", "unit": "1", "definition": "urn:x-stadtherz:x"}
    kind = DeviceType.objects.create(
        owner_id=town.organisation,
        key="mill/old",
        vendor="Mill",
        name="Old",
        proposals=[
            {**old, "path": "soil.temperature", "example": 12.0},
            {**old, "path": "list[0]", "example": 3.0},
            {**old, "path": "text"},
        ],
    )
    propose_again(kind)
    assert said(kind) == {
        "soil.temperature": ("Soil temperature", "Cel"),
        "list[0]": ("X", "1"),
        "text": ("X", "1"),
    }
    kind.proposals = []
    with pytest.raises(Invalid):
        propose_again(kind)
