"""CreateObservations (18-088 §12.2): many readings of several Datastreams in one request, in the words of
either version.

What is wrong with one row is the matter of this row alone, which is answered by "error" in its place.
Rows of plain numbers go to the store as columns; where any row is not plain, all are looked at one
by one.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from stadtherz.base.errors import Invalid, TooLarge
from stadtherz.base.time import Micros, Period
from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings.answers import texts
from stadtherz.sensorthings.answers.links import Urls
from stadtherz.sensorthings.answers.observations import feature_component
from stadtherz.sensorthings.query import access, sql
from stadtherz.sensorthings.query.execute import rows
from stadtherz.sensorthings.query.results import Results, results_of
from stadtherz.sensorthings.standard.schema import (
    DATASTREAM,
    FEATURE_OF_INTEREST,
    MULTI_DATASTREAM,
    OBSERVATION,
    EntityType,
)
from stadtherz.sensorthings.writing import recognised
from stadtherz.sensorthings.writing.bodies import key_of, load, read_body
from stadtherz.sensorthings.writing.instants import parse_instants, parse_periods
from stadtherz.sensorthings.writing.kinds import kept
from stadtherz.sensorthings.writing.write import reading_of
from stadtherz.store import public as store
from stadtherz.store.public import NONE, NewColumns, Reading, Receipt

NAME = "CreateObservations"
MAX_ROWS = 50_000

_IGNORED = frozenset({"id", "@iot.id", "@iot.selfLink", "@id"})
"""What a data array that was read may have."""

_PLAIN = frozenset({"phenomenonTime", "resultTime", "result"}) | _IGNORED
_EXACT = 2.0**53  # up to here a whole number is the same as float64

_AT_ONCE = 5_000  # entities looked up by one statement

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Words:
    """What components may be called: `feature` is the one with the id of a feature, and no row is plain
    that has other components than the `plain` ones.
    """

    feature: str
    plain: frozenset[str]
    known: frozenset[str]

    @classmethod
    def of(cls, observation: EntityType) -> "Words":
        feature = feature_component(observation)
        plain = _PLAIN | {feature}
        return cls(feature, plain, plain | {prop.name for prop in observation.properties})


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one Datastream or MultiDatastream, which is `of` that type.

    `begin` is the place of the first among all rows of the request.
    """

    of: EntityType
    words: Words
    stream: int
    components: tuple[str, ...]
    rows: list[Any]
    begin: int

    @property
    def feature(self) -> str:
        return self.words.feature

    @property
    def names_features(self) -> bool:
        return self.feature in self.components

    def column(self, name: str) -> Sequence[Any]:
        """The values under this name; None everywhere if the rows have none."""
        if name not in self.components:
            return [None] * len(self.rows)
        place = self.components.index(name)
        return [row[place] for row in self.rows]


def create_observations(
    raw: bytes, visibility: Visibility, urls: Urls, now: Micros, *, recognise: bool = False
) -> tuple[bytes, bool]:
    """Keep the readings and give the addresses of the Observations, in the order of the rows.

    With `recognise`, one that is there with the time of a row is changed. Also tells whether any row
    may have become a new Observation.

    Raises:
        Invalid: if the body is no list of data arrays; then nothing is kept.
        TooLarge: for more than MAX_ROWS rows.
    """
    groups = _groups(load(raw), urls)
    size = sum(len(group.rows) for group in groups)
    if size > MAX_ROWS:
        raise TooLarge(f"at most {MAX_ROWS} rows fit in one request; this one has {size}")
    ids = np.full(size, NONE, np.int64)
    known = _Known.of(groups, visibility, urls)
    sound = [group for group in groups if known.takes(group)]
    if recognise:
        places, readings = _one_by_one(sound, known, None)
        found = recognised.put(readings)
        ids[places] = found.ids
        return _answer(ids, urls), found.new
    if columns := _columns(sound, known, now):
        spans = [np.arange(g.begin, g.begin + len(g.rows)) for g in sound]
        ids[np.concatenate(spans)] = store.append_columns(columns).ids
    else:
        places, readings = _one_by_one(sound, known, now)
        ids[places] = _kept(readings)
    return _answer(ids, urls), True


def _answer(ids: Int64, urls: Urls) -> bytes:
    start = f'"{urls.entity_set(OBSERVATION)}('.encode()
    keys = texts.listed(texts.integers(ids), len(ids))
    links = [b'"error"' if key == texts.NULL else start + key + b')"' for key in keys]
    return b"[" + b",".join(links) + b"]"


# --- the body ------------------------------------------------------------------------------------


def _groups(document: Any, urls: Urls) -> list[Group]:
    if not isinstance(document, list):
        raise Invalid("body", "must be a list of data arrays, one for each Datastream")
    words = Words.of(urls.face.types[OBSERVATION.name])
    groups: list[Group] = []
    begin = 0
    for place, item in enumerate(document):
        groups.append(_group(item, begin, f"[{place}]", urls, words))
        begin += len(groups[-1].rows)
    return groups


