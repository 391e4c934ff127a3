"""Where MQTT listens: what is not safe must be asked for by name."""

import pytest

from stadtherz.base.errors import Invalid
from stadtherz.mqtt.doors.addresses import Listening, endpoints, listening


def test_addresses_are_read_with_their_usual_ports() -> None:
    assert listening("mqtt://127.0.0.1, mqtts://0.0.0.0:9000", plain=False) == [
        Listening("127.0.0.1", 1883, tls=False),
        Listening("0.0.0.0", 9000, tls=True),
    ]
    assert listening("", plain=False) == []


def test_tokens_do_not_go_unencrypted_through_the_network_unless_it_is_said() -> None:
    with pytest.raises(Invalid, match="STADTHERZ_MQTT_PLAIN=1"):
        listening("mqtt://0.0.0.0:1883", plain=False)
    assert listening("mqtt://0.0.0.0:1883", plain=True) == [Listening("0.0.0.0", 1883, tls=False)]


@pytest.mark.parametrize(
    "text", ["1883", "http://127.0.0.1", "mqtt://", "mqtt://a:b", "mqtt://localhost/topic"]
)
def test_what_is_no_address_says_what_one_is_like(text: str) -> None:
    with pytest.raises(Invalid, match="STADTHERZ_MQTT"):
        listening(text, plain=False)


def test_clients_are_told_the_name_of_the_city() -> None:
    found = listening("mqtt://127.0.0.1,mqtts://0.0.0.0", plain=False)
    assert endpoints(found, [1883, 8883], "daten.stadt.example") == [
        "mqtt://daten.stadt.example:1883",
        "mqtts://daten.stadt.example:8883",
    ]
