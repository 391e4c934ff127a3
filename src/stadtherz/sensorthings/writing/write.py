"""Creating, changing and deleting (18-088 §10) through the store's door.

One request is one transaction: what is refused leaves nothing behind. Readings of one request go
to the store together, after the entities they belong to.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

from django.db import transaction
from django.dispatch import Signal

from stadtherz.base.errors import Forbidden, Invalid, NotFound, TooLarge
from stadtherz.base.expressions import Among, Column, Kind
from stadtherz.base.time import Micros, Period
from stadtherz.base.visibility import SYSTEM, Visibility
from stadtherz.sensorthings.answers.found import Parent
from stadtherz.sensorthings.query import access, readings, sql
from stadtherz.sensorthings.query.execute import reader_for, rows
from stadtherz.sensorthings.standard.model import one
from stadtherz.sensorthings.standard.schema import (
    DATASTREAM,
    FEATURE_OF_INTEREST,
    OBSERVATION,
    OBSERVATION_GROUP,
    OBSERVED,
    RELATION,
    STREAM,
    THING,
    TO_FEATURE,
    TO_STREAM,
    EntityType,
    Link,
    Own,
    Reverse,
    Shape,
    Through,
    back_link,
    target,
)
from stadtherz.sensorthings.writing import kinds, pairs, relations, tasks
from stadtherz.sensorthings.writing.bodies import Body, way_to
from stadtherz.sensorthings.writing.inheritance import Ownership, gathers, inherited, whereabouts
from stadtherz.store import public as store
from stadtherz.store.public import Columns, Entity, Reading, Selection

Given = dict[str, int]
_PERIODS = {"phenomenon": "phenomenon_time", "valid": "valid_time"}
_OBSERVED = "observed"
_LOCATIONS = "locations"
_HELD = {
    ("Thing", "store_thing_locations"): _LOCATIONS,
    ("HistoricalLocation", "store_historicallocation_locations"): _LOCATIONS,
    ("Datastream", OBSERVED): _OBSERVED,
    ("Datastream", "store_datastream_ultimate_features"): "ultimate_features",
    ("FeatureOfInterest", "store_featureofinterest_feature_types"): "feature_types",
}
"""Of the two ends of a link from many to many, one is told to the store, under this name."""

MAX_RELEASED = 10_000


def create(
    entity: EntityType, body: Body, given: Given, visibility: Visibility, now: Micros
) -> int:
    """Create what the body describes and give its id; `given` are links that the path names."""
    change = Change(visibility, now)
    if entity.is_a(OBSERVATION) and not (body.nested or leads_to(body, given)):
        return store.append([change.reading(body, given)])[0].id
    with store.moving() if names_readings(entity) else transaction.atomic():
        key = change.finish(change.create(body, given))
        check_belongs(entity, key, visibility)
        return key


def names_readings(entity: EntityType) -> bool:
    """Whether it holds ids of Observations, which must not go while these are written down."""
    return entity.is_a(OBSERVATION_GROUP) or entity.is_a(RELATION)


def leads_to(body: Body, given: Given) -> bool:
    """Whether others, which come later, are to lead to the entity that the body describes."""
    named = body.links.keys() | given.keys()
    return any(link.name in named for link in body.entity.links if link.many)


def update(entity: EntityType, key: int, body: Body, visibility: Visibility) -> None:
    """Give an entity the values and links that the body names."""
    if entity.is_a(OBSERVATION):
        _correct(key, body, visibility)
        for link, keys in _references(body):
            if link.many:
                _turn(entity, link, keys, key, visibility)
        return
    if entity.is_a(DATASTREAM):
        kinds.check_change(key, body)
    values, turned = dict(body.values), []
    for link, keys in _references(body):
        if isinstance(link.via, Own):
            values[_field(link)] = keys[0] if keys else None
        elif (name := held_as(entity, link)) is not None:
            values[name] = keys
        elif entity.version == THING.version:
            turned.append((link, keys))
        else:
            raise Invalid(link.name, f"cannot be changed here; change the {link.target} instead")
    tasks.check(entity, key, values, reader_for(visibility))
    relations.check(entity, key, values)
    with in_words_of(entity):
        values = kinds.with_parts(entity, key, values)
        store.update(cast(Entity, entity.kind), key, values, visibility)
    for link, keys in turned:  # these are added to what is behind it (18-088 §10.3)
        _turn(entity, link, keys, key, visibility)


reading_going = Signal()
"""An Observation, `key`, is about to be deleted by itself, in the transaction that does it."""


def delete(entity: EntityType, key: int, visibility: Visibility) -> None:
    if not entity.is_a(OBSERVATION):
        _release(entity, key, visibility)
        store.delete(cast(Entity, entity.kind), key, visibility)
        return
    found = readings.by_id(key, reader_for(visibility))
    if found is None:
        raise NotFound(f"Observation {key}")
    check_stream(STREAM, found["datastream"], visibility)
    reading_going.send(sender=None, key=key)
    store.delete_readings([key])


def check_belongs(entity: EntityType, key: int, visibility: Visibility) -> None:
    """Raise if something was created within a data set that does not belong to it."""
    if visibility.dataset is None or entity.is_a(OBSERVATION):
        return
    if not rows(sql.identify(entity, reader_for(visibility), sql.with_id(key))):
        raise _belongs_nowhere(entity)


def _belongs_nowhere(entity: EntityType) -> Forbidden:
    if gathers(entity):
        return Forbidden(f"{one(entity.name)} belongs to no data set; create it outside")
    return Forbidden(
        f"{one(entity.name)} by itself belongs to no data set; create it with or below a Thing or"
        " a Datastream of this one, or outside"
    )


def _release(entity: EntityType, key: int, visibility: Visibility) -> None:
    """Let readings that can do without the entity go on without it."""
    for link in entity.links:
        if not target(link).is_a(OBSERVATION) or link.via != Reverse(TO_FEATURE.column):
            continue
        if back_link(entity, link).made:
            return
        for reading in readings.readings_of(readings_of(entity, key, SYSTEM)):
            check_stream(STREAM, reading["datastream"], visibility)
            period = Period(reading["phenomenon_start"], reading["phenomenon_end"])
            without = reading | {"feature": None}
            store.correct(reading["id"], reading_of(reading["datastream"], without, default=period))


def readings_of(
    entity: EntityType, key: int, visibility: Visibility, own: Own = TO_FEATURE
) -> Columns:
    """The readings of a feature, or of what else they have a link to, that the caller may see.

    Raises:
        TooLarge: if there are too many to change each of them.
    """
    column = Column(own.column, Kind.NUMBER)
    held = Selection(where=Among(column, frozenset({key})), limit=MAX_RELEASED + 1)
    found = readings.select(held, visibility)
    if len(found) > MAX_RELEASED:
        raise TooLarge(f"more than {MAX_RELEASED} Observations are of this {entity.name}")
    return found


def hidden(source: Parent, name: str, visibility: Visibility) -> list[int]:
    """What is behind a link from many to many and not for the caller to see, and so stays there."""
    link = _link(source.type, name)
    if not isinstance(link.via, Through) or is_observed(source.type, link):
        return []
    behind = sql.behind(source.type, link, source.id)
    seen = {row[0] for row in rows(sql.keys(target(link), reader_for(visibility), behind))}
    return [key for key in members(source.type, link, source.id) if key not in seen]


@dataclass(slots=True)
class Change:
    """One request's changes; remembers what it has looked up."""

    visibility: Visibility
    now: Micros
    waiting: list[Reading] = field(default_factory=list)
    later: list[tuple[int, Body, Given]] = field(default_factory=list)
    streams: set[int] = field(default_factory=set)
    features: dict[int, int] = field(default_factory=dict)

    def create(self, body: Body, given: Given) -> int | None:
        """The new id; None for a reading, which waits to be stored with the others."""
        if body.entity.is_a(OBSERVATION):
            body = self._known(body)
            self.waiting.append(self.reading(body, given))
            if leads_to(body, given):
                self.later.append((len(self.waiting) - 1, body, given))
            return None
        if self.visibility.dataset is not None and gathers(body.entity):
            raise _belongs_nowhere(body.entity)
        body = self._known(body)
        owned = inherited(body, given, reader_for(self.visibility))
        key = self.kept(body, owned, {**body.values, **self._links(body, given)})
        self._adopt(body.entity, key)
        self.attach(body, given, key)
        return key

    def kept(self, body: Body, owned: Ownership, values: dict[str, Any]) -> int:
        """The id of the entity that the body stands for, which has these values now."""
        entity = body.entity
        stamps = {p.column: self.now for p in entity.properties if p.stamped}
        tasks.check(entity, None, values, reader_for(self.visibility))
        relations.check(entity, None, values)
        with in_words_of(entity):
            values = stamps | kinds.with_parts(entity, None, values)
            whole = {**owned, **entity.fixed, **values}
            return store.create(cast(Entity, entity.kind), whole, self.visibility, key=body.key)

    def _adopt(self, entity: EntityType, key: int) -> None:
        """What is created within a data set becomes a member, unless it belongs to it anyway."""
        member = entity.is_a(THING) or entity.is_a(DATASTREAM)
        if self.visibility.dataset is None or not member:
            return
        if not rows(sql.identify(entity, reader_for(self.visibility), sql.with_id(key))):
            store.adopt(entity.kind, key, self.visibility)

    def finish(self, key: int | None) -> int:
        """Store what waits; the id of what was asked for, which is the last reading if not `key`."""
        last = self.store()
        if key is not None:
            return key
        assert last is not None, "a reading waits"
        return last

    def store(self) -> int | None:
        """Store the readings that wait, and then what leads to them; the id of the last."""
        if not self.waiting:
            return None
        waiting, later, self.waiting, self.later = self.waiting, self.later, [], []
        keys = [receipt.id for receipt in store.append(waiting)]
        for place, body, given in later:
            self.attach(body, given, keys[place])
        self.store()
        return keys[-1]

    # --- what must exist before the entity -----------------------------------------------------------

    def _links(self, body: Body, given: Given) -> dict[str, Any]:
        """Keys of the entities that the new one points at, created first where they are new."""
        values: dict[str, Any] = {}
        beside = whereabouts(body, given)
        for link in body.entity.links:
            if "thing" in values:
                beside = {THING.name: values["thing"]}
            if isinstance(link.via, Own):
                values |= self._pointed(body, link, given, beside)
            elif (name := held_as(body.entity, link)) is not None:
                keys = self._keys(body, link, given, beside)
                if link.required and not keys:
                    raise _missing(body.entity, link)
                if keys:
                    values[name] = keys
        return values

    def _pointed(self, body: Body, link: Link, given: Given, beside: Given) -> dict[str, int]:
        """What the entity's own column holds, if it holds anything."""
        if link.required:
            return {_field(link): self._single(body, link, given, beside)}
        return {_field(link): key for key in self._keys(body, link, given, beside)[:1]}

    def _single(self, body: Body, link: Link, given: Given, beside: Given) -> int:
        keys = self._keys(body, link, given, beside)
        if not keys:
            raise _missing(body.entity, link)
        return keys[0]

    def _keys(self, body: Body, link: Link, given: Given, beside: Given) -> list[int]:
        """`beside` is what the new entities will stand beside: it decides who sees them."""
        named = body.links.get(link.name, [])
        if link.name in given and not (named and is_observed(body.entity, link)):
            return [given[link.name]]
        keys = [
            self._key(item, beside, way_to(link.name, place, len(named)))
            for place, item in enumerate(named)
        ]
        if link.name in given and given[link.name] not in keys:
            where = said(body.entity, link)
            raise Invalid(where, f"must lead to the {link.target} in the path, too")
        return keys

    def _key(self, item: int | Body, given: Given, way: str) -> int:
        if isinstance(item, int):
            return item
        key = self.below(way, item, given)
        return self._stored() if key is None else key

    def below(self, way: str, body: Body, given: Given) -> int | None:
        """As `create` for what a link of another body describes; mistakes in it are told with the way."""
        try:
            return self.create(body, given)
        except Invalid as error:
            raise Invalid(f"{way}/{error.field}", error.reason) from None

    def _stored(self) -> int:
        """The id of the reading that was the last to wait, and must be there before what leads to it."""
        key = self.store()
        assert key is not None, "a reading waits"
        return key

    def _known(self, body: Body) -> Body:
        """The body with ids alone in place of bodies that name entities which exist."""
        if not body.nested:
            return body
        links = {name: [self._there(i) for i in items] for name, items in body.links.items()}
        return replace(body, links=links)

    def _there(self, item: int | Body) -> int | Body:
        if isinstance(item, int) or item.key is None:
            return item
        anywhere = reader_for(self.visibility.outside)
        named = sql.identify(item.entity, anywhere, sql.with_id(item.key))
        return item.key if rows(named) else item

    # --- what can exist only after it ------------------------------------------------------------------

    def attach(self, body: Body, given: Given, key: int) -> None:
        for link in body.entity.links:
            if isinstance(link.via, Own) or held_as(body.entity, link) is not None:
                continue
            items = body.links.get(link.name, ())
            back = back_link(body.entity, link)
            there = [given[link.name]] if link.name in given else []
            there += [item for item in items if isinstance(item, int)]
            _turn(body.entity, link, there, key, self.visibility)
            for place, item in enumerate(items):
                if isinstance(item, Body):
                    way = way_to(link.name, place, len(items))
                    self.below(way, item, {back.name: key})

    # --- readings ---------------------------------------------------------------------------------------

    def reading(self, body: Body, given: Given) -> Reading:
        """The reading that the body of an Observation describes."""
        body = self._known(body)
        link = _stream_link(body, given)
        stream = self._single(body, link, given, {})
        if stream not in self.streams:
            check_stream(target(link), stream, self.visibility)
            self.streams.add(stream)
        reading = reading_of(stream, body.values, default=Period(self.now))
        if _says_kind(body.entity, link):
            kept = kinds.kept_result(body.entity, stream, reading.result)
            reading = replace(reading, result=kept)
        return replace(reading, feature=self._feature(body, given, stream))

    def _feature(self, body: Body, given: Given, stream: int) -> int | None:
        link = body.entity.feature_link
        if link.name in given:
            return given[link.name]
        for item in body.links.get(link.name, ()):
            if isinstance(item, Body):
                return self._key(item, {"Datastream": stream}, link.name)
            _check_feature(link, item, self.visibility)
            return item
        if not link.made:
            return None
        if stream not in self.features:
            feature = _feature_of(stream)
            if feature is None:
                raise Invalid(
                    "FeatureOfInterest",
                    "is missing, and cannot be made because the Thing has no Location",
                )
            self.features[stream] = feature
        return self.features[stream]


