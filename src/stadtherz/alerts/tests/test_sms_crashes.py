"""kill -9 between every two steps of an SMS by HTTP: once, or uncertain, and never twice by itself."""

from collections.abc import Iterator

import pytest

from stadtherz.alerts.models import Address, Channel, Contact, Delivery
from stadtherz.alerts.public import add_gateway, change, send_again
from stadtherz.alerts.tests import killing
from stadtherz.alerts.tests.factories import Ward
from stadtherz.alerts.tests.killing import (
    HTTP_STAGES,
    STEPS,
    Provider,
    Status,
    killed_between_two_steps,
    only,
    ward_of,
)
from stadtherz.alerts.tests.processes import eventually, sending

NUMBER = "+4915111111111"
FORM = {"path": "/sms", "body": {"to": "{to}", "text": "{text}"}}

pytestmark = pytest.mark.process


@pytest.fixture
def provider() -> Iterator[Provider]:
    with killing.provider() as made:
        yield made


@pytest.fixture
def spare() -> Iterator[Provider]:
    with killing.provider() as made:
        yield made


@pytest.fixture
def ward(transactional_db: None, provider: Provider) -> Ward:
    made = ward_of(Channel.SMS, NUMBER)
    gateway("first", provider, 1)
    return made


def gateway(name: str, provider: Provider, position: int) -> None:
    settings = {"form": FORM, "url": provider.url}
    add_gateway(name, "http", settings, position=position, per_second=1000)


@STEPS
def test_killed_between_two_steps(
    ward: Ward, provider: Provider, dies: str, ends_as: str, taken: int
) -> None:
    killed_between_two_steps(ward, dies, ends_as, lambda: provider.asked, taken)
    assert len(provider.taken) == taken


@pytest.mark.parametrize("stage", HTTP_STAGES)
def test_killed_while_the_gateway_listens(ward: Ward, provider: Provider, stage: str) -> None:
    with sending() as doomed:
        provider.kill_at(stage, doomed.pid)
        change(ward.goes(0, 1, observation=1))
        assert doomed.wait_for_death() == -9
    with sending():
        assert eventually(lambda: only().status in (Status.SENT, Status.UNCERTAIN))
        assert not eventually(lambda: len(provider.taken) > 1, seconds=1)
    if stage != "connected":  # where it was only there, it may have been too early for all
        assert len(provider.taken) == 1 or only().status == Status.UNCERTAIN


def test_killed_after_one_gateway_has_refused_the_other_gets_it_once(
    ward: Ward, provider: Provider, spare: Provider
) -> None:
    gateway("second", spare, 2)
    provider.status = 503
    change(ward.goes(0, 1, observation=1))
    with sending(dies="after take_back") as doomed:
        assert doomed.wait_for_death() == -9
    with sending():
        assert eventually(lambda: only().status == Status.SENT)
    assert (only().gateway, len(spare.taken), provider.taken) == ("second", 1, [])


def test_a_person_may_have_an_uncertain_one_sent_again_once(ward: Ward, provider: Provider) -> None:
    change(ward.goes(0, 1, observation=1))
    with sending(dies="before mark_sent") as doomed:
        doomed.wait_for_death()
    with sending():
        assert eventually(lambda: only().status == Status.UNCERTAIN)
        assert send_again(only().pk)
        assert not send_again(only().pk)
        assert eventually(lambda: only().status == Status.SENT)
    assert len(provider.taken) == 2


def test_what_is_uncertain_after_a_death_goes_another_way(ward: Ward, provider: Provider) -> None:
    Address.objects.create(
        contact=Contact.objects.get(),
        channel=Channel.SMS,
        address="+4915122222222",
        use=Address.Use.INSTEAD,
        sort_order=2,
    )
    change(ward.goes(0, 1, observation=1))
    with sending(dies="after dot_goes_next") as doomed:
        doomed.wait_for_death()
    with sending():
        assert eventually(lambda: states() == [Status.UNCERTAIN, Status.SENT])
    assert [b"+4915122222222" in each.body for each in provider.taken] == [True]


def states() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("status", flat=True))
