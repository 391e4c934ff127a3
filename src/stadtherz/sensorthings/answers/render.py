"""Entities and pages as the JSON of 18-088 §9, straight to bytes.

No object is made for an entity. Every member is a column of JSON texts (`members`); a page is one join
over all of them, and what is expanded is a column, too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import orjson

from stadtherz.sensorthings.answers import several, texts
from stadtherz.sensorthings.answers.found import Families, Page
from stadtherz.sensorthings.answers.links import Urls
from stadtherz.sensorthings.answers.members import texts_of
from stadtherz.sensorthings.answers.texts import NULL, Column, Texts, layout, listed
from stadtherz.sensorthings.language.distinct import Combinations, Distinct
from stadtherz.sensorthings.query.plan import ADDRESS, ID, SetPlan, Way
from stadtherz.sensorthings.query.routes import Route
from stadtherz.sensorthings.query.trees import within
from stadtherz.sensorthings.standard import csdl
from stadtherz.sensorthings.standard.schema import EntityType, Link

Document = dict[str, Any]
_NOTHING: Mapping[str, str] = MappingProxyType({})


def page(found: Page, urls: Urls, path: str) -> bytes:
    """A set: `path` is its absolute address, where the next page is found, too."""
    context = urls.context(found.plan.entity.plural, found.plan.format)
    if found.plan.distinct is not None:
        return _unlike(found, found.plan.distinct, urls, path, context)
    rows = layout(_row(found, urls), len(found)) if len(found) else []
    return b"".join([head(found, urls, path, context), b'"value":[', *rows, b"]}"])


def _unlike(
    found: Page, distinct: Distinct, urls: Urls, path: str, context: Mapping[str, str]
) -> bytes:
    """A page of distinct values."""
    told, after = distinct.page(entities(found, urls)), None
    if told.following is not None:
        after = urls.page_after(path, found.plan.texts, skip=told.following, token=None)
    start = opening(urls, context, count=told.count, following=after)
    return b"".join([start, b'"value":[', b",".join(told.shown), b"]}"])


def entity(found: Page, urls: Urls) -> bytes:
    """The only entity of a page."""
    context = orjson.dumps(urls.context(f"{found.plan.entity.plural}/$entity", found.plan.format))
    (row,) = entities(found, urls)
    return row if context == b"{}" else context[:-1] + b"," + row[1:]


def entities(found: Page, urls: Urls) -> Texts:
    """Each entity as one text."""
    return texts.rows(_row(found, urls), len(found)) if len(found) else []


def documents(found: Page, urls: Urls) -> list[Document]:
    """Each entity as it is shown."""
    read: list[Document] = orjson.loads(b"[" + b",".join(entities(found, urls)) + b"]")
    return read


def references(found: Page, urls: Urls, path: str) -> bytes:
    """A set as nothing but addresses (`$ref`)."""
    start = head(found, urls, path, urls.context("Collection($ref)"))
    kind, name = found.plan.entity, urls.face.address
    return (
        start + orjson.dumps({"value": [{name: urls.entity(kind, key)} for key in found.ids]})[1:]
    )


def reference(kind: EntityType, key: int, urls: Urls) -> bytes:
    return orjson.dumps(urls.context("$ref") | {urls.face.address: urls.entity(kind, key)})


# --- a property by itself ------------------------------------------------------------------------


def property_value(found: Page, route: Route) -> Any:
    """What the route's property holds; None if there is nothing."""
    if route.is_id:
        return found.ids[0]
    assert route.prop is not None
    value = orjson.loads(listed(texts_of(route.prop, found), 1)[0])
    return within(value, route.inside)


def by_itself(value: Any, route: Route, urls: Urls) -> bytes:
    """A property alone in a document."""
    if urls.face.odata:
        return orjson.dumps(urls.context(_edm_type(route)) | {"value": value})
    return orjson.dumps({_property_name(route, urls): value})


def _edm_type(route: Route) -> str:
    if route.inside:
        return csdl.UNTYPED if route.prop is None or route.prop.open else csdl.TIME
    return csdl.KEY if route.prop is None else csdl.edm_type(route.prop)


def _property_name(route: Route, urls: Urls) -> str:
    if route.inside:
        return route.label
    return urls.face.id if route.prop is None else route.prop.name


