"""What was found, as plain data between fetching and rendering."""

from dataclasses import dataclass, field
from typing import Any

from stadtherz.sensorthings import cursors
from stadtherz.sensorthings.plan import SetPlan
from stadtherz.sensorthings.readings import last_of
from stadtherz.sensorthings.schema import OBSERVATION, EntityType
from stadtherz.store.public import Columns


@dataclass(slots=True)
class Entity:
    """One entity of an answer: values by column, and what is expanded by link.

    `sorted_by` is what the engine sorted it by; a reading is sorted by its own values.
    """

    type: EntityType
    id: int
    values: dict[str, Any]
    expanded: dict[str, "Entity | Page | None"] = field(default_factory=dict)
    sorted_by: tuple[Any, ...] = ()


@dataclass(slots=True)
class Page:
    """Entities in order; `more` tells that others follow, `count` how many there are in all.

    `token` names the place behind the last one, where it can be named.
    """

    plan: SetPlan
    entities: list[Entity]
    more: bool = False
    count: int | None = None

    @property
    def token(self) -> str | None:
        place = _place(self.plan, self.entities[-1])
        return None if place is None else cursors.token(place)


@dataclass(frozen=True, slots=True)
class Readings:
    """As Page for Observations without anything expanded: columns instead of entities."""

    plan: SetPlan
    columns: Columns
    more: bool = False
    count: int | None = None

    @property
    def token(self) -> str | None:
        place = cursors.place_of_reading(self.plan.order, last_of(self.columns))
        return None if place is None else cursors.token(place)


def _place(plan: SetPlan, entity: Entity) -> cursors.Place | None:
    if entity.type.is_a(OBSERVATION):
        return cursors.place_of_reading(plan.order, entity.values)
    return cursors.place_of_row(plan.order, entity.sorted_by)


@dataclass(frozen=True, slots=True)
class Parent:
    """The entity in front of a set in a path. `reading` is there if it is an Observation."""

    type: EntityType
    id: int
    reading: dict[str, Any] | None = None
