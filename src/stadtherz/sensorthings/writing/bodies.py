"""JSON bodies read against the entity model: what a client wants to create or change."""

from codecs import BOM_UTF8
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from typing import Literal as OneOf

import orjson

from stadtherz.base.errors import Invalid, TooLarge
from stadtherz.base.expressions import Kind
from stadtherz.base.geometry import check_geometry
from stadtherz.base.time import Period, check_zone, parse_instant, parse_period
from stadtherz.sensorthings.answers.links import Urls
from stadtherz.sensorthings.standard import result_types, tasking
from stadtherz.sensorthings.standard.model import one
from stadtherz.sensorthings.standard.schema import (
    COMPLEX,
    OBSERVATION,
    QUALITY,
    EntityType,
    Link,
    Own,
    Property,
    Shape,
    target,
)

MAX_DEPTH = 10
MAX_ENTITIES = 10_000
MAX_NESTING = 254  # levels that orjson writes
_MAX_KEY = 2**63

_ANYWHERE = Urls("")

Mode = OneOf["create", "replace", "patch"]


@dataclass(frozen=True, slots=True)
class Body:
    """Values by column, and what each link should lead to: ids of what exists, or new bodies.

    `key` is the id that a client has chosen.
    """

    entity: EntityType
    values: dict[str, Any]
    links: dict[str, list["int | Body"]] = field(default_factory=dict)
    key: int | None = None

    @property
    def nested(self) -> bool:
        """Whether something is to be created besides the entity itself."""
        return any(isinstance(item, Body) for items in self.links.values() for item in items)


def load(raw: bytes) -> Any:
    """The JSON value of a request body; a byte order mark is no part of it (RFC 8259 §8.1)."""
    raw = raw.removeprefix(BOM_UTF8)
    if not raw.strip():
        raise Invalid("body", "is empty; a JSON object is expected")
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Invalid("body", f"is not JSON: {error}") from None
    if raw.count(b"[") + raw.count(b"{") > MAX_NESTING:
        _check_nesting(document)
    return document


def _check_nesting(document: Any) -> None:
    """Refuse what can be read, but could not be written again."""
    try:
        orjson.dumps(document)
    except orjson.JSONEncodeError:
        raise TooLarge(f"JSON is nested deeper than {MAX_NESTING} levels") from None


def read_body(entity: EntityType, document: Any, mode: Mode, urls: Urls = _ANYWHERE) -> Body:
    """The body checked property by property, with addresses as `urls` spells them.

    Raises:
        Invalid: naming the property (with its way, as in `Datastreams/name`) and the reason.
        TooLarge: for too many or too deeply nested entities.
    """
    return _Reader(mode, urls).entity(entity, document, "", 0)


@dataclass(frozen=True, slots=True)
class _Form:
    """What a body of a type may have, by name; `given` are the properties that clients give."""

    links: dict[str, Link]
    properties: frozenset[str]
    given: tuple[Property, ...]
    result_type: Property | None


_forms: dict[tuple[str, str], _Form] = {}


def _form(entity: EntityType) -> _Form:
    """Made once for each type: bodies are what a city's server reads all day."""
    key = (entity.version, entity.name)
    if key not in _forms:
        _forms[key] = _Form(
            {link.name: link for link in entity.links},
            frozenset(prop.name for prop in entity.properties),
            tuple(prop for prop in entity.properties if not prop.derived),
            next((p for p in entity.properties if p.shape is Shape.RESULT_TYPE), None),
        )
    return _forms[key]


_Links = dict[str, list[int | Body]]


