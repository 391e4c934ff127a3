"""Entities: who may change what, and what goes with what."""

from typing import Any

import pytest

from stadtherz.base.errors import Conflict, Forbidden, Invalid, NotFound
from stadtherz.base.visibility import ANONYMOUS, SYSTEM, Scope, Visibility
from stadtherz.base.vocabulary import BATTERY
from stadtherz.store.models import (
    AccessGroup,
    Datastream,
    FeatureOfInterest,
    HistoricalLocation,
    Location,
    ObservedProperty,
    Organisation,
    Sensor,
    Thing,
)
from stadtherz.store.public import (
    Entity,
    append,
    create,
    create_organisation,
    delete,
    entity_changed,
    extents,
    feature_for,
    features_for,
    organisations,
    register_stream,
    streams,
    streams_observing,
    streams_visible_to,
    update,
)
from stadtherz.store.tests.factories import (
    PLACE,
    UNIT,
    location,
    new_stream,
    reading,
    results,
    staff_of,
    stream,
    thing,
    town,
)

pytestmark = pytest.mark.django_db


def datastream_values(owner: int, **changes: Any) -> dict[str, Any]:
    sensor = create("Sensor", {"name": "S", "metadata": "m", "owner": owner}, SYSTEM)
    observed = create("ObservedProperty", {"name": "P", "definition": "p", "owner": owner}, SYSTEM)
    values = {
        "name": "Level",
        "unit_of_measurement": UNIT,
        "thing": thing(owner),
        "sensor": sensor,
        "observed_property": observed,
    }
    return values | changes


# --- creating ------------------------------------------------------------------------------------


def test_what_staff_create_belongs_to_their_home() -> None:
    home = town()
    key = create("Thing", {"name": "Bridge", "properties": {"a": [1]}}, staff_of(home))
    created = Thing.objects.get(pk=key)
    assert (created.owner_id, created.access, created.properties) == (home, "public", {"a": [1]})


def test_a_datastream_takes_owner_and_access_of_its_thing() -> None:
    owner = town()
    values = datastream_values(owner, thing=thing(owner, access="organisation"))
    created = Datastream.objects.get(pk=create("Datastream", values, SYSTEM))
    assert (created.owner_id, created.access) == (owner, "organisation")


def test_nobody_creates_for_another_organisation() -> None:
    home, other = town("a"), town("b")
    with pytest.raises(Forbidden):
        create("Thing", {"name": "x", "owner": other}, staff_of(home))


def test_nobody_hangs_a_datastream_on_a_foreign_thing() -> None:
    home, other = town("a"), town("b")
    with pytest.raises(Forbidden):
        create("Datastream", datastream_values(other) | {"owner": home}, staff_of(home))


@pytest.mark.parametrize("visibility", [ANONYMOUS, Visibility(scopes=frozenset({Scope.WRITE}))])
def test_strangers_create_nothing(visibility: Visibility) -> None:
    with pytest.raises(Forbidden):
        create("Thing", {"name": "x"}, visibility)


