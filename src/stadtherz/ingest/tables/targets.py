"""The datastreams of a mapping: those that are there and may be filled, those that are made."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Model, QuerySet

from stadtherz.base.vocabulary import Observable
from stadtherz.ingest.library.proposals import observable, proposal
from stadtherz.ingest.models import DeviceField, unit_sentence
from stadtherz.ingest.tables.reasons import BadTable
from stadtherz.ingest.tables.rules import New, Rules, Target
from stadtherz.ingest.values.units import Inconvertible, code_of, conversion
from stadtherz.store.public import NewStream, register_stream

SENSOR = "Table"
"""What datastreams are measured with of which only their numbers are known."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A datastream as people choose it."""

    id: int
    label: str


def _datastreams() -> QuerySet[Any]:
    """Django knows the store's model from our foreign key."""
    model = DeviceField._meta.get_field("datastream").related_model
    assert isinstance(model, type)
    assert issubclass(model, Model)
    return model._default_manager.all()


def choices(owner: int) -> list[Choice]:
    """The organisation's datastreams by Thing and name."""
    rows = (
        _datastreams()
        .filter(owner_id=owner, data_types__isnull=True)
        .order_by("thing__name", "name", "pk")
    )
    found = rows.values_list("pk", "thing__name", "name", "unit_of_measurement")
    return [Choice(pk, _label(thing, name, unit or {})) for pk, thing, name, unit in found]


def _label(thing: str, name: str, unit: Mapping[str, Any]) -> str:
    symbol = unit.get("symbol") or ""
    words = name if thing.casefold() in name.casefold() else f"{thing}: {name}"
    return f"{words} ({symbol})" if symbol else words


def check_owned(owner: int, rules: Rules) -> None:
    """Raise BadTable unless every datastream of the rules belongs to the organisation."""
    wanted = {target.datastream for target in rules.targets if target.datastream is not None}
    if wanted - set(
        _datastreams().filter(owner_id=owner, pk__in=wanted).values_list("pk", flat=True)
    ):
        raise BadTable("foreign")


def in_units(owner: int, rules: Rules) -> Rules:
    """The rules with each target's unit worked into its factor and offset, for the units as they are now.

    Raises BadTable where a column cannot become what its datastream measures.
    """
    if not any(target.unit for target in rules.targets):
        return rules
    streams = known_streams(owner, rules)
    wanted = _datastreams().filter(pk__in=[stream for stream in streams if stream is not None])
    units = {pk: code_of(unit) for pk, unit in wanted.values_list("pk", "unit_of_measurement")}
    changed = [
        _in_unit(
            target, target.new.unit if target.new and stream is None else units.get(stream or 0, "")
        )
        for target, stream in zip(rules.targets, streams, strict=True)
    ]
    return replace(rules, targets=tuple(changed))


def _in_unit(target: Target, kept: str) -> Target:
    if not target.unit:
        return target
    try:
        found = conversion(target.unit, kept or "1")
    except Inconvertible as problem:
        raise BadTable("unit", column=target.source, told=unit_sentence(problem)) from problem
    return replace(
        target,
        factor=found.factor * target.factor,
        offset=found.offset * target.factor + target.offset,
        unit="",
    )


def known_streams(owner: int, rules: Rules) -> list[int | None]:
    """The datastream of each target; None for one that is still to be made."""
    found = []
    for target in rules.targets:
        stream = target.datastream
        if stream is None and target.new is not None:
            stream = _existing(owner, target.new)
        found.append(stream)
    return found


def _existing(owner: int, new: New) -> int | None:
    rows = _datastreams().filter(owner_id=owner, thing__name=new.thing, name=_name(new))
    found = rows.values_list("pk", flat=True).first()
    return None if found is None else int(found)


def make(owner: int, rules: Rules) -> Rules:
    """The rules after the datastreams that they describe were made; making them again finds them."""
    return replace(rules, targets=tuple(_made(owner, target) for target in rules.targets))


def _made(owner: int, target: Target) -> Target:
    new = target.new
    if target.datastream is not None or new is None:
        return target
    stream = _existing(owner, new)
    if stream is None:
        observed = observed_by(new)
        stream = register_stream(
            NewStream(
                owner=owner,
                thing_name=new.thing,
                thing_description=new.thing,
                location=None,
                sensor_name=SENSOR,
                sensor_description="",
                observed=observed,
                name=_name(new),
                description=observed.description,
            )
        )
    return replace(target, datastream=stream, new=None)


def _name(new: New) -> str:
    return f"{new.thing}: {new.name}"


def observed_by(new: New) -> Observable:
    """The property by its name, as for devices; one that nobody knows is the organisation's own."""
    words = re.sub(r"\W+", "_", new.name)
    told = proposal(words, words, 0.0, new.unit).told()
    return observable({**told, "name": new.name, "unit": new.unit or "1"})
