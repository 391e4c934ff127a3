"""Plans carried out: pages of entities with what is expanded in them, as plain data."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np

from stadtherz.base.errors import NotFound, TooLarge
from stadtherz.base.expressions import TRUE, Among, Column, Expression, Kind
from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings.answers import several
from stadtherz.sensorthings.answers.found import Families, Page, Parent, alone, of_readings
from stadtherz.sensorthings.answers.resolve import Resolution
from stadtherz.sensorthings.language import distinct
from stadtherz.sensorthings.query import readings, sql
from stadtherz.sensorthings.query.access import EVERYTHING
from stadtherz.sensorthings.query.execute import Row, reader_for, rows, scalar
from stadtherz.sensorthings.query.plan import ExpandPlan, SetPlan
from stadtherz.sensorthings.query.routes import Step
from stadtherz.sensorthings.query.tables import Reader
from stadtherz.sensorthings.query.trees import conjunction
from stadtherz.sensorthings.standard.schema import (
    DATASTREAM,
    OBSERVATION,
    STREAM,
    Link,
    Own,
    Reverse,
    Through,
)
from stadtherz.sql.public import Sql, join
from stadtherz.store import public as store
from stadtherz.store.public import Columns, Selection

MAX_ENTITIES = 20_000


@dataclass(slots=True)
class Fetcher:
    """Answers for one request: one reader, one budget of entities, one of those that are told apart."""

    visibility: Visibility
    left: int = field(default_factory=lambda: MAX_ENTITIES)
    unlike: int = field(default_factory=lambda: distinct.MOST)

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

    def supposed(self, steps: tuple[Step, ...]) -> Parent | None:
        """As `parent` for who asks for what is behind it: whether it is there may be seen only then."""
        if len(steps) != 1 or steps[0].key is None or steps[0].entity.is_a(OBSERVATION):
            return self.parent(steps)
        (step,) = steps
        named = sql.identify(step.entity, self.reader, self._at(None, step))
        store.require(named, partial(_check_there, step))
        return Parent(step.entity, steps[0].key)

    def _next(self, parent: Parent | None, step: Step) -> Parent:
        if step.entity.is_a(OBSERVATION):
            return self._reading(parent, step)
        found = rows(sql.identify(step.entity, self.reader, self._at(parent, step)), often=True)
        if not found:
            raise _missing(step)
        return Parent(step.entity, found[0][0])

    def _reading(self, parent: Parent | None, step: Step) -> Parent:
        """The Observation that has the key, or that a link to one leads to."""
        key = step.key
        if parent is not None and step.link is not None and isinstance(step.link.via, Own):
            own = sql.own_keys(parent.type, step.link.via.column, [parent.id])
            key = next((key for _, key in rows(own)), None)
        reading = None if key is None else readings.by_id(key, self.reader)
        if reading is None or not _belongs(reading, parent, step.link):
            raise _missing(step)
        return Parent(step.entity, reading["id"], reading)

    def _at(self, parent: Parent | None, step: Step) -> Sql:
        conditions = [self._behind(parent, step.link)]
        if step.key is not None:
            conditions.append(sql.with_id(step.key))
        return join(" AND ", conditions)

    def _behind(self, parent: Parent | None, link: Link | None) -> Sql:
        if parent is None or link is None:
            return EVERYTHING
        if parent.reading is not None and isinstance(link.via, Own):
            return sql.with_id(parent.reading[link.via.column])
        return sql.behind(parent.type, link, parent.id)

    # --- answers -------------------------------------------------------------------------------------

    def page(self, plan: SetPlan, parent: Parent | None = None, link: Link | None = None) -> Page:
        """One page of a whole set, or of the set behind a parent's link."""
        if plan.entity.is_a(OBSERVATION):
            page = self.observations(plan, parent, link)
        elif parent is not None and link is not None and sql.in_order(link, plan) is not plan:
            page = self._in_order(plan, parent, link)
        else:
            page = self._entities(self._resolved(plan), self._behind(parent, link))
        return self._whole(page)

    def _entities(self, plan: SetPlan, restriction: Sql) -> Page:
        """The statement gives one row more, which tells about a next page."""
        found = rows(sql.page(plan, self.reader, restriction))
        page = _page(plan, found[: plan.top])
        page.more = len(found) > plan.top > 0
        self._spend(len(page), plan)
        if plan.count:
            page.count = scalar(sql.count(plan, self.reader, restriction))
        return page

    def _in_order(self, plan: SetPlan, parent: Parent, link: Link) -> Page:
        """As what is expanded of this one parent."""
        families = self._behind_keys(self._resolved(sql.in_order(link, plan)), link, [parent.id])
        page = families.members
        page.more = any(families.more)
        page.count = None if families.counts is None else families.counts[0]
        return page

    def count(self, plan: SetPlan, parent: Parent | None, link: Link | None) -> int:
        """How many entities fulfil the plan's filter, on all pages."""
        if plan.entity.is_a(OBSERVATION):
            return readings.count(self.selection(plan, parent, link), self.visibility)
        return scalar(sql.count(self._resolved(plan), self.reader, self._behind(parent, link)))

    def selection(self, plan: SetPlan, parent: Parent | None, link: Link | None) -> Selection:
        """Which readings fulfil the plan's filter, in no order."""
        where = replace(plan, order=plan.order[-1:])
        return _selection(self._resolved(where), self._selection_behind(parent, link))

    def readings_behind(self, parent: Parent, link: Link) -> set[int]:
        """The ids of all Observations behind a link that may be seen."""
        found = readings.select(self._selection_behind(parent, link), self.visibility)
        return set(found.id.tolist())

    def keys(
        self, plan: SetPlan, parent: Parent | None, link: Link | None, limit: int
    ) -> list[int]:
        """The ids of the first entities that fulfil the plan's filter."""
        plan = replace(self._resolved(plan), select=frozenset(), top=limit - 1)
        return [row[0] for row in rows(sql.page(plan, self.reader, self._behind(parent, link)))]

    def observations(
        self, plan: SetPlan, parent: Parent | None = None, link: Link | None = None
    ) -> Page:
        """As `page` for Observations; what the plan expands is left out."""
        behind = self._selection_behind(parent, link)
        page = self._observations(self._resolved(plan, behind.streams), behind)
        several.complete(page, self.reader)
        return page

    def single(self, plan: SetPlan, steps: tuple[Step, ...]) -> Page:
        """As `entity` for the one that the steps lead to, looked up and read at once."""
        parent, last = self.supposed(steps[:-1]), steps[-1]
        if last.entity.is_a(OBSERVATION):
            return self.entity(plan, self._next(parent, last))
        found = rows(sql.first(plan, self.reader, self._at(parent, last)), often=True)
        if not found:
            raise _missing(last)
        return self._whole(_page(plan, found[:1]))

    def entity(self, plan: SetPlan, parent: Parent) -> Page:
        """The one entity that `parent` found, with what the plan selects and expands."""
        if parent.reading is not None:
            return self._whole(alone(plan, parent.reading))
        return self.single(plan, (Step(parent.type, None, parent.id),))

    def _whole(self, page: Page) -> Page:
        self._complete(page)
        return page

    def _resolved(self, plan: SetPlan, streams: Collection[int] | None = None) -> SetPlan:
        if plan.entity.is_a(OBSERVATION):
            return plan.resolved(
                self.resolution.for_readings(plan.entity, plan.where),
                self.resolution.order_of_readings(plan.entity, plan.order, streams),
            )
        return plan.resolved(
            self.resolution.for_entities(plan.entity, plan.where),
            self.resolution.order_of_entities(plan.entity, plan.order),
        )

    def _spend(self, number: int, plan: SetPlan) -> None:
        if plan.distinct is not None:
            self._look(number)
            return
        self.left -= number
        if self.left < 0:
            raise TooLarge(
                f"the answer would hold more than {MAX_ENTITIES} entities; use $top, also in $expand"
            )

    def _look(self, number: int) -> None:
        """Spend on what is not shown, but only told apart."""
        self.unlike -= number
        if self.unlike < 0:
            raise TooLarge(
                f"distinct values are looked for among {distinct.MOST} entities at most; use $filter"
            )

    def _complete(self, page: Page) -> None:
        if not len(page):
            return
        if page.plan.entity.is_a(DATASTREAM):
            _add_extents(page)
        if "several" not in page.values:
            several.complete(page, self.reader)
        for expand in page.plan.expands:
            page.expanded[expand.link.name] = self._expanded(expand, page)

    # --- expands -------------------------------------------------------------------------------------

    def _expanded(self, expand: ExpandPlan, parents: Page) -> Families:
        link = expand.link
        plan = self._resolved(sql.in_order(link, expand.plan))
        if not plan.entity.is_a(OBSERVATION):
            families = self._behind_keys(plan, link, _keys(parents, link))
        elif not link.many:
            families = self._readings_by_key(plan, _keys(parents, link))
        elif _asks_newest(plan, link):
            families = self._newest(plan, parents.ids)
        else:
            families = self._readings_of_each(plan, link, parents)
        self._complete(families.members)
        return families

    def _behind_keys(self, plan: SetPlan, link: Link, keys: list[int | None]) -> Families:
        """The entities of each of these keys, which several parents may share."""
        distinct = sorted({key for key in keys if key is not None})
        found = rows(sql.children(link, plan, distinct, self.reader)) if distinct else []
        spans: dict[int | None, tuple[int, int, bool]] = {}
        members: list[Row] = []
        for key, rows_of_key in groupby(found, itemgetter(0)):
            family = list(rows_of_key)
            begin = len(members)
            members += family[: plan.top]
            spans[key] = begin, len(members), len(family) > plan.top > 0
        begins, ends, more = zip(*(spans.get(key, (0, 0, False)) for key in keys), strict=True)
        page = _page(plan, [row[1:] for row in members])
        if not link.many:
            return Families(page, begins, ends)
        self._spend(sum(ends) - sum(begins), plan)
        counts = self._counts(link, plan, distinct, keys) if plan.count else None
        return Families(page, begins, ends, more, counts)

    def _counts(
        self, link: Link, plan: SetPlan, distinct: list[int], keys: list[int | None]
    ) -> list[int]:
        if not distinct:
            return [0] * len(keys)
        found: dict[int | None, int] = dict(
            rows(sql.count_children(link, plan, distinct, self.reader))
        )
        return [found.get(key, 0) for key in keys]

    # --- readings ------------------------------------------------------------------------------------

    def _observations(self, plan: SetPlan, behind: Selection) -> Page:
        found = readings.select(_selection(plan, behind, plan.behind), self.visibility)
        shown = readings.some(found, slice(plan.top))
        self._spend(len(shown), plan)
        number = None
        if plan.count:
            number = readings.count(_selection(plan, behind), self.visibility)
        return of_readings(plan, shown, more=len(found) > plan.top > 0, count=number)

    def _selection_behind(self, parent: Parent | None, link: Link | None) -> Selection:
        if parent is None or link is None:
            return Selection()
        if isinstance(link.via, Through):
            return self._with_ids(
                frozenset(row[0] for row in rows(sql.members(link.via, parent.id)))
            )
        assert isinstance(link.via, Reverse)
        if parent.type.is_a(DATASTREAM):
            return Selection(streams=frozenset({parent.id}))
        among: Expression = Among(Column(link.via.column, Kind.NUMBER), frozenset({parent.id}))
        return Selection(where=among)

    def _with_ids(self, ids: frozenset[int]) -> Selection:
        """Those of the Observations that may be seen, looked for only where they can be."""
        streams = store.streams_of(ids)
        seen = rows(sql.keys(STREAM, self.reader, sql.with_ids(streams)))
        among = Among(Column("id", Kind.NUMBER), ids)
        return Selection(streams=frozenset(row[0] for row in seen), where=among)

    def _readings_of_each(self, plan: SetPlan, link: Link, parents: Page) -> Families:
        kind = parents.plan.entity
        parts: list[Columns] = []
        more: list[bool] = []
        counts: list[int] = []
        for key in parents.ids:
            behind = self._selection_behind(Parent(kind, key), link)
            found = readings.select(_selection(plan, behind, plan.behind), self.visibility)
            parts.append(readings.some(found, slice(plan.top)))
            self._spend(len(parts[-1]), plan)
            more.append(len(found) > plan.top > 0)
            if plan.count:
                counts.append(readings.count(_selection(plan, behind), self.visibility))
        ends = np.cumsum([len(part) for part in parts]).tolist()
        members = of_readings(plan, store.together(parts))
        return Families(members, [0, *ends[:-1]], ends, more, counts if plan.count else None)

    def _readings_by_key(self, plan: SetPlan, keys: list[int | None]) -> Families:
        """The Observation of each of these ids, which several parents may share."""
        wanted = frozenset(key for key in keys if key is not None)
        among = self._with_ids(wanted)
        found = readings.select(_selection(replace(plan, top=len(wanted)), among), self.visibility)
        places = {key: place for place, key in enumerate(found.id.tolist())}
        begins = [places.get(key, 0) if key is not None else 0 for key in keys]
        ends = [begin + (key in places) for begin, key in zip(begins, keys, strict=True)]
        self._spend(len(found), plan)
        return Families(of_readings(plan, found), begins, ends)

    def _newest(self, plan: SetPlan, streams: list[int]) -> Families:
        """`$orderby=phenomenonTime desc;$top=1` for all datastreams at once."""
        found, spans = store.latest(streams), store.spans(streams)
        counts = spans.count[np.searchsorted(spans.datastream, streams)]
        begins = np.searchsorted(found.datastream, streams)
        ends = np.searchsorted(found.datastream, streams, "right")
        held = ends > begins
        self._spend(int(held.sum()), plan)
        more = held & (counts > 1)  # one may have arrived between the two
        return Families(
            of_readings(plan, found),
            begins.tolist(),
            ends.tolist(),
            more.tolist(),
            counts.tolist() if plan.count else None,
        )


