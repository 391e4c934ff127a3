"""What a device type could measure: from what its codec makes of its examples, at import and whenever staff ask again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from stadtherz.base.errors import Invalid
from stadtherz.ingest.library.checking import Ran, decoded_again
from stadtherz.ingest.library.found import Example, FoundCodec
from stadtherz.ingest.library.logs import labelled, with_logs
from stadtherz.ingest.library.normalized import meanings
from stadtherz.ingest.library.proposals import Proposal, proposal
from stadtherz.ingest.library.values_in import values_of
from stadtherz.ingest.models import Codec, DeviceType
from stadtherz.ingest.values.decode import Entry, Every, Path, parse

MOST_EXAMPLES = 50
_SAID = ("name", "unit", "definition")


@dataclass(frozen=True, slots=True)
class Change:
    """A value as it is proposed now and as it would be; one of them is empty where it is new, or was there alone."""

    path: str
    old: Mapping[str, Any]
    new: Mapping[str, Any]


def proposals_of(ran: Sequence[Ran]) -> list[dict[str, Any]]:
    """What any of the examples holds, each path once."""
    by_path: dict[str, Proposal] = {}
    told: dict[str, Proposal] = {}
    for each in ran:
        likely = [found.proposal for found in values_of(each.data) if found.likely]
        for found in likely:
            by_path.setdefault(found.path, found)
        numbers = {found.path: found.example for found in likely if found.example is not None}
        told = {**meanings(numbers, each.example.normalized), **told}
    rows = [_with(each, told.get(path)).told() for path, each in by_path.items()]
    return _with_labelled(with_logs(rows, [each.data for each in ran]), ran)


def _with_labelled(rows: list[dict[str, Any]], ran: Sequence[Ran]) -> list[dict[str, Any]]:
    """With the values of lists whose entries say what they are and when, instead of the first entries of those."""
    found = {each.path: each for one in ran for each in labelled(one.data)}
    holders = {each.holder for each in found.values()}
    kept = [row for row in rows if row["path"].partition("[")[0] not in holders]
    listed = [
        {**proposal(each.path, each.name, each.number, each.unit).told(), "time": each.time}
        for each in found.values()
    ]
    return [*kept, *listed]


def _with(found: Proposal, told: Proposal | None) -> Proposal:
    """What its maker says of it in the vocabulary completes what its name says: what it is, and in any case the unit."""
    if told is None:
        return found
    if found.definition.startswith("urn:x-stadtherz:"):
        return replace(told, path=found.path)
    same = found.definition == told.definition
    return replace(found, unit=told.unit) if same else found


def kept_examples(ran: Sequence[Ran]) -> list[dict[str, Any]]:
    """The examples as a device type keeps them."""
    return [
        {
            "bytes": each.example.payload.hex(),
            "f_port": each.example.f_port,
            "received": each.example.received,
            "variables": each.example.variables,
            "normalized": each.example.normalized,
        }
        for each in ran[:MOST_EXAMPLES]
    ]


def proposed_again(kind: DeviceType) -> list[dict[str, Any]]:
    """What the type's examples would be proposed as now; what they do not hold stays as it is.

    A type that keeps no examples is judged by the names and numbers of its present proposals. Raises Unavailable if no
    worker answers.
    """
    now = proposals_of(_ran_again(kind))
    paths = {each["path"] for each in now}
    return [*now, *(each for each in kind.proposals if each["path"] not in paths)]


def changes_of(kind: DeviceType, proposals: Sequence[Mapping[str, Any]]) -> list[Change]:
    """Where these differ from what the type proposes."""
    before = {each["path"]: each for each in kind.proposals}
    return [
        Change(each["path"], old, each)
        for each in proposals
        if any((old := before.get(each["path"], {})).get(key) != each.get(key) for key in _SAID)
    ]


def propose_again(kind: DeviceType) -> list[Change]:
    """Keep what would be proposed now; datastreams and devices stay as they are. Raises as `proposed_again`, and Invalid
    where nothing is left.
    """
    proposals = proposed_again(kind)
    if not proposals:
        raise Invalid("proposals", "neither its examples nor its present proposals hold a value")
    changes = changes_of(kind, proposals)
    kind.proposals = proposals
    kind.save(update_fields=["proposals"])
    return changes


def _ran_again(kind: DeviceType) -> Sequence[Ran]:
    codec = kind.codec
    if not kind.examples or codec is None or codec.kind != Codec.Kind.JAVASCRIPT:
        return [Ran(Example("", b"", 0), _data_of(kind.proposals))]
    examples = tuple(_example(each) for each in kind.examples)
    return decoded_again(FoundCodec(codec.name, codec.text, examples))


def _example(kept: Mapping[str, Any]) -> Example:
    return Example(
        name="",
        payload=bytes.fromhex(kept["bytes"]),
        f_port=kept["f_port"],
        received=kept["received"],
        variables=dict(kept["variables"]),
        normalized=kept["normalized"],
    )


def _data_of(proposals: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A payload that holds the numbers of the proposals where their paths lead through names alone."""
    data: dict[str, Any] = {}
    for each in proposals:
        way = parse(str(each["path"]))
        steps = way.steps if isinstance(way, Path) else ()
        if not steps or any(isinstance(step, int | Entry | Every) for step in steps):
            continue
        holder: Any = data
        for step in steps[:-1]:
            holder = holder.setdefault(step, {}) if isinstance(holder, dict) else None
        if isinstance(holder, dict) and each.get("example") is not None:
            holder.setdefault(steps[-1], each["example"])
    return data
