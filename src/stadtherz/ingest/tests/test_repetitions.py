"""What tells of the same uplink is stored once; what only looks like it is stored, too."""

from typing import Any

import pytest

from stadtherz.base.time import DAY, MINUTE, SECOND, iso, parse_instant
from stadtherz.base.visibility import SYSTEM, Scope, Visibility
from stadtherz.ingest import public
from stadtherz.ingest.intake.pipeline import Delivery
from stadtherz.ingest.models import DeviceField
from stadtherz.ingest.public import NewField, register_device, replay
from stadtherz.ingest.refused.models import RefusedUplink
from stadtherz.ingest.tests.factories import (
    EUI,
    Door,
    Town,
    as_bytes,
    make_town,
    readings,
    results,
    time_of,
    tts,
)
from stadtherz.ingest.tests.test_http import give_codec
from stadtherz.ingest.tests.test_lorawan import load

RECEIVED = parse_instant("2026-11-26T12:00:00Z")


def told_at(document: dict[str, Any], at: int) -> dict[str, Any]:
    """The document of an uplink that the network received at this time."""
    message = {**document["uplink_message"], "received_at": iso(at)}
    return {**document, "received_at": iso(at + SECOND), "uplink_message": message}


def arrive(town: Town, network: str, body: Any, received: int = RECEIVED) -> dict[str, Any]:
    """A delivery from a stream of messages."""
    by = Visibility(home=town.organisation, scopes=frozenset({Scope.INGEST}))
    query = "event=up" if network == "chirpstack" else ""
    delivered = public.deliver([Delivery(network, as_bytes(body), query, received, by)])[0]
    if delivered.keep is not None:
        delivered.keep()
    return delivered.answer.body


def test_a_counter_reset_with_the_same_payload_is_another_reading(town: Town, door: Door) -> None:
    first = tts(0, level_cm=42)
    after = told_at(first, time_of(0) + DAY)
    assert door.post(first).json()["stored"] == 1
    answer = door.post(after).json()
    assert (answer["stored"], answer["duplicates"]) == (1, 0)
    for document in (first, after, first):
        answer = door.post(document).json()
        assert (answer["stored"], answer["duplicates"]) == (0, 1)
    assert readings(town.level).phenomenon_start.tolist() == [time_of(0), time_of(0) + DAY]


@pytest.mark.parametrize("apart", [0, 5 * SECOND, 10 * MINUTE])
def test_a_repetition_that_tells_a_little_other_time_is_one(town: Town, apart: int) -> None:
    arrive(town, "tts", tts(0, level_cm=42))
    assert arrive(town, "tts", told_at(tts(0, level_cm=42), time_of(0) + apart))["stored"] == 0


def test_a_document_without_a_time_is_a_repetition_whenever_it_comes(town: Town) -> None:
    document = tts(0, level_cm=42)
    del document["received_at"], document["uplink_message"]["received_at"]
    assert arrive(town, "tts", document)["stored"] == 1
    assert arrive(town, "tts", document, RECEIVED + DAY)["stored"] == 0


NETWORKS = [
    ("actility", "actility-own-up"),
    ("loriot", "loriot-own-gw"),
    ("helium", "helium-own-up"),
    ("chirpstack", "chirpstack3-own-up"),
]


@pytest.mark.parametrize(("network", "name"), NETWORKS)
def test_a_real_document_that_comes_again_later_changes_nothing(
    town: Town, network: str, name: str
) -> None:
    station = make_town("village", EUI, network)
    give_codec(station.device)
    document = load(f"{name}.json")["body"]
    assert arrive(station, network, document)["stored"] == 1
    assert arrive(station, network, document, RECEIVED + DAY)["stored"] == 0
    assert len(readings(station.level)) == 1


def test_loriots_two_documents_of_one_frame_are_one_reading(town: Town) -> None:
    station = make_town("village", EUI, "loriot")
    give_codec(station.device)
    full = load("loriot-own-gw.json")["body"]
    short = {**full, "cmd": "rx", "gws": None, "rssi": -106, "snr": -4.5, "ts": full["ts"] + 900}
    assert [arrive(station, "loriot", each)["stored"] for each in (short, full)] == [1, 0]


def test_an_uplink_that_two_network_servers_deliver_is_stored_once(town: Town) -> None:
    """The town's device is also known to a ChirpStack; both feed one datastream."""
    field = NewField("level_cm", town.level)
    register_device(town.organisation, "chirpstack", EUI, "Gauge of town", fields=[field])
    here = tts(7, level_cm=42)
    there = {
        "deduplicationId": "other",
        "time": iso(time_of(7) + SECOND),
        "deviceInfo": {"devEui": EUI.lower()},
        "fCnt": 7,
        "fPort": 1,
        "data": here["uplink_message"]["frm_payload"],
        "object": {"level_cm": 42},
    }
    assert arrive(town, "tts", here)["stored"] == 1
    assert arrive(town, "chirpstack", there)["duplicates"] == 1
    later = {**there, "deduplicationId": "later", "time": iso(time_of(7) + DAY)}
    assert arrive(town, "chirpstack", later)["stored"] == 1


def test_reordered_uplinks_are_all_kept_at_their_times(town: Town) -> None:
    for number in (3, 1, 2):
        arrive(town, "tts", tts(number, level_cm=number))
    kept = readings(town.level)
    assert dict(zip(kept.phenomenon_start.tolist(), kept.result.tolist(), strict=True)) == {
        time_of(number): number for number in (1, 2, 3)
    }


def test_replayed_after_a_reset_it_completes_the_later_message_and_not_the_first(
    town: Town,
) -> None:
    arrive(town, "tts", tts(0, level_cm=600, discharge=1))
    arrive(town, "tts", told_at(tts(0, level_cm=600, discharge=1), time_of(0) + DAY))
    field = DeviceField.objects.get(path="level_cm")
    field.maximum = 1000
    field.save()
    for kept in RefusedUplink.objects.order_by("pk"):
        assert replay(kept.pk, SYSTEM).status == 200
    assert results(town.level) == [600, 600]
    assert results(town.discharge) == [1, 1]
