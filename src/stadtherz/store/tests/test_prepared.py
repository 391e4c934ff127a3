"""Statements that are put together once give what Django's own give, with other values each time."""

import threading

import pytest
from django.db import connections
from django.db.models import F, Q

from stadtherz.base import vocabulary
from stadtherz.kit.testing import Town
from stadtherz.store.models import Datastream, Organisation, Thing
from stadtherz.store.prepared import PreparedQuery, PreparedUpdate

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def streams() -> list[int]:
    town = Town.found()
    return [town.datastream(vocabulary.WATER_LEVEL, name) for name in ("Lauter", "Isar")]


def test_each_call_has_its_own_values(streams: list[int]) -> None:
    named = PreparedQuery(
        lambda name, least: (
            Datastream.objects.filter(Q(name=name) | Q(thing__name=name), pk__gte=least)
            .select_related("thing")
            .order_by("-pk")
        )
    )
    for name in ("Lauter", "Isar", "Main"):
        for least in (streams[0], streams[1]):
            asked = Datastream.objects.filter(Q(name=name) | Q(thing__name=name), pk__gte=least)
            assert named(name=name, least=least) == list(asked.order_by("-pk"))
    assert named(name="Isar", least=0)[0].thing.name == "Isar"


def test_rows_and_single_values_come_as_they_would(streams: list[int]) -> None:
    pairs = PreparedQuery(lambda pk: Thing.objects.filter(pk=pk).values_list("pk", "properties"))
    names = PreparedQuery(lambda: Thing.objects.order_by("pk").values_list("name", flat=True)[:1])
    thing = Thing.objects.order_by("pk")[0]
    assert pairs(pk=thing.pk) == [(thing.pk, thing.properties)]
    assert names() == ["Lauter"]
    Thing.objects.filter(pk=thing.pk).update(name="Würm")
    assert names() == ["Würm"]


def test_a_change_is_written_where_it_holds_and_counted(streams: list[int]) -> None:
    called = PreparedUpdate(
        lambda pk, name, slug: (
            Organisation.objects.filter(pk=pk, slug=slug),
            {"name": name, "slug": F("name")},
        )
    )
    town = Organisation.objects.order_by("pk")[0]
    assert called(pk=town.pk, name="Neustadt", slug="elsewhere") == 0
    assert called(pk=town.pk, name="Neustadt", slug=town.slug) == 1
    assert Organisation.objects.values_list("name", "slug").get(pk=town.pk) == (
        "Neustadt",
        town.name,
    )


def test_each_thread_asks_by_its_own_connection(streams: list[int]) -> None:
    keys = PreparedQuery(
        lambda least: Datastream.objects.filter(pk__gte=least).values_list("pk", flat=True)
    )
    found: list[list[int]] = []

    def ask() -> None:
        found.append(sorted(keys(least=streams[1])))
        connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
        thread.join()
    assert sorted(keys(least=streams[0])) == streams
    assert found == [streams[1:]] * 2


def test_a_value_that_does_not_get_in_as_it_is_is_refused(streams: list[int]) -> None:
    later = PreparedQuery(lambda moment: Datastream.objects.filter(pk__gt=moment + 1))
    with pytest.raises(LookupError, match="moment"):
        later(moment=1)