def _feature_of(stream: int) -> int | None:
    """The feature for readings that name none; nearly always it is there already."""
    made = rows(sql.generated_features([stream]))
    return made[0][1] if made else store.feature_for(stream)


def _stream_link(body: Body, given: Given) -> Link:
    """The link to what the reading belongs to: the one that is named, or else the usual one."""
    links = [link for link in body.entity.links if link.via == TO_STREAM]
    named = [link for link in links if link.name in given or link.name in body.links]
    if len(named) > 1 and named[1].name not in given:
        raise Invalid(named[1].name, f"cannot be beside {named[0].name}; the path names this")
    return named[0] if named else links[0]


def _says_kind(entity: EntityType, link: Link) -> bool:
    """Whether results behind the link have to be held against what it leads to."""
    prop = entity.property("result")
    several = target(link).only
    return bool(prop and prop.checked) or (several is not None and several[1])


def belongs(link: Link) -> Invalid:
    """For a link to what a Datastream observes."""
    return Invalid(link.name, "belong to the parts of the results; change them together")


def _missing(entity: EntityType, link: Link) -> Invalid:
    return Invalid(link.name, f"is missing; {one(entity.name)} needs it")


def said(entity: EntityType, link: Link) -> str:
    """Where a body says what the link leads to, which is in a result type if the link follows that."""
    if not link.follows:
        return link.name
    followed = next(p.name for p in entity.properties if p.shape is Shape.RESULT_TYPE)
    return f"{followed}/definition"


