"""The lane of webhooks: each event as a signed document to the address of a contact."""

from dataclasses import dataclass
from functools import partial

from django.conf import settings

from stadtherz.alerts.channels.document import document, written
from stadtherz.alerts.channels.vault import opened
from stadtherz.alerts.channels.webhook import send
from stadtherz.alerts.models import Delivery
from stadtherz.alerts.outbox import deliveries
from stadtherz.alerts.outbox.deliveries import Claim
from stadtherz.alerts.outbox.handing import hand_over
from stadtherz.alerts.outbox.readers import Reader
from stadtherz.alerts.outbox.witness import Witness
from stadtherz.base.errors import Invalid


@dataclass(frozen=True, slots=True)
class WebhookLane:
    """Needs no gateway: whoever wants to be told is one."""

    public_url: str

    def send(self, delivery: Delivery, reader: Reader, claimed: Claim, witness: Witness) -> None:
        try:
            secret = opened(delivery.address.secret if delivery.address else "")
        except Invalid as problem:
            deliveries.mark_failed(claimed, f"The secret {problem.reason}.")
            return
        body = written(document(delivery.event, self.public_url, answer=reader.answer))
        known_as = key_of(delivery)
        give = partial(send, reader.address, secret, known_as, body)
        hand_over(
            claimed, witness, reader.address, lambda next_: give(goes_next=next_), known_as=known_as
        )

    def rests_until(self) -> None:
        return None


def webhook_lane() -> WebhookLane:
    return WebhookLane(str(settings.STADTHERZ["public_url"]))


def key_of(delivery: Delivery) -> str:
    """The same however often it is sent: by it the receiver knows what it has had already."""
    return f"msg_{delivery.pk}"
