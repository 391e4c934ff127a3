"""A siren is told by a Task: one for each event, and what becomes of it is the receipt."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from stadtherz.alerts.models import Address, Channel, Contact, Delivery
from stadtherz.alerts.outbox import by_task
from stadtherz.alerts.public import change, send_due
from stadtherz.alerts.tests.factories import Ward, make_ward
from stadtherz.alerts.tests.mailserver import MailServer
from stadtherz.base.time import now_us
from stadtherz.store.models import Actuator, Organisation, Task, TaskingCapability, Thing

Status, Receipt = Delivery.Status, Delivery.Receipt
TEXT = {"name": "text", "type": "Text", "label": "What is said"}
SEVERITY = {
    "name": "severity",
    "type": "Category",
    "constraint": {"type": "AllowedTokens", "value": ["ok", "warning", "danger"]},
}


def siren(owner: int, *fields: dict[str, Any], name: str = "Sirene Rathaus") -> TaskingCapability:
    thing = Thing.objects.create(owner_id=owner, name=name)
    actuator = Actuator.objects.create(owner_id=owner, name=name, metadata="x")
    return TaskingCapability.objects.create(
        owner_id=owner,
        name=name,
        thing=thing,
        actuator=actuator,
        tasking_parameters={"type": "DataRecord", "field": list(fields)},
    )


def rung(ward: Ward, address: str, *more: tuple[str, str, str]) -> Contact:
    contact = Contact.objects.create(owner_id=ward.organisation, name="Sirene", language="de")
    for place, (channel, to, use) in enumerate([(Channel.TASK, address, "always"), *more]):
        Address.objects.create(
            contact=contact, channel=channel, address=to, use=use, sort_order=place
        )
    contact.lists.add(ward.recipients)
    return contact


@pytest.fixture
def ward(transactional_db: None) -> Ward:
    return make_ward([])


def test_a_siren_gets_one_task_with_what_it_takes(ward: Ward) -> None:
    capability = siren(ward.organisation, TEXT, SEVERITY)
    rung(ward, capability.name)
    change(ward.goes(0, 2, observation=1))
    assert (send_due(), send_due()) == (1, 0)
    given, sent = Task.objects.get(), Delivery.objects.get()
    assert given.tasking_capability == capability
    assert given.tasking_parameters == {
        "text": "de Alarm: Pegel Lauterstraße. Die Lauter: Alarm.",
        "severity": "danger",
    }
    assert (sent.status, sent.gateway, sent.message_id) == (Status.SENT, "Tasks", str(given.pk))


def test_a_task_and_its_note_are_kept_together_or_not_at_all(ward: Ward, monkeypatch: Any) -> None:
    rung(ward, str(siren(ward.organisation, TEXT).pk))
    change(ward.goes(0, 2, observation=1))

    def dies(*_args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(by_task.deliveries, "mark_sent", dies)
        with pytest.raises(KeyboardInterrupt):
            send_due()
    assert (Task.objects.count(), Delivery.objects.get().status) == (0, Status.QUEUED)
    Delivery.objects.update(next_attempt=0, worker="")
    send_due()
    assert (Task.objects.count(), Delivery.objects.get().status) == (1, Status.SENT)


@pytest.mark.parametrize(
    ("properties", "receipt"),
    [
        ({"downlink": {"state": "handed_over"}}, Receipt.BUFFERED),
        ({"downlink": {"state": "acknowledged"}}, Receipt.DELIVERED),
        ({"state": "Completed"}, Receipt.DELIVERED),
        ({"state": "rejected"}, Receipt.UNDELIVERED),
        ({"state": "?"}, Receipt.NONE),
        (None, Receipt.NONE),
    ],
)
def test_what_becomes_of_the_task_is_the_receipt(ward: Ward, properties: Any, receipt: str) -> None:
    rung(ward, str(siren(ward.organisation, TEXT).pk))
    change(ward.goes(0, 2, observation=1))
    send_due()
    Task.objects.update(properties=properties)
    by_task.look(now_us())
    by_task.look(now_us())
    assert Delivery.objects.get().receipt == receipt


def test_a_device_that_does_not_do_it_is_stood_in_for(ward: Ward, mails: MailServer) -> None:
    stands_in = (Channel.EMAIL, "w@stadt.example", "instead")
    rung(ward, str(siren(ward.organisation, TEXT).pk), stands_in)
    change(ward.goes(0, 2, observation=1))
    send_due()
    Task.objects.update(properties={"downlink": {"state": "failed", "problem": "no battery"}})
    by_task.look(now_us())
    send_due()
    assert mails.subjects() == ["de Alarm: Pegel Lauterstraße"]
    assert Delivery.objects.order_by("pk").first().error == "no battery"  # type: ignore[union-attr]


def test_what_cannot_be_told_says_what_it_takes(ward: Ward) -> None:
    lamp = siren(ward.organisation, {"name": "colour", "type": "Text"}, name="Lampe")
    rung(ward, "Lampe")
    change(ward.goes(0, 2, observation=1))
    send_due()
    assert lamp.pk
    assert Delivery.objects.get().status == Status.FAILED
    assert "takes none of text, severity" in Delivery.objects.get().error


def test_nobody_tells_the_siren_of_another_organisation(ward: Ward) -> None:
    other = Organisation.objects.create(slug="other", name="Other")
    theirs = siren(other.pk, TEXT)
    contact = rung(ward, str(theirs.pk))
    with pytest.raises(ValidationError) as wrong:
        contact.addresses.get().clean()
    assert list(wrong.value.message_dict) == ["address"]
    change(ward.goes(0, 2, observation=1))
    send_due()
    assert (Task.objects.count(), Delivery.objects.get().status) == (0, Status.FAILED)


def test_a_name_that_two_have_means_neither(ward: Ward) -> None:
    siren(ward.organisation, TEXT)
    siren(ward.organisation, TEXT)
    contact = Contact.objects.create(owner_id=ward.organisation, name="Sirene")
    with pytest.raises(ValidationError):
        Address(contact=contact, channel=Channel.TASK, address="Sirene Rathaus").clean()
