"""A query resolved against the entity model, with every limit applied: what will be answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from stadtherz.base.errors import Invalid, QuerySyntaxError
from stadtherz.base.expressions import TRUE, Column, Expression, Kind, Order
from stadtherz.base.time import Micros
from stadtherz.sensorthings.language import distinct
from stadtherz.sensorthings.language.distinct import Distinct
from stadtherz.sensorthings.language.formats import Format
from stadtherz.sensorthings.language.syntax import Expand, Query
from stadtherz.sensorthings.query.cursors import Place, behind
from stadtherz.sensorthings.query.filters import IDS, Resolver
from stadtherz.sensorthings.standard.model import one
from stadtherz.sensorthings.standard.schema import EntityType, Link, target

Way = tuple[str, ...]
DEFAULT_TOP = 100
MAX_TOP = 1_000
_SHORT = 500  # characters of a query whose plan is remembered
ID, ADDRESS = "id", "@id"
"""What a plan calls the key and the address of an entity, whatever the face calls them."""

ADDRESSES = ("@iot.selfLink", "@id")
_CONTROL = {**dict.fromkeys(IDS, ID), **dict.fromkeys(ADDRESSES, ADDRESS)}


@dataclass(frozen=True, slots=True)
class SetPlan:
    """One page of one entity set. `order` is total: it ends with the id, in the last direction.

    `select` None means every property and link; of some, only what is `inside` at the end of these ways.
    Where it is `distinct`, all is read and the page is cut out of what is left.
    `texts` are the options as written. A page begins
    behind the place `after`, which `behind` says as a condition once the order is resolved; what is
    counted are all pages. `passed` tells how many are on the pages before, as far as anybody has counted.
    """

    entity: EntityType
    where: Expression = TRUE
    order: tuple[Order, ...] = ()
    top: int = DEFAULT_TOP
    skip: int = 0
    passed: int = 0
    count: bool = False
    select: frozenset[str] | None = None
    inside: Mapping[str, tuple[Way, ...]] = field(default_factory=dict)
    expands: tuple["ExpandPlan", ...] = ()
    distinct: Distinct | None = None
    after: Place | None = None
    behind: Expression = TRUE
    texts: tuple[tuple[str, str], ...] = ()
    format: Format = Format.JSON

    def shows(self, name: str) -> bool:
        return self.select is None or name in self.select

    def leads(self, link: Link) -> bool:
        """Whether the address of what is behind a link is shown."""
        return self.shows(link.name) and not (link.quiet and self.select is None)

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
    """
    where: Expression = TRUE
    if query.filter is not None:
        where = Resolver(entity, "$filter", now).condition(query.filter)
    plan = SetPlan(
        entity,
        where,
        _order(entity, query, now),
        DEFAULT_TOP if query.top is None else min(query.top, MAX_TOP),
        0 if query.after else query.skip,
        query.skip,
        query.count,
        _select(entity, query),
        _inside(entity, query),
        tuple(_written(_expand(entity, expand, now), query.format) for expand in query.expand),
        after=query.after,
        texts=query.texts,
        format=query.format,
    )
    return _distinct(plan, query) if query.distinct else plan


def _distinct(plan: SetPlan, query: Query) -> SetPlan:
    """The plan that reads everything of which distinct values are told."""
    distinct.check(query, (link.name for link in plan.entity.links))
    wanted = Distinct(plan.top, plan.skip, plan.count)
    return replace(plan, top=distinct.MOST + 1, skip=0, passed=0, count=False, distinct=wanted)


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
    chosen: set[str] = set()
    for place, name in enumerate(query.select):
        try:
            chosen |= _chosen(entity, name)
        except Invalid as error:
            raise QuerySyntaxError("$select", error.reason, _position(query, place)) from None
    return frozenset(chosen)


def _position(query: Query, place: int) -> int:
    """Where the name with this place stands in the text of `$select`."""
    names = next((text for option, text in query.texts if option == "$select"), "").split(",")
    before, own = names[:place], names[place] if place < len(names) else ""
    return sum(len(name) + 1 for name in before) + len(own) - len(own.lstrip())


def _chosen(entity: EntityType, name: str) -> set[str]:
    properties = {prop.name for prop in entity.properties}
    if name == "*":  # OData 4.0 part 2 §5.1.3: every property, and no link
        return {*properties, ID, ADDRESS}
    if name in properties or name in _CONTROL or entity.link(name) is not None:
        return {_CONTROL.get(name, name)}
    first, _, rest = name.partition("/")
    prop = entity.property(first)
    if rest and prop is not None and prop.holds(tuple(rest.split("/"))):
        return {first}
    if rest and entity.link(first) is not None:
        raise Invalid("$select", f"{first!r} is a link; select within $expand={first}(...)")
    raise Invalid("$select", f"{one(entity.name)} has no property {name!r}")


def _inside(entity: EntityType, query: Query) -> dict[str, tuple[Way, ...]]:
    """Of the properties that are not selected whole, the ways to what is selected in them."""
    chosen = query.select or ()
    found: dict[str, tuple[Way, ...]] = {}
    for name in chosen:
        first, *way = name.split("/")
        if way and not {first, "*"} & set(chosen):
            found[first] = (*found.get(first, ()), tuple(way))
    return found


def _expand(entity: EntityType, expand: Expand, now: Micros) -> ExpandPlan:
    link = entity.link(expand.link)
    if link is None:
        raise QuerySyntaxError(
            "$expand", f"{one(entity.name)} has no link {expand.link!r}", expand.position
        )
    plan = plan_set(target(link), expand.query, now=now)
    if not link.many:
        plan = of_one(plan)
    return ExpandPlan(link, plan)


def of_one(plan: SetPlan) -> SetPlan:
    """The plan of one entity, which has no pages, whatever was said about them."""
    return replace(plan, top=1, skip=0, passed=0, after=None)
