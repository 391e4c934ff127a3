"""The lane of MQTT: each event as a document to a topic, by the first broker that takes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from django.conf import settings

from stadtherz.alerts.channels.document import document, written
from stadtherz.alerts.channels.mqtt import MqttBroker, mqtt_broker
from stadtherz.alerts.channels.vault import opened
from stadtherz.alerts.models import Channel, Delivery, Gateway
from stadtherz.alerts.outbox import ways
from stadtherz.alerts.outbox.by_webhook import key_of
from stadtherz.alerts.outbox.deliveries import Claim
from stadtherz.alerts.outbox.handing import goes_next
from stadtherz.alerts.outbox.readers import Reader
from stadtherz.alerts.outbox.ways import Way
from stadtherz.alerts.outbox.witness import Witness


@dataclass(frozen=True, slots=True)
class MqttLane:
    """Publishes by the brokers of the table, in their order."""

    public_url: str
    ways: Sequence[Way[MqttBroker]]

    def send(self, delivery: Delivery, reader: Reader, claimed: Claim, witness: Witness) -> None:
        # Whoever may read the topic must not be able to answer in somebody's name.
        text = written(document(delivery.event, self.public_url)).decode()
        known_as = key_of(delivery)

        def give(way: Way[MqttBroker]) -> str:
            going = partial(goes_next, claimed, witness, known_as, way.gateway.name)
            return way.carrier.send(reader.address, text, known_as, goes_next=going)

        ways.hand_on(self.ways, claimed, reader.address, give, ways.knock)

    def rests_until(self) -> int | None:
        return ways.rests_until(self.ways)


def mqtt_lane() -> MqttLane | None:
    """None if no broker is set. One whose settings are broken says so and is passed over."""
    rows = Gateway.objects.filter(channel=Channel.MQTT, active=True)
    found = ways.opened(rows, broker_of)
    return MqttLane(str(settings.STADTHERZ["public_url"]), found) if found else None


def broker_of(row: Gateway) -> MqttBroker:
    """Raises Invalid where the settings do not fit."""
    return mqtt_broker(row.settings, opened(row.secret))