def is_observed(entity: EntityType, link: Link) -> bool:
    """Whether the link says what a Datastream with results of several parts observes."""
    return held_as(entity, link) == _OBSERVED


def held_as(entity: EntityType, link: Link) -> str | None:
    """What the store calls a link to many that the entity holds itself; of two sides only one does."""
    return _HELD.get((entity.kind, link.via.table)) if isinstance(link.via, Through) else None


def members(entity: EntityType, link: Link, key: int) -> list[int]:
    """The ids of everything behind a link from many to many, whoever may see it."""
    assert isinstance(link.via, Through)
    return [row[0] for row in rows(sql.members(link.via, key))]


def _field(link: Link) -> str:
    assert isinstance(link.via, Own)
    return link.via.column.removesuffix("_id")


def _link(entity: EntityType, name: str) -> Link:
    link = entity.link(name)
    assert link is not None
    return link


def _turn(
    source: EntityType, link: Link, others: list[int], key: int, visibility: Visibility
) -> None:
    """Add what exists to what is behind a link to many of the entity with this key."""
    if others and pairs.are(source, link):
        pairs.put(source, link, key, others, visibility)
        return
    for other in others:
        _relink(source, link, other, key, visibility)


def _relink(
    source: EntityType, link: Link, existing: int, key: int, visibility: Visibility
) -> None:
    """Make what exists at the other end of a link to many point at the entity with this key."""
    entity, back = target(link), back_link(source, link)
    if visibility.dataset is not None and gathers(entity):
        raise Invalid(link.name, f"leads nowhere: {entity.name} {existing}")
    if is_observed(entity, back):
        raise belongs(back)
    try:
        if entity.is_a(OBSERVATION):
            _correct(existing, Body(entity, {}, {back.name: [key]}), visibility)
            return
        values: dict[str, Any]
        if isinstance(back.via, Own):
            values = {_field(back): key}
        else:  # a Thing moves; whatever else holds several keeps the others
            others = [] if entity.is_a(THING) else members(entity, back, existing)
            values = {str(held_as(entity, back)): [*others, key]}
        with in_words_of(entity):
            store.update(cast(Entity, entity.kind), existing, values, visibility)
    except NotFound as error:
        raise Invalid(link.name, f"leads nowhere: {error}") from None


