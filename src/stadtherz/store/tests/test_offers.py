"""Offers: kept where the caller may add to the datastream, as it stands when they are committed."""

import threading
from concurrent.futures import wait
from typing import Any

import pytest
from django.db import connections

from stadtherz.base.errors import Invalid
from stadtherz.base.visibility import ANONYMOUS, SYSTEM, Scope
from stadtherz.store.database import writing
from stadtherz.store.models import Thing
from stadtherz.store.public import (
    Kept,
    Offer,
    create,
    delete,
    feature_for,
    offer,
    streams,
    submit,
    submit_offers,
    update,
)
from stadtherz.store.tests.factories import (
    PLACE,
    location,
    reading,
    results,
    staff_of,
    stream,
    town,
)
from stadtherz.store.writing import writer

alone = pytest.mark.django_db(transaction=True)
within = pytest.mark.django_db


def offered(datastream: int, who: Any = SYSTEM, result: Any = 1.0, **more: Any) -> Offer:
    return offer(reading(datastream, 5, result, **more), who, places=False)


def kept(*offers: Offer) -> list[Kept | None]:
    return submit_offers(offers).result(timeout=10)


@alone
def test_an_offer_is_there_when_its_future_tells_so() -> None:
    level = stream()
    (one,) = kept(offered(level, result=42))
    assert one is not None
    assert not one.duplicate
    assert results() == [42]


@within
def test_within_a_transaction_an_offer_belongs_to_it() -> None:
    level = stream()
    (one, other) = kept(offered(level, result=1), offered(level, result="wet"))
    assert one is not None
    assert other is not None
    assert one.id < other.id
    assert results() == [1, "wet"]


@within
def test_a_declined_offer_leaves_nothing_and_hurts_nobody() -> None:
    level = stream()
    told = kept(offered(level, result=1), offered(999), offered(level, result=2))
    assert [each is not None for each in told] == [True, False, True]
    assert results() == [1, 2]


@within
def test_only_those_who_may_change_a_datastream_add_to_it() -> None:
    ours, theirs = town(), town("nachbar")
    level = stream(ours)
    readers = staff_of(ours, scopes=frozenset({Scope.READ}))
    told = kept(*(offered(level, who) for who in (staff_of(theirs), readers, ANONYMOUS)))
    assert told == [None, None, None]
    assert kept(offered(level, staff_of(ours))) != [None]


@within
@pytest.mark.parametrize("hidden", ["Thing", "Datastream"])
def test_what_the_caller_may_not_see_is_not_there(hidden: Any) -> None:
    ours, theirs = town(), town("nachbar")
    level = stream(ours)
    update(hidden, stream_thing(level) if hidden == "Thing" else level, _GROUP, SYSTEM)
    both = staff_of(theirs, writes=frozenset({ours, theirs}))
    assert kept(offered(level, both)) == [None]


_GROUP = {"access": "organisation"}


def stream_thing(datastream: int) -> int:
    return streams([datastream])[datastream].thing


@within
def test_a_reading_that_names_no_feature_takes_that_of_the_place() -> None:
    level = stream()
    feature = feature_for(level)
    (one,) = kept(offer(reading(level), SYSTEM, places=True))
    assert one is not None
    assert one.feature == feature
    (other,) = kept(offer(reading(level), SYSTEM, places=False))
    assert other is not None
    assert other.feature is None


@within
def test_without_a_feature_made_for_the_place_the_offer_is_declined() -> None:
    level = stream()
    assert kept(offer(reading(level), SYSTEM, places=True)) == [None]


@within
def test_of_several_places_the_first_counts() -> None:
    ours = town()
    level = stream(ours)
    first = feature_for(level)
    there = location(ours)
    update("Thing", stream_thing(level), {"locations": [there, *places_of(level)]}, SYSTEM)
    (one,) = kept(offer(reading(level), SYSTEM, places=True))
    assert one is not None
    assert one.feature == first == feature_for(level)


def places_of(datastream: int) -> list[int]:
    return list(
        Thing.objects.get(pk=stream_thing(datastream)).locations.values_list("pk", flat=True)
    )


@within
def test_a_feature_that_is_named_must_be_visible() -> None:
    ours, theirs = town(), town("nachbar")
    level = stream(ours)
    values = {"name": "Weir", "feature": PLACE, "owner": theirs}
    public = create("FeatureOfInterest", values, SYSTEM)
    hidden = create("FeatureOfInterest", values | _GROUP, SYSTEM)
    told = kept(*(offered(level, staff_of(ours), feature=f) for f in (public, hidden, 999)))
    assert [each and each.feature for each in told] == [public, None, None]


@within
def test_what_does_not_fit_the_datastream_is_declined() -> None:
    level = stream()
    asked: list[Any] = []

    def fits(kind: str, unit: Any) -> bool:
        asked.append((kind, unit))
        return len(asked) > 1

    offers = [offer(reading(level), SYSTEM, places=False, fits=fits) for _ in range(2)]
    assert [each is not None for each in kept(*offers)] == [False, True]
    assert asked[0][0].endswith("OM_Measurement")


def test_what_cannot_be_kept_is_told_before_it_is_offered() -> None:
    with pytest.raises(Invalid, match="finite"):
        offered(1, result=float("nan"))


@alone
def test_offers_and_readings_share_a_commit() -> None:
    level = stream()
    with writing():
        first = submit_from_elsewhere(level)
        second = submit_offers([offered(level, result=2), offered(999)])
    assert not first.done() or first.result()
    wait([first, second], timeout=10)
    told = second.result()
    assert told[0] is not None
    assert told[1] is None
    assert sorted(results()) == [1, 2]


def submit_from_elsewhere(level: int) -> Any:
    """As another thread does, which is in no transaction."""
    found: list[Any] = []

    def work() -> None:
        found.append(submit([reading(level, 1, 1)]))
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return found[0]


@alone
def test_what_others_changed_before_the_commit_counts() -> None:
    ours = town()
    level = stream(ours)
    delete("Datastream", level, SYSTEM)
    assert kept(offered(level)) == [None]
    other = stream(ours)
    update("Datastream", other, _GROUP, SYSTEM)
    assert kept(offered(other, staff_of(town("nachbar"), writes=frozenset({ours})))) == [None]


@alone
def test_while_the_queue_is_full_offers_are_declined_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    level = stream()
    monkeypatch.setattr(writer, "_MOST_WAITING", 0)
    monkeypatch.setattr(writer._writer, "_jobs", [object()])
    assert submit_offers([offered(level)]).result(timeout=0) == [None]


def test_nothing_offered_is_nothing_kept() -> None:
    assert submit_offers([]).result(timeout=0) == []