@dataclass(slots=True)
class _Reader:
    mode: Mode
    urls: Urls
    entities: int = 0

    def entity(self, entity: EntityType, document: Any, way: str, depth: int) -> Body:
        self.entities += 1
        if depth > MAX_DEPTH or self.entities > MAX_ENTITIES:
            raise TooLarge(
                f"at most {MAX_ENTITIES} entities, {MAX_DEPTH} levels deep, fit in one request"
            )
        if not isinstance(document, dict):
            raise Invalid(
                way.rstrip("/") or "body", f"must be a JSON object for {one(entity.name)}"
            )
        links: _Links = {}
        form = _form(entity)
        for name, value in document.items():
            if (link := form.links.get(name)) is not None:
                if value is not None or self.mode == "patch":  # null is how some spell "not there"
                    links[name] = self._link(link, value, way, depth)
            elif (link := form.links.get(_bound(name))) is not None:
                links[link.name] = self._addressed(link, value, way + name)
            elif not (name in form.properties or _is_ignored(name)):
                raise Invalid(way + name, f"{one(entity.name)} has no such property")
        values = self._values(entity, form.given, document, way)
        if form.result_type is not None:
            self._observe(form.result_type, entity, document, links, way)
        if len(links) > 1:
            self._check_alternatives(links, entity, way)
        return Body(entity, values, links, self._chosen(entity, document, way))

    def _chosen(self, entity: EntityType, document: dict[str, Any], way: str) -> int | None:
        """The id that the entity shall have; those of Observations are made by the store."""
        if self.mode != "create" or entity.is_a(OBSERVATION):
            return None
        names = [name for name in ("@iot.id", self.urls.face.id) if name in document]
        if not names or self._was_read(entity, document) or document[names[0]] is None:
            return None
        try:
            return key_of(document[names[0]], way + names[0])
        except Invalid:
            raise Invalid(way + names[0], "must be a whole number, or left out") from None

    def _was_read(self, entity: EntityType, document: dict[str, Any]) -> bool:
        """Whether it shows an entity of this server, so that the id is that of another."""
        address = document.get(self.urls.face.address)
        return isinstance(address, str) and self.urls.key(address, entity) is not None

    def _observe(
        self, prop: Property, entity: EntityType, document: dict[str, Any], links: _Links, way: str
    ) -> None:
        """What a result type refers to is what its Datastream observes."""
        link = next(link for link in entity.links if link.follows)
        if prop.name not in document:
            if link.name in links:
                raise Invalid(way + link.name, f"follows the {prop.name}; change that")
            return
        where = way + prop.name
        named = result_types.places_of_definitions(document[prop.name], where)
        keys: list[int | Body] = [self._at(text, link, place) for place, text in named]
        if not keys:
            raise Invalid(where, f"must lead to an {link.target} by its definition")
        if not result_types.is_flat(document[prop.name]):
            keys = list(dict.fromkeys(keys))
        given = links.get(link.name, keys)
        if any(isinstance(key, Body) for key in given) or set(given) != set(keys):
            raise Invalid(way + link.name, f"must be what {prop.name} leads to")
        links[link.name] = keys

    @staticmethod
    def _check_alternatives(links: _Links, entity: EntityType, way: str) -> None:
        """Of links that share a column, such as those to Datastream and MultiDatastream, one may be said."""
        named: dict[str, str] = {}
        for link in entity.links:
            if link.name in links and isinstance(link.via, Own):
                other = named.setdefault(link.via.column, link.name)
                if other != link.name:
                    raise Invalid(way + link.name, f"cannot be beside {other}; name one of both")

    def _at(self, address: str, link: Link, where: str) -> int:
        key = self.urls.key(address, target(link))
        if key is None:
            raise Invalid(where, f"must be the address of {one(link.target)}, not {address[:80]!r}")
        return key

    def _values(
        self, entity: EntityType, given: Iterable[Property], document: dict[str, Any], way: str
    ) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for prop in given:
            if prop.name in document:
                values.update(_read(prop, document, way, zoned=entity.zoned))
            elif prop.required and self.mode != "patch":
                raise Invalid(way + prop.name, f"is missing; {one(entity.name)} needs it")
            elif (self.mode == "replace" and not prop.stamped) or (
                self.mode == "create" and prop.nothing is not None
            ):
                values.update(dict.fromkeys(prop.columns, prop.nothing))
        return values

    def _link(self, link: Link, value: Any, way: str, depth: int) -> list[int | Body]:
        where = f"{way}{link.name}"
        if isinstance(link.via, Own):
            if value is None and self.urls.face.odata and not link.required:
                return []
            return [self._target(link, value, where, depth)]
        if not isinstance(value, list):
            raise Invalid(where, "must be a list")
        return [
            self._target(link, item, way_to(where, place, len(value)), depth)
            for place, item in enumerate(value)
        ]

    def _addressed(self, link: Link, value: Any, where: str) -> list[int | Body]:
        """What exists, by its address, as OData 4.0 links it: `"Thing@odata.bind": "Things(1)"`."""
        addresses = [value] if isinstance(link.via, Own) else value
        if not isinstance(addresses, list) or not all(isinstance(each, str) for each in addresses):
            kind = "an address" if isinstance(link.via, Own) else "a list of addresses"
            raise Invalid(where, f"must be {kind}, such as {target(link).plural}(1)")
        return [self._at(address, link, where) for address in addresses]

    def _is_whole(self, link: Link, document: dict[str, Any]) -> bool:
        """Whether it says enough to create the entity if there is none with this id."""
        entity = target(link)
        if self.mode != "create" or entity.is_a(OBSERVATION) or self._was_read(entity, document):
            return False
        needed = (prop.name for prop in entity.properties if prop.required)
        return all(document.get(name) is not None for name in needed)

    def _target(self, link: Link, value: Any, where: str, depth: int) -> "int | Body":
        if isinstance(value, dict) and "@iot.id" in value and not self._is_whole(link, value):
            return key_of(value["@iot.id"], where)  # whatever else a client remembers of it
        if self.urls.face.by_address and isinstance(value, dict):
            if isinstance(address := value.get(self.urls.face.address), str):
                return self._at(address, link, where)
            if value.keys() == {"id"}:
                return key_of(value["id"], where)
        if self.mode == "patch" and self.urls.face.odata:
            return self._new(link, value, where, depth)
        if self.mode != "create":
            example = self.urls.face.reference
            raise Invalid(where, f"takes only a reference such as {example} in an update")
        return self.entity(target(link), value, f"{where}/", depth + 1)

    def _new(self, link: Link, value: Any, where: str, depth: int) -> Body:
        """An entity that an update brings along."""
        reader = _Reader("create", self.urls, self.entities)
        body = reader.entity(target(link), value, f"{where}/", depth + 1)
        self.entities = reader.entities
        return body


