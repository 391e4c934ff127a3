"""A device that travels: its Thing's place follows the longitude and latitude that it sends."""

from collections.abc import Iterator

import pytest
from django.core.exceptions import ValidationError

from stadtherz.base.vocabulary import Observable, Unit
from stadtherz.ingest.models import Device
from stadtherz.ingest.moving import following
from stadtherz.ingest.moving.following import LEAST_M, NAME, metres
from stadtherz.ingest.public import NewField, moving_consumer, register_device
from stadtherz.ingest.tests.factories import EUI, Town, deliver, make_stream, time_of, tts
from stadtherz.ingest.values.positions import checked_place, paths_of_position
from stadtherz.store.models import Cursor, HistoricalLocation, Location, Thing
from stadtherz.stream.public import drain, register, unregister

DEGREES = Unit("degree", "°", "http://unitsofmeasure.org/ucum.html#deg")
MARKET, CASTLE = (7.7689, 49.4447), (7.7712, 49.4460)  # some 220 m apart


@pytest.fixture
def tracker(town: Town) -> Iterator[Town]:
    """The town's gauge, which tells where it is."""
    fields = [
        NewField(f"gps.{name}", make_stream(town.organisation, observed(name)))
        for name in ("longitude", "latitude")
    ]
    register_device(town.organisation, "tts", EUI, "Gauge of town", fields=fields)
    travel(town)
    register(moving_consumer())
    yield town
    unregister(NAME)


def observed(name: str) -> Observable:
    return Observable(name, name, name, f"http://example.org/{name}", DEGREES)


def travel(town: Town, *, moves: bool = True) -> None:
    device = Device.objects.get(pk=town.device)
    device.moves = moves
    device.full_clean()
    device.save()


def at(town: Town, number: int, place: tuple[float, float] | None) -> None:
    """Its `number`th message, and what comes of it."""
    told = {} if place is None else {"gps": {"longitude": place[0], "latitude": place[1]}}
    deliver(town, tts(number, level_cm=100, **told))
    drain()


def track() -> list[tuple[int, tuple[float, float]]]:
    """Where the Thing has been since it was set up, by the number of the message."""
    rows = HistoricalLocation.objects.order_by("time").prefetch_related("locations")
    minutes = {time_of(number): number for number in range(-10, 100)}
    return [
        (minutes[row.time], tuple(row.locations.get().location["coordinates"]))
        for row in rows
        if row.time in minutes
    ]


def now_at() -> tuple[float, float]:
    place = Thing.objects.get(name="Gauge").locations.get()
    return tuple(place.location["coordinates"])


def never_placed(town: Town) -> None:
    """As a tracker that nobody has put on the map."""
    HistoricalLocation.objects.all().delete()
    Thing.objects.get(name="Gauge").locations.clear()


def test_the_thing_follows_and_its_history_is_kept(tracker: Town) -> None:
    never_placed(tracker)
    at(tracker, 1, MARKET)
    assert now_at() == MARKET
    at(tracker, 2, CASTLE)
    assert now_at() == CASTLE
    assert track() == [(1, MARKET), (2, CASTLE)]


def test_the_place_belongs_to_whom_the_thing_belongs_to(tracker: Town) -> None:
    never_placed(tracker)
    thing = Thing.objects.get(name="Gauge")
    thing.access = "organisation"
    thing.save()
    at(tracker, 1, MARKET)
    place = thing.locations.get()
    assert (place.owner_id, place.access, place.name) == (
        tracker.organisation,
        "organisation",
        "Gauge",
    )


def test_a_receiver_that_wanders_a_little_stands_still(tracker: Town) -> None:
    never_placed(tracker)
    at(tracker, 1, MARKET)
    at(tracker, 2, (MARKET[0] + 0.0002, MARKET[1]))
    assert track() == [(1, MARKET)]


def test_messages_without_a_place_and_impossible_ones_move_nothing(tracker: Town) -> None:
    never_placed(tracker)
    at(tracker, 1, MARKET)
    for number, place in enumerate([None, (0, 0), (181.0, 49.0), (7.0, -90.5)], 2):
        at(tracker, number, place)
    assert track() == [(1, MARKET)]


def test_a_place_that_comes_late_is_history_alone(tracker: Town) -> None:
    never_placed(tracker)
    at(tracker, 5, MARKET)
    at(tracker, 3, CASTLE)
    assert track() == [(3, CASTLE), (5, MARKET)]
    assert now_at() == MARKET


def test_what_is_handed_over_again_moves_nothing_again(tracker: Town) -> None:
    never_placed(tracker)
    at(tracker, 1, MARKET)
    at(tracker, 2, CASTLE)
    places = Location.objects.count()
    Cursor.objects.filter(consumer=NAME).update(position=0)
    drain()
    assert track() == [(1, MARKET), (2, CASTLE)]
    assert Location.objects.count() == places


def test_a_long_drive_is_followed_in_parts(tracker: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_MOST_MOVES", 2)
    never_placed(tracker)
    drive = [(MARKET[0] + 0.01 * number, MARKET[1]) for number in range(7)]
    for number, place in enumerate(drive, 1):
        deliver(tracker, tts(number, gps={"longitude": place[0], "latitude": place[1]}))
    drain()
    assert track() == list(enumerate(drive, 1))


def test_who_does_not_travel_stays_where_it_is(tracker: Town) -> None:
    stands = now_at()
    travel(tracker, moves=False)
    at(tracker, 1, CASTLE)
    assert now_at() == stands
    assert track() == []


def test_a_device_without_a_place_of_its_own_cannot_travel(town: Town) -> None:
    with pytest.raises(ValidationError) as told:
        travel(town)
    assert "moves" in told.value.error_dict


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        (["t", "lat", "lon"], ("lon", "lat")),
        (
            ["gps_1.latitude", "gps_1.longitude", "gps_1.altitude"],
            ("gps_1.longitude", "gps_1.latitude"),
        ),
        (["gpsLatitude", "gpsLongitude"], ("gpsLongitude", "gpsLatitude")),
        (["a.lat", "b.lon"], None),
        (["start_lat", "end_lon"], None),
        (["longitude"], None),
        (["colon", "salat"], None),
        ([], None),
    ],
)
def test_two_fields_that_belong_together(paths: list[str], found: tuple[str, str] | None) -> None:
    assert paths_of_position(paths) == found


def test_distances() -> None:
    assert metres(MARKET, CASTLE) == pytest.approx(220, abs=5)
    assert metres((0.0, 0.0), (0.0, 1.0)) == pytest.approx(
        111_195, abs=1
    )  # a degree of the meridian
    assert metres((179.9, 0.0), (-179.9, 0.0)) < 23_000
    assert metres(MARKET, (MARKET[0] + 0.0002, MARKET[1])) < LEAST_M


def test_places_on_earth() -> None:
    assert checked_place(7, 49) == (7.0, 49.0)
    assert checked_place(True, 49) is None
    assert checked_place("7", 49) is None