def _page(plan: SetPlan, found: Sequence[Row]) -> Page:
    """The rows that a statement for the plan gave, as columns."""
    names = sql.fetched(plan)
    columns = list(zip(*found, strict=True)) if found else [()] * (len(names) + len(plan.order))
    values = dict(zip(names, columns[: len(names)], strict=True))
    return Page(plan, values, sorting=columns[len(names) :])


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


def _check_there(step: Step, found: Sequence[Row]) -> None:
    if not found:
        raise _missing(step)


def _missing(step: Step) -> NotFound:
    return NotFound(f"{step.entity.name}" + ("" if step.key is None else f" {step.key}"))


def _keys(parents: Page, link: Link) -> list[int | None]:
    """What leads from each of the parents to what is behind the link."""
    if not isinstance(link.via, Own):
        return list(parents.ids)
    return readings.shown(parents.values, link.via.column, range(len(parents)))


def _belongs(reading: dict[str, Any], parent: Parent | None, link: Link | None) -> bool:
    if parent is None or link is None or isinstance(link.via, Own):
        return True
    if isinstance(link.via, Through):
        return (reading["id"],) in rows(sql.members(link.via, parent.id))
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


def _add_extents(page: Page) -> None:
    """Times of Datastreams, which are those of their readings."""
    plan = page.plan
    if not any(prop.computed and plan.shows(prop.name) for prop in plan.entity.properties):
        return
    found = store.spans(page.ids)
    at = np.searchsorted(found.datastream, page.ids)
    page.values |= {
        "phenomenon_start": found.phenomenon_first[at],
        "phenomenon_end": found.phenomenon_last[at],
        "result_start": found.result_first[at],
        "result_end": found.result_last[at],
    }
