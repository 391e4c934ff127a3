"""What the pipeline would store of a message, tried with the very rules that will run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.formats import get_format
from django.utils.translation import gettext

from stadtherz.base.time import Micros
from stadtherz.codecs.public import Decoded
from stadtherz.ingest.devices.finding import KnownDevice, KnownField
from stadtherz.ingest.documents.uplink import Uplink
from stadtherz.ingest.intake import pipeline
from stadtherz.ingest.intake.pipeline import Undecoded
from stadtherz.ingest.onboarding.names import symbol
from stadtherz.ingest.onboarding.values import Wanted
from stadtherz.ingest.quality import ambiguous
from stadtherz.ingest.quality.plausibility import Rule
from stadtherz.ingest.quality.reasons import Reason, sentence
from stadtherz.ingest.values import decode
from stadtherz.ingest.values.decode import shown
from stadtherz.ingest.values.units import Conversion, conversion
from stadtherz.store.public import Result


@dataclass(frozen=True, slots=True)
class Line:
    """One value as it would be stored, or why not; `missing` where the message does not hold it."""

    name: str
    unit: str
    value: float | None = None
    at: Micros | None = None
    problem: str = ""
    hint: str = ""

    @property
    def missing(self) -> bool:
        return self.value is None and not self.problem


def rehearse(
    streams: Sequence[Wanted], message: Uplink, data: Mapping[str, Any] | None
) -> list[Line]:
    """One line for each wanted stream, in their order."""
    wanted = [each for each in streams if each.wanted]
    whole = replace(message, decoded=dict(data or {}))
    plan = pipeline.measure(Undecoded(whole, _device(wanted)), Decoded(dict(data or {})))
    stored = {reading.datastream: reading for reading in plan.readings}
    problems = {}
    if plan.refusal is not None and plan.refusal.reason == Reason.IMPOSSIBLE_VALUE:
        problems = {each["field"]: each for each in plan.refusal.facts["problems"]}
    lines = []
    for number, each in enumerate(wanted):
        line = Line(each.name, symbol(each.unit))
        if (reading := stored.get(number)) is not None:
            value, at = _number(reading.result), reading.phenomenon_time.start
            line = replace(line, value=value, at=at, hint=_doubt(each, wanted, whole))
        elif each.path in problems:
            told = sentence(Reason.IMPOSSIBLE_VALUE, {"problems": [problems[each.path]]})
            line = replace(line, problem=told)
        lines.append(line)
    return lines


def _doubt(each: Wanted, wanted: Sequence[Wanted], message: Uplink) -> str:
    """That its text may mean a thousandfold, where nothing tells; in the active language."""
    raw = decode.value(each.path, decoded=message.decoded, payload=message.payload)
    either = ambiguous.ways(raw)
    if either is None:
        return ""
    others = (decode.value(e.path, decoded=message.decoded, payload=b"") for e in wanted)
    meant, certain = ambiguous.settled(either, _rule(each), ambiguous.decimal_sign(others))
    if certain:
        return ""
    told = gettext(
        "“{written}” is read as {meant}, with decimals. If it means {other}, set the smallest and the largest possible value"
        " in the step before, so that only that is possible."
    )
    local = meant.replace(".", str(get_format("DECIMAL_SEPARATOR")), 1)
    return told.format(written=shown(str(raw), 40), meant=local, other=either.thousands)


def _number(result: Result) -> float | None:
    return float(result) if isinstance(result, int | float) else None


def _rule(each: Wanted) -> Rule:
    unit = conversion(each.source, each.unit) if each.source else Conversion()
    return Rule(unit.factor, unit.offset, each.minimum, each.maximum, each.source or each.unit)


def _device(wanted: Sequence[Wanted]) -> KnownDevice:
    """As the device will be, with numbers of lines for datastreams."""
    fields = tuple(
        KnownField(each.path, None, number, 0, None, _rule(each))
        for number, each in enumerate(wanted)
    )
    return KnownDevice(
        id=0, owner=0, active=True, time_path="", fields=fields, codec=None, variables={}, placed=0
    )
