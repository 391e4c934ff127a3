"""What a device measures, as far as its last message, its type or a byte map tell, and as staff want it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.utils.translation import gettext

from stadtherz.base.errors import Invalid, Unavailable
from stadtherz.codecs.public import BadMap, cayenne_unit, parse_bytemap
from stadtherz.ingest.documents.uplink import Uplink
from stadtherz.ingest.forms import bare
from stadtherz.ingest.library.proposals import proposal
from stadtherz.ingest.library.values_in import values_of
from stadtherz.ingest.models import Codec, Device, DeviceField, DeviceType, Network
from stadtherz.ingest.onboarding.messages import meant_otherwise
from stadtherz.ingest.onboarding.models import Draft
from stadtherz.ingest.onboarding.names import readable
from stadtherz.ingest.onboarding.recognise import Recognised
from stadtherz.ingest.refused.codec_trial import Trial, try_codec
from stadtherz.ingest.values.decode import parse, shown
from stadtherz.ingest.values.units import code_of

_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """One value of the payload as a datastream: what it is called, and whether it is wanted at all."""

    path: str
    name: str
    unit: str
    definition: str
    example: float | None = None
    wanted: bool = True
    minimum: float | None = None
    maximum: float | None = None
    source: str = ""  # UCUM: the unit in the message, where another is kept

    def told(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Decoded:
    """The values of a message, or in the active language why there are none."""

    data: Mapping[str, Any] | None = None
    problem: str = ""
    warnings: tuple[str, ...] = ()
    by: str = ""  # who read it: the network, or the name of a codec


def streams_of(told: Sequence[Mapping[str, Any]]) -> list[Wanted]:
    """Kept ones, as they were told."""
    return [Wanted(**each) for each in told]


def decoded(draft: Draft, message: Uplink) -> Decoded:
    """What the network read from the payload, or else the chosen codec does."""
    is_json = message.network == Network.JSON
    codec = _codec(draft) if not is_json or message.payload else None
    if message.decoded and codec is None:
        return Decoded(message.decoded, by="" if is_json else gettext("the network"))
    if message.decoded and not is_json:
        return Decoded(message.decoded, by=gettext("the network"))
    if codec is None:
        return Decoded(problem=_unread(message))
    try:
        trial = try_codec(
            codec.kind,
            codec.text,
            message.payload,
            f_port=message.f_port,
            received=message.time,
            name=codec.name,
        )
    except Unavailable:
        return Decoded(problem=gettext("The codec did not answer. Try again in a moment."))
    return _of_trial(codec, trial, message)


def _of_trial(codec: Codec, trial: Trial, message: Uplink) -> Decoded:
    if trial.data is None:
        return Decoded(problem=trial.problem, by=codec.name)
    beside = (message.decoded or {}) if message.network == Network.JSON else {}
    return Decoded({**beside, **trial.data}, "", trial.warnings, codec.name)


def _unread(message: Uplink) -> str:
    if not message.payload:
        return gettext("This message is empty: the device has measured nothing in it.")
    return gettext(
        "Your network has passed the payload on as it came ({payload}). Choose what reads it: a device"
        " type, a codec or a byte map."
    ).format(payload=shown(message.payload.hex(" "), 60))


def _codec(draft: Draft) -> Codec | None:
    """Its own byte map, its own codec, else that of its type; as `devices` chooses later."""
    if draft.byte_map.strip():
        return Codec(name=gettext("byte map"), kind=Codec.Kind.BYTES, text=draft.byte_map)
    if draft.codec is not None:
        return draft.codec
    return draft.device_type.codec if draft.device_type else None


def proposed(draft: Draft, data: Mapping[str, Any] | None) -> list[Wanted]:
    """What the values could be: of the message, and of the type what this message does not hold."""
    if draft.network == Network.JSON:
        return _of_json(draft, data or {})
    kind = draft.device_type
    of_type = {each["path"]: each for each in (kind.proposals if kind else ())}
    all_values = values_of(data or {}, units=_units(draft, data))
    found = {each.proposal.path: each.proposal.told() for each in all_values}
    rows = [
        {**example, **{k: v for k, v in of_type.get(path, {}).items() if k != "example"}}
        for path, example in found.items()
    ]
    rows += [each for path, each in of_type.items() if path not in found]
    doubtful = {each.proposal.path for each in all_values if not each.likely} - of_type.keys()
    if doubtful.issuperset(each["path"] for each in rows):
        return _all_wanted(rows)
    return [replace(each, wanted=each.path not in doubtful) for each in _all_wanted(rows)]


def _of_json(draft: Draft, data: Mapping[str, Any]) -> list[Wanted]:
    """The values of a message of JSON; what the device says of itself is there, but not chosen."""
    without = meant_otherwise(draft) | ({bare.VALUE} if bare.is_alone(data) else set())
    found = values_of(data, without=without)
    known = _units(draft, data)
    rows = [
        {
            **each.proposal.told(),
            **({"unit": known[each.proposal.path]} if known.get(each.proposal.path) else {}),
        }
        for each in found
    ]
    wanted = _all_wanted(rows)
    is_payload = bool(draft.form.payload if draft.form else draft.shape.get("payload"))
    anything = is_payload or any(each.likely for each in found)
    return [
        replace(each, wanted=of.likely or not anything)
        for each, of in zip(wanted, found, strict=True)
    ]


def proposed_by_type(kind: DeviceType) -> list[Wanted]:
    """What devices of a type measure."""
    return _all_wanted(kind.proposals)


def _all_wanted(rows: Sequence[Mapping[str, Any]]) -> list[Wanted]:
    names = [readable(each) for each in rows]
    told = [
        name if names.count(name) == 1 else _with_entry(name, str(row["path"]))
        for row, name in zip(rows, names, strict=True)
    ]
    return [_wanted(row, name, told) for row, name in zip(rows, told, strict=True)]


def _with_entry(name: str, path: str) -> str:
    """With what tells the entry of a list in which the value stands from the others."""
    entries = re.findall(r"\[[^\[\]=\"]+=([^\[\]=\"]+)\]", path)
    return f"{name} ({entries[-1]})" if entries else name


def _units(draft: Draft, data: Mapping[str, Any] | None) -> dict[str, str]:
    """Units that a byte map or Cayenne LPP tells by name."""
    codec = _codec(draft)
    if codec is None:
        return {}
    if codec.kind == Codec.Kind.CAYENNE:
        return {str(name): cayenne_unit(str(name)) for name in data or {}}
    if codec.kind == Codec.Kind.BYTES:
        try:
            return dict(parse_bytemap(codec.text).units)
        except BadMap:
            return {}
    return {}


def _wanted(row: Mapping[str, Any], name: str, among: Sequence[str]) -> Wanted:
    alone = among.count(name) == 1
    unit = str(row["unit"])
    kept = "%" if unit == "1" and _is_share(row) else _KEPT_AS.get(unit, unit)
    return Wanted(
        path=str(row["path"]),
        name=(name if alone else f"{name} ({row['path']})")[:_LONGEST_NAME],
        unit=kept,
        definition=str(row["definition"]),
        example=row.get("example"),
        source=unit if kept != unit else "",
    )


# What is measured in the units of another continent is kept in those of this one.
_KEPT_AS = {"[degF]": "Cel", "K": "Cel", "[in_i]": "mm", "[in_i]/h": "mm/h", "[in_i'Hg]": "hPa", "[mi_i]/h": "m/s", "[kn_i]": "m/s",
    "[ft_i]": "m", "Pa": "hPa", "mbar": "hPa"}  # fmt: skip


# What people count in percent, also where it comes as a share of 1.
_SHARES = ("RelativeHumidity", "VolumeFraction", "StateOfCharge", "fill_level")


def _is_share(row: Mapping[str, Any]) -> bool:
    return str(row["definition"]).endswith(_SHARES)


def streams_like(device: Device) -> list[Wanted]:
    """What another device measures, for one that shall measure the same; a value and its log are one."""
    rows = list(device.fields.select_related("datastream__observed_property").order_by("pk"))
    alone = {row.datastream_id for row in rows if not row.listed}
    return [_wanted_like(row) for row in rows if not row.listed or row.datastream_id not in alone]


def _wanted_like(row: DeviceField) -> Wanted:
    stream = row.datastream
    return Wanted(
        path=row.path,
        name=stream.name.rpartition(": ")[2] or stream.name,
        unit=code_of(stream.unit_of_measurement) or "1",
        definition=stream.observed_property.definition,
        minimum=row.minimum,
        maximum=row.maximum,
        source=row.unit,
    )


def merged(kept: Sequence[Wanted], found: Sequence[Wanted]) -> list[Wanted]:
    """What staff said already, with the newest examples, and what is new beside it."""
    said = {each.path: each for each in kept}
    both = [
        replace(said.pop(each.path), example=each.example) if each.path in said else each
        for each in found
    ]
    return [*both, *said.values()]


def check_streams(streams: Sequence[Wanted]) -> list[Wanted]:
    """The wanted ones. Raises Invalid, field `streams`, where nothing can be set up with them."""
    wanted = [each for each in streams if each.wanted]
    if not wanted:
        raise Invalid("streams", gettext("Choose at least one value that is to be kept."))
    names = [each.name.strip().lower() for each in wanted]
    if not all(names):
        raise Invalid("streams", gettext("Each value that is kept needs a name."))
    twice = next((each.name for each in wanted if names.count(each.name.strip().lower()) > 1), None)
    if twice is not None:
        told = gettext("Two values are called “{name}”. Give one of them another name.")
        raise Invalid("streams", told.format(name=twice))
    for each in wanted:
        if each.minimum is not None and each.maximum is not None and each.minimum > each.maximum:
            told = gettext("{name}: the smallest value is above the largest.")
            raise Invalid("streams", told.format(name=each.name))
    return wanted


def sample_values(recognised: Recognised | None, draft: Draft) -> Decoded:
    """The values of the last message; none if there is no message."""
    message = recognised.uplink if recognised else None
    return decoded(draft, message) if message else Decoded()


def proposed_value(path: str) -> Wanted:
    """A value of which only its place in the payload is known. Raises Invalid, field `path`."""
    try:
        parse(path)
    except ValueError as problem:
        told = gettext("Cannot be read. Write for example level_cm, data.level or bytes:0:u16be.")
        raise Invalid("path", told) from problem
    steps = path.replace("]", "").replace('"', "").replace("[", ".").split(".")
    holder = steps[-2] if len(steps) > 1 else ""
    guess = proposal(path, steps[-1] or path, 0.0, holder=holder).told()
    return _all_wanted([{**guess, "example": None}])[0]
