"""A pasted document: which network wrote it, and what it says."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext

from stadtherz.base.errors import Invalid
from stadtherz.base.time import Micros
from stadtherz.ingest.documents import document
from stadtherz.ingest.documents.uplink import Other, Uplink
from stadtherz.ingest.intake.pipeline import READERS
from stadtherz.ingest.models import Network
from stadtherz.ingest.onboarding.pasted import document_of
from stadtherz.ingest.quality.reasons import Reason, sentence
from stadtherz.ingest.values.numbers import number_of
from stadtherz.ingest.values.positions import NAMES, Place, checked_place, plain

_ENVELOPES = ("data", "result", "body", "uplink", "message")
_DEEPEST = 4
_MOST_MESSAGES = 20
_SIGNS: dict[str, Callable[[Mapping[str, Any]], bool]] = {
    "tts": lambda d: "end_device_ids" in d,
    "chirpstack": lambda d: (
        "deviceInfo" in d or ("devEUI" in d and bool({"applicationID", "rxInfo"} & d.keys()))
    ),
    "actility": lambda d: any(name.startswith("DevEUI_") for name in d),
    "loriot": lambda d: "EUI" in d and "cmd" in d,
    "helium": lambda d: "dev_eui" in d and bool({"hotspots", "app_eui", "reported_at"} & d.keys()),
}


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a document tells; `document` is the network's own, without what was wrapped around it."""

    network: str
    document: Mapping[str, Any]
    message: Uplink | Other
    place: Place | None = None
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def uplink(self) -> Uplink | None:
        return self.message if isinstance(self.message, Uplink) else None

    @property
    def name(self) -> str:
        """What the network calls the device; of a message of JSON the name for people in it."""
        if self.network == Network.JSON:
            return name_in(self.document)
        return self.uplink.device if self.uplink else ""


class OfNoNetwork(Invalid):
    """A text that no LoRaWAN network wrote; another device may have."""


def recognise(text: str, *, received: Micros) -> Recognised:
    """The network and message of a document. Raises Invalid, field `sample`, in the active language;
    OfNoNetwork where it may be a message of another device.
    """
    whole = _json(text)
    found = _find(whole, _DEEPEST)
    if found is None:
        told = gettext(
            "This is a document of no network that is known here. Copy a whole message, from the"
            " first { to the last }."
        )
        raise OfNoNetwork("sample", told)
    network, inner = found
    return read_document(network, inner, received=received)


def read_document(
    network: str,
    inner: Mapping[str, Any],
    query: Mapping[str, str] | None = None,
    *,
    received: Micros,
) -> Recognised:
    """As `recognise`, of a document whose network is known."""
    asked = query or _event(network, inner)
    try:
        message = READERS[network](inner, asked, received=received)
    except Invalid as problem:
        facts = {"field": problem.field, "problem": problem.reason}
        raise Invalid("sample", sentence(Reason.BROKEN_DOCUMENT, facts)) from problem
    return Recognised(network, inner, message, place_of(inner, message), asked)


def _json(text: str) -> Any:
    if not text.strip():
        raise Invalid("sample", gettext("Paste a message here."))
    if len(text.strip().encode("utf-8", "replace")) > document.LARGEST:
        raise Invalid("sample", gettext("This is too long for one message."))
    try:
        return document_of(text)
    except Invalid as problem:
        raise OfNoNetwork("sample", problem.reason) from problem


def _find(holder: Any, depth: int) -> tuple[str, Mapping[str, Any]] | None:
    """The network's own document, which consoles and logs wrap in one of theirs."""
    if isinstance(holder, list):  # of several messages the first one
        found = (_find(each, depth - 1) for each in holder[:_MOST_MESSAGES]) if depth else iter(())
        return next((each for each in found if each is not None), None)
    if not isinstance(holder, dict) or depth == 0:
        return None
    for network, is_sign in _SIGNS.items():
        if is_sign(holder):
            return network, holder
    found = (_find(holder.get(name), depth - 1) for name in _ENVELOPES)
    return next((each for each in found if each is not None), None)


# A ChirpStack document says only in its address what it tells of.
_CHIRPSTACK = {
    "devAddr": "join", "acknowledged": "ack", "margin": "status", "level": "log",
}  # fmt: skip


def _event(network: str, inner: Mapping[str, Any]) -> dict[str, str]:
    if network != "chirpstack":
        return {}
    if {"data", "object", "rxInfo", "objectJSON", "fPort"} & inner.keys():
        return {"event": "up"}
    found = next((event for name, event in _CHIRPSTACK.items() if name in inner), "")
    return {"event": found} if found else {}


def place_of(inner: Mapping[str, Any], message: Uplink | Other) -> Place | None:
    """Where the network knows the device to stand, else what the device itself tells."""
    uplink = inner.get("uplink_message")
    places = uplink.get("locations") if isinstance(uplink, dict) else None
    if isinstance(places, dict):
        for each in places.values():
            if isinstance(each, dict) and (found := _place(each)):
                return found
    if isinstance(message, Uplink) and isinstance(message.decoded, dict):
        return _place(message.decoded)
    return None


_HOLDERS = (
    "location",
    "position",
    "gps",
    "geo",
    "coordinates",
    "standort",
    "ort",
    "coord",
    "coords",
    "values",
    "value",
    "geometry",
)


def place_in(content: Mapping[str, Any]) -> Place | None:
    """The place that a message of JSON tells, at its top or in an object that is called so."""
    if (found := _place(content)) is not None:
        return found
    for name, each in content.items():
        if str(name).lower() not in _HOLDERS:
            continue
        if isinstance(each, dict) and (found := place_in(each)) is not None:
            return found
        if isinstance(each, list) and len(each) in (2, 3):  # GeoJSON: longitude first
            return checked_place(each[0], each[1])
    return None


_NAMED = re.compile(
    r"((device|station|sensor|node|thing|friendly|display|site|location|gerät|geräte|geraet|geraete|stations|sensor|orts)?_?name"
    r"|bezeichnung|titel|title|label|alias)"
)
_ABOUT = re.compile(
    r"(device|station|sensor|node|thing|gerät|geraet|site|meta(_?data)?|attributes|properties)(_?info)?|info"
)
_SHORT = frozenset({"name", "bezeichnung", "titel", "title", "label", "alias"})
_BESIDE = frozenset(
    {"value", "v", "val", "wert", "messwert", "reading", "result"}
)  # then it names a value
_LONGEST_NAME = 150


def name_in(content: Any) -> str:
    """What the message calls the device for people, at its top or in an object about the device; else empty."""
    if not isinstance(content, Mapping):
        return ""
    of_a_value = any(_plain(key) in _BESIDE for key in content)
    for key, value in content.items():
        if _NAMED.fullmatch(_plain(key)) and not (of_a_value and _plain(key) in _SHORT):
            told = value.strip() if isinstance(value, str) else ""
            if 0 < len(told) <= _LONGEST_NAME and told.isprintable():
                return told
    inner = (value for key, value in content.items() if _ABOUT.fullmatch(_plain(key)))
    return next((found for each in inner if (found := name_in(each))), "")


def _plain(key: object) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[\s\-]+", "_", str(key)).lower()


def _place(holder: Mapping[str, Any]) -> Place | None:
    values = {plain(str(name)): value for name, value in holder.items()}
    for east, north in NAMES:
        numbers = number_of(values.get(east)), number_of(values.get(north))
        if (place := checked_place(*numbers)) is not None:
            return place
    return None
