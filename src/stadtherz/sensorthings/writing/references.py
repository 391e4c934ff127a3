"""Links changed by themselves: POST, PUT and DELETE of `$ref` (OData 4.01 part 1 §11.4.6).

Version 1.1 of SensorThings only reads `$ref`; version 2.0 changes it so, and so do we in both.
"""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from stadtherz.base.errors import Invalid, NotFound
from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings.answers.fetch import Fetcher
from stadtherz.sensorthings.answers.found import Parent
from stadtherz.sensorthings.answers.links import Urls
from stadtherz.sensorthings.headers.refusals import NotHere
from stadtherz.sensorthings.language.paths import parse_path
from stadtherz.sensorthings.query import sql
from stadtherz.sensorthings.query.execute import reader_for, rows
from stadtherz.sensorthings.query.routes import Route, Step, resolve_route
from stadtherz.sensorthings.standard.model import one
from stadtherz.sensorthings.standard.schema import (
    OBSERVATION,
    EntityType,
    Link,
    Own,
    Reverse,
    Through,
    back_link,
    target,
)
from stadtherz.sensorthings.writing import pairs, write
from stadtherz.sensorthings.writing.bodies import Body, key_of, load
from stadtherz.sensorthings.writing.locks import hold, transaction

_READS = ("GET", "HEAD", "OPTIONS")
_UPWARDS = re.compile(r"^(\.\./)+")
_ADDRESSES = ("@iot.selfLink", "@id", "@odata.id")


def change(
    method: str, route: Route, query: str, raw: bytes, visibility: Visibility, urls: Urls
) -> None:
    """Change the link that the route ends with.

    Raises:
        NotHere: if the route ends with no link, or one that has no such method.
        NotFound, Invalid, Forbidden: as for a PATCH of the entity that holds the link.
    """
    last = route.last
    if last.link is None:
        raise NotHere("only links behind an entity can be changed", _READS)
    _check_method(method, last)
    readings = any(step.entity.is_a(OBSERVATION) for step in route.steps[-2:])
    with transaction(readings=readings):
        fetcher = Fetcher(visibility)
        source = fetcher.parent(route.steps[:-1])
        assert source is not None
        hold(source.type, [source.id], fetcher.reader)
        relation = _Relation(source, last.link, visibility, urls)
        if not last.link.many:
            relation.point(method, raw)
        else:
            relation.change(method, last.key, query, raw)


def lead_to(
    source: Parent, link: Link, wanted: list[int], visibility: Visibility, urls: Urls
) -> None:
    """Make a link to many lead to these entities, and to no others that the caller may see.

    Raises:
        Invalid: where one of the others needs the link.
    """
    relation = _Relation(source, link, visibility, urls)
    relation.set_all([relation.there(key) for key in wanted])


def _check_method(method: str, last: Step) -> None:
    assert last.link is not None
    if not last.link.many:
        possible: tuple[str, ...] = ("PUT", "DELETE")
    elif last.key is not None:
        possible = ("DELETE",)
    else:
        possible = ("POST", "PUT", "DELETE")
    if method not in possible:
        raise NotHere(f"{method} is no way to change this link", (*_READS, *possible))


