"""What is refused is kept once, within bounds, and can be replayed by those it belongs to."""

import pytest
from django.utils import translation

from stadtherz.base.errors import Invalid, NotFound
from stadtherz.base.visibility import SYSTEM, Scope, Visibility
from stadtherz.ingest.devices.register import NewField
from stadtherz.ingest.intake.pipeline import Refusal
from stadtherz.ingest.models import Device, DeviceField
from stadtherz.ingest.public import register_device, replay
from stadtherz.ingest.quality.reasons import Reason, sentence
from stadtherz.ingest.refused import keeping
from stadtherz.ingest.refused.keeping import Bounds
from stadtherz.ingest.refused.models import RefusedUplink
from stadtherz.ingest.tests.factories import (
    STRANGE_EUI,
    Door,
    Town,
    deliver,
    delivery_of,
    make_organisation,
    readings,
    results,
    time_of,
    tts,
)


def staff(organisation: int) -> Visibility:
    return Visibility(
        actor="user:1",
        writes=frozenset({organisation}),
        home=organisation,
        scopes=frozenset({Scope.READ, Scope.WRITE}),
    )


def newest() -> RefusedUplink:
    return RefusedUplink.objects.latest("pk")


def test_the_same_refused_uplink_only_counts(town: Town) -> None:
    for _ in range(3):
        deliver(town, tts(1, level_cm=9999))
    kept = RefusedUplink.objects.get()
    assert kept.count == 3
    assert kept.last_at >= kept.received_at


def test_refused_at_once_it_is_still_kept_once(town: Town, door: Door) -> None:
    answers = door.post_all([tts(1, STRANGE_EUI, level_cm=1)] * 20)
    assert {answer.status_code for answer in answers} == {404}
    assert RefusedUplink.objects.get().count == 20


def test_after_the_device_is_registered_its_uplink_is_stored_with_its_time(
    town: Town,
) -> None:
    deliver(town, tts(1, STRANGE_EUI, level_cm=77))
    field = NewField("level_cm", town.level)
    register_device(town.organisation, "tts", STRANGE_EUI, "New gauge", fields=[field])
    answer = replay(newest().pk, staff(town.organisation))
    assert (answer.status, answer.body["stored"]) == (200, 1)
    assert readings(town.level).phenomenon_start.tolist() == [time_of(1)]
    assert newest().outcome == RefusedUplink.REPLAYED
    assert newest().replayed_at is not None


def test_replaying_twice_changes_nothing(town: Town) -> None:
    deliver(town, tts(1, level_cm=9999, discharge=1))
    DeviceField.objects.get(path="level_cm").delete()
    replay(newest().pk, staff(town.organisation))
    before = RefusedUplink.objects.values().get()
    again = replay(newest().pk, staff(town.organisation))
    assert again.status == 200
    assert RefusedUplink.objects.values().get() == before
    assert len(readings(town.level, town.discharge)) == 1


def test_an_uplink_that_the_network_sent_again_is_not_stored_twice_by_a_replay(
    town: Town,
) -> None:
    deliver(town, tts(1, level_cm=700))
    field = DeviceField.objects.get(path="level_cm")
    field.maximum = 1000
    field.save()
    deliver(town, tts(1, level_cm=700))
    assert replay(newest().pk, staff(town.organisation)).body["duplicates"] == 1
    assert results(town.level) == [700]


def test_a_replay_before_the_mistake_is_mended_says_why_it_failed_again(
    town: Town,
) -> None:
    deliver(town, tts(1, level_cm=9999))
    answer = replay(newest().pk, staff(town.organisation))
    assert answer.status == 422
    assert newest().outcome == RefusedUplink.REFUSED_AGAIN
    with translation.override("en"):
        assert newest().outcome_sentence == "level_cm: 9999 is outside 0 to 500."


def test_others_cannot_replay_what_is_not_theirs(town: Town) -> None:
    deliver(town, tts(1, level_cm=9999))
    reader = Visibility(organisations=frozenset({town.organisation}))
    for stranger in (staff(make_organisation("village")), reader, Visibility()):
        with pytest.raises(NotFound):
            replay(newest().pk, stranger)
    with pytest.raises(NotFound):
        replay(10**6, SYSTEM)


def test_what_strangers_sent_only_operators_replay(town: Town) -> None:
    keeping.keep(delivery_of(None, tts(1, level_cm=12)), Refusal(Reason.BAD_TOKEN))
    with pytest.raises(NotFound):
        replay(newest().pk, staff(town.organisation))
    assert replay(newest().pk, SYSTEM).status == 200
    assert results(town.level) == [12]


def test_a_document_of_which_only_the_beginning_is_kept_cannot_be_replayed(
    town: Town,
) -> None:
    deliver(town, b"[" + b" " * 70_000)
    with pytest.raises(Invalid):
        replay(newest().pk, staff(town.organisation))


def test_a_long_document_that_can_be_read_is_kept_whole(town: Town) -> None:
    body = tts(1, level_cm=9999, more="x" * 100_000)
    deliver(town, body)
    assert not newest().truncated
    DeviceField.objects.get(path="level_cm").delete()
    deliver(town, body)
    assert newest().document_text.endswith("}")


def test_strangers_cannot_fill_the_disk(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "STRANGERS", Bounds(rows=5, size=100))
    deliver(town, tts(99, STRANGE_EUI, level_cm=1))
    for number in range(12):
        body = b"%d" % number + b"x" * 200
        keeping.keep(delivery_of(None, body), Refusal(Reason.BAD_TOKEN))
    kept = RefusedUplink.objects.filter(owner=None)
    assert kept.count() == 5
    assert {len(each.document) for each in kept} == {100}
    assert RefusedUplink.objects.filter(owner=town.organisation).count() == 1


def test_an_organisations_list_is_bounded_and_keeps_the_newest(
    town: Town, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(keeping, "OWN", Bounds(rows=3, size=1000))
    for number in range(5):
        deliver(town, b"%d" % number)
    kept = RefusedUplink.objects.order_by("pk")
    assert [bytes(each.document) for each in kept] == [b"2", b"3", b"4"]
    assert "1 refused uplinks" in caplog.text


def test_an_inactive_device_is_refused_until_it_is_switched_on(town: Town) -> None:
    device = Device.objects.get()
    device.active = False
    device.save()
    deliver(town, tts(1, level_cm=5))
    assert newest().reason == "inactive_device"
    device.active = True
    device.save()
    assert replay(newest().pk, staff(town.organisation)).status == 200


def test_a_datastream_that_went_to_others_takes_nothing(town: Town) -> None:
    datastream = DeviceField.objects.get(path="level_cm").datastream
    datastream.owner_id = make_organisation("village")
    datastream.save()
    deliver(town, tts(1, level_cm=5, discharge=1))
    assert newest().reason == "foreign_datastream"
    assert (results(town.level), results(town.discharge)) == ([], [1])


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("language", ["de", "en"])
def test_every_reason_has_a_sentence_whatever_facts_are_missing(
    reason: Reason, language: str
) -> None:
    with translation.override(language):
        told = sentence(reason, {"problems": [{"field": "x"}]})
    assert told.endswith(".")