def test_a_token_that_may_only_read_creates_nothing() -> None:
    with pytest.raises(Forbidden):
        create("Thing", {"name": "x"}, staff_of(town(), scopes=frozenset({Scope.READ})))


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("name", {}),
        ("name", {"name": ""}),
        ("name", {"name": " "}),
        ("name", {"name": 5}),
        ("name", {"name": None}),
        ("name", {"name": "x" * 256}),
        ("name", {"name": "a\0b"}),
        ("description", {"name": "x", "description": "\0"}),
        ("properties", {"name": "x", "properties": {"a": "\0"}}),
        ("properties", {"name": "x", "properties": {"a": float("nan")}}),
        ("access", {"name": "x", "access": "secret"}),
        ("group", {"name": "x", "access": "group"}),
        ("group", {"name": "x", "access": "group", "group": 999}),
        ("colour", {"name": "x", "colour": "red"}),
        ("locations", {"name": "x", "locations": [999]}),
        ("locations", {"name": "x", "locations": "1"}),
        ("id", {"name": "x", "id": 5}),
    ],
)
def test_a_value_that_cannot_be_accepted_is_named(field: str, values: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as caught:
        create("Thing", values, staff_of(town()))
    assert caught.value.field == field
    assert not Thing.objects.exists()


@pytest.mark.parametrize("field", ["thing", "sensor", "observed_property", "unit_of_measurement"])
def test_a_datastream_needs_what_it_consists_of(field: str) -> None:
    values = datastream_values(town())
    del values[field]
    with pytest.raises(Invalid) as caught:
        create("Datastream", values, SYSTEM)
    assert caught.value.field in (field, "owner")


def test_a_hidden_entity_cannot_be_referred_to() -> None:
    home, other = town("a"), town("b")
    secret = create(
        "Sensor", {"name": "S", "metadata": "m", "owner": other, "access": "organisation"}, SYSTEM
    )
    with pytest.raises(Invalid, match="no such entity"):
        create("Datastream", datastream_values(home, sensor=secret), staff_of(home))


# --- changing ------------------------------------------------------------------------------------


def test_an_update_leaves_the_other_values() -> None:
    home = town()
    key = thing(home, description="old")
    update("Thing", key, {"name": "New"}, staff_of(home))
    changed = Thing.objects.get(pk=key)
    assert (changed.name, changed.description) == ("New", "old")


def test_strangers_may_see_but_not_change_what_is_public() -> None:
    key = thing(town("a"))
    with pytest.raises(Forbidden):
        update("Thing", key, {"name": "x"}, staff_of(town("b")))
    with pytest.raises(Forbidden):
        delete("Thing", key, ANONYMOUS)


def test_what_is_hidden_looks_like_what_does_not_exist() -> None:
    key = thing(town("a"), access="organisation")
    stranger = staff_of(town("b"))
    for act in (
        lambda: update("Thing", key, {"name": "x"}, stranger),
        lambda: delete("Thing", key, stranger),
    ):
        with pytest.raises(NotFound):
            act()


def test_nobody_gives_an_entity_to_another_organisation() -> None:
    home, other = town("a"), town("b")
    key = thing(home)
    with pytest.raises(Forbidden):
        update("Thing", key, {"owner": other}, staff_of(home))
    assert Thing.objects.get(pk=key).owner_id == home


def test_every_change_is_announced() -> None:
    heard: list[tuple[str, str, int, dict[str, Any]]] = []

    def hear(actor: str, action: str, owner: int, changes: dict[str, Any], **_: Any) -> None:
        heard.append((actor, action, owner, changes))

    entity_changed.connect(hear)
    home = town()
    staff = staff_of(home)
    key = create("Thing", {"name": "a"}, staff)
    update("Thing", key, {"name": "b"}, staff)
    delete("Thing", key, staff)
    entity_changed.disconnect(hear)
    assert heard == [
        (staff.actor, "create", home, {"name": "a"}),
        (staff.actor, "update", home, {"name": "b"}),
        (staff.actor, "delete", home, {}),
    ]


# --- deleting ------------------------------------------------------------------------------------


@pytest.mark.parametrize("entity", ["Thing", "Sensor", "ObservedProperty", "Datastream"])
def test_readings_go_with_what_they_belong_to(entity: Entity) -> None:
    level = stream()
    append([reading(level)])
    found = Datastream.objects.get()
    keys = {
        "Thing": found.thing_id,
        "Sensor": found.sensor_id,
        "ObservedProperty": found.observed_property_id,
        "Datastream": level,
    }
    delete(entity, keys[entity], SYSTEM)
    assert results() == []
    assert extents([level]) == {}
    assert not Datastream.objects.exists()


def test_readings_go_too_if_an_entity_is_deleted_by_other_means() -> None:
    level = stream()
    append([reading(level)])
    Thing.objects.all().delete()
    assert results() == []
    assert extents([level]) == {}


def test_readings_go_with_their_feature_of_interest() -> None:
    level = stream()
    feature = feature_for(level)
    append([reading(level, 1, 1, feature=feature), reading(level, 2, 2)])
    delete("FeatureOfInterest", feature or 0, SYSTEM)
    assert results() == [2]


def test_a_location_goes_with_its_history_but_not_its_thing() -> None:
    owner = town()
    place = location(owner)
    bridge = thing(owner, locations=[place])
    delete("Location", place, SYSTEM)
    assert not HistoricalLocation.objects.exists()
    assert Thing.objects.get(pk=bridge).locations.count() == 0


def test_a_sensor_that_others_use_cannot_be_deleted() -> None:
    home, other = town("a"), town("b")
    sensor = create("Sensor", {"name": "S", "metadata": "m", "owner": home}, SYSTEM)
    create("Datastream", datastream_values(other, sensor=sensor), SYSTEM)
    with pytest.raises(Conflict):
        delete("Sensor", sensor, staff_of(home))
    assert Datastream.objects.exists()


def test_what_does_not_exist_is_not_found() -> None:
    with pytest.raises(NotFound):
        delete("Thing", 999, SYSTEM)


# --- places --------------------------------------------------------------------------------------


def test_a_thing_that_moves_leaves_a_trace() -> None:
    owner = town()
    here, there = location(owner), location(owner)
    bridge = thing(owner, locations=[here])
    update("Thing", bridge, {"locations": [there]}, SYSTEM)
    trace = [
        list(h.locations.values_list("pk", flat=True))
        for h in HistoricalLocation.objects.order_by("time", "pk")
    ]
    assert trace == [[here], [there]]


def test_a_newer_historical_location_moves_the_thing() -> None:
    owner = town()
    here, there = location(owner), location(owner)
    bridge = thing(owner, locations=[here])
    for time, expected in ((0, here), (4_000_000_000_000_000, there)):
        create("HistoricalLocation", {"thing": bridge, "time": time, "locations": [there]}, SYSTEM)
        assert list(Thing.objects.get(pk=bridge).locations.values_list("pk", flat=True)) == [
            expected
        ]


def test_a_feature_is_made_once_from_the_things_place() -> None:
    level = stream()
    feature = feature_for(level)
    assert feature_for(level) == feature
    assert FeatureOfInterest.objects.get().feature == PLACE


def test_a_thing_without_place_has_no_feature() -> None:
    assert feature_for(stream(location=None)) is None
    with pytest.raises(NotFound):
        feature_for(999)


# --- registration --------------------------------------------------------------------------------


def test_a_stream_is_registered_with_everything_it_needs_and_only_once() -> None:
    owner = town()
    level = register_stream(new_stream(owner))
    assert register_stream(new_stream(owner)) == level
    second = register_stream(new_stream(owner, name="Battery", observed=BATTERY))
    models = (Thing, Location, HistoricalLocation, Sensor, ObservedProperty, Datastream)
    assert [model.objects.count() for model in models] == [1, 1, 1, 1, 2, 2]
    assert set(streams([level, second, 999])) == {level, second}


def test_a_stream_tells_what_lies_around_it() -> None:
    level = stream()
    info = streams([level])[level]
    assert (info.thing_name, info.position) == ("Gauge at the mill", (7.77, 49.44))
    assert (info.unit_symbol, info.owner_name) == ("cm", "Lautern")
    assert streams_observing(["http://example.org/level"]) == {level}
    assert streams_observing([]) == frozenset()


def test_a_place_that_is_no_geometry_has_no_position() -> None:
    level = stream()
    Location.objects.update(location={"room": "A 12"})
    assert streams([level])[level].position is None


def test_a_stream_of_nobody_is_not_found() -> None:
    with pytest.raises(NotFound):
        register_stream(new_stream(999))


def test_organisations_have_unique_short_names() -> None:
    key = create_organisation("lautern", "Lautern")
    assert organisations() == [(key, "lautern", "Lautern")]
    with pytest.raises(Conflict):
        create_organisation("lautern", "Another")
    with pytest.raises(Invalid):
        create_organisation("", "Nameless")


@pytest.mark.parametrize("thing_access", ["public", "organisation", "group"])
@pytest.mark.parametrize("access", ["public", "organisation", "group"])
def test_a_stream_is_visible_where_it_and_its_thing_are(access: str, thing_access: str) -> None:
    home, other = town("a"), town("b")
    group = AccessGroup.objects.create(
        name="flood", organisation=Organisation.objects.get(pk=home)
    ).pk
    level = stream(home, access=access, group=group)
    Thing.objects.update(access=thing_access)
    for reader in (
        ANONYMOUS,
        staff_of(home),
        staff_of(other),
        Visibility(groups=frozenset({group})),
        staff_of(home, groups=frozenset({group})),
        SYSTEM,
    ):
        expected = all(
            reader.may_read(access=a, owner=home, group=group) for a in (access, thing_access)
        )
        assert (level in streams_visible_to(reader)) == expected


def test_features_of_several_datastreams_are_those_of_each() -> None:
    owner = town()
    known, new = stream(owner), stream(owner, thing_name="New")
    nowhere = stream(owner, thing_name="Somewhere", location=None)
    feature = feature_for(known)
    found = features_for([known, nowhere, new, 999])
    assert found == {known: feature, nowhere: None, new: feature_for(new)}