def _references(body: Body) -> Iterator[tuple[Link, list[int]]]:
    for name, items in body.links.items():
        yield _link(body.entity, name), [item for item in items if isinstance(item, int)]


@contextmanager
def in_words_of(entity: EntityType) -> Iterator[None]:
    """The store names fields; a client knows them by the standard's names."""
    names = {p.column: p.name for p in entity.properties}
    names |= {_field(link): link.name for link in entity.links if isinstance(link.via, Own)}
    held = {held_as(entity, link): said(entity, link) for link in entity.links}
    names |= {name: link for name, link in held.items() if name is not None}
    try:
        yield
    except Invalid as error:
        raise Invalid(names.get(error.field, error.field), error.reason) from None


# --- readings ----------------------------------------------------------------------------------------


def check_stream(entity: EntityType, stream: int, visibility: Visibility) -> None:
    """Raise unless the caller may see the Datastream, which is of that type, and add to it."""
    found = rows(access.owner_of(entity, stream, visibility))
    if not found:
        raise Invalid(entity.name, f"there is no {entity.name} {stream}")
    if not store.may_add_readings(stream, found[0][0], visibility):
        raise Forbidden(f"this {entity.name} belongs to another organisation")


def _check_feature(link: Link, feature: int, visibility: Visibility) -> None:
    reader = reader_for(visibility.outside)
    if not rows(sql.identify(FEATURE_OF_INTEREST, reader, sql.with_id(feature))):
        raise Invalid(link.name, f"there is no {link.target} {feature}")