# --- what stands before the value of a set -------------------------------------------------------


def head(found: Page, urls: Urls, path: str, context: Mapping[str, str] = _NOTHING) -> bytes:
    """The beginning of the document: how many there are, and where to go on."""
    following, plan = None, found.plan
    if found.more:
        skip = plan.passed + plan.top
        following = urls.page_after(path, plan.texts, skip=skip, token=found.token)
    return opening(urls, context, count=found.count, following=following)


def opening(
    urls: Urls, context: Mapping[str, str], *, count: int | None, following: str | None
) -> bytes:
    """A document up to the first member that is no control information."""
    told: Document = dict(context)
    control = f"@{urls.face.control}"
    if count is not None:
        told[f"{control}count"] = count
    if following is not None:
        told[f"{control}nextLink"] = following
    return orjson.dumps(told)[:-1] + b"," if told else b"{"


# --- entities ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Member:
    """The parts of a member's texts, side by side; where `open`, each begins with a comma or is empty."""

    parts: list[Column]
    open: bool = False


def _row(found: Page, urls: Urls) -> list[Column]:
    """The parts of the texts of all entities, of which there is at least one."""
    members = list(_members(found, urls))
    if not members:
        return [b"{}"]
    first = next((member for member in members if not member.open), None)
    if first is None:
        opened = texts.rows([part for member in members for part in member.parts], len(found))
        return [b"{", [text[1:] for text in opened], b"}"]
    others = [member for member in members if member is not first]
    row: list[Column] = [b"{", *first.parts]
    for member in others:
        row += member.parts if member.open else [b",", *member.parts]
    return [*row, b"}"]


def _members(found: Page, urls: Urls) -> Iterator[_Member]:
    """What is shown of the entities, in the order of the schema; JSON from tables as it is there."""
    plan, face = found.plan, urls.face
    keys = texts.integers(np.asarray(found.values["id"], np.int64))
    address: list[Column] = [f"{quoted(urls.entity_set(plan.entity))}(".encode(), keys, b")"]
    addresses = plan.format.addresses
    if addresses and plan.distinct is None and (plan.shows(ADDRESS) or face.odata):
        yield _Member([_named(face.address), b'"', *address, b'"'])
    if plan.shows(ID):
        yield _Member([_named(face.id), keys])
    for prop in plan.entity.properties:
        if plan.shows(prop.name):
            held = texts_of(prop, found)
            if ways := plan.inside.get(prop.name):
                some = _unlike_in if plan.distinct is not None else _selected
                held = [some(text, ways) for text in listed(held, len(found))]
            if prop.silent:
                yield from _sometimes(prop.name, held, len(found))
            else:
                yield _Member([_named(prop.name), held])
    for link in plan.entity.links:
        if link.name in found.expanded:
            yield from _expanded(found, link, urls, address)
        elif addresses and plan.leads(link):
            yield from _leading(found, link, urls, address)


def _selected(text: bytes, ways: tuple[Way, ...]) -> bytes:
    """The document with nothing but what is at the end of these ways."""
    if text == NULL:
        return text
    chosen: Document = {}
    whole = orjson.loads(text)
    for way in ways:
        _take(whole, way, chosen)
    return orjson.dumps(chosen)


def _unlike_in(text: bytes, ways: tuple[Way, ...]) -> bytes:
    """As `_selected` for distinct values, of which there is one for nothing, however it came about."""
    whole = orjson.loads(text)
    chosen: Document = {}
    for way in ways:
        if within(whole, way) is not None:
            _take(whole, way, chosen)
    return orjson.dumps(chosen, option=orjson.OPT_SORT_KEYS)


def _take(document: Any, way: Way, chosen: Document) -> None:
    first, *rest = way
    if not isinstance(document, dict) or first not in document:
        return
    if not rest:
        chosen[first] = document[first]
        return
    inner: Document = {}
    _take(document[first], tuple(rest), inner)
    if inner:
        chosen[first] = {**chosen.get(first, {}), **inner}


def _sometimes(name: str, held: Column, size: int) -> Iterator[_Member]:
    """A member that only those have which have a value."""
    if isinstance(held, bytes) and held == NULL:
        return
    start = b"," + _named(name)
    found = [b"" if text == NULL else start + text for text in listed(held, size)]
    yield _Member([found], open=True)


