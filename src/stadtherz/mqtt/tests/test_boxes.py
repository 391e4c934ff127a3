"""Messages in both directions: once, in order, and again where an acknowledgement may be missing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.mqtt.clients.inbox import HEARD, Inbox
from stadtherz.mqtt.clients.messages import Message, Place
from stadtherz.mqtt.clients.outbox import Outbox
from stadtherz.mqtt.wire.packets import Ack, Publish
from stadtherz.mqtt.wire.properties import Kind
from stadtherz.mqtt.wire.reasons import Reason


def message(number: int) -> Message:
    return Message(f"t/{number}", b"", behind=Place(number, number))


def outbox(window: int = 2, most: int = 10) -> Outbox:
    return Outbox(window, most)


def ids(packets: list[Publish]) -> list[int]:
    return [packet.packet_id for packet in packets]


def test_no_more_than_the_window_is_on_its_way() -> None:
    box = outbox(window=2)
    for number in range(4):
        box.add(message(number), qos=1)
    assert ids(list(box.due())) == [1, 2]
    assert list(box.due()) == []
    assert box.acknowledged(Ack(Kind.PUBACK, 1))
    assert ids(list(box.due())) == [3]


def test_quality_0_needs_no_window() -> None:
    box = outbox(window=1)
    for number in range(3):
        box.add(message(number), qos=0)
    assert ids(list(box.due())) == [0, 0, 0]


def test_quality_2_is_over_after_two_steps() -> None:
    box = outbox(window=1)
    box.add(message(0), qos=2)
    box.add(message(1), qos=2)
    assert ids(list(box.due())) == [1]
    assert box.acknowledged(Ack(Kind.PUBREC, 1))
    assert list(box.due()) == []
    assert box.acknowledged(Ack(Kind.PUBCOMP, 1))
    assert ids(list(box.due())) == [2]


def test_a_refused_message_is_over_at_once() -> None:
    box = outbox(window=1)
    box.add(message(0), qos=2)
    list(box.due())
    assert box.acknowledged(Ack(Kind.PUBREC, 1, Reason.QUOTA_EXCEEDED))
    assert not box.acknowledged(Ack(Kind.PUBCOMP, 1))


def test_after_a_new_connection_what_is_open_is_sent_again_in_order() -> None:
    box = outbox(window=3)
    for number in range(3):
        box.add(message(number), qos=2)
    first, second, third = box.due()
    box.acknowledged(Ack(Kind.PUBREC, second.packet_id))
    assert list(box.again()) == [
        first._replace(dup=True),
        Ack(Kind.PUBREL, second.packet_id),
        third._replace(dup=True),
    ]


def test_the_oldest_place_is_that_of_the_first_without_acknowledgement() -> None:
    box = outbox(window=2)
    for number in range(5, 9):
        box.add(message(number), qos=1)
    list(box.due())
    assert box.oldest() == Place(5, 5)
    box.acknowledged(Ack(Kind.PUBACK, 1))
    assert box.oldest() == Place(6, 6)
    assert box.forget_next() == Place(7, 7)


def test_the_rest_of_what_was_sent_in_part_waits_for_the_next_connection() -> None:
    box = outbox(window=2)
    for number in (5, 5, 5, 6, 6):
        box.add(message(number), qos=1)
    assert len(list(box.due())) == 2
    assert box.forget_next() == Place(6, 6)
    box.acknowledged(Ack(Kind.PUBACK, 1))
    assert len(list(box.due())) == 1


def test_what_could_not_be_lined_up_as_a_whole_is_read_again_as_a_whole() -> None:
    box = outbox(window=1)
    for number in (5, 5, 5):
        box.add(message(number), qos=1)
        list(box.due())
    box.broken_off = True
    assert box.forget_next() == Place(5, 5)
    assert not list(box.due())


@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.booleans()), max_size=60))
def test_identifiers_in_use_are_never_given_twice(steps: list[tuple[int, bool]]) -> None:
    box, open_ids = outbox(window=4, most=100), []
    for qos, answers in steps:
        box.add(message(0), qos)
        for packet in box.due():
            assert packet.packet_id not in open_ids
            open_ids.append(packet.packet_id)
        if answers and open_ids:
            gone = open_ids.pop(0)
            box.acknowledged(Ack(Kind.PUBREC, gone))
            box.acknowledged(Ack(Kind.PUBCOMP, gone))


# --- from the client -----------------------------------------------------------------------------


@pytest.mark.parametrize("qos", [1, 2])
def test_what_is_sent_again_is_known(qos: int) -> None:
    box = Inbox()
    taken = box.take(7, qos, content=1)
    assert box.known(7, qos, 1, dup=True) is taken


def test_the_next_message_that_looks_alike_is_another() -> None:
    box = Inbox()
    first = box.take(7, 1, content=1)
    assert box.known(7, 1, 1, dup=False) is None
    second = box.take(7, 1, content=1)
    assert (first.alike, second.alike) == (0, 1)


def test_the_same_identifier_with_other_content_is_another() -> None:
    box = Inbox()
    box.take(7, 1, content=1)
    assert box.known(7, 1, 2, dup=True) is None


def test_quality_2_is_the_same_until_it_is_released() -> None:
    box = Inbox()
    taken = box.take(7, 2, content=1)
    assert box.known(7, 2, 1, dup=False) is taken
    assert box.release(7)
    assert not box.release(7)
    assert box.known(7, 2, 1, dup=False) is None
    assert box.take(7, 2, content=1).alike == 1


def test_what_a_client_has_surely_heard_of_it_does_not_send_again() -> None:
    box = Inbox()
    box.take(7, 1, content=1).answered = 100.0
    box.heard(100.0 + HEARD / 2)
    assert box.known(7, 1, 1, dup=True) is not None
    box.heard(100.0 + HEARD)
    assert box.known(7, 1, 1, dup=True) is None


def test_what_was_not_kept_is_new_the_next_time() -> None:
    box = Inbox()
    box.drop(box.take(7, 2, content=1))
    assert box.known(7, 2, 1, dup=True) is None