def reading_of(stream: int, values: dict[str, Any], *, default: Period) -> Reading:
    """The reading with these values of a body; `default` is its phenomenon time if it has none."""
    periods: dict[str, Period | None] = {
        name: None
        if (start := values.get(f"{column}_start")) is None
        else Period(start, values[f"{column}_end"])
        for column, name in _PERIODS.items()
    }
    return Reading(
        datastream=stream,
        phenomenon_time=periods["phenomenon_time"] or default,
        result=values.get("result"),
        result_time=values.get("result_time"),
        feature=values.get("feature"),
        result_quality=values.get("result_quality"),
        valid_time=periods["valid_time"],
        parameters=values.get("parameters"),
    )


def _correct(key: int, body: Body, visibility: Visibility) -> None:
    held = readings.by_id(key, reader_for(visibility))
    if held is None:
        raise NotFound(f"Observation {key}")
    check_stream(STREAM, held["datastream"], visibility)
    values = {**held, **body.values}
    for link, keys in _references(body):
        if not isinstance(link.via, Own):
            continue
        values[link.via.column] = keys[0] if keys else None
        if link.via == TO_STREAM:
            check_stream(target(link), keys[0], visibility)
    if values["feature"] is not None and values["feature"] != held["feature"]:
        _check_feature(body.entity.feature_link, values["feature"], visibility)
    unchanged = Period(held["phenomenon_start"], held["phenomenon_end"])
    reading = reading_of(values["datastream"], values, default=unchanged)
    if "result" in body.values or reading.datastream != held["datastream"]:
        kept = kinds.kept_result(body.entity, reading.datastream, reading.result)
        reading = replace(reading, result=kept)
    store.correct(key, reading)