def way_to(link: str, place: int, number: int) -> str:
    """The way to one of those behind a link, which in company is told by its place.

    >>> way_to("Datastreams", 1, 3)
    'Datastreams[1]'
    """
    return link if number == 1 else f"{link}[{place}]"


def changed(before: Body, after: Body) -> Body:
    """What `after` names and `before` does not hold in the very same form: 1 is neither 1.0 nor true."""
    values = {
        name: value
        for name, value in after.values.items()
        if name not in before.values or orjson.dumps(before.values[name]) != orjson.dumps(value)
    }
    return Body(after.entity, values, after.links)


def _bound(name: str) -> str:
    """The link that is meant by `Thing@odata.bind` (OData JSON format 4.0 §8.5), or an empty text."""
    link, at, what = name.partition("@")
    return link if at and what.removeprefix("odata.").removeprefix("iot.") == "bind" else ""


def _is_ignored(name: str) -> bool:
    """What a server writes beside the properties may be sent back and is not read."""
    return "@" in name or name == "id"


def key_of(value: Any, where: str) -> int:
    """The id, also if it came as a text. Raises Invalid for what cannot be one."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _MAX_KEY:
        raise Invalid(where, f"there is no entity with the id {str(value)[:40]}")
    return value


def _read(
    prop: Property, document: dict[str, Any], way: str, *, zoned: bool = False
) -> dict[str, Any]:
    value = document[prop.name]
    name = way + prop.name
    if value is None:
        if prop.required and prop.name != "result":
            raise Invalid(name, "must not be null")
        return dict.fromkeys(prop.columns, prop.nothing)
    try:
        read = _converted(prop, value, document, name)
        if zoned and prop.kind is Kind.TIME:
            _check_zones(value, name)
        return read
    except ValueError as error:
        raise Invalid(name, str(error)) from None


def _converted(prop: Property, value: Any, document: dict[str, Any], name: str) -> dict[str, Any]:
    match prop.shape:
        case Shape.JSON | Shape.PARAMETERS:
            return {prop.column: _document(prop, value, name)}
        case Shape.PERIOD:
            period = parse_period(_text(value, name))
            return dict(zip(prop.columns, (period.start, period.end), strict=True))
        case Shape.TIME:
            return {prop.column: parse_instant(_text(value, name))}
        case Shape.TEXT:
            return {prop.column: _word(prop, value, name)}
        case Shape.GEOMETRY:
            return {prop.column: _place(prop, value, document, name)}
        case Shape.MOMENT | Shape.INTERVAL:
            period = _period(value, name)
            if prop.shape is Shape.INTERVAL and period.end is None:
                raise Invalid(name, "needs an end")
            return dict(zip(prop.columns, (period.start, period.end), strict=True))
        case Shape.NOTES:
            return dict(zip(prop.columns, _notes(value, name), strict=True))
        case Shape.RESULT_TYPE:
            result_types.check(value, name)
            flat = result_types.is_flat(value)
            return {
                prop.column: result_types.observation_type(value),
                "unit_of_measurement": result_types.unit_of_measurement(value),
                "data_types": result_types.data_types(value) if flat else None,
                "units": result_types.units(value) if flat else None,
            }


def _word(prop: Property, value: Any, name: str) -> str:
    """A text; the results of a MultiDatastream are of one type only, other texts one of a few."""
    if prop.nothing == COMPLEX != value:
        raise Invalid(name, f"must be {COMPLEX}")
    if prop.choices and value not in prop.choices:
        raise Invalid(name, f"must be {' or '.join(prop.choices)}")
    return _text(value, name)


def _period(value: Any, name: str) -> Period:
    """From an object with start and end; a text as version 1.1 writes it is understood, too."""
    if isinstance(value, str):
        return parse_period(value)
    if not isinstance(value, dict) or "start" not in value or value.keys() - {"start", "end"}:
        raise Invalid(name, 'must be an object with "start" and, if it has one, "end"')
    end = value.get("end")
    start = parse_instant(_text(value["start"], f"{name}/start"))
    return Period(start, None if end is None else parse_instant(_text(end, f"{name}/end")))


def _check_zones(value: Any, name: str) -> None:
    """Of a time that has been read, or of the start and end of one."""
    if isinstance(value, str):
        check_zone(value)
        return
    for member, text in value.items():
        if text is not None:
            try:
                check_zone(text)
            except ValueError as error:
                raise Invalid(f"{name}/{member}", str(error)) from None


def _notes(value: Any, name: str) -> tuple[dict[str, Any] | None, Any]:
    """What is not the quality, and the quality."""
    if not isinstance(value, dict):
        raise Invalid(name, "must be a JSON object")
    rest = {key: held for key, held in value.items() if key != QUALITY}
    return (rest if rest or QUALITY not in value else None), value.get(QUALITY)


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise Invalid(name, "must be a text")
    return value


def _document(prop: Property, value: Any, name: str) -> Any:
    if prop.shape is Shape.PARAMETERS:
        tasking.check_description(value, name)
    if prop.is_object and not isinstance(value, dict):
        raise Invalid(name, "must be a JSON object")
    if prop.column == "result_encoding":
        result_types.check_encoding(value, name)
    if prop.hides and isinstance(value, dict):
        return {key: held for key, held in value.items() if key != prop.hides}
    return value


def _place(prop: Property, value: Any, document: dict[str, Any], name: str) -> Any:
    """A Feature is kept as it is; other encodings than GeoJSON cannot be checked."""
    if "geo+json" in str(document.get("encodingType", "geo+json")):
        check_geometry(value, field=name)
    return value
