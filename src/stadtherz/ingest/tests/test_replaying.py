"""Many refused uplinks are run again at once, in the order in which they came."""

import pytest

from stadtherz.base.visibility import SYSTEM, Visibility
from stadtherz.ingest.devices import finding
from stadtherz.ingest.models import DeviceField
from stadtherz.ingest.public import NewField, Which, refused_counts, register_device, replay_many
from stadtherz.ingest.refused import keeping
from stadtherz.ingest.refused.keeping import Bounds
from stadtherz.ingest.refused.models import RefusedUplink
from stadtherz.ingest.refused.replaying import waiting
from stadtherz.ingest.tests.factories import (
    EUI,
    STRANGE_EUI,
    Town,
    deliver,
    make_organisation,
    readings,
    results,
    time_of,
    tts,
)
from stadtherz.ingest.tests.test_refused import staff


def test_after_the_range_is_mended_the_history_is_whole_and_nothing_is_twice(town: Town) -> None:
    for number in range(60):
        deliver(town, tts(number, level_cm=600 if number % 2 else 100, discharge=number))
    assert len(readings(town.level)) == 30
    DeviceField.objects.filter(path="level_cm").update(maximum=1000)
    finding.forget()
    progress = replay_many(Which(device=EUI), staff(town.organisation))
    assert (progress.stored, progress.refused, progress.left) == (30, 0, 0)
    kept = readings(town.level)
    assert sorted(kept.phenomenon_start.tolist()) == [time_of(number) for number in range(60)]
    assert results(town.discharge) == list(range(60))


def test_they_come_in_the_order_of_their_time(town: Town) -> None:
    for number in (3, 1, 2):
        deliver(town, tts(number, STRANGE_EUI, level_cm=number))
    for kept, at in zip(RefusedUplink.objects.order_by("pk"), (3, 1, 2), strict=True):
        RefusedUplink.objects.filter(pk=kept.pk).update(received_at=at)
    add_strange(town)
    replay_many(Which(device=STRANGE_EUI.lower()), staff(town.organisation))
    assert results(town.level) == [1, 2, 3]


def add_strange(town: Town) -> None:
    field = NewField("level_cm", town.level)
    register_device(town.organisation, "tts", STRANGE_EUI, "New gauge", fields=[field])


def test_slices_go_on_where_the_last_one_ended_also_past_those_refused_again(town: Town) -> None:
    for number in range(60):
        deliver(town, tts(number, level_cm=9999))
    done, which = 0, Which(reason="impossible_value")
    for left in (35, 10, 0):
        progress = replay_many(which, staff(town.organisation), seconds=0)
        which = Which(reason="impossible_value", before=progress.began)
        done += progress.refused
        assert progress.left == left
    assert done == 60
    assert replay_many(which, staff(town.organisation)).total == 0


def test_only_what_is_meant_and_may_be_run_is_run(town: Town) -> None:
    deliver(town, tts(1, level_cm=9999))
    deliver(town, tts(2, STRANGE_EUI, level_cm=1))
    deliver(town, b"[" + b" " * 300_000)
    assert waiting(Which(), SYSTEM).count() == 2
    assert waiting(Which(device=EUI), SYSTEM).count() == 1
    assert waiting(Which(owner=make_organisation("village")), SYSTEM).count() == 0
    assert sorted(refused_counts(Which(), SYSTEM)) == [
        ("impossible_value", 1),
        ("unknown_device", 1),
    ]
    for stranger in (staff(make_organisation("other")), Visibility()):
        assert replay_many(Which(), stranger).total == 0


def test_what_is_settled_is_forgotten_first(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "OWN", Bounds(rows=2, size=10_000))
    deliver(town, tts(1, level_cm=9999))
    deliver(town, tts(2, level_cm=9999))
    newest = RefusedUplink.objects.latest("pk")
    newest.outcome = RefusedUplink.REPLAYED
    newest.save()
    deliver(town, tts(3, level_cm=9999))
    assert newest.pk not in RefusedUplink.objects.values_list("pk", flat=True)
    assert RefusedUplink.objects.count() == 2
