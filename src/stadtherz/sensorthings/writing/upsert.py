"""POST of what may be there already: recognised by an identifier of the sender's own.

`POST /Things?$upsert=properties/externalId` creates the Thing, or changes the one whose property holds
the value that the body has there. Whatever the body brings along is recognised in the same way, so a
whole tree can be sent again and again. Of several paths, separated by commas, the first counts that an
entity has a value for. A Datastream is recognised within its Thing, an Observation within its Datastream
(`recognised`).

Only what the sender may change is looked at: two organisations may use the same identifiers.
"""

from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, cast
from urllib.parse import unquote_plus

from stadtherz.base.errors import Conflict, Invalid
from stadtherz.base.expressions import Column, Compare, Kind, Literal
from stadtherz.base.time import Micros
from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings.query import readings
from stadtherz.sensorthings.query.access import visible
from stadtherz.sensorthings.query.execute import reader_for, rows
from stadtherz.sensorthings.query.options import name_of
from stadtherz.sensorthings.query.tables import ROOT, Reader, Tables
from stadtherz.sensorthings.standard.model import one
from stadtherz.sensorthings.standard.schema import (
    DATASTREAM,
    OBSERVATION,
    SPANS,
    EntityType,
    Property,
    Shape,
)
from stadtherz.sensorthings.writing import kinds, recognised, relations
from stadtherz.sensorthings.writing.bodies import Body
from stadtherz.sensorthings.writing.inheritance import Ownership
from stadtherz.sensorthings.writing.write import (
    Change,
    Given,
    check_belongs,
    in_words_of,
    leads_to,
    names_readings,
)
from stadtherz.sql.public import Sql, compile_condition, compose, join
from stadtherz.store import public as store
from stadtherz.store.public import Entity, Identity, Reading, Selection

OPTION = "$upsert"
MAX_PATHS = 5
_HOLDING = (Shape.TEXT, Shape.JSON, Shape.NOTES)
Path = tuple[str, ...]
_TIME: Path = ("phenomenonTime",)


def split(query: str) -> tuple[str, tuple[Path, ...]]:
    """A query string without the option, and the paths that this names; none if it is not there."""
    items = query.split("&")
    own = [item for item in items if name_of(item) == OPTION]
    if not own:
        return query, ()
    texts = unquote_plus(own[0].partition("=")[2]).split(",")
    paths = tuple(tuple(text.strip().split("/")) for text in texts)
    if len(own) > 1 or len(paths) > MAX_PATHS or not all(name for path in paths for name in path):
        example = "properties/externalId"
        raise Invalid(OPTION, f"must name one to {MAX_PATHS} properties, such as {example}")
    return "&".join(item for item in items if item not in own), paths


def by_time(paths: tuple[Path, ...]) -> bool:
    """Whether rows of a data array are recognised; raises where by anything but their time."""
    if paths and _TIME not in paths:
        raise Invalid(OPTION, "recognises Observations by phenomenonTime")
    return bool(paths)


def put(
    body: Body, given: Given, paths: tuple[Path, ...], visibility: Visibility, now: Micros
) -> tuple[int, bool]:
    """The id of what the body describes, and whether it had to be created.

    Raises:
        Invalid: where something cannot be recognised, because it has no value at any of the paths.
        Conflict: if several are recognised.
    """
    merge = _Merge(visibility, now, paths=paths)
    if body.entity.is_a(OBSERVATION) and not (body.nested or leads_to(body, given)):
        return merge.keep(body, given)
    with store.moving() if names_readings(body.entity) else nullcontext(), store.recognising():
        if body.entity.is_a(OBSERVATION):
            return merge.keep(body, given)
        key = merge.create(body, given)
        if key is not None:
            check_belongs(body.entity, key, visibility)
    assert key is not None, "only Observations have to wait"
    return key, (body.entity.kind, key) in merge.made


