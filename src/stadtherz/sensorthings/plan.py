"""A query resolved against the entity model, with every limit applied: what will be answered."""

from dataclasses import dataclass, field, replace
from functools import lru_cache

from stadtherz.base.errors import Invalid, QuerySyntaxError
from stadtherz.base.expressions import TRUE, Column, Expression, Kind, Order
from stadtherz.base.time import Micros
from stadtherz.sensorthings.cursors import Place, behind
from stadtherz.sensorthings.filters import IDS, Resolver
from stadtherz.sensorthings.formats import Format, Unsupported
from stadtherz.sensorthings.schema import EntityType, Link, target
from stadtherz.sensorthings.syntax import Expand, Query

DEFAULT_TOP = 100
MAX_TOP = 1_000
_SHORT = 500  # characters of a query whose plan is remembered
ID, ADDRESS = "id", "@id"
"""What a plan calls the key and the address of an entity, whatever the face calls them."""

_CONTROL = {**dict.fromkeys(IDS, ID), "@iot.selfLink": ADDRESS, "@id": ADDRESS}


@dataclass(frozen=True, slots=True)
class SetPlan:
    """One page of one entity set. `order` is total: it ends with the id, in the last direction.

    `select` None means every property and link; `texts` are the options as written. A page begins
    behind the place `after`, which `behind` says as a condition once the order is resolved; what is
    counted are all pages.
    """

    entity: EntityType
    where: Expression = TRUE
    order: tuple[Order, ...] = ()
    top: int = DEFAULT_TOP
    skip: int = 0
    count: bool = False
    select: frozenset[str] | None = None
    expands: tuple["ExpandPlan", ...] = ()
    after: Place | None = None
    behind: Expression = TRUE
    texts: tuple[tuple[str, str], ...] = ()
    format: Format = Format.JSON

    def shows(self, name: str) -> bool:
        return self.select is None or name in self.select

    def resolved(self, where: Expression, order: tuple[Order, ...]) -> "SetPlan":
        return replace(self, where=where, order=order, behind=behind(order, self.after))

    def without_expands(self) -> "SetPlan":
        return replace(self, expands=())


@dataclass(frozen=True, slots=True)
class ExpandPlan:
    """The entities behind one link, put into the answer of each parent."""

    link: Link
    plan: SetPlan


def plan_set(entity: EntityType, query: Query, *, now: Micros) -> SetPlan:
    """The plan of `query` on a set of `entity`.

    Raises:
        QuerySyntaxError, Invalid: for names and kinds that do not fit the model.
        Unsupported: for what the standard's neighbours know and this server does not.
    """
    where: Expression = TRUE
    if query.filter is not None:
        where = Resolver(entity, "$filter", now).condition(query.filter)
    return SetPlan(
        entity,
        where,
        _order(entity, query, now),
        DEFAULT_TOP if query.top is None else min(query.top, MAX_TOP),
        query.skip,
        query.count,
        _select(entity, query),
        tuple(_written(_expand(entity, expand, now), query.format) for expand in query.expand),
        query.after,
        texts=query.texts,
        format=query.format,
    )


def _written(expand: "ExpandPlan", wanted: Format) -> "ExpandPlan":
    """What is expanded is written as what it is expanded in."""
    if wanted is expand.plan.format:
        return expand
    inner = tuple(_written(each, wanted) for each in expand.plan.expands)
    return replace(expand, plan=replace(expand.plan, format=wanted, expands=inner))


def planned(entity: EntityType, query: Query, *, now: Micros) -> SetPlan:
    """As `plan_set` for a query that was read from text, made once for many requests.

    The texts say everything about such a query, and but for `now()` about its plan.
    """
    length = sum(len(text) for _, text in query.texts)
    if length > _SHORT or any("now" in text.lower() for _, text in query.texts):
        return plan_set(entity, query, now=now)
    return _remembered(_Asked(entity.version, entity.name, query.texts, entity, query))


@dataclass(frozen=True, slots=True)
class _Asked:
    version: str
    name: str
    texts: tuple[tuple[str, str], ...]
    entity: EntityType = field(compare=False)
    query: Query = field(compare=False)


@lru_cache(maxsize=256)
def _remembered(asked: _Asked) -> SetPlan:
    return plan_set(asked.entity, asked.query, now=0)


def _order(entity: EntityType, query: Query, now: Micros) -> tuple[Order, ...]:
    resolver = Resolver(entity, "$orderby", now)
    terms = [order for term in query.orderby for order in resolver.orders(term)]
    descending = terms[-1].descending if terms else False
    return (*terms, Order(Column("id", Kind.NUMBER), descending))


def _select(entity: EntityType, query: Query) -> frozenset[str] | None:
    if query.select is None:
        return None
    known = {p.name for p in entity.properties} | {link.name for link in entity.links}
    for name in query.select:
        if name in known or name in _CONTROL:
            continue
        if name.split("/")[0] in known:
            raise Unsupported(f"$select goes no deeper than properties: {name!r}")
        raise Invalid("$select", f"a {entity.name} has no property {name!r}")
    return frozenset(_CONTROL.get(name, name) for name in query.select)


def _expand(entity: EntityType, expand: Expand, now: Micros) -> ExpandPlan:
    link = entity.link(expand.link)
    if link is None:
        raise QuerySyntaxError(
            "$expand", f"a {entity.name} has no link {expand.link!r}", expand.position
        )
    plan = plan_set(target(link), expand.query, now=now)
    if not link.many:
        plan = replace(plan, top=1, skip=0, after=None)  # one entity has no pages
    return ExpandPlan(link, plan)
