"""One device out of a local clone of The Things Network's device repository (YAML 1.2).

    vendor/index.yaml             vendors: [{id, name}]
    vendor/VENDOR/DEVICE.yaml     name, description, firmwareVersions: [{profiles: {REGION: {codec}}}]
    vendor/VENDOR/CODEC.yaml      uplinkDecoder: {fileName, examples: [{description, input, output, normalizedOutput}]},
                                  downlinkEncoder and downlinkDecoder alike, often with files of their own

The repository claims the right of a maker of databases (Directive 96/9/EC): extracting the whole or a
substantial part of it is not allowed, the information about a device is. So there is no way here
to read more than one.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stadtherz.base.errors import Invalid
from stadtherz.ingest.library.examples import downlinks_of, examples_of
from stadtherz.ingest.library.files import Unreadable, has, listed, text_of
from stadtherz.ingest.library.found import Collection, Downlink, FoundCodec, FoundDevice

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
    codecs = list(dict.fromkeys(_codecs(folder, vendor, told)))
    found = Collection(SOURCE)
    for home, codec in codecs or [("", "")]:
        found.devices.append(
            FoundDevice(
                key=key + (f"/{codec}" if len(codecs) > 1 else ""),
                vendor=vendor_name,
                name=str(told.get("name", device)) + (f" ({codec})" if len(codecs) > 1 else ""),
                description=str(told.get("description", "")),
                codec=_codec(folder, home or vendor, codec) if codec else None,
            )
        )
    return found


def _yaml(folder: Path, *parts: str) -> dict[str, Any]:
    from ruamel.yaml import YAML  # noqa: PLC0415 - nobody needs it in a server at rest
    from ruamel.yaml.constructor import SafeConstructor  # noqa: PLC0415
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415

    class Plain(SafeConstructor):
        """JSON's values only: codecs are told times as text, and give them as text."""

    Plain.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)
    reader = YAML(typ="safe", pure=True)
    reader.Constructor = Plain
    try:
        told = reader.load(text_of(folder, *parts))
    except Unreadable as problem:
        raise Invalid("/".join(parts), str(problem)) from problem
    except (YAMLError, ValueError, TypeError, RecursionError) as problem:  # odd dates too
        raise Invalid("/".join(parts), "is no YAML") from problem
    if not isinstance(told, dict):
        raise Invalid("/".join(parts), "is no YAML object")
    return told


def _vendor_name(folder: Path, vendor: str) -> str:
    rows = listed(_yaml(folder, "vendor", "index.yaml").get("vendors"))
    names = (row.get("name") for row in rows if isinstance(row, dict) and row.get("id") == vendor)
    return str(next(names, vendor))


def _codecs(folder: Path, vendor: str, told: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The codecs of a device; its firmware versions and regions may have different ones.

    With each the vendor in whose folder it is, if that is not the device's own: a profile may be another vendor's.
    """
    for version in listed(told.get("firmwareVersions")):
        profiles = version.get("profiles") if isinstance(version, dict) else None
        for profile in profiles.values() if isinstance(profiles, dict) else ():
            if not isinstance(profile, dict):
                continue
            codec, home = str(profile.get("codec", "")), str(profile.get("vendorID", ""))
            if not _ID.fullmatch(codec):
                continue
            elsewhere = _ID.fullmatch(home) and not has(folder, "vendor", vendor, f"{codec}.yaml")
            yield home if elsewhere else "", codec


def _codec(folder: Path, vendor: str, codec: str) -> FoundCodec | None:
    """None for one that only encodes."""
    told = _yaml(folder, "vendor", vendor, f"{codec}.yaml")
    decoder = told.get("uplinkDecoder")
    if not isinstance(decoder, dict):
        return None
    file = str(decoder.get("fileName", ""))
    encoder, encoded = _downlinks(folder, vendor, told.get("downlinkEncoder"), file)
    down_decoder, decoded = _downlinks(
        folder, vendor, told.get("downlinkDecoder"), file, decodes=True
    )
    return FoundCodec(
        name=f"{vendor}/{file}",
        text=_script(folder, vendor, file),
        examples=examples_of(decoder.get("examples"), expected="output", name="description"),
        encoder=encoder,
        downlink_decoder=down_decoder,
        downlinks=(*encoded, *decoded),
    )


def _downlinks(
    folder: Path, vendor: str, told: Any, decoder: str, *, decodes: bool = False
) -> tuple[str, tuple[Downlink, ...]]:
    """The script of an encoder or a decoder of downlinks if it has a file of its own, and its examples."""
    if not isinstance(told, dict):
        return "", ()
    file = str(told.get("fileName") or decoder)
    found = downlinks_of(
        told.get("examples"), expected="output", name="description", decodes=decodes
    )
    return "" if file == decoder else _script(folder, vendor, file), found


def _script(folder: Path, vendor: str, file: str) -> str:
    try:
        return text_of(folder, "vendor", vendor, file)
    except Unreadable as problem:
        raise Invalid(f"vendor/{vendor}/{file}", str(problem)) from problem
