"""From a decoded uplink to readings: take each field's values out, date, convert and check them.

What is impossible is refused with the rest stored; what is only doubtful is stored with a flag.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from stadtherz.base.time import Micros, Period
from stadtherz.ingest.devices.finding import KnownDevice, KnownField
from stadtherz.ingest.documents import uplink
from stadtherz.ingest.documents.uplink import Uplink
from stadtherz.ingest.forms import bare
from stadtherz.ingest.quality import ambiguous, clock
from stadtherz.ingest.quality.clock import Moment
from stadtherz.ingest.quality.course import courses
from stadtherz.ingest.quality.flags import Flag, quality
from stadtherz.ingest.quality.plausibility import Fault, Implausible, check
from stadtherz.ingest.quality.reasons import Reason
from stadtherz.ingest.values import decode
from stadtherz.store.public import Reading

_MOST_PROBLEMS = 20  # of a message are told; a log may have hundreds of entries


@dataclass(frozen=True, slots=True)
class Measured:
    """The readings of an uplink, and why it is not, or not wholly, stored."""

    readings: Sequence[Reading]
    reason: Reason | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


class _Sample(NamedTuple):
    """One raw value, when it was measured (None: at no time that can be true), and its key."""

    place: str
    raw: Any
    moment: Moment | None
    key: str


def measured(message: Uplink, device: KnownDevice) -> Measured:
    """What the uplink's values amount to."""
    readings: list[Reading] = []
    problems: list[dict[str, Any]] = []
    fields = [each for each in device.fields if each.f_port in (None, message.f_port)]
    own = _moment(device.time_path, message, device)
    for each in fields:
        if each.owner != device.owner or not each.convertible:
            continue
        for sample in _samples(each, message, device, own):
            meant = sample._replace(raw=_meant(each, sample.raw, fields, message))
            found = _reading(each, meant, message)
            if isinstance(found, Reading):
                readings.append(found)
            else:
                problems.append(found)
    if not (readings or problems) and fields and bare.is_alone(message.decoded):
        return Measured(readings)  # a topic of the device that nobody wants
    reason, facts = _refusal(device, fields, readings, problems)
    return Measured(readings, reason, facts)


def _meant(each: KnownField, raw: Any, fields: Sequence[KnownField], message: Uplink) -> Any:
    """A text such as 1.234 as what it means; everything else as it is."""
    either = ambiguous.ways(raw)
    if either is None:
        return raw
    others = (_raw(other.path, message) for other in fields if not other.listed)
    return ambiguous.settled(either, each.rule, ambiguous.decimal_sign(others))[0]


def _samples(
    each: KnownField, message: Uplink, device: KnownDevice, own: Moment
) -> Iterable[_Sample]:
    if each.listed:
        return _entries(each, message, device)
    raw = _raw(each.path, message)
    if raw is decode.MISSING:
        return ()
    moment = _moment(each.time_path, message, device) if each.time_path else own
    return (_Sample(each.path, raw, moment, message.key),)


def _entries(each: KnownField, message: Uplink, device: KnownDevice) -> Iterator[_Sample]:
    """The entries of a log, the oldest first. Devices send one again until somebody has heard it:
    its time tells it, wherever it stands in whichever message.
    """
    values = decode.entries(each.path, message.decoded)
    times = decode.entries(each.time_path, message.decoded)
    moments = clock.entry_moments(times, device.zone, message.time)
    rows = [
        row
        for row in enumerate(zip(values, moments, strict=True))
        if row[1][0] is not decode.MISSING
    ]
    same: Counter[Micros] = Counter()
    for place, (raw, moment) in sorted(rows, key=lambda row: row[1][1].at if row[1][1] else 0):
        at = moment.at if moment else 0
        key = uplink.key(message.network, message.dev_eui, "entry", at, same[at])
        same[at] += 1
        yield _Sample(each.path.replace("[*]", f"[{place}]"), raw, moment, key)


def _raw(path: str, message: Uplink) -> Any:
    """What a path leads to: in the payload, or in what the network tells of the way it came."""
    if path.startswith(decode.RADIO):
        fact = message.facts.get(path.removeprefix(decode.RADIO))
        return decode.MISSING if fact is None else fact
    return decode.value(path, decoded=message.decoded, payload=message.payload)


def own_time(message: Uplink, device: KnownDevice) -> Micros | None:
    """What the device's clock says, also where that cannot be right."""
    told = decode.value(device.time_path, decoded=message.decoded, payload=message.payload)
    if told is decode.MISSING:
        return None
    return clock.instants([told], device.zone, latest=message.time + uplink.AHEAD)[0]


def _moment(path: str, message: Uplink, device: KnownDevice) -> Moment:
    """When the message's own values were measured."""
    if not path:
        return Moment(message.time, ends=message.ends)
    told = decode.value(path, decoded=message.decoded, payload=message.payload)
    return clock.moment(told, device.zone, message.time)


def _reading(each: KnownField, sample: _Sample, message: Uplink) -> Reading | dict[str, Any]:
    """The reading, or what is wrong with it."""
    result = check(sample.raw, each.rule)
    if isinstance(result, Implausible):
        return _problem(each, sample, result)
    if sample.moment is None:
        return {"field": sample.place, "kind": "no_time", "value": result}
    return Reading(
        datastream=each.datastream,
        feature=each.feature,
        phenomenon_time=Period(sample.moment.at, sample.moment.ends),
        result=result,
        result_time=message.ends or message.time,
        result_quality=_doubts(each, sample.moment, result),
        key=sample.key,
    )


def _doubts(each: KnownField, moment: Moment, result: float) -> dict[str, Any] | None:
    """What is doubtful about the reading."""
    verdict = courses.judge(each.datastream, moment.at, result, each.watch) if each.watch else None
    if verdict is None and not moment.told:
        return None
    flags, facts = ([verdict[0]], verdict[1]) if verdict else ([], {})
    if moment.told:
        return quality([*flags, Flag.CLOCK], {**facts, "told": moment.told})
    return quality(flags, facts)


def _problem(each: KnownField, sample: _Sample, refused: Implausible) -> dict[str, Any]:
    return {
        "field": sample.place,
        "kind": refused.fault.value,
        "value": refused.value,
        "minimum": each.rule.minimum,
        "maximum": each.rule.maximum,
        **({"expected": each.rule.expects} if refused.fault is Fault.OTHER_UNIT else {}),
    }


def _refusal(
    device: KnownDevice,
    fields: Sequence[KnownField],
    readings: Sequence[Reading],
    problems: Sequence[dict[str, Any]],
) -> tuple[Reason | None, dict[str, Any]]:
    if problems:
        return Reason.IMPOSSIBLE_VALUE, {"problems": list(problems[:_MOST_PROBLEMS])}
    foreign = [each.path for each in fields if each.owner != device.owner]
    if foreign:
        return Reason.FOREIGN_DATASTREAM, {"field": foreign[0]}
    unfit = [each.path for each in fields if not each.convertible]
    if unfit:
        return Reason.UNIT_UNFIT, {"field": unfit[0]}
    if not readings:
        paths = ", ".join(each.path for each in device.fields) or "–"
        return Reason.NOTHING_USABLE, {"paths": paths}
    return None, {}
