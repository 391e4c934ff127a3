"""What a device had logged and what is flagged, from the network's document to the alert."""

from typing import Any

import orjson
import pytest

from stadtherz.alerts.public import AlertEvent
from stadtherz.base.time import DAY, MINUTE, iso, now_us
from stadtherz.base.visibility import Scope, Visibility
from stadtherz.ingest.public import Delivery, NewField, deliver, register_device
from stadtherz.kit.testing import Town, react
from stadtherz.services.water.models import Gauge

EUI = "A1B2C3D4E5F60718"
LOG = NewField("history[*].level", 0, time_path="history[*].time")


@pytest.fixture
def device(town: Town, gauge: Gauge) -> int:
    fields = [
        NewField("level", gauge.datastream_id, jump=20),
        NewField(LOG.path, gauge.datastream_id, time_path=LOG.time_path),
    ]
    return register_device(town.organisation, "tts", EUI, "Gauge", fields=fields)


def send(town: Town, number: int, at: int, **decoded: Any) -> None:
    message = {"f_port": 1, "f_cnt": number, "decoded_payload": decoded, "received_at": iso(at)}
    document = {"end_device_ids": {"dev_eui": EUI}, "uplink_message": message}
    by = Visibility(home=town.organisation, scopes=frozenset({Scope.INGEST}))
    answer = deliver([Delivery("tts", orjson.dumps(document), "", now_us(), by)])[0].answer
    assert answer.status == 200, answer.body
    react()


def changes() -> list[tuple[str, int]]:
    return list(AlertEvent.objects.values_list("change", "rank"))


def yesterday() -> list[dict[str, Any]]:
    """A flood that is over."""
    start = now_us() - DAY - 3 * 60 * MINUTE
    return [{"time": iso(start + n * 10 * MINUTE), "level": 130} for n in range(6)]


def test_a_log_of_yesterdays_flood_warns_nobody(town: Town, device: int) -> None:
    send(town, 1, now_us(), level=80, history=yesterday())
    assert changes() == []


def test_nor_does_it_without_a_reading_of_today(town: Town, device: int) -> None:
    send(town, 1, now_us(), history=yesterday())
    assert changes() == []


def test_a_jump_is_flagged_and_still_warns(town: Town, device: int) -> None:
    now = now_us()
    send(town, 1, now - 2 * MINUTE, level=70)
    send(town, 2, now - MINUTE, level=130)
    assert changes() == [("raised", 2)]