@dataclass(frozen=True, slots=True)
class _Relation:
    """A link of one entity, which may be held by the entities at its other end."""

    source: Parent
    link: Link
    visibility: Visibility
    urls: Urls

    @property
    def entity(self) -> EntityType:
        return target(self.link)

    def point(self, method: str, raw: bytes) -> None:
        """Make a link to one lead to another entity."""
        alike = [link for link in self.source.type.links if link.via == self.link.via]
        if method == "DELETE" and any(link.required or link.made for link in alike):
            raise self._needed(self.source.type, self.link)
        keys = [] if method == "DELETE" else [self._named(load(raw))]
        self._update(self.source.type, self.source.id, self.link, keys)

    def change(self, method: str, key: int | None, query: str, raw: bytes) -> None:
        """Change which entities a link to many leads to."""
        back = self._back()
        if method == "PUT":
            self.set_all(self._listed(load(raw)))
        elif method == "POST" and not isinstance(self.link.via, Through):
            self._turn(self._named(load(raw)), back, to_us=True)
        elif method == "POST":
            held = self._held()
            self._lead_to(held, [*held, self._named(load(raw))], back)
        else:
            self._take_away(self._gone(key, query), back)

    def _take_away(self, gone: int | None, back: Link) -> None:
        """One of those behind the link, or all of them."""
        if self._is_needed(back):
            raise self._needed(self.entity, back)
        held = self._held()
        if gone is not None and gone not in held:
            raise NotFound(f"{self.entity.name} {gone} behind this link")
        self._lead_to(held, [] if gone is None else [one for one in held if one != gone], back)

    def set_all(self, wanted: list[int]) -> None:
        back, held = self._back(), self._held()
        if self._is_needed(back) and set(held) - set(wanted):
            raise self._needed(self.entity, back)
        self._lead_to(held, wanted, back)

    def _back(self) -> Link:
        """The same link from its other end, if both may be changed."""
        back = back_link(self.source.type, self.link)
        for entity, link in ((self.source.type, self.link), (self.entity, back)):
            if write.is_observed(entity, link):
                raise write.belongs(link)
        return back

    def _is_needed(self, back: Link) -> bool:
        """Whether those at the other end cannot do without the link."""
        return not isinstance(self.link.via, Through) and (back.required or back.made)

    def _lead_to(self, held: list[int], wanted: list[int], back: Link) -> None:
        changing = set(held) ^ set(wanted)
        if not changing:
            return
        if pairs.are(self.source.type, self.link):
            ends = (self.source.type, self.link, self.source.id)
            pairs.put(*ends, sorted(set(wanted) - set(held)), self.visibility)
            pairs.take(*ends, sorted(set(held) - set(wanted)), self.visibility)
            return
        if write.held_as(self.source.type, self.link) is not None:
            keys = dict.fromkeys(
                [*wanted, *write.hidden(self.source, self.link.name, self.visibility)]
            )
            self._update(self.source.type, self.source.id, self.link, list(keys))
            return
        for key in sorted(changing):
            self._turn(key, back, to_us=key in wanted)

    def _turn(self, key: int, back: Link, *, to_us: bool) -> None:
        """Let an entity at the other end hold a link to us, or no longer."""
        own = self.source.id
        keys = [own] if to_us else []
        hold(self.entity, [key], reader_for(self.visibility))
        if isinstance(back.via, Through):
            others = write.members(self.entity, back, key)
            keys = [*others, own] if to_us else [one for one in others if one != own]
        self._update(self.entity, key, back, keys)

    def _held(self) -> list[int]:
        """The ids of what is behind the link and the caller may see."""
        if not self.entity.is_a(OBSERVATION):
            return _keys(self.source, self.link, self.visibility)
        if isinstance(self.link.via, Through):
            return sorted(Fetcher(self.visibility).readings_behind(self.source, self.link))
        assert isinstance(self.link.via, Reverse)
        own = Own(self.link.via.column)
        found = write.readings_of(self.source.type, self.source.id, self.visibility, own)
        return [int(key) for key in found.id.tolist()]

    def _update(self, entity: EntityType, key: int, link: Link, keys: list[int]) -> None:
        if link.required and not keys:
            raise self._needed(entity, link)
        links: dict[str, list[int | Body]] = {link.name: list(keys)}
        write.update(entity, key, Body(entity, {}, links), self.visibility)

    def _needed(self, entity: EntityType, link: Link) -> Invalid:
        return Invalid(link.name, f"cannot be taken away; {one(entity.name)} needs it")

    # --- what a client names -----------------------------------------------------------------------

    def _gone(self, key: int | None, query: str) -> int | None:
        """Which one is to go; None means all of them."""
        if key is not None:
            return key
        named = parse_qs(query, keep_blank_values=True).get("$id")
        return None if named is None else self._at(named[-1])

    def _listed(self, document: Any) -> list[int]:
        listed = document.get("value") if isinstance(document, dict) else None
        if not isinstance(listed, list):
            raise Invalid("value", "must be a list of references")
        return [self._named(item) for item in listed]

    def _named(self, document: Any) -> int:
        """The id in a reference such as `{"@iot.id": 1}` or `{"@id": "Things(1)"}`."""
        if not isinstance(document, dict):
            raise Invalid("body", f"must be a reference such as {self.urls.face.reference}")
        if "@iot.id" in document:
            return self.there(key_of(document["@iot.id"], "@iot.id"))
        for name in _ADDRESSES:
            if isinstance(address := document.get(name), str):
                return self._at(address)
        raise Invalid(self.urls.face.address if self.urls.face.odata else "@iot.id", "is missing")

    def _at(self, address: str) -> int:
        """The id of the entity with this address, whole or below the service root."""
        below = address.removeprefix(self.urls.root).removeprefix(urlsplit(self.urls.root).path)
        try:
            found = self._found(_UPWARDS.sub("", below))
        except NotFound as error:
            raise Invalid("reference", str(error)) from None
        if found is None or found.type is not self.entity:
            raise Invalid("reference", f"must be the address of {one(self.entity.name)}")
        return found.id

    def _found(self, path: str) -> Parent | None:
        resource = parse_path(path)
        if not resource.segments or resource.suffix:
            return None
        route = resolve_route(resource, self.urls.face)
        if route.to_property or not route.last.single:
            return None
        return Fetcher(self.visibility).parent(route.steps)

    def there(self, key: int) -> int:
        try:
            return self._at(f"/{self.entity.plural}({key})")
        except Invalid as error:
            raise Invalid(self.link.name, error.reason) from None


def _keys(source: Parent, link: Link, visibility: Visibility) -> list[int]:
    """The ids of what is behind a link, as far as the caller may see it."""
    behind = sql.behind(source.type, link, source.id)
    return [row[0] for row in rows(sql.keys(target(link), reader_for(visibility), behind))]
