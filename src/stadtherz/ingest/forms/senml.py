"""Sensor Measurement Lists (RFC 8428) as readings: what a device measured at one moment, by name.

A pack becomes objects such as `{"device": "urn:dev:ow:10e2073a01080063", "time": 1764144000.0,
"values": {"temperature": "21.5 Cel"}}`. A number keeps its unit behind it, where `written` reads it; truth
values are 1 and 0, sums stand under `sums`, data under `data` (base64url, as it came).

The base name is the device and the name its value. Without a base name the last part of the name, behind
a slash, is the value; a name that is a URN without slash is a device with one value.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from stadtherz.base.time import SECOND, Micros
from stadtherz.ingest.values.written import is_convertible

SENML = "senml:"
MOST_RECORDS = 5_000
_VERSION = 10
_ABSOLUTE = 2**28  # a smaller time is relative to now
_SEPARATORS = ":/-._"
_BASES = {"bn": str, "bt": float, "bu": str, "bv": float, "bs": float, "bver": float}
_FIELDS = {"n": str, "u": str, "v": float, "vs": str, "vb": bool, "vd": str, "s": float, "t": float, "ut": float}  # fmt: skip
# What the registry of SenML calls otherwise than UCUM (RFC 8428, RFC 8798).
_UNITS = {
    "%RH": "%", "%EL": "%", "/100": "%", "/": "1", "count": "1", "l": "L", "l/s": "L/s", "lux": "lx", "ppm": "[ppm]", "ppb": "[ppb]", "dB": "dB[SPL]",
    "dBm": "dB[mW]", "Wh": "W.h", "kWh": "kW.h", "deg": "deg", "NTU": "[NTU]", "pH": "[pH]", "degC": "Cel", "m3": "m3", "Ohm": "Ohm", "W/m2": "W/m2",
}  # fmt: skip


class BadPack(ValueError):
    """Why a pack, or one record, is none: a `fault` for machines and what it is about."""

    def __init__(self, fault: str, about: str = "") -> None:
        super().__init__(f"{fault} {about}")
        self.fault = fault
        self.about = about


@dataclass(slots=True)
class _Bases:
    """What counts for all records from here on."""

    bn: str = ""
    bt: float = 0.0
    bu: str = ""
    bv: float | None = None
    bs: float | None = None


@dataclass(slots=True)
class Taken:
    """One moment of one device."""

    device: str
    time: float
    values: dict[str, Any] = field(default_factory=dict)
    sums: dict[str, Any] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        parts = {"values": self.values, "sums": self.sums, "data": self.data}
        device = {"device": self.device} if self.device else {}
        return {**device, "time": self.time, **{name: each for name, each in parts.items() if each}}

    def has(self, name: str) -> bool:
        return any(name in each for each in (self.values, self.sums, self.data))


def looks_like(content: Any) -> bool:
    """Whether a message can hardly be anything else."""
    if not isinstance(content, list) or not content:
        return False
    if not all(isinstance(record, dict) for record in content):
        return False
    records = content[:60]
    known = {*_BASES, *_FIELDS}
    names = {name for record in records for name in record}
    own = any({"v", "vs", "vb", "vd", "s"} & record.keys() for record in records)
    named = any("bn" in record or "n" in record for record in records)
    return own and named and all(name in known or name.startswith("b") for name in names)


def readings(content: Any, received: Micros) -> list[dict[str, Any] | BadPack]:
    """The readings of a pack in the order of the message, and what is wrong with single records.

    Raises BadPack where it is none as a whole.
    """
    if not isinstance(content, list) or not content:
        raise BadPack("senml_no_pack")
    if len(content) > MOST_RECORDS:
        raise BadPack("too_many", str(len(content)))
    found: list[Taken | BadPack] = []
    open_: dict[tuple[str, float], Taken] = {}
    bases = _Bases()
    for place, record in enumerate(content, 1):
        if not isinstance(record, dict):
            raise BadPack("senml_no_pack")
        _take_bases(bases, record, place)
        try:
            _take(found, open_, bases, record, place, received)
        except BadPack as problem:
            found.append(problem)
    return [each.told() if isinstance(each, Taken) else each for each in found]


def _take_bases(bases: _Bases, record: Mapping[str, Any], place: int) -> None:
    """What of a record counts for those after it; a mistake there spoils them all."""
    for name in record:
        if name.endswith("_"):
            raise BadPack("senml_must", name)
        if name in _BASES:
            value = _typed(record[name], _BASES[name], name, place)
            if name == "bver" and value > _VERSION:
                raise BadPack("senml_version", f"{value:g}")
            if name != "bver":
                setattr(bases, name, value)


def _typed(value: Any, wanted: type, name: str, place: int) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = is_number and math.isfinite(value) if wanted is float else isinstance(value, wanted)
    if not fits:
        raise BadPack("senml_field", f"{name} = {str(value)[:20]} ({place})")
    return value


def _take(
    found: list[Taken | BadPack],
    open_: dict[tuple[str, float], Taken],
    bases: _Bases,
    record: Mapping[str, Any],
    place: int,
    received: Micros,
) -> None:
    told = {k: _typed(v, _FIELDS[k], k, place) for k, v in record.items() if k in _FIELDS}
    parts = list(_parts(bases, told, place))
    if not parts:
        return  # it only changes the bases
    device, name = _names(bases.bn, told.get("n", ""), place)
    time = _time(bases.bt + told.get("t", 0.0), received)
    taken = open_.get((device, time))
    if taken is None or taken.has(name):
        taken = open_[device, time] = Taken(device, time)
        found.append(taken)
    for part, value in parts:
        getattr(taken, part)[name] = value


def _parts(bases: _Bases, told: Mapping[str, Any], place: int) -> Iterator[tuple[str, Any]]:
    """What a record tells, each with the part of a reading where it goes."""
    kinds = [kind for kind in ("v", "vs", "vb", "vd") if kind in told]
    if len(kinds) > 1:
        raise BadPack("senml_several", f"{', '.join(kinds)} ({place})")
    if not kinds and bases.bv is not None and "n" in told and "s" not in told:
        kinds = ["v"]  # the base value alone
    unit = told.get("u") or bases.bu
    for kind in kinds:
        match kind:
            case "v":
                yield "values", _with_unit(told.get("v", 0) + (bases.bv or 0), unit)
            case "vb":
                yield "values", int(told["vb"])
            case "vs":
                yield "values", told["vs"]
            case "vd":
                yield "data", told["vd"]
    if "s" in told:
        yield "sums", told["s"] + (bases.bs or 0)


def _with_unit(number: float, unit: str) -> Any:
    """`21.5 Cel`; of a unit that nobody here can convert the number alone."""
    code = _UNITS.get(unit, unit)
    return f"{number} {code}" if code != "1" and is_convertible(code) else number


def _names(base: str, name: str, place: int) -> tuple[str, str]:
    """The device and what its value is called."""
    if not base + name:
        raise BadPack("senml_no_name", str(place))
    if base:
        device, inner = base.rstrip(_SEPARATORS), name.lstrip(_SEPARATORS)
        return device or base, inner or "value"
    device, slash, inner = name.rpartition("/")
    if slash and device and inner:
        return device, inner
    return (name, "value") if name.startswith("urn:") else ("", name)


def _time(told: float, received: Micros) -> float:
    """Seconds since 1970."""
    return told if told >= _ABSOLUTE else received / SECOND + told
