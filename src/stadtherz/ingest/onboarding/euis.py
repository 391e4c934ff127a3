"""A device EUI as people enter it: typed, copied, or scanned from the maker's sticker."""

import re
from dataclasses import dataclass

from django.utils.translation import gettext

from stadtherz.base.errors import Invalid
from stadtherz.ingest.models import normal_eui

_EUI = re.compile(r"[0-9A-F]{16}", re.ASCII)
_ZERO = "0" * 16


@dataclass(frozen=True, slots=True)
class Sticker:
    """What a maker's code says: the device, and who made it (TR005, 3: Vendor ID and Profile ID)."""

    dev_eui: str
    join_eui: str = ""
    profile: str = ""


def read_eui(text: str) -> Sticker:
    """The device of a typed EUI or of the text in a LoRaWAN QR code.

    TR005 1.0 writes `LW:D0:<JoinEUI>:<DevEUI>:<ProfileID>:…`, older codes
    `URN:DEV:LW:<JoinEUI>_<DevEUI>_<ProfileID>_…`. Raises Invalid, field `dev_eui`.
    """
    told = text.strip()
    upper = told.upper()
    if upper.startswith("LW:D"):
        return _of_parts(upper.split(":")[2:])
    if upper.startswith("URN:"):
        return _of_parts(upper.rpartition("LW:")[2].split("_"))
    found = normal_eui(told)
    if not _EUI.fullmatch(found):
        raise Invalid("dev_eui", _sentence(found))
    return _checked(Sticker(found))


def _of_parts(parts: list[str]) -> Sticker:
    if len(parts) < 2 or not all(_EUI.fullmatch(part) for part in parts[:2]):
        raise Invalid("dev_eui", gettext("This code holds no device EUI. Copy it from the device."))
    profile = parts[2] if len(parts) > 2 and re.fullmatch(r"[0-9A-F]{8}", parts[2]) else ""
    return _checked(Sticker(parts[1], parts[0], profile))


def _checked(sticker: Sticker) -> Sticker:
    if sticker.dev_eui == _ZERO:
        raise Invalid("dev_eui", gettext("A device EUI is never only zeros."))
    return sticker


def _sentence(found: str) -> str:
    if not found:
        return gettext("Enter the device EUI: it stands on the device.")
    if re.fullmatch(r"[0-9A-F]+", found):
        text = gettext("A device EUI has 16 digits and letters from A to F; these are {count}.")
        return text.format(count=len(found))
    return gettext("A device EUI has 16 digits and letters from A to F, nothing else.")