@dataclass(slots=True)
class _Merge(Change):
    """As a change that creates, where what is there is changed instead."""

    paths: tuple[Path, ...] = ()
    made: set[tuple[str, int]] = field(default_factory=set)
    last: int = 0

    def _stored(self) -> int:
        return self.last

    def create(self, body: Body, given: Given) -> int | None:
        if body.entity.is_a(OBSERVATION):
            self.last, _ = self.keep(body, given)
            return None
        return Change.create(self, body, given)

    def kept(self, body: Body, owned: Ownership, values: dict[str, Any]) -> int:
        entity = body.entity
        prop, path, value = self._own(body)
        thing = values.get("thing")  # a Datastream or TaskingCapability is known within it
        identity = Identity.of((prop.column, *path[1:]), value, thing)
        key = _known(entity, prop, identity, reader_for(self.visibility.outside))
        values |= {"known_as": identity.text}
        if key is None:
            key = Change.kept(self, body, owned, values)
            self.made.add((entity.kind, key))
            return key
        if body.key not in (None, key):
            raise Conflict(f"{'/'.join(path)} is that of the {entity.name} {key} already")
        if entity.is_a(DATASTREAM):
            kinds.check_change(key, body)
        with in_words_of(entity):
            said = kinds.with_parts(entity, key, _said(entity, values))
            relations.check(entity, key, said)
            store.update(cast(Entity, entity.kind), key, said, self.visibility)
        return key

    def _own(self, body: Body) -> tuple[Property, Path, Any]:
        """The first property at one of the paths that the body has a value for."""
        if not (body.entity.owned or body.entity.is_a(OBSERVATION)):
            raise Invalid(OPTION, f"recognises no {body.entity.plural}")
        for path in self.paths:
            prop = body.entity.property(path[0])
            if prop is None or (prop.shape in SPANS) != body.entity.is_a(OBSERVATION):
                continue
            value = body.values.get(prop.columns[0])
            for name in path[1:]:
                value = value.get(name) if isinstance(value, dict) else None
            if value is not None and (prop.shape in (*_HOLDING, *SPANS)):
                return prop, path, value
        names = " or ".join("/".join(path) for path in self.paths)
        raise Invalid(names, f"is missing; by it {one(body.entity.name)} is recognised")

    # --- readings ---------------------------------------------------------------------------------

    def keep(self, body: Body, given: Given) -> tuple[int, bool]:
        """The id of the reading that the body describes, and whether it is a new one."""
        key, new = self._kept_reading(body, given)
        if leads_to(body, given):
            self.attach(self._known(body), given, key)
        return key, new

    def _kept_reading(self, body: Body, given: Given) -> tuple[int, bool]:
        _, path, _ = self._own(body)
        if path != _TIME:
            raise Invalid(OPTION, "recognises Observations by phenomenonTime")
        reading = self.reading(body, given)
        reading = replace(reading, key=recognised.key(reading))
        held = _at(reading)
        if held is None:
            receipt = store.append([reading])[0]
            if not receipt.duplicate:  # the same came at the same time
                return receipt.id, True
            held = receipt.id
        _correct(held, replace(reading, key=None), reader_for(self.visibility))
        return held, False


def _at(reading: Reading) -> int | None:
    """The reading of the same datastream and time."""
    time = reading.phenomenon_time
    start = Compare("eq", Column("phenomenon_start", Kind.TIME), Literal(time.start, Kind.TIME))
    streams = frozenset({reading.datastream})
    found = readings.readings_of(store.select(Selection(streams=streams, where=start)))
    same = [each["id"] for each in found if each["phenomenon_end"] == time.end]
    if len(same) > 1:
        raise Conflict(f"there are {len(same)} Observations with this phenomenonTime already")
    return same[0] if same else None


def _correct(key: int, wanted: Reading, reader: Reader) -> None:
    held = readings.by_id(key, reader)
    if held is None:
        raise Conflict("the Observation was deleted at the same time")
    if not recognised.says(held, wanted):
        store.correct(key, wanted)


# --- entities -------------------------------------------------------------------------------------


def _said(entity: EntityType, values: dict[str, Any]) -> dict[str, Any]:
    """Without what stands there because a client has said nothing."""
    unsaid = {p.column: p.nothing for p in entity.properties if p.nothing is not None}
    return {k: v for k, v in values.items() if k not in unsaid or v != unsaid[k]}


def _known(entity: EntityType, prop: Property, identity: Identity, reader: Reader) -> int | None:
    """The one entity with this identity that the caller may change.

    Those that were recognised before are found by an index; the others are looked through.
    """
    claimed = Sql(f"{ROOT}.known_as = %s", (identity.text,))
    begins = identity.beginning
    unclaimed = Sql(
        f"({ROOT}.known_as IS NULL OR {ROOT}.known_as < %s OR {ROOT}.known_as >= %s)",
        (begins, begins[:-1] + chr(ord(begins[-1]) + 1)),
    )
    for where in (claimed, unclaimed):
        found = [row[0] for row in rows(_having(entity, prop, identity, where, reader))]
        if len(found) > 1:
            path = "/".join(identity.path)
            raise Conflict(f"several {entity.plural} have this {path}: {found[0]}, {found[1]}")
        if found:
            return int(found[0])
    return None


def _having(
    entity: EntityType, prop: Property, identity: Identity, where: Sql, reader: Reader
) -> Sql:
    """The ids of two entities with the identity at most."""
    column, *path = identity.path
    kind = Kind.TEXT if isinstance(identity.value, str) else Kind.NUMBER
    same = Compare(
        "eq",
        Column(column, Kind.JSON if path else prop.kind, tuple(path)),
        Literal(identity.value, kind),
    )
    tables = Tables(reader, entity)
    conditions = [
        where,
        *_within(identity, reader.visibility),
        visible(entity, ROOT, reader.visibility),
        compile_condition(same, tables.resolve, reader.dialect),
    ]
    text = f"SELECT {ROOT}.id {{}} WHERE {{}} ORDER BY {ROOT}.id LIMIT 2"
    return compose(text, tables.text, join(" AND ", conditions))


def _within(identity: Identity, visibility: Visibility) -> list[Sql]:
    conditions = []
    if identity.thing is not None:
        conditions.append(Sql(f"{ROOT}.thing_id = %s", (identity.thing,)))
    if not visibility.everything:
        owners = sorted(visibility.writes)
        marks = ", ".join(["%s"] * len(owners)) or "NULL"
        conditions.append(Sql(f"{ROOT}.owner_id IN ({marks})", tuple(owners)))
    return conditions
