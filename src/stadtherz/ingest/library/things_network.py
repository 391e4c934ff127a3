"""One device out of a local clone of The Things Network's device repository (YAML 1.2).

    vendor/index.yaml             vendors: [{id, name}]
    vendor/VENDOR/DEVICE.yaml     name, description, firmwareVersions: [{profiles: {REGION: {codec}}}]
    vendor/VENDOR/CODEC.yaml      uplinkDecoder: {fileName, examples: [{description, input, output}]}

The repository claims the right of a maker of databases (Directive 96/9/EC): extracting the whole or a
substantial part of it is not allowed, the information about a device is. So there is no way here
to read more than one.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from stadtherz.base.errors import Invalid
from stadtherz.ingest.library.examples import examples_of
from stadtherz.ingest.library.files import Unreadable, text_of
from stadtherz.ingest.library.found import Collection, FoundCodec, FoundDevice

SOURCE = "The Things Network device repository"
_ID = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")


def is_here(folder: Path) -> bool:
    return (folder / "vendor" / "index.yaml").is_file()


def read(folder: Path, key: str) -> Collection:
    """The device `key`, written vendor/device as in the repository; raises Invalid if it is not there."""
    vendor, _, device = key.partition("/")
    if not (_ID.fullmatch(vendor) and _ID.fullmatch(device)):
        raise Invalid("device", "must be VENDOR/DEVICE, as the repository's folders are called")
    told = _yaml(folder, "vendor", vendor, f"{device}.yaml")
    vendor_name = _vendor_name(folder, vendor)
    codecs = list(dict.fromkeys(_codecs(told)))
    found = Collection(SOURCE)
    for codec in codecs or [""]:
        found.devices.append(
            FoundDevice(
                key=key + (f"/{codec}" if len(codecs) > 1 else ""),
                vendor=vendor_name,
                name=str(told.get("name", device)) + (f" ({codec})" if len(codecs) > 1 else ""),
                description=str(told.get("description", "")),
                codec=_codec(folder, vendor, codec) if codec else None,
            )
        )
    return found


def _yaml(folder: Path, *parts: str) -> dict[str, Any]:
    try:
        told = YAML(typ="safe", pure=True).load(text_of(folder, *parts))
    except Unreadable as problem:
        raise Invalid("/".join(parts), str(problem)) from problem
    except YAMLError as problem:
        raise Invalid("/".join(parts), "is no YAML") from problem
    if not isinstance(told, dict):
        raise Invalid("/".join(parts), "is no YAML object")
    return told


def _vendor_name(folder: Path, vendor: str) -> str:
    rows = _yaml(folder, "vendor", "index.yaml").get("vendors") or []
    names = (row.get("name") for row in rows if isinstance(row, dict) and row.get("id") == vendor)
    return str(next(names, vendor))


def _codecs(told: dict[str, Any]) -> Iterator[str]:
    """The codecs of a device; its firmware versions and regions may have different ones."""
    for version in told.get("firmwareVersions") or []:
        for profile in (version.get("profiles") or {}).values():
            if isinstance(profile, dict) and _ID.fullmatch(str(profile.get("codec", ""))):
                yield profile["codec"]


def _codec(folder: Path, vendor: str, codec: str) -> FoundCodec:
    decoder = _yaml(folder, "vendor", vendor, f"{codec}.yaml").get("uplinkDecoder") or {}
    file = str(decoder.get("fileName", ""))
    try:
        text = text_of(folder, "vendor", vendor, file)
    except Unreadable as problem:
        raise Invalid(f"vendor/{vendor}/{file}", str(problem)) from problem
    examples = examples_of(decoder.get("examples"), expected="output", name="description")
    return FoundCodec(f"{vendor}/{file}", text, examples)
