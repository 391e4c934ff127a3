"""kill -9 between every two steps of a push message, a webhook and an MQTT message.

What the process had not begun to give goes out after it, once. Of what it was giving in that moment
nobody can know: it is shown as uncertain, the person's next way is taken, and only a person repeats it.
"""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from stadtherz.alerts.channels.vault import opened
from stadtherz.alerts.models import Address, Channel, Contact
from stadtherz.alerts.public import add_gateway, change, send_again
from stadtherz.alerts.tests import killing
from stadtherz.alerts.tests.factories import Ward
from stadtherz.alerts.tests.killing import (
    HTTP_STAGES,
    MQTT_STAGES,
    STEPS,
    Provider,
    Status,
    Wire,
    killed_between_two_steps,
    only,
    ward_of,
)
from stadtherz.alerts.tests.processes import eventually, sending
from stadtherz.alerts.tests.test_mqtt import TOPIC, Board
from stadtherz.alerts.tests.test_push import Phone
from stadtherz.alerts.tests.test_webhooks import verified
from stadtherz.ingest.tests.broker import Broker

pytestmark = pytest.mark.process


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """A server within our network, which the operator allows to call."""
    monkeypatch.setenv("STADTHERZ_CALL_PRIVATE", "1")
    with killing.provider() as made:
        yield made


@pytest.fixture
def phone(there: Provider) -> Phone:
    return Phone(f"{there.url}/device")


@pytest.fixture(params=["push", "webhook"])
def ward(
    request: pytest.FixtureRequest, transactional_db: None, there: Provider, phone: Phone
) -> Ward:
    if request.param == "webhook":
        return ward_of(Channel.WEBHOOK, f"{there.url}/alarm")
    return ward_of(Channel.PUSH, phone.endpoint, phone.subscription["keys"])


@STEPS
def test_killed_between_two_steps(
    ward: Ward, there: Provider, dies: str, ends_as: str, taken: int
) -> None:
    killed_between_two_steps(ward, dies, ends_as, lambda: there.asked, taken)
    assert there.asked == taken


@pytest.mark.parametrize("stage", HTTP_STAGES)
def test_killed_while_the_server_listens(ward: Ward, there: Provider, stage: str) -> None:
    with sending() as doomed:
        there.kill_at(stage, doomed.pid)
        change(ward.goes(0, 1, observation=1))
        assert doomed.wait_for_death() == -9
    with sending():
        assert eventually(lambda: only().status in (Status.SENT, Status.UNCERTAIN))
        assert not eventually(lambda: len(there.taken) > 1, seconds=1)
    assert len(there.taken) == 1 or only().status == Status.UNCERTAIN


def test_what_comes_after_a_death_is_whole(
    ward: Ward, there: Provider, phone: Phone, request: pytest.FixtureRequest
) -> None:
    change(ward.goes(0, 1, observation=1))
    with sending(dies="after mark_handing_over") as doomed:
        doomed.wait_for_death()
    with sending():
        assert eventually(lambda: only().status == Status.SENT)
    (came,) = there.taken
    if only().channel == Channel.PUSH:
        assert phone.read(came)["severity"] == "warning"
    else:
        document = verified(came, opened(Address.objects.get().secret))
        assert document["type"] == "alert.raised"


def test_a_person_repeats_what_is_uncertain_under_the_same_id(
    transactional_db: None, there: Provider
) -> None:
    """The receiver, who has had it already, knows it by that."""
    ward = ward_of(Channel.WEBHOOK, f"{there.url}/alarm")
    change(ward.goes(0, 1, observation=1))
    with sending(dies="before mark_sent") as doomed:
        doomed.wait_for_death()
    with sending():
        assert eventually(lambda: only().status == Status.UNCERTAIN)
        assert send_again(only().pk)
        assert eventually(lambda: only().status == Status.SENT)
    assert [each.headers["webhook-id"] for each in there.taken] == [f"msg_{only().pk}"] * 2


def test_what_is_uncertain_goes_the_next_way(ward: Ward, there: Provider) -> None:
    with killing.provider() as spare:
        Address.objects.create(
            contact=Contact.objects.get(),
            channel=Channel.WEBHOOK,
            address=f"{spare.url}/spare",
            use=Address.Use.INSTEAD,
            sort_order=2,
        )
        change(ward.goes(0, 1, observation=1))
        with sending(dies="after dot_goes_next") as doomed:
            doomed.wait_for_death()
        with sending():
            assert eventually(lambda: len(spare.taken) == 1)
        assert there.taken == []


# --- MQTT ----------------------------------------------------------------------------------------


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    folder = tmp_path / "broker"
    folder.mkdir()
    running = Broker(folder).start()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def wire(broker: Broker) -> Iterator[Wire]:
    made = Wire(broker.port)
    yield made
    made.close()


@pytest.fixture
def board(broker: Broker) -> Iterator[Board]:
    listening = Board(broker)
    yield listening
    listening.close()


@pytest.fixture
def topic(transactional_db: None, wire: Wire) -> Ward:
    made = ward_of(Channel.MQTT, TOPIC)
    add_gateway("broker", "mqtt", {"host": "127.0.0.1", "port": wire.port, "tls": False})
    return made


@STEPS
def test_mqtt_killed_between_two_steps(
    topic: Ward, board: Board, dies: str, ends_as: str, taken: int
) -> None:
    killed_between_two_steps(topic, dies, ends_as, lambda: len(board.heard), taken)
    assert len(board.heard) == taken


@pytest.mark.parametrize("stage", MQTT_STAGES)
def test_mqtt_killed_while_the_broker_listens(
    topic: Ward, wire: Wire, board: Board, stage: str
) -> None:
    with sending() as doomed:
        wire.kill_at(stage, doomed.pid)
        change(topic.goes(0, 1, observation=1))
        assert doomed.wait_for_death() == -9
    with sending():
        assert eventually(lambda: only().status in (Status.SENT, Status.UNCERTAIN))
        assert not eventually(lambda: len(board.heard) > 1, seconds=1)
    assert len(board.heard) == 1 or only().status == Status.UNCERTAIN
    if stage in ("asked", "taken", "answered"):  # the broker had it when the process died
        assert orjson.loads(board.heard[0].payload)["type"] == "alert.raised"
