"""What topics tell, and that a password stays in its vault."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.base.errors import Invalid
from stadtherz.ingest.connections import topics
from stadtherz.ingest.connections.backoff import Backoff
from stadtherz.ingest.connections.topics import Reader, reader
from stadtherz.ingest.connections.words import Problem
from stadtherz.ingest.trust import vault


@pytest.mark.parametrize(
    ("network", "topic", "expected"),
    [
        ("tts", "v3/app@tenant/devices/dev1/up", Reader("tts")),
        ("tts", "v3/app/devices/dev1/down/ack", Reader("tts")),
        ("tts", "v3/app/devices/dev1/down/push", None),
        ("tts", "v3/app/devices/dev1/down/replace", None),
        ("chirpstack", "application/1/device/0a/event/up", Reader("chirpstack", "event=up")),
        (
            "chirpstack",
            "town/application/1/device/0a/event/join",
            Reader("chirpstack", "event=join"),
        ),
        ("chirpstack", "my/own/template", Reader("chirpstack")),
        ("chirpstack", "application/1/device/0a/command/down", None),
        ("json", "a/b&c=ü", Reader("json", "form=counter&topic=a%2Fb%26c%3D%C3%BC")),
    ],
)
def test_a_topic_tells_how_its_message_is_read(
    network: str, topic: str, expected: Reader | None
) -> None:
    assert reader(network, topic, form="counter") == expected


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("v3/app@tenant/devices/+/#", True),
        ("#", True),
        ("+", True),
        ("a//b", True),
        ("", False),
        ("a/#/b", False),
        ("a/b#", False),
        ("a+/b", False),
        ("$share/group/a", False),
        ("a\x00", False),
    ],
)
def test_a_filter_is_what_mqtt_takes(text: str, right: bool) -> None:
    assert topics.is_filter(text) is right


def test_topics_are_proposed_by_network() -> None:
    assert topics.proposed("tts", "app@tenant") == "v3/app@tenant/devices/+/#"
    assert topics.proposed("chirpstack", "") == "application/+/device/+/event/+"
    assert topics.proposed("json", "") == ""


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_password_comes_out_as_it_went_in_and_is_not_to_be_seen(password: str) -> None:
    sealed = vault.sealed(password)
    assert vault.opened(sealed) == password
    assert len(password) < 4 or password not in sealed


def test_another_secret_opens_nothing(settings: Any) -> None:
    sealed = vault.sealed("horse")
    settings.SECRET_KEY = "another one"
    with pytest.raises(Invalid, match="password"):
        vault.opened(sealed)


def test_a_broker_is_asked_less_and_less_often() -> None:
    backoff = Backoff()
    waits = [backoff.next(Problem.NOBODY_LISTENS) for _ in range(12)]
    assert 0.5 <= waits[0] <= 1
    assert 30 <= waits[-1] <= 60
    backoff.held(60)
    assert backoff.next(Problem.CLOSED) <= 1
    assert Backoff().next(Problem.CREDENTIALS) >= 15
