"""Which datastreams have readings of which features is known without looking at readings."""

from importlib import import_module

import pytest

from stadtherz.base.time import Period
from stadtherz.store.models import ObservedAt
from stadtherz.store.public import Reading, append, correct, create, delete, delete_readings, seal
from stadtherz.store.tests.factories import PLACE, staff_of, town
from stadtherz.store.tests.factories import stream as stream_of

pytestmark = pytest.mark.django_db
noted = import_module("stadtherz.store.migrations.0009_datasets").note_features


@pytest.fixture
def owner() -> int:
    return town()


@pytest.fixture
def features(owner: int) -> list[int]:
    values = {"name": "Reach", "description": "", "feature": PLACE}
    return [create("FeatureOfInterest", values, staff_of(owner)) for _ in range(3)]


def pairs() -> set[tuple[int, int]]:
    return set(ObservedAt.objects.values_list("datastream", "feature"))


def reading(stream: int, feature: int | None, at: int, result: object = 1.0) -> Reading:
    return Reading(datastream=stream, phenomenon_time=Period(at), result=result, feature=feature)


def test_pairs_come_with_readings_of_any_kind(owner: int, features: list[int]) -> None:
    stream, (one, other, _) = stream_of(owner), features
    append([reading(stream, one, 1), reading(stream, None, 2), reading(stream, other, 3, "high")])
    append([reading(stream, one, 4)])
    assert pairs() == {(stream, one), (stream, other)}


def test_pairs_go_with_the_last_reading_and_come_again(owner: int, features: list[int]) -> None:
    stream, (one, other, third) = stream_of(owner), features
    kept = append([reading(stream, one, 1), reading(stream, one, 2), reading(stream, other, 3)])
    seal()
    delete_readings([kept[0].id])
    assert pairs() == {(stream, one), (stream, other)}
    delete_readings([kept[1].id])
    assert pairs() == {(stream, other)}
    append([reading(stream, one, 5)])
    correct(kept[2].id, reading(stream, third, 3))
    assert pairs() == {(stream, one), (stream, third)}


def test_pairs_go_with_the_feature_and_the_datastream(owner: int, features: list[int]) -> None:
    first, second, (one, other, _) = stream_of(owner), stream_of(owner, name="Flow"), features
    append([reading(stream, key, 1) for stream in (first, second) for key in (one, other)])
    delete("FeatureOfInterest", one, staff_of(owner))
    assert pairs() == {(first, other), (second, other)}
    delete("Datastream", first, staff_of(owner))
    assert pairs() == {(second, other)}


@pytest.mark.parametrize("sealed", [True, False])
def test_pairs_of_readings_that_are_there_already_are_noted(
    owner: int, features: list[int], *, sealed: bool
) -> None:
    stream, (one, other, _) = stream_of(owner), features
    append([reading(stream, key, at) for at, key in enumerate((one, other, one, None))])
    append([reading(stream, other, 9, {"deep": True})])
    if sealed:
        seal()
    known = pairs()
    ObservedAt.objects.all().delete()
    noted(None, None)
    assert pairs() == known == {(stream, one), (stream, other)}
