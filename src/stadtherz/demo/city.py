"""Sets up the demo city: organisations, people, devices, streams and their history.

Everything may run twice: what is there already stays as it is.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from django.utils.translation import override

from stadtherz.base.errors import NotFound
from stadtherz.base.time import SECOND, Micros, Period, now_us
from stadtherz.base.visibility import AccessLevel
from stadtherz.base.vocabulary import DISCHARGE, GROUNDWATER_DEPTH, WATER_LEVEL, Observable
from stadtherz.demo import worries
from stadtherz.demo.recordings import NEIGHBOUR, STATIONS, Source, Station, rows
from stadtherz.identity.public import create_organisation, organisation_id
from stadtherz.ingest.public import NewField, register_device
from stadtherz.kit.public import in_words
from stadtherz.kit.registry import services
from stadtherz.store.public import NewStream, Reading, append, feature_for, register_stream

CITY = "Kaiserslautern"

_MEASURES: Mapping[str, Observable] = {
    "level": WATER_LEVEL,
    "discharge": DISCHARGE,
    "groundwater": GROUNDWATER_DEPTH,
}
# What the city's staff call them. Their pages say it in English to those who read English: all of it is
# among the words that `kit.vocabulary` knows in both languages.
_GERMAN = {"level": "Wasserstand", "discharge": "Abfluss", "groundwater": "Grundwasserabstand"}
_STATION = "Messstelle der Vorführung. Sie spielt eine Aufzeichnung von einem anderen Ort ab."
_SENSOR = "Aufzeichnung"
_SENSOR_DETAILS = "Spielt ab, was ein Messgerät an einem anderen Ort gemessen hat."
# What a sensor can really see; readings beyond it are refused.
_LIMITS = {"level": (-50.0, 1000.0), "discharge": (0.0, 5000.0), "groundwater": (0.0, 5000.0)}
_HISTORY_BATCH = 2_000


@dataclass(slots=True)
class City:
    """The demo city as services' `Demo.call` get it."""

    organisation: int
    neighbour: int
    streams: dict[str, int] = field(default_factory=dict)

    def stream(self, key: str) -> int:
        """The datastream's id for a key such as "lauter.level"."""
        return self.streams[key]

    def source(self, key: str) -> Source:
        """Where the recording behind a datastream comes from."""
        return next(s.source for s in _all_stations() if key in s.fields.values())


def set_up(*, history: bool) -> City:
    """Create the demo city; with `history`, the recordings' past up to now, wanted only once."""
    city = City(
        organisation=_organisation(
            "kaiserslautern", f"Stadt {CITY}", "umwelt@kaiserslautern.example"
        ),
        neighbour=_organisation(
            "otterbach", "Verbandsgemeinde Otterbach", "umwelt@otterbach.example"
        ),
    )
    for station in _all_stations():
        _set_up_station(station, city)
    if history:
        for station in _all_stations():
            _import_history(station, city, until=_this_second())
        worries.set_up(city)
    for service in services():
        if service.demo is not None:
            service.demo.call(city)
    return city


def _organisation(slug: str, name: str, email: str) -> int:
    try:
        return organisation_id(slug)
    except NotFound:
        return create_organisation(slug, name, email)


def _this_second() -> Micros:
    return now_us() // SECOND * SECOND


def devices() -> list[dict[str, object]]:
    """The city's own devices, for a script that wants to send uplinks itself."""
    return [
        {
            "name": station.name,
            "network": station.network,
            "dev_eui": station.dev_eui,
            "fields": list(station.fields),
        }
        for station in STATIONS
    ]


def _all_stations() -> tuple[Station, ...]:
    return (*STATIONS, NEIGHBOUR)


def _set_up_station(station: Station, city: City) -> None:
    private = station is NEIGHBOUR
    owner = city.neighbour if private else city.organisation
    for key in station.fields.values():
        city.streams[key] = register_stream(_new_stream(station, key, owner, private=private))
    register_device(
        owner=owner,
        network=station.network,
        dev_eui=station.dev_eui,
        name=station.name,
        fields=[
            _field(path, city.streams[key], key.partition(".")[2])
            for path, key in station.fields.items()
        ],
    )


def _field(path: str, datastream: int, measure: str) -> NewField:
    minimum, maximum = _LIMITS[measure]
    return NewField(path=path, datastream=datastream, minimum=minimum, maximum=maximum)


def _new_stream(station: Station, key: str, owner: int, *, private: bool) -> NewStream:
    measure = key.partition(".")[2]
    observed = _MEASURES[measure]
    source = station.source
    return NewStream(
        owner=owner,
        thing_name=station.name,
        thing_description=_STATION,
        location={"type": "Point", "coordinates": [station.longitude, station.latitude]},
        sensor_name=f"{source.measured_at}: {_SENSOR}",
        sensor_description=_SENSOR_DETAILS,
        observed=observed,
        name=f"{station.name}: {_GERMAN[measure]}",
        description=_german(observed.description),
        access=AccessLevel.ORGANISATION if private else AccessLevel.PUBLIC,
        properties={
            "recorded_at": source.measured_at,
            "source": source.text,
            "licence": source.licence,
            "attribution": source.attribution,
        },
        thing_properties={"demo": True, "place": station.place},
    )


def _german(text: str) -> str:
    with override("de"):
        return in_words(text)


def _import_history(station: Station, city: City, *, until: Micros) -> None:
    """Store the past; after an interruption, its keys recognise what is there already."""
    for batch in _batches(_history(station, city, until)):
        append(batch)


def _history(station: Station, city: City, until: Micros) -> Iterator[Reading]:
    """The recording before its live part, laid so that the next row is due at `until`."""
    past = rows(station.recording)[: station.live_from]
    features = {key: feature_for(city.streams[key]) for key in station.fields.values()}
    shift = until - station.row(0).offset
    for row in past:
        for path, key in station.fields.items():
            yield Reading(
                datastream=city.streams[key],
                feature=features[key],
                phenomenon_time=Period(shift + row.offset),
                result=row.values[path],
                result_time=shift + row.offset,
                key=f"demo:{station.key}:{row.offset}",
            )


def _batches(readings: Iterable[Reading]) -> Iterator[list[Reading]]:
    batch: list[Reading] = []
    for reading in readings:
        batch.append(reading)
        if len(batch) == _HISTORY_BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
