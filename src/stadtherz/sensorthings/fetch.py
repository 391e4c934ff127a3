"""Plans carried out: pages of entities with what is expanded in them, as plain data."""

from dataclasses import dataclass, field, replace
from typing import Any

from stadtherz.base.errors import NotFound, TooLarge
from stadtherz.base.expressions import TRUE, Among, Column, Expression, Kind
from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings import readings, sql
from stadtherz.sensorthings.access import EVERYTHING
from stadtherz.sensorthings.execute import reader_for, rows, scalar
from stadtherz.sensorthings.found import Entity, Page, Parent, Readings
from stadtherz.sensorthings.plan import ExpandPlan, SetPlan
from stadtherz.sensorthings.resolve import Resolution
from stadtherz.sensorthings.routes import Step
from stadtherz.sensorthings.schema import (
    DATASTREAM,
    OBSERVATION,
    Link,
    Own,
    Reverse,
)
from stadtherz.sensorthings.tables import Reader
from stadtherz.sensorthings.trees import conjunction
from stadtherz.sql.public import Sql, join
from stadtherz.store.public import Selection

MAX_ENTITIES = 20_000


@dataclass(slots=True)
class Fetcher:
    """Answers for one request: one reader, one budget of entities."""

    visibility: Visibility
    left: int = field(default_factory=lambda: MAX_ENTITIES)

    reader: Reader = field(init=False)
    resolution: Resolution = field(init=False)

    def __post_init__(self) -> None:
        self.reader = reader_for(self.visibility)
        self.resolution = Resolution(self.reader)

    # --- the way through a path --------------------------------------------------------------------

    def parent(self, steps: tuple[Step, ...]) -> Parent | None:
        """The last of the steps, each of which must name one entity that is there and visible."""
        found: Parent | None = None
        for step in steps:
            found = self._next(found, step)
        return found

    def _next(self, parent: Parent | None, step: Step) -> Parent:
        missing = NotFound(f"{step.entity.name}" + ("" if step.key is None else f" {step.key}"))
        if step.entity.is_a(OBSERVATION):
            assert step.key is not None, "no link to one leads to an Observation"
            reading = readings.by_id(step.key, self.reader)
            if reading is None or not _belongs(reading, parent, step.link):
                raise missing
            return Parent(step.entity, step.key, reading)
        conditions = [self._behind(parent, step.link)]
        if step.key is not None:
            conditions.append(sql.with_id(step.key))
        found = rows(sql.identify(step.entity, self.reader, join(" AND ", conditions)))
        if not found:
            raise missing
        return Parent(step.entity, found[0][0])

    def _behind(self, parent: Parent | None, link: Link | None) -> Sql:
        if parent is None or link is None:
            return EVERYTHING
        if parent.reading is not None:
            assert isinstance(link.via, Own)
            return sql.with_id(parent.reading[link.via.column])
        return sql.behind(parent.type, link, parent.id)

    # --- answers -------------------------------------------------------------------------------------

    def page(self, plan: SetPlan, parent: Parent | None = None, link: Link | None = None) -> Page:
        """One page of a whole set, or of the set behind a parent's link."""
        if plan.entity.is_a(OBSERVATION):
            return self._page_of_readings(self._resolved(plan), _selection_behind(parent, link))
        plan = self._resolved(plan)
        restriction = self._behind(parent, link)
        found = rows(sql.page(plan, self.reader, restriction))
        page = self._page(plan, [self._entity(plan, row) for row in found])
        if plan.count:
            page.count = scalar(sql.count(plan, self.reader, restriction))
        self._complete(plan, page.entities)
        return page

    def count(self, plan: SetPlan, parent: Parent | None, link: Link | None) -> int:
        """How many entities fulfil the plan's filter, on all pages."""
        if plan.entity.is_a(OBSERVATION):
            return readings.count(self.selection(plan, parent, link), self.visibility)
        return scalar(sql.count(self._resolved(plan), self.reader, self._behind(parent, link)))

    def selection(self, plan: SetPlan, parent: Parent | None, link: Link | None) -> Selection:
        """Which readings fulfil the plan's filter, in no order."""
        where = replace(plan, order=plan.order[-1:])
        return _selection(self._resolved(where), _selection_behind(parent, link))

    def keys(
        self, plan: SetPlan, parent: Parent | None, link: Link | None, limit: int
    ) -> list[int]:
        """The ids of the first entities that fulfil the plan's filter."""
        plan = replace(self._resolved(plan), select=frozenset(), top=limit - 1)
        return [row[0] for row in rows(sql.page(plan, self.reader, self._behind(parent, link)))]

    def observations(
        self, plan: SetPlan, parent: Parent | None = None, link: Link | None = None
    ) -> Readings:
        """As `page` for Observations, as columns; what the plan expands is left out."""
        return self._observations(self._resolved(plan), _selection_behind(parent, link))

    def entity(self, plan: SetPlan, parent: Parent) -> Entity:
        """The one entity that `parent` found, with what the plan selects and expands."""
        if parent.reading is not None:
            entity = Entity(parent.type, parent.id, parent.reading)
        else:
            found = rows(sql.page(plan, self.reader, sql.with_id(parent.id)))
            if not found:
                raise NotFound(f"{parent.type.name} {parent.id}")
            entity = self._entity(plan, found[0])
        self._complete(plan, [entity])
        return entity

    def _resolved(self, plan: SetPlan) -> SetPlan:
        if plan.entity.is_a(OBSERVATION):
            return plan.resolved(
                self.resolution.for_readings(plan.entity, plan.where),
                self.resolution.order_of_readings(plan.entity, plan.order),
            )
        return plan.resolved(
            self.resolution.for_entities(plan.entity, plan.where),
            self.resolution.order_of_entities(plan.entity, plan.order),
        )

    def _entity(self, plan: SetPlan, row: tuple[Any, ...]) -> Entity:
        names = sql.fetched(plan)
        values = dict(zip(names, row[: len(names)], strict=True))
        return Entity(plan.entity, row[0], values, sorted_by=row[len(names) :])

    def _page(self, plan: SetPlan, entities: list[Entity]) -> Page:
        """Cuts off the one row more that tells about a next page."""
        shown = entities[: plan.top]
        self._spend(len(shown))
        return Page(plan, shown, more=len(entities) > plan.top > 0)

    def _spend(self, number: int) -> None:
        self.left -= number
        if self.left < 0:
            raise TooLarge(
                f"the answer would hold more than {MAX_ENTITIES} entities; use $top, also in $expand"
            )

    def _complete(self, plan: SetPlan, entities: list[Entity]) -> None:
        if not entities:
            return
        if plan.entity.is_a(DATASTREAM):
            _add_extents(entities)
        for expand in plan.expands:
            self._expand(expand, entities)

    # --- expands -------------------------------------------------------------------------------------

    def _expand(self, expand: ExpandPlan, parents: list[Entity]) -> None:
        if expand.plan.entity.is_a(OBSERVATION):
            self._expand_readings(expand, parents)
            return
        plan, link = self._resolved(expand.plan), expand.link
        keys = sorted({key for parent in parents if (key := _key(parent, link)) is not None})
        families: dict[int, list[Entity]] = {}
        if keys:
            for row in rows(sql.children(link, plan, keys, self.reader)):
                families.setdefault(row[0], []).append(self._entity(plan, row[1:]))
        counts = self._counts(link, plan, keys) if plan.count and link.many else {}
        children: list[Entity] = []
        for parent in parents:
            key = _key(parent, link)
            family = families.get(key, []) if key is not None else []
            if link.many:
                page = self._page(plan, family)
                page.count = counts.get(key or 0, 0) if plan.count else None
                parent.expanded[link.name] = page
                children += page.entities
            else:
                parent.expanded[link.name] = family[0] if family else None
        self._complete(plan, children if link.many else [f[0] for f in families.values()])

    def _counts(self, link: Link, plan: SetPlan, keys: list[int]) -> dict[int, int]:
        return dict(rows(sql.count_children(link, plan, keys, self.reader))) if keys else {}

    # --- readings ------------------------------------------------------------------------------------

    def _page_of_readings(self, plan: SetPlan, behind: Selection) -> Page:
        found = self._observations(plan, behind)
        entities = [Entity(plan.entity, r["id"], r) for r in readings.readings_of(found.columns)]
        self._complete(plan, entities)
        return Page(plan, entities, found.more, found.count)

    def _observations(self, plan: SetPlan, behind: Selection) -> Readings:
        found = readings.select(_selection(plan, behind, plan.behind), self.visibility)
        shown = readings.some(found, slice(plan.top))
        self._spend(len(shown))
        number = None
        if plan.count:
            number = readings.count(_selection(plan, behind), self.visibility)
        return Readings(plan, shown, len(found) > plan.top > 0, number)

    def _expand_readings(self, expand: ExpandPlan, parents: list[Entity]) -> None:
        plan, link = self._resolved(expand.plan), expand.link
        pages = self._newest(plan, parents) if _asks_newest(plan, link) else {}
        bare = plan.without_expands()
        for parent in parents:
            page = pages.get(parent.id)
            if page is None:
                behind = _selection_behind(Parent(parent.type, parent.id), link)
                page = self._page_of_readings(bare, behind)
            page.plan = plan
            parent.expanded[link.name] = page
        self._complete(plan, [e for p in parents for e in _shown(p.expanded[link.name])])

    def _newest(self, plan: SetPlan, parents: list[Entity]) -> dict[int, Page]:
        """`$orderby=phenomenonTime desc;$top=1` for all parents at once."""
        found = readings.latest([parent.id for parent in parents])
        counts = readings.counts([parent.id for parent in parents])
        pages: dict[int, Page] = {}
        for parent in parents:
            reading = found.get(parent.id)
            entities = [] if reading is None else [Entity(plan.entity, reading["id"], reading)]
            page = self._page(plan, entities)
            number = counts.get(parent.id, 0)
            page.more = number > len(entities) > 0  # one may have arrived between the two
            page.count = number if plan.count else None
            pages[parent.id] = page
        return pages


