"""The datastreams of a mapping: those that are there and may be filled, those that are made."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Model, QuerySet

from stadtherz.base.vocabulary import Observable
from stadtherz.ingest.library.proposals import observable, proposals
from stadtherz.ingest.models import DeviceField
from stadtherz.ingest.tables.reasons import BadTable
from stadtherz.ingest.tables.rules import New, Rules, Target
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
    guessed = proposals({words: 0.0}, {words: new.unit} if new.unit else None)
    told = guessed[0].told() if guessed else {"definition": f"urn:x-stadtherz:{words.lower()}"}
    return observable({**told, "name": new.name, "unit": new.unit or "1"})