def _navigation(link: Link, urls: Urls, address: list[Column]) -> _Member:
    name = _named(urls.face.navigation_link(link.name))
    return _Member([name, b'"', *address, f'/{link.name}"'.encode()])


def _leading(found: Page, link: Link, urls: Urls, address: list[Column]) -> Iterator[_Member]:
    """The link of those entities that have something behind it."""
    whose = several.leads(found, link)
    if all(whose):
        yield _navigation(link, urls, address)
    elif any(whose):
        shown = texts.rows([b",", *_navigation(link, urls, address).parts], len(found))
        there = [text if own else b"" for text, own in zip(shown, whose, strict=True)]
        yield _Member([there], open=True)


def _named(name: str) -> bytes:
    return f'"{name}":'.encode()


def quoted(text: str) -> str:
    """The inside of a JSON text."""
    return orjson.dumps(text)[1:-1].decode()


# --- what is expanded ----------------------------------------------------------------------------


def _expanded(found: Page, link: Link, urls: Urls, address: list[Column]) -> Iterator[_Member]:
    """The navigation link stays beside what is expanded, as the examples of the standard show."""
    if found.plan.select is None and found.plan.format.addresses:
        yield from _leading(found, link, urls, address)
    held, control = found.expanded[link.name], f"{link.name}@{urls.face.control}"
    if link.many and held.members.plan.distinct is not None:
        yield from _expanded_unlike(held, held.members.plan.distinct, link, urls, address)
        return
    if held.counts is not None:
        yield _Member([_named(f"{control}count"), texts.integers(np.array(held.counts, np.int64))])
    if any(held.more):
        start = b"," + _named(f"{control}nextLink")
        yield _Member([_onward(held, link, start, texts.rows(address, len(found)))], open=True)
    yield _Member([_named(link.name), _shown(held, link, urls)])


def _expanded_unlike(
    held: Families, distinct: Distinct, link: Link, urls: Urls, address: list[Column]
) -> Iterator[_Member]:
    """Of each parent a page of distinct values."""
    members, control = entities(held.members, urls), f"{link.name}@{urls.face.control}"
    spans = zip(held.begins, held.ends, strict=True)
    told = [distinct.page(members[begin:end]) for begin, end in spans]
    if distinct.count:
        counts = np.array([each.count for each in told], np.int64)
        yield _Member([_named(f"{control}count"), texts.integers(counts)])
    if any(each.following is not None for each in told):
        start = b"," + _named(f"{control}nextLink") + b'"'
        whose = zip(texts.rows(address, len(told)), told, strict=True)
        onward = [_counted(start + own, link, held.members.plan, each) for own, each in whose]
        yield _Member([onward], open=True)
    yield _Member([_named(link.name), [b"[" + b",".join(each.shown) + b"]" for each in told]])


def _counted(start: bytes, link: Link, plan: SetPlan, told: Combinations) -> bytes:
    """Where the next page of distinct values is, if there is one."""
    if told.following is None:
        return b""
    options = Urls.following(plan.texts, skip=told.following, token=None)
    return start + quoted(f"/{link.name}{options}").encode() + b'"'


def _shown(held: Families, link: Link, urls: Urls) -> Texts:
    members = entities(held.members, urls)
    spans = zip(held.begins, held.ends, strict=True)
    if link.many:
        return [b"[" + b",".join(members[begin:end]) + b"]" for begin, end in spans]
    return [members[begin] if begin < end else NULL for begin, end in spans]


def _onward(held: Families, link: Link, start: bytes, addresses: Texts) -> Texts:
    """For each parent where the next page behind its link is, or nothing."""
    plan = held.members.plan
    by_token, by_counting = (
        quoted(
            f"/{link.name}{Urls.following(plan.texts, skip=plan.passed + plan.top, token=token)}"
        ).encode()
        for token in ("", None)
    )
    parents = [parent for parent, more in enumerate(held.more) if more]
    tokens = held.members.tokens([held.ends[parent] - 1 for parent in parents])
    found: Texts = [b""] * len(addresses)
    for parent, token in zip(parents, tokens, strict=True):
        behind = by_counting if token is None else by_token + token.encode()
        found[parent] = start + b'"' + addresses[parent] + behind + b'"'
    return found
