"""ChirpStack's collection of device profiles (MIT): folders of TOML files, one for each vendor.

vendors/VENDOR/vendor.toml     [vendor] name, devices = [files]
vendors/VENDOR/devices/*.toml  [device] name, description, [[device.firmware]] version, codec
vendors/VENDOR/codecs/*.js     test_decode_NAME.json and test_encode_NAME.json, which may be written as JavaScript writes objects
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from stadtherz.ingest.library.examples import downlinks_of, examples_of
from stadtherz.ingest.library.files import Unreadable, has, listed, text_of
from stadtherz.ingest.library.found import Collection, FoundCodec, FoundDevice, Trouble

SOURCE = "ChirpStack device profiles (MIT)"


def is_here(folder: Path) -> bool:
    return (folder / "vendors").is_dir()


def read(folder: Path) -> Collection:
    """Everything in the collection."""
    found = Collection(SOURCE)
    for path in sorted((folder / "vendors").iterdir()):
        if path.is_dir():
            _read_vendor(folder, path.name, found)
    return found


def _read_vendor(folder: Path, vendor: str, found: Collection) -> None:
    name = vendor
    if has(folder, "vendors", vendor, "vendor.toml"):
        told = _table(_toml(found, folder, "vendors", vendor, "vendor.toml"), "vendor")
        name = str(told.get("name", vendor))
    for path in sorted((folder / "vendors" / vendor / "devices").glob("*.toml")):
        parts = ("vendors", vendor, "devices", path.name)
        told = _table(_toml(found, folder, *parts), "device")
        if told:
            found.devices.extend(_devices(found, folder, vendor, name, path.stem, told))


def _toml(found: Collection, folder: Path, *parts: str) -> dict[str, Any]:
    """The file's table; empty where it cannot be read, which is noted."""
    try:
        return tomllib.loads(text_of(folder, *parts))
    except (Unreadable, ValueError, RecursionError) as problem:
        found.troubles.append(Trouble("/".join(parts), str(problem)))
        return {}


def _table(told: dict[str, Any], name: str) -> dict[str, Any]:
    held = told.get(name)
    return held if isinstance(held, dict) else {}


def _devices(
    found: Collection, folder: Path, vendor: str, vendor_name: str, stem: str, told: dict[str, Any]
) -> Iterator[FoundDevice]:
    """One type for each codec that the device's firmware versions have."""
    firmware = told.get("firmware")
    versions = [each for each in listed(firmware) if isinstance(each, dict)]
    codecs: dict[str, str] = {}
    for each in versions:
        codecs.setdefault(str(each.get("codec") or ""), str(each.get("version", "")))
    for file, version in (codecs or {"": ""}).items():
        several = len(codecs) > 1
        yield FoundDevice(
            key=f"{vendor}/{stem}" + (f"/{version}" if several else ""),
            vendor=vendor_name,
            name=str(told.get("name", stem)) + (f" ({version})" if several else ""),
            description=str(told.get("description", "")),
            codec=_codec(found, folder, vendor, file) if file else None,
        )


def _codec(found: Collection, folder: Path, vendor: str, file: str) -> FoundCodec | None:
    parts = ("vendors", vendor, "codecs")
    try:
        text = text_of(folder, *parts, file)
    except Unreadable as problem:
        found.troubles.append(Trouble("/".join((*parts, file)), str(problem)))
        return None
    name = Path(file).stem
    up, up_script = _tests(found, folder, *parts, f"test_decode_{name}.json")
    down, down_script = _tests(found, folder, *parts, f"test_encode_{name}.json")
    return FoundCodec(
        name=f"{vendor}/{file}",
        text=text,
        examples=examples_of(up),
        tests_as_script=(up_script, down_script),
        downlinks=downlinks_of(down),
    )


def _tests(found: Collection, folder: Path, *parts: str) -> tuple[Any, str]:
    """What the file holds, or its text where it is no JSON; none where there is none or it cannot be read, which is noted."""
    if not has(folder, *parts):
        return None, ""
    try:
        text = text_of(folder, *parts)
    except Unreadable as problem:
        found.troubles.append(Trouble("/".join(parts), str(problem)))
        return None, ""
    try:
        return orjson.loads(text or "[]"), ""
    except orjson.JSONDecodeError:
        return None, text
