"""Small random cities, once in the store and once as plain dictionaries for the reference."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random
from typing import Any

from stadtherz.base.time import DAY, HOUR, SECOND, Micros, Period, iso, parse_instant
from stadtherz.base.visibility import ANONYMOUS, Visibility
from stadtherz.sensorthings.standard.schema import AS_ARRAYS, COMPLEX
from stadtherz.sensorthings.tests.client import member, operator
from stadtherz.store.public import (
    Reading,
    append,
    create,
    create_dataset,
    create_organisation,
    dataset,
    with_shares,
)

START = parse_instant("2026-01-01T00:00:00Z")
NAMES = ("a", "b", "B", "ab", "10", "a%b_", "ä")
JSON_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    2.5,
    -3,
    10,
    "a",
    "10",
    "",
    {"x": 1},
    [1, "a"],
)


def wire_time(us: Micros) -> str:
    """As an answer shows an instant: with milliseconds also where they are zero."""
    return iso(us) if us % SECOND else iso(us).replace("Z", ".000Z")


@dataclass
class Row:
    """An entity: properties by their names on the wire, links to one as ids, to many as lists."""

    type: str
    id: int
    values: dict[str, Any]
    links: dict[str, Any]
    access: tuple[str, int, int | None] = ("public", 0, None)


@dataclass
class Group:
    """A data set: whose it is, and its members."""

    owner: int
    things: list[int]
    streams: list[int]


@dataclass
class World:
    rows: dict[str, dict[int, Row]] = field(default_factory=dict)
    callers: list[Visibility] = field(default_factory=list)
    groups: dict[int, Group] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        self.rows.setdefault(row.type, {})[row.id] = row

    def sees(self, caller: Visibility, row: Row) -> bool:
        """What may be read; within a data set, of this what hangs on members that may be read, too."""
        if row.type == "Observation":
            (kind,) = {"Datastream", "MultiDatastream"} & row.links.keys()
            return self.sees(caller, self.rows[kind][row.links[kind]])
        if row.type == "Task":
            capability = row.links["TaskingCapability"]
            return self.sees(caller, self.rows["TaskingCapability"][capability])
        if row.type == "HistoricalLocation":
            return self.sees(caller, self.rows["Thing"][row.links["Thing"]])
        if not self.reads(caller, row):
            return False
        if caller.dataset is None:
            return True
        group = self.groups[caller.dataset]
        return self.belongs(group, row, lambda member: self.reads(caller, member))

    def reads(self, caller: Visibility, row: Row) -> bool:
        """The rule of the brief: a Datastream needs its Thing, readings and history follow."""
        thing = row.links.get("Thing")
        if thing is not None and not self.reads(caller, self.rows["Thing"][thing]):
            return False
        access, owner, group = row.access
        if caller.may_read(access=access, owner=owner, group=group):
            return True
        if row.type in ("TaskingCapability", "Actuator"):  # shares are about readings
            return False
        shared = [self.groups[share.dataset] for share in caller.shares]
        return any(
            owner == each.owner and self.belongs(each, row, partial(_is_of, each.owner))
            for each in shared
        )

    def belongs(self, group: Group, row: Row, counts: Callable[[Row], bool]) -> bool:
        """Whether the row is a member, or hangs on one that counts."""
        streams = [s for s in self.streams() if self._is_member(group, s) and counts(s)]
        if row.type in ("Datastream", "MultiDatastream"):
            return self._is_member(group, row)
        if row.type == "Thing":
            return row.id in group.things or any(
                s.links["Thing"] == row.id for s in streams if s.id in group.streams
            )
        if row.type == "Location":
            things = [
                t.id for t in self.all("Thing") if counts(t) and self.belongs(group, t, counts)
            ]
            past = [h for h in self.all("HistoricalLocation") if h.links["Thing"] in things]
            now = [self.rows["Thing"][key] for key in things]
            return any(row.id in place.links["Locations"] for place in (*past, *now))
        if row.type == "TaskingCapability":
            return row.links["Thing"] in group.things
        if row.type == "Actuator":
            told = [c for c in self.all("TaskingCapability") if self.belongs(group, c, counts)]
            return any(c.links["Actuator"] == row.id for c in told if counts(c))
        if row.type == "FeatureOfInterest":
            held = {stream.id for stream in streams}
            found = [o for o in self.all("Observation") if _stream_of(o) in held]
            return any(o.links["FeatureOfInterest"] == row.id for o in found)
        if row.type == "ObservedProperty":
            return any(row.id in _observed(stream) for stream in streams)
        return any(stream.links[row.type] == row.id for stream in streams)

    def _is_member(self, group: Group, stream: Row) -> bool:
        return stream.id in group.streams or stream.links["Thing"] in group.things

    def streams(self) -> list[Row]:
        return [*self.all("Datastream"), *self.all("MultiDatastream")]

    def all(self, kind: str) -> list[Row]:
        return list(self.rows.get(kind, {}).values())


def _stream_of(reading: Row) -> int:
    links = reading.links
    key: int = links["Datastream"] if "Datastream" in links else links["MultiDatastream"]
    return key


def _observed(stream: Row) -> list[int]:
    return stream.links.get("ObservedProperties") or [stream.links["ObservedProperty"]]


def _is_of(owner: int, row: Row) -> bool:
    return row.access[1] == owner


@dataclass
class Builder:
    """Creates entities in the store as the operator and notes what it has created."""

    random: Random
    world: World = field(default_factory=World)
    combined: bool = False
    """Whether there are MultiDatastreams, too, which the versions show in different sets."""

    def __post_init__(self) -> None:
        self.ours = create_organisation("ours", "Ours")
        self.theirs = create_organisation("theirs", "Theirs")
        self.operator = operator(self.ours)
        self.world.callers = [ANONYMOUS, member(self.ours), member(self.theirs), self.operator]

    ours: int = field(init=False)
    theirs: int = field(init=False)
    operator: Visibility = field(init=False)

    def entity(
        self, kind: Any, columns: dict[str, Any], values: dict[str, Any], links: dict[str, Any]
    ) -> int:
        owner = self.random.choice([self.ours, self.theirs])
        access = self.random.choice(["public", "public", "organisation"])
        owned = (
            {}
            if kind in ("HistoricalLocation", "Task")
            else {"owner": owner, "access": access, "group": None}
        )
        stored_as = "Datastream" if kind == "MultiDatastream" else kind
        key = create(stored_as, {**owned, **columns}, self.operator)
        rule = (access, owner, None) if owned else ("public", owner, None)
        self.world.add(Row(kind, key, values, links, rule))
        return key

    def described(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The columns and wire values that most entities share."""
        properties = self.random.choice(
            [
                None,
                {},
                {
                    "n": self.random.choice(JSON_VALUES),
                    "deep": {"m": self.random.choice(JSON_VALUES)},
                },
            ]
        )
        columns = {
            "name": self.random.choice(NAMES),
            "description": self.random.choice(NAMES),
            "properties": properties,
        }
        values = dict(columns)
        if properties is None:
            del values["properties"]
        return columns, values

    def build(self) -> World:
        r = self.random
        places = [self.location() for _ in range(r.randint(1, 3))]
        things = [
            self.thing(r.sample(places, r.randint(0, len(places)))) for _ in range(r.randint(1, 3))
        ]
        sensors = [self.sensor() for _ in range(r.randint(1, 2))]
        properties = [self.observed_property() for _ in range(r.randint(1, 2))]
        features = [self.feature() for _ in range(r.randint(1, 2))]
        for thing in things:
            if self.world.rows["Thing"][thing].links["Locations"]:  # else it would move there
                self.history(thing, r.sample(places, 1))
            for _ in range(r.randint(0, 2)):
                self.datastream(thing, r.choice(sensors), r.choice(properties), features)
            if self.combined and r.random() < 0.4:
                observed = sorted(r.sample(properties, r.randint(1, len(properties))))
                self.multi_datastream(thing, r.choice(sensors), observed, features)
        actuators = [self.actuator() for _ in range(r.randint(1, 2))]
        for thing in things:
            for _ in range(r.randint(0, 2)):
                self.capability(thing, r.choice(actuators))
        self.datasets()
        return self.world

    def datasets(self) -> None:
        """Data sets of either side, shared with nobody or the other, and callers who ask in them."""
        r, world = self.random, self.world
        for number in range(r.randint(0, 2)):
            things = [row.id for row in world.all("Thing")]
            streams = [row.id for row in world.streams()]
            owner = r.choice([self.ours, self.theirs])
            group = Group(owner, _some(r, things, 1), _some(r, streams, 2))
            document = {
                "slug": f"set-{number}",
                "title": "Set",
                "owner": owner,
                "things": group.things,
                "datastreams": group.streams,
                "readers": r.choice([[], [self.ours], [self.theirs]]),
            }
            create_dataset(document, self.operator)
            world.groups[dataset(f"set-{number}", self.operator).id] = group
        callers = [with_shares(caller) for caller in world.callers]
        within = [replace(caller, dataset=key) for caller in callers for key in world.groups]
        world.callers = [*within, *callers]

    def location(self) -> int:
        columns, values = self.described()
        place = {
            "type": "Point",
            "coordinates": [self.random.randint(0, 3), self.random.randint(0, 3)],
        }
        more = {"encodingType": "application/geo+json", "location": place}
        stored = {"encoding_type": "application/geo+json", "location": place}
        return self.entity("Location", {**columns, **stored}, {**values, **more}, {})

    def thing(self, places: list[int]) -> int:
        columns, values = self.described()
        return self.entity(
            "Thing", {**columns, "locations": places}, values, {"Locations": sorted(places)}
        )

    def history(self, thing: int, places: list[int]) -> int:
        time = START - self.random.randint(1, 3) * DAY  # older than what the store has added itself
        links = {"Thing": thing, "Locations": places}
        columns = {"time": time, "thing": thing, "locations": places}
        return self.entity("HistoricalLocation", columns, {"time": wire_time(time)}, links)

    def sensor(self) -> int:
        columns, values = self.described()
        metadata = self.random.choice(["a", {"x": 1}, 5])
        more = {"encodingType": "application/pdf", "metadata": metadata}
        stored = {"encoding_type": "application/pdf", "metadata": metadata}
        return self.entity("Sensor", {**columns, **stored}, {**values, **more}, {})

    def actuator(self) -> int:
        columns, values = self.described()
        more = {"encodingType": "text/html", "metadata": {"x": 1}}
        stored = {"encoding_type": "text/html", "metadata": {"x": 1}}
        return self.entity("Actuator", {**columns, **stored}, {**values, **more}, {})

    def capability(self, thing: int, actuator: int) -> None:
        """With Tasks that say whatever they like: the store does not ask."""
        columns, values = self.described()
        record = {"type": "DataRecord", "field": [{"type": "Count", "name": "n"}]}
        key = self.entity(
            "TaskingCapability",
            {**columns, "tasking_parameters": record, "thing": thing, "actuator": actuator},
            {**values, "taskingParameters": record},
            {"Thing": thing, "Actuator": actuator},
        )
        for hour in range(self.random.randint(0, 2)):
            told, time = {"n": self.random.choice(JSON_VALUES)}, START + hour * HOUR
            self.entity(
                "Task",
                {"tasking_parameters": told, "creation_time": time, "tasking_capability": key},
                {"taskingParameters": told, "creationTime": wire_time(time)},
                {"TaskingCapability": key},
            )

    def observed_property(self) -> int:
        columns, values = self.described()
        definition = {"definition": self.random.choice(NAMES)}
        return self.entity(
            "ObservedProperty", {**columns, **definition}, {**values, **definition}, {}
        )

    def feature(self) -> int:
        columns, values = self.described()
        place = {
            "type": "Point",
            "coordinates": [self.random.randint(0, 3), self.random.randint(0, 3)],
        }
        more = {"encodingType": "application/geo+json", "feature": place}
        stored = {"encoding_type": "application/geo+json", "feature": place}
        return self.entity("FeatureOfInterest", {**columns, **stored}, {**values, **more}, {})

    def datastream(self, thing: int, sensor: int, prop: int, features: list[int]) -> None:
        columns, values = self.described()
        unit = {"name": self.random.choice(NAMES), "symbol": "m", "definition": "ucum:m"}
        links = {"Thing": thing, "Sensor": sensor, "ObservedProperty": prop}
        stored = {
            "observation_type": "OM",
            "unit_of_measurement": unit,
            "thing": thing,
            "sensor": sensor,
            "observed_property": prop,
        }
        more = {"observationType": "OM", "unitOfMeasurement": unit}
        key = self.entity("Datastream", {**columns, **stored}, {**values, **more}, links)
        self.readings("Datastream", key, features)

    def multi_datastream(
        self, thing: int, sensor: int, properties: list[int], features: list[int]
    ) -> None:
        """Its ObservedProperties are in the order of their ids, as the reference shows them."""
        columns, values = self.described()
        kinds = [self.random.choice(["OM", "b"]) for _ in properties]
        units = [{"name": self.random.choice(NAMES)} for _ in properties]
        links = {"Thing": thing, "Sensor": sensor, "ObservedProperties": properties}
        stored = {
            "observation_type": COMPLEX,
            "unit_of_measurement": {},
            "result_encoding": AS_ARRAYS,
            "data_types": kinds,
            "units": units,
            "thing": thing,
            "sensor": sensor,
            "observed": properties,
        }
        more = {
            "observationType": COMPLEX,
            "multiObservationDataTypes": kinds,
            "unitOfMeasurements": units,
        }
        key = self.entity("MultiDatastream", {**columns, **stored}, {**values, **more}, links)
        self.readings("MultiDatastream", key, features)

    def readings(self, kind: str, stream: int, features: list[int]) -> None:
        readings = [
            self.reading(stream, features, hour) for hour in range(self.random.randint(0, 4))
        ]
        if kind == "MultiDatastream":
            readings = [
                replace(each, result=[each.result, hour]) for hour, each in enumerate(readings)
            ]
        for reading, receipt in zip(readings, append(readings), strict=True):
            self.note_reading(kind, reading, receipt.id)
        self.note_extents(kind, stream, readings)

    def reading(self, stream: int, features: list[int], hour: int) -> Reading:
        start = START + hour * HOUR
        return Reading(
            datastream=stream,
            phenomenon_time=Period(
                start, self.random.choice([None, start + HOUR, start + 2 * HOUR])
            ),
            result=self.random.choice(JSON_VALUES),
            result_time=self.random.choice([None, start + HOUR, START]),
            feature=self.random.choice([None, *features]),
            parameters=self.random.choice([None, {"n": 1}, {"n": "a"}]),
        )

    def note_reading(self, kind: str, reading: Reading, key: int) -> None:
        period = reading.phenomenon_time
        end = "" if period.end is None else f"/{wire_time(period.end)}"
        values = {
            "phenomenonTime": wire_time(period.start) + end,
            "resultTime": None if reading.result_time is None else wire_time(reading.result_time),
            "result": reading.result,
        }
        if reading.parameters is not None:
            values["parameters"] = reading.parameters
        links = {kind: reading.datastream, "FeatureOfInterest": reading.feature}
        self.world.add(Row("Observation", key, values, links))

    def note_extents(self, kind: str, stream: int, readings: list[Reading]) -> None:
        values = self.world.rows[kind][stream].values
        features = self.world.rows["FeatureOfInterest"]
        places = [
            features[r.feature].values["feature"]["coordinates"]
            for r in readings
            if r.feature is not None
        ]
        if places:
            values["observedArea"] = _area(*zip(*places, strict=True))
        spans = [(r.phenomenon_time.start, r.phenomenon_time.last) for r in readings]
        results = [r.result_time for r in readings if r.result_time is not None]
        if spans:
            first, last = min(s for s, _ in spans), max(e for _, e in spans)
            values["phenomenonTime"] = f"{wire_time(first)}/{wire_time(last)}"
        if results:
            values["resultTime"] = f"{wire_time(min(results))}/{wire_time(max(results))}"


def _some(random: Random, keys: list[int], most: int) -> list[int]:
    return random.sample(keys, random.randint(0, min(most, len(keys))))


def _area(longitudes: tuple[int, ...], latitudes: tuple[int, ...]) -> dict[str, Any]:
    west, east, south, north = min(longitudes), max(longitudes), min(latitudes), max(latitudes)
    if west == east and south == north:
        return {"type": "Point", "coordinates": [west, south]}
    if west == east or south == north:
        return {"type": "LineString", "coordinates": [[west, south], [east, north]]}
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}
