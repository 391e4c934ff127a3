"""The lane of MQTT: each event as a document to a topic, by the first broker that takes it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from stadtherz.alerts.channels.document import document, written
from stadtherz.alerts.channels.mqtt import MqttBroker, mqtt_broker
from stadtherz.alerts.channels.vault import opened
from stadtherz.alerts.models import Channel, Delivery, Gateway
from stadtherz.alerts.outbox import deliveries, health
from stadtherz.alerts.outbox.by_webhook import key_of
from stadtherz.alerts.outbox.deliveries import Claim
from stadtherz.alerts.outbox.readers import Reader
from stadtherz.alerts.outbox.ways import Way, hand_on, rests_until
from stadtherz.alerts.outbox.witness import Witness
from stadtherz.base.errors import Invalid
from stadtherz.base.time import now_us


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
            def goes_next() -> None:
                deliveries.mark_handing_over(claimed, known_as, way.gateway.name)
                witness.dot_goes_next(claimed.delivery)

            return way.carrier.send(reader.address, text, known_as, goes_next=goes_next)

        hand_on(self.ways, claimed, reader.address, give)

    def rests_until(self) -> int | None:
        return rests_until(self.ways)


def mqtt_lane() -> MqttLane | None:
    """None if no broker is set. One whose settings are broken says so and is passed over."""
    rows = Gateway.objects.filter(channel=Channel.MQTT, active=True)
    ways = [Way(row, broker) for row in rows if (broker := _broker(row)) is not None]
    return MqttLane(str(settings.STADTHERZ["public_url"]), ways) if ways else None


def broker_of(row: Gateway) -> MqttBroker:
    """Raises Invalid where the settings do not fit."""
    return mqtt_broker(row.settings, opened(row.secret))


def _broker(row: Gateway) -> MqttBroker | None:
    try:
        return broker_of(row)
    except (Invalid, ValueError) as problem:
        if health.may_try(row, now_us()):
            health.note_failure(row, str(problem))
        return None
