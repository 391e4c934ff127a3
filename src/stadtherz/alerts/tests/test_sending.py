"""What becomes of owed messages: sent, tried again, given up, or left to a person."""

from datetime import timedelta
from pathlib import Path

import pytest

from stadtherz.alerts.models import Contact, Delivery
from stadtherz.alerts.outbox import deliveries
from stadtherz.alerts.outbox.witness import Witness
from stadtherz.alerts.public import change, send_again, send_due
from stadtherz.alerts.tests.factories import Ward, make_ward
from stadtherz.alerts.tests.mailserver import MailServer
from stadtherz.base import time

Status = Delivery.Status


def later(seconds: float) -> time.stopped_at:  # type: ignore[valid-type]
    return time.stopped_at(time.now() + timedelta(seconds=seconds))


def only() -> Delivery:
    return Delivery.objects.get()


def test_an_owed_message_is_sent_once(ward: Ward, mails: MailServer) -> None:
    change(ward.goes(0, 1, observation=1))
    assert (send_due(), send_due()) == (1, 0)
    assert mails.subjects() == ["de Vorwarnung: Pegel Lauterstraße"]
    assert only().status == Status.SENT


def test_every_person_on_the_list_gets_their_own(transactional_db: None, mails: MailServer) -> None:
    ward = make_ward(["a@stadt.example", "b@stadt.example"])
    change(ward.goes(0, 1, observation=1))
    send_due()
    assert sorted(m["To"].addresses[0].addr_spec for m in mails.received()) == [
        "a@stadt.example",
        "b@stadt.example",
    ]


def test_a_refusal_for_now_is_tried_again_after_a_pause(ward: Ward, mails: MailServer) -> None:
    mails.answer("rcpt", "451 greylisted")
    change(ward.goes(0, 1, observation=1))
    send_due()
    assert (only().status, only().error) == (Status.QUEUED, "451 greylisted")
    assert send_due() == 0
    with later(6):
        send_due()
    assert only().status == Status.SENT


def test_a_final_refusal_is_believed_after_five_attempts(ward: Ward, mails: MailServer) -> None:
    change(ward.goes(0, 1, observation=1))
    for attempt in range(5):
        mails.answer("rcpt", "550 no such person")
        with later(attempt * 900):
            send_due()
    assert (only().status, only().attempts) == (Status.FAILED, 5)
    assert only().error == "550 no such person"


def test_the_record_of_a_refusal_keeps_no_address(
    transactional_db: None, mails: MailServer
) -> None:
    mails.answer("rcpt", "550 5.1.1 <Erika@wehr.example> unknown")
    change(make_ward(["erika@wehr.example"]).goes(0, 1, observation=1))
    send_due()
    assert only().error == "550 5.1.1 <…> unknown"


def test_a_refusal_after_the_dot_puts_the_message_back(ward: Ward, mails: MailServer) -> None:
    mails.answer("accepted", "452 disk full")
    change(ward.goes(0, 1, observation=1))
    send_due()
    assert only().status == Status.QUEUED


def test_the_all_clear_waits_for_the_warning(ward: Ward, mails: MailServer) -> None:
    mails.answer("rcpt", "451 greylisted")
    change(ward.goes(0, 1, observation=1))
    send_due()
    change(ward.goes(1, 0, observation=2))
    assert send_due() == 0
    with later(6):
        send_due()
    assert [s.split()[1] for s in mails.subjects()] == ["Vorwarnung:", "normal:"]


def test_without_a_mail_server_messages_wait_and_say_why(ward: Ward) -> None:
    change(ward.goes(0, 1, observation=1))
    assert send_due() == 0
    assert (only().status, only().error) == (Status.QUEUED, deliveries.NO_SERVER)


def test_a_removed_contact_gets_nothing(ward: Ward, mails: MailServer) -> None:
    change(ward.goes(0, 1, observation=1))
    Contact.objects.all().delete()
    send_due()
    assert (only().status, mails.received()) == (Status.FAILED, [])


def test_an_uncertain_message_is_not_repeated_by_itself(ward: Ward, mails: MailServer) -> None:
    change(ward.goes(0, 1, observation=1))
    Delivery.objects.update(status=Status.UNCERTAIN)
    with later(86_400):
        assert send_due() == 0


def test_staff_can_have_it_sent_again(ward: Ward, mails: MailServer) -> None:
    change(ward.goes(0, 1, observation=1))
    Delivery.objects.update(status=Status.UNCERTAIN)
    assert send_again(only().pk)
    send_due()
    assert only().status == Status.SENT


def test_a_sent_message_cannot_be_sent_again(ward: Ward, mails: MailServer) -> None:
    change(ward.goes(0, 1, observation=1))
    send_due()
    assert not send_again(only().pk)


def test_only_one_of_two_processes_gets_a_message(ward: Ward) -> None:
    change(ward.goes(0, 1, observation=1))
    assert deliveries.claim("me") is not None
    assert deliveries.claim("me") is None


def test_a_lapsed_lease_cannot_hand_over(ward: Ward) -> None:
    change(ward.goes(0, 1, observation=1))
    slow = deliveries.claim("me")
    assert slow is not None
    with later(11):
        assert deliveries.claim("me") is not None
        with pytest.raises(deliveries.LeaseLost):
            deliveries.mark_handing_over(slow, "<1@x>")


def test_pauses_double_up_to_a_quarter_of_an_hour() -> None:
    pauses = [deliveries.pause(attempt) // time.SECOND for attempt in (1, 2, 3, 20, 60_000)]
    assert pauses == [5, 10, 20, 900, 900]


def test_who_was_switched_off_meanwhile_gets_nothing(ward: Ward, mails: MailServer) -> None:
    change(ward.goes(0, 1, observation=1))
    Contact.objects.update(active=False)
    send_due()
    assert mails.received() == []
    assert (only().status, only().error) == (Status.FAILED, "The contact has been switched off.")


def test_a_message_that_cannot_be_written_is_shown_and_holds_nobody_up(
    transactional_db: None, mails: MailServer
) -> None:
    ward = make_ward([f"a@{'x' * 70}.example", "b@stadt.example"])
    change(ward.goes(0, 1, observation=1))
    send_due()
    assert len(mails.received()) == 1
    failed = Delivery.objects.exclude(status=Status.SENT).get()
    assert failed.status == Status.FAILED
    assert "cannot be written" in failed.error


def test_messages_wait_no_longer_because_the_clock_was_set_back(
    ward: Ward, mails: MailServer
) -> None:
    with later(7200):
        change(ward.goes(0, 1, observation=1))
    assert send_due() == 1
    assert only().status == Status.SENT


@pytest.mark.parametrize(("dot_sent", "status"), [(True, Status.UNCERTAIN), (False, Status.QUEUED)])
def test_what_could_not_be_written_down_is_settled_without_a_restart(
    ward: Ward, tmp_path: Path, dot_sent: bool, status: str
) -> None:
    """The database went away while the server answered."""
    change(ward.goes(0, 1, observation=1))
    witness = Witness(tmp_path)
    claimed = deliveries.claim(witness.name)
    assert claimed is not None
    deliveries.mark_handing_over(claimed, "<1@x>")
    if dot_sent:
        witness.dot_goes_next(claimed.delivery)
    deliveries.settle(tmp_path, witness)
    assert only().status == status
    witness.close()