def _group(item: Any, begin: int, where: str, urls: Urls, words: Words) -> Group:
    if not isinstance(item, dict):
        raise Invalid(where, "must be a JSON object with Datastream, components and dataArray")
    types = urls.face.types
    several = types.get(MULTI_DATASTREAM.name)
    entity = several if several and several.name in item else types[DATASTREAM.name]
    stream = _stream(item.get(entity.name), entity, urls, f"{where}/{entity.name}")
    listed = item.get("dataArray")
    if not isinstance(listed, list):
        raise Invalid(f"{where}/dataArray", "must be a list of rows")
    components = _components(item.get("components"), words.known, f"{where}/components")
    return Group(entity, words, stream, components, listed, begin)


def _stream(named: Any, entity: EntityType, urls: Urls, where: str) -> int:
    """The id in a reference."""
    named = named if isinstance(named, dict) else {}
    if urls.face.by_address and isinstance(address := named.get(urls.face.address), str):
        key = urls.key(address, entity)
        return NONE if key is None else key
    for name in ("@iot.id", *(["id"] if urls.face.by_address else [])):
        if name in named:
            return _key(named[name])
    raise Invalid(where, f"must be a reference such as {urls.face.reference}")


def _components(listed: Any, known: frozenset[str], where: str) -> tuple[str, ...]:
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        raise Invalid(where, "must be a list of names")
    if unknown := [name for name in listed if name not in known]:
        possible = ", ".join(sorted(known - _IGNORED))
        raise Invalid(where, f"an Observation has no {unknown[0][:60]!r}; it has {possible}")
    if len(set(listed)) < len(listed):
        raise Invalid(where, "must not name anything twice")
    if "result" not in listed:
        raise Invalid(where, "must name the result")
    return tuple(listed)


def _key(value: Any) -> int:
    """The id, or one that nothing has."""
    try:
        return key_of(value, "@iot.id")
    except Invalid:
        return NONE


# --- what rows refer to --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Known:
    """The Datastreams that the caller may add to, the features that they may name, and the features
    of rows that name none (None where a Thing has no place). `results` are those that are held against
    what is sent: of MultiDatastreams, and in version 2.0 of all.
    """

    urls: Urls
    streams: frozenset[tuple[str, int]]
    named: frozenset[int]
    made: dict[int, int | None]
    results: dict[int, Results]

    @classmethod
    def of(cls, groups: Sequence[Group], visibility: Visibility, urls: Urls) -> "_Known":
        streams = frozenset(_writable(groups, visibility))
        without = {g.stream for g in groups if _lacks_features(g)} & {key for _, key in streams}
        named = _owners(FEATURE_OF_INTEREST, _features_named(groups), visibility.outside)
        checked = urls.face.odata
        asked = [key for name, key in streams if checked or name == MULTI_DATASTREAM.name]
        results = results_of(asked) if asked else {}
        made = {} if checked else _features_made(without)
        return cls(urls, streams, frozenset(named), made, results)

    @property
    def observation(self) -> EntityType:
        return self.urls.face.types[OBSERVATION.name]

    @property
    def makes(self) -> bool:
        """Whether a row needs a feature; version 2.0 can do without."""
        return not self.urls.face.odata

    def takes(self, group: Group) -> bool:
        """Whether any row of the group can be kept."""
        if (group.of.name, group.stream) not in self.streams:
            return False
        return group.names_features or not self.makes or self.made.get(group.stream) is not None

    def takes_numbers(self, group: Group) -> bool:
        """Whether a number is right in any case; version 1.1 takes all but for MultiDatastreams."""
        found = self.results.get(group.stream)
        return found is None or found.component is None or found.component["type"] == "Quantity"

    def feature(self, group: Group, named: Any) -> int | None:
        """Raises Invalid if it is not there."""
        if named is None and not self.makes:
            return None
        key = self.made.get(group.stream) if named is None else key_of(named, group.feature)
        if key is None or (named is not None and key not in self.named):
            raise Invalid(group.feature, "is not there")
        return key

    def result(self, group: Group, result: Any) -> Any:
        """As the store keeps it. Raises Invalid if it is none of the Datastream's."""
        found = self.results.get(group.stream)
        return result if found is None else kept(found, self.observation, result)


def _writable(groups: Sequence[Group], visibility: Visibility) -> Iterator[tuple[str, int]]:
    """Types and ids of what the caller may add to."""
    for entity in {group.of.name: group.of for group in groups}.values():
        asked = {group.stream for group in groups if group.rows and group.of is entity} - {NONE}
        for key, owner in _owners(entity, asked, visibility).items():
            if store.may_add_readings(key, owner, visibility):
                yield entity.name, key


def _owners(entity: EntityType, keys: Iterable[int], visibility: Visibility) -> dict[int, int]:
    """Whose those of the entities are that the caller may see."""
    found = [rows(access.owners(entity, part, visibility)) for part in _parts(keys)]
    return {key: owner for part in found for key, owner in part}


def _features_made(streams: Collection[int]) -> dict[int, int | None]:
    """The features of rows that name none; nearly all are there already."""
    found = [rows(sql.generated_features(part)) for part in _parts(streams)]
    made: dict[int, int | None] = {stream: feature for part in found for stream, feature in part}
    missing = [stream for stream in streams if stream not in made]
    return made | store.features_for(missing) if missing else made


