"""A message form tried with one message: what whoever writes one wants to see."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stadtherz.base.errors import Invalid
from stadtherz.base.time import Micros, now_us
from stadtherz.ingest.devices import finding
from stadtherz.ingest.devices.finding import KnownDevice
from stadtherz.ingest.documents.uplink import Uplink
from stadtherz.ingest.forms import reading
from stadtherz.ingest.forms.known import as_known
from stadtherz.ingest.forms.leaves import leaves
from stadtherz.ingest.forms.models import MessageForm
from stadtherz.ingest.forms.reading import Misfit
from stadtherz.ingest.intake import pipeline
from stadtherz.ingest.models import Device, DeviceField
from stadtherz.ingest.quality.reasons import Reason, misfit_sentence, sentence
from stadtherz.ingest.values.decode import shown

MOST_SHOWN = 20  # readings
_MOST_LEAVES = 60
_LONGEST_LEAF = 80


@dataclass(frozen=True, slots=True)
class TriedValue:
    """One value that would come out: of which field, for which datastream."""

    path: str
    datastream: str
    result: float
    unit: str


@dataclass(frozen=True, slots=True)
class TriedReading:
    """What would become of one reading; `problem`, in the active language, where not all is well.

    `device` is what the message calls it, `name` what it is registered as, None if it is not.
    `holds` are the fields of the message and what they say, for those who set the device up.
    """

    device: str = ""
    name: str | None = None
    time: Micros | None = None
    values: tuple[TriedValue, ...] = ()
    problem: str = ""
    holds: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FormTrial:
    """The first readings of a message, and how many it has; or why there are none."""

    readings: tuple[TriedReading, ...] = ()
    total: int = 0
    problem: str = ""


def try_form(
    form: MessageForm,
    body: bytes,
    *,
    topic: str = "",
    query: str = "",
    received: Micros | None = None,
) -> FormTrial:
    """What the form makes of the message; nothing is stored. Asks the database."""
    now = now_us() if received is None else received
    try:
        told = reading.address(reading.query_of(form.key, topic, _kind(body), query))
        content = reading.content(body, told)
        found = reading.read(as_known(form), told, content, now)
    except Misfit as misfit:
        return FormTrial(problem=misfit_sentence(misfit.facts))
    except Invalid as problem:
        facts = {"field": problem.field, "problem": problem.reason}
        return FormTrial(problem=sentence(Reason.BROKEN_DOCUMENT, facts))
    tried = tuple(_tried(form.owner_id, each) for each in found[:MOST_SHOWN])
    return FormTrial(tried, len(found))


def _kind(body: bytes) -> str:
    """How the message would be announced: nobody wants to say that of an example."""
    start = body.lstrip()[:200]
    return "" if start.startswith((b"{", b"[")) or b"=" not in start else reading.FORM


def _tried(owner: int, message: Uplink | Misfit) -> TriedReading:
    if isinstance(message, Misfit):
        return TriedReading(problem=misfit_sentence(message.facts), holds=_leaves(message.message))
    holds = _leaves(message.decoded)
    device = finding.find(message.network, message.dev_eui, owner)
    facts = {"dev_eui": message.dev_eui}
    if device is None:
        problem = sentence(Reason.UNKNOWN_DEVICE, facts)
        return TriedReading(message.dev_eui, None, message.time, problem=problem, holds=holds)
    plan = pipeline.amount(message, device)
    problem = "" if device.active else sentence(Reason.INACTIVE_DEVICE, facts)
    if plan.refusal is not None:
        problem = f"{problem} {sentence(plan.refusal.reason, plan.refusal.facts)}".strip()
    return TriedReading(
        device=message.dev_eui,
        name=str(Device.objects.get(pk=device.id)),
        time=plan.readings[0].phenomenon_time.start if plan.readings else message.time,
        values=tuple(_values(device, plan)),
        problem=problem,
        holds=holds,
    )


def _values(device: KnownDevice, plan: pipeline.Plan) -> Iterator[TriedValue]:
    results = {each.datastream: each.result for each in plan.readings}
    rows = DeviceField.objects.filter(device_id=device.id, datastream__in=results)
    for row in rows.select_related("datastream"):
        result = results[row.datastream_id]
        if isinstance(result, int | float):
            unit = (row.datastream.unit_of_measurement or {}).get("symbol") or ""
            yield TriedValue(row.path, row.datastream.name, result, unit)


def _leaves(content: Any) -> tuple[tuple[str, str], ...]:
    """The fields of a message as paths, and what stands there; the first of many."""
    found = leaves(content, _MOST_LEAVES)
    return tuple((path, shown(str(value), _LONGEST_LEAF)) for path, value in found)