def _shown(expanded: Entity | Page | None) -> list[Entity]:
    return expanded.entities if isinstance(expanded, Page) else []


def _asks_newest(plan: SetPlan, link: Link) -> bool:
    """Whether the store's newest reading of each datastream answers the expand."""
    first = plan.order[0]
    return (
        link.via == Reverse("datastream")
        and (plan.top, plan.skip, plan.after) == (1, 0, None)
        and plan.where == TRUE
        and first.by == Column("phenomenon_start", Kind.TIME)
        and first.descending
    )


def _key(parent: Entity, link: Link) -> int | None:
    if isinstance(link.via, Own):
        key: int | None = parent.values[link.via.column]
        return key
    return parent.id


def _belongs(reading: dict[str, Any], parent: Parent | None, link: Link | None) -> bool:
    if parent is None or link is None:
        return True
    assert isinstance(link.via, Reverse)
    return bool(reading[link.via.column] == parent.id)


def _selection(plan: SetPlan, parent: Selection, *more: Expression) -> Selection:
    """The store makes the order total itself, in the same way."""
    return Selection(
        streams=parent.streams,
        where=conjunction(parent.where, plan.where, *more),
        order=plan.order[:-1],
        limit=plan.top + 1,
        skip=plan.skip,
    )


def _selection_behind(parent: Parent | None, link: Link | None) -> Selection:
    if parent is None or link is None:
        return Selection()
    assert isinstance(link.via, Reverse)
    if parent.type.is_a(DATASTREAM):
        return Selection(streams=frozenset({parent.id}))
    among: Expression = Among(Column(link.via.column, Kind.NUMBER), frozenset({parent.id}))
    return Selection(where=among)


def _add_extents(entities: list[Entity]) -> None:
    found = readings.extents([entity.id for entity in entities])
    for entity in entities:
        for name, period in found.get(entity.id, {}).items():
            if period is not None:
                entity.values[f"{name}_start"] = period.start
                entity.values[f"{name}_end"] = period.last
