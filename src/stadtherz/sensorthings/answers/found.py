"""What was found, as plain data between fetching and rendering: columns, not an object for each entity."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from stadtherz.sensorthings.query import cursors
from stadtherz.sensorthings.query.plan import SetPlan
from stadtherz.sensorthings.query.readings import shown
from stadtherz.sensorthings.standard.schema import OBSERVATION, EntityType, Own
from stadtherz.store.public import Columns

Values = Mapping[str, Any]
"""Columns by name, each with a value for every entity: a list or tuple, where None is no value, or an
array as in `Columns`, where NONE is. None in place of a column says that no entity has a value."""


@dataclass(slots=True)
class Page:
    """Entities in order; `more` tells that others follow, `count` how many there are in all.

    `sorting` are the columns that the engine sorted them by; readings are sorted by their own values,
    which are in `columns`, too.
    """

    plan: SetPlan
    values: dict[str, Any]
    more: bool = False
    count: int | None = None
    sorting: Sequence[Sequence[Any]] = ()
    expanded: dict[str, "Families"] = field(default_factory=dict)
    columns: Columns | None = None

    def __len__(self) -> int:
        return len(self.values["id"])

    @property
    def ids(self) -> list[int]:
        found = self.values["id"]
        return found.tolist() if hasattr(found, "tolist") else list(found)

    @property
    def token(self) -> str | None:
        """Names the place behind the last one, where it can be named."""
        return self.tokens([len(self) - 1])[0]

    def tokens(self, at: Sequence[int]) -> list[str | None]:
        """Names of the places behind some of the entities."""
        found = self._places(at)
        return [None] * len(at) if found is None else list(map(cursors.token, found))

    def _places(self, at: Sequence[int]) -> list[cursors.Place] | None:
        order = self.plan.order
        if self.plan.entity.is_a(OBSERVATION):
            return cursors.places_of_readings(order, lambda name: shown(self.values, name, at))
        rows = zip(*([column[place] for place in at] for column in self.sorting), strict=True)
        return [cursors.place_of_row(order, row) for row in rows]

    def keys(self) -> tuple[int | None, ...]:
        """What the only entity has links to."""
        links = (link.via for link in self.plan.entity.links)
        columns = dict.fromkeys(via.column for via in links if isinstance(via, Own))
        return tuple(self.values[column][0] for column in columns)


@dataclass(frozen=True, slots=True)
class Families:
    """What is behind a link of the entities of a page.

    Those of the parent with number i are `members` from `begins[i]` to before `ends[i]`; behind a link
    to one several parents may share a member.
    """

    members: Page
    begins: Sequence[int]
    ends: Sequence[int]
    more: Sequence[bool] = ()
    counts: Sequence[int] | None = None


@dataclass(frozen=True, slots=True)
class Parent:
    """The entity in front of a set in a path. `reading` is there if it is an Observation."""

    type: EntityType
    id: int
    reading: dict[str, Any] | None = None


def of_readings(
    plan: SetPlan, columns: Columns, *, more: bool = False, count: int | None = None
) -> Page:
    """Observations from columns."""
    values = {f.name: getattr(columns, f.name) for f in fields(Columns)}
    return Page(plan, values, more, count, columns=columns)


def alone(plan: SetPlan, values: Mapping[str, Any]) -> Page:
    """One entity from its values."""
    return Page(plan, {name: [value] for name, value in values.items()})