def _parts(keys: Iterable[int]) -> Iterator[list[int]]:
    """So many at once as one statement takes."""
    listed = sorted(keys)
    for begin in range(0, len(listed), _AT_ONCE):
        yield listed[begin : begin + _AT_ONCE]


def _lacks_features(group: Group) -> bool:
    """Whether any row of the group names no feature."""
    if not group.names_features:
        return bool(group.rows)
    place = group.components.index(group.feature)
    return any(isinstance(r, list) and len(r) > place and r[place] is None for r in group.rows)


def _features_named(groups: Sequence[Group]) -> set[int]:
    named: set[int] = set()
    for group in groups:
        if group.names_features:
            place = group.components.index(group.feature)
            values = [r[place] for r in group.rows if isinstance(r, list) and len(r) > place]
            named.update(_key(value) for value in values if value is not None)
    return named - {NONE}


# --- all at once ---------------------------------------------------------------------------------


def _columns(groups: Sequence[Group], known: _Known, now: Micros) -> NewColumns | None:
    """All rows as columns; None if any of them is not plain, or not right."""
    if not groups or not all(_is_plain(g) and known.takes_numbers(g) for g in groups):
        return None
    results = _numbers(_together(groups, "result"))
    periods = _times(_together(groups, "phenomenonTime"), parse_periods)
    result_time = _times(_together(groups, "resultTime"), parse_instants)
    feature = _feature_column(groups, known)
    if results is None or periods is None or result_time is None or feature is None:
        return None
    start, end = periods
    sizes = [len(group.rows) for group in groups]
    return NewColumns(
        datastream=np.repeat(np.array([g.stream for g in groups], np.int64), sizes),
        phenomenon_start=np.where(start == NONE, now, start),
        result=results,
        phenomenon_end=end,
        result_time=result_time,
        feature=feature,
    )


def _is_plain(group: Group) -> bool:
    width = len(group.components)
    return (
        group.of is not MULTI_DATASTREAM
        and group.words.plain.issuperset(group.components)
        and set(map(type, group.rows)) <= {list}
        and set(map(len, group.rows)) <= {width}
    )


def _together(groups: Iterable[Group], name: str) -> list[Any]:
    return [value for group in groups for value in group.column(name)]


def _numbers(values: list[Any]) -> npt.NDArray[np.float64] | None:
    if not set(map(type, values)) <= {int, float}:
        return None
    numbers = np.array(values, np.float64)
    return numbers if (np.abs(numbers) < _EXACT).all() else None


def _times(values: list[Any], parse: Any) -> Any:
    return parse(values) if set(map(type, values)) <= {str, type(None)} else None


def _feature_column(groups: Sequence[Group], known: _Known) -> Int64 | None:
    values: list[int | None] = []
    for group in groups:
        made = known.made.get(group.stream)
        given = group.column(group.feature)
        if not all(
            value is None or (type(value) is int and value in known.named) for value in given
        ):
            return None
        values += [made if value is None else value for value in given]
    if not known.makes:
        values = [NONE if value is None else value for value in values]
    return None if None in values else np.array(values, np.int64)


# --- one by one ----------------------------------------------------------------------------------


def _one_by_one(
    groups: Sequence[Group], known: _Known, now: Micros | None
) -> tuple[list[int], list[Reading]]:
    """The readings that the rows describe, and their places; without `now` each needs its time."""
    places: list[int] = []
    readings: list[Reading] = []
    for group in groups:
        for place, row in enumerate(group.rows, group.begin):
            try:
                readings.append(_reading(group, row, known, now))
            except Invalid:
                continue
            places.append(place)
    return places, readings


def _reading(group: Group, row: Any, known: _Known, now: Micros | None) -> Reading:
    if not isinstance(row, list) or len(row) != len(group.components):
        raise Invalid("dataArray", "has a row that does not fit its components")
    document = dict(zip(group.components, row, strict=True))
    feature = known.feature(group, document.pop(group.feature, None))
    given = {k: v for k, v in document.items() if k not in _IGNORED}
    body = read_body(known.observation, given, "create", known.urls)
    if now is None and body.values.get("phenomenon_start") is None:
        raise Invalid("phenomenonTime", "is missing; by it an Observation is recognised")
    reading = reading_of(group.stream, body.values, default=Period(now or 0))
    return replace(reading, feature=feature, result=known.result(group, reading.result))


def _kept(readings: list[Reading]) -> list[int]:
    """The id of each; NONE for those that the store refuses."""
    try:
        return [receipt.id for receipt in store.append(readings)]
    except Invalid:
        futures = [_submitted(reading) for reading in readings]
        return [NONE if future is None else _kept_alone(future) for future in futures]


def _submitted(reading: Reading) -> Future[list[Receipt]] | None:
    try:
        return store.submit([reading])
    except Invalid:
        return None


def _kept_alone(future: Future[list[Receipt]]) -> int:
    try:
        return future.result()[0].id
    except Invalid:
        return NONE
