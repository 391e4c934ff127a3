"""Folders of device types as people keep them: odd, incomplete, with several firmwares. Nothing ends in a traceback."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stadtherz.base.errors import Invalid
from stadtherz.codecs.public import stop as stop_codecs
from stadtherz.ingest.library import chirpstack_profiles, things_network
from stadtherz.ingest.models import DeviceType
from stadtherz.ingest.public import import_types
from stadtherz.ingest.tests.factories import make_organisation

CODEC = "function decodeUplink(input) { return {data: {level_cm: input.bytes[0]}} }"
OTHER = "function decodeUplink(input) { return {data: {level_cm: input.bytes[1]}} }"


def lay(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


THINGS = {
    "vendor/index.yaml": "vendors:\n  - id: mill\n    name: Mill\n  - 7\n  - id: brook\n",
    "vendor/mill/gauge.yaml": """%YAML 1.2
---
name: on
description: 1e-5
sensors: [yes, no, 0o14, 12:30:45]
firmwareVersions:
  - version: '1.0'
    numeric: 0x1
    hardwareVersions: ['1.0']
    profiles:
      EU868: {id: gauge-profile, codec: gauge-codec}
      US915: {id: gauge-profile, lorawanCertified: no, codec: gauge-codec}
  - version: '2.0'
    profiles:
      EU868: {vendorID: brook, id: brook-profile, codec: brook-codec}
""",
    "vendor/mill/gauge-codec.yaml": """uplinkDecoder:
  fileName: gauge.js
  examples:
    - description: on
      input: {fPort: 2, bytes: [0x0c, 0]}
      output: {data: {level_cm: 12.0}}
downlinkEncoder:
  fileName: gauge.js
""",
    "vendor/mill/gauge.js": CODEC,
    "vendor/brook/brook-codec.yaml": "uplinkDecoder:\n  fileName: brook.js\n  examples: null\n",
    "vendor/brook/brook.js": OTHER,
}


@pytest.mark.django_db
def test_firmwares_with_different_codecs_are_different_types_also_from_another_vendors_folder(
    tmp_path: Path,
) -> None:
    owner = make_organisation("town")
    report = import_types(owner, lay(tmp_path, THINGS), "mill/gauge")
    stop_codecs()
    assert [(each.key, each.checked and (each.checked.held, each.checked.total)) for each in report.types] == [
        ("mill/gauge/gauge-codec", (1, 1)),
        ("mill/gauge/brook-codec", (0, 0)),
    ]  # fmt: skip
    texts = DeviceType.objects.order_by("key").values_list("codec__text", flat=True)
    assert list(texts) == [OTHER, CODEC]
    assert DeviceType.objects.filter(name__startswith="on (").count() == 2  # YAML 1.2: a text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("vendor/index.yaml", "vendors: 7"),
        ("vendor/index.yaml", "- a"),
        ("vendor/mill/gauge.yaml", "a: [1"),
        ("vendor/mill/gauge.yaml", "[" * 5_000),
        ("vendor/mill/gauge.yaml", "name: 2001-99-99"),
        ("vendor/mill/gauge.yaml", "firmwareVersions: {a: 1}"),
        ("vendor/mill/gauge.yaml", "firmwareVersions: [7, {profiles: [1]}, {profiles: {EU868: x}}]"),
        ("vendor/mill/gauge.yaml", "a: 1\na: 2"),
        ("vendor/mill/gauge-codec.yaml", "uplinkDecoder: gauge.js"),
        ("vendor/mill/gauge-codec.yaml", "uplinkDecoder: {fileName: ../../../../etc/passwd}"),
        ("vendor/mill/gauge-codec.yaml", "uplinkDecoder: {fileName: gauge.js, examples: {a: 1}}"),
        ("vendor/mill/gauge-codec.yaml", "downlinkEncoder: {fileName: gauge.js}"),
        ("vendor/mill/gauge.js", "\0 this is no script"),
        ("vendor/mill/gauge.js", ""),
    ],
)  # fmt: skip
def test_an_odd_file_of_the_things_networks_is_named_or_does_no_harm(
    tmp_path: Path, file: str, text: str
) -> None:
    owner = make_organisation("town")
    folder = lay(tmp_path, {**THINGS, file: text})
    try:
        report = import_types(owner, folder, "mill/gauge")
    except Invalid as problem:
        assert problem.field.startswith("vendor/")  # noqa: PT017 - either is fine, a traceback is not
    else:
        assert report.types
    finally:
        stop_codecs()


@pytest.mark.parametrize("missing", [each for each in THINGS if not each.endswith("index.yaml")])
def test_a_file_of_the_things_networks_that_is_missing_is_named(
    tmp_path: Path, missing: str
) -> None:
    folder = lay(tmp_path, THINGS)
    (folder / missing).unlink()
    with pytest.raises(Invalid) as told:
        things_network.read(folder, "mill/gauge")
    assert told.value.field.endswith(Path(missing).name)


PROFILES = {
    "vendors/mill/vendor.toml": '[vendor]\nname = "Mill"\n',
    "vendors/mill/devices/gauge.toml": """[device]
name = "Gauge"
[[device.firmware]]
version = "1"
codec = "gauge.js"
[[device.firmware]]
version = "2"
codec = "../../brook/codecs/brook.js"
""",
    "vendors/mill/codecs/gauge.js": CODEC,
    "vendors/mill/codecs/test_decode_gauge.json": """// JSON5
[{name: 'one', input: {bytes: [0x0C,], fPort: +2,}, expected: {data: {level_cm: 12.}},},]""",
    "vendors/brook/codecs/brook.js": OTHER,
}


@pytest.mark.django_db
def test_a_collection_with_tests_in_json5_and_a_codec_of_another_vendor(tmp_path: Path) -> None:
    report = import_types(make_organisation("town"), lay(tmp_path, PROFILES))
    stop_codecs()
    assert [(each.key, each.checked and each.checked.held) for each in report.types] == [
        ("mill/gauge/1", 1),
        ("mill/gauge/2", 0),
    ]
    assert not report.troubles


ODD_TOML = [
    "",
    "device = 7",
    "vendor = 'x'",
    "[device]\nfirmware = 'x'",
    "[device]\nname = [1]\nfirmware = [1, 'a', {codec = 7, version = 1979-05-27}]",
    "[[device.firmware]]\ncodec = 'missing.js'",
    "[[device.firmware]]\ncodec = '../../../../../etc/passwd'",
    "[device\n",
    "a = " + "[" * 3_000,
    "\0",
]


@settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    max_examples=40,
)
@given(st.sampled_from(sorted(PROFILES)), st.sampled_from([*ODD_TOML, None]))
def test_an_odd_or_missing_file_of_chirpstacks_is_told_and_the_others_are_read(
    tmp_path: Path, file: str, text: str | None
) -> None:
    folder = lay(tmp_path, PROFILES)
    if text is None:
        (folder / file).unlink()
    else:
        (folder / file).write_text(text)
    found = chirpstack_profiles.read(folder)
    assert found.devices or found.troubles or file.endswith(("gauge.toml", "vendor.toml"))
    lay(tmp_path, PROFILES)


def test_links_in_a_circle_are_told(tmp_path: Path) -> None:
    folder = lay(tmp_path, PROFILES)
    script = folder / "vendors/mill/codecs/gauge.js"
    script.unlink()
    script.symlink_to(script)
    assert "gauge.js" in chirpstack_profiles.read(folder).troubles[0].place
