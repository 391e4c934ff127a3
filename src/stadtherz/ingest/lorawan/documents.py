"""What the readers share: strict types for a document's parts, and errors that name the place.

The Things Stack and ChirpStack write protobuf JSON: zero, false and empty values are left out, 64-bit numbers may be
strings, bytes are base64 in the standard or the URL alphabet.
"""

import base64
import binascii
import re
from typing import Annotated, Any, TypeVar

import msgspec

from stadtherz.base.errors import Invalid
from stadtherz.base.time import EARLIEST, LATEST, Micros, parse_instant
from stadtherz.ingest.documents.shapes import work_out

T = TypeVar("T")
# Numbers may come as text, and text knows "nan" and digits without end.
Number = Annotated[float, msgspec.Meta(ge=-1e12, le=1e12)]
Whole = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
_PLACE = re.compile(r"(?P<reason>.*?) - at `\$\.?(?P<place>.*)`", re.DOTALL)
_SPREADING = re.compile(r"SF(\d{1,2})")
_EUI = re.compile(r"[0-9a-fA-F]{16}", re.ASCII)
_LARGEST_COUNTER = 2**32 - 1
_FULL = 254  # 0 is a supply from outside, 255 not known


class Part(msgspec.Struct, kw_only=True):
    """A part of a document; unknown members are ignored, a null is a missing member."""


class Position(Part):
    """Degrees, as The Things Stack and ChirpStack name them."""

    latitude: Number | None = None
    longitude: Number | None = None

    @property
    def place(self) -> tuple[float, float] | None:
        return place(self.longitude, self.latitude)


def convert(document: Any, shape: type[T], *, under: str = "") -> T:
    """The document in its declared shape; raises Invalid with the path of what does not fit.

    `under` is the path of a document that is part of a larger one.
    """
    work_out(shape)
    try:
        return msgspec.convert(document, shape, strict=False)
    except msgspec.ValidationError as problem:
        match = _PLACE.fullmatch(str(problem))
        if match is None:
            raise Invalid(under or "document", str(problem)) from problem
        place = ".".join(filter(None, (under, match["place"])))
        raise Invalid(place or "document", match["reason"]) from problem


def eui(field: str, text: str | None) -> str:
    """A device EUI in upper case; some write it with - or : between its bytes."""
    plain = (text or "").strip().replace("-", "").replace(":", "")
    if not _EUI.fullmatch(plain):
        raise Invalid(field, "must be sixteen hexadecimal digits")
    return plain.upper()


def instant(field: str, text: str | None) -> Micros | None:
    if not text:
        return None
    try:
        moment = parse_instant(text)
    except (ValueError, OverflowError) as problem:
        raise Invalid(field, "must be a time such as 2026-11-26T07:00:00Z") from problem
    if not EARLIEST <= moment <= LATEST:
        raise Invalid(field, "must be a time such as 2026-11-26T07:00:00Z")
    return moment


def milliseconds(field: str, number: int | None) -> Micros | None:
    """A time in milliseconds since 1970."""
    if number is None:
        return None
    moment = number * 1000
    if not EARLIEST <= moment <= LATEST:
        raise Invalid(field, "must be a time in milliseconds since 1970")
    return moment


def battery(level: int | None) -> float | None:
    """Percent; None where there is no battery or it is not known (LoRaWAN 1.0.4 §5.5, DevStatusAns)."""
    return round(100 * level / _FULL, 1) if level and 0 < level <= _FULL else None


def hertz(megahertz: float | None) -> int | None:
    return round(megahertz * 1e6) if megahertz else None


def place(longitude: float | None, latitude: float | None) -> tuple[float, float] | None:
    return None if longitude is None or latitude is None else (longitude, latitude)


def spreading_factor(data_rate: str | None) -> int | None:
    """Out of the name of a data rate, such as SF7BW125."""
    found = _SPREADING.search(data_rate or "")
    return int(found[1]) if found else None


def hex_bytes(field: str, text: str | None) -> bytes:
    try:
        return bytes.fromhex(text or "")
    except ValueError as problem:
        raise Invalid(field, "must be hexadecimal digits, two a byte") from problem


def base64_bytes(field: str, text: str | None) -> bytes:
    if not text:
        return b""
    standard = text.strip().rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError) as problem:
        raise Invalid(field, "must be base64") from problem


def counter(field: str, number: int | None) -> int:
    """A frame counter; a missing one is 0."""
    if number is not None and not 0 <= number <= _LARGEST_COUNTER:
        raise Invalid(field, f"must be 0 to {_LARGEST_COUNTER}")
    return number or 0


def port(field: str, number: int | None) -> int:
    """A LoRaWAN port; a missing one is 0."""
    if number is not None and not 0 <= number <= 255:
        raise Invalid(field, "must be 0 to 255")
    return number or 0
