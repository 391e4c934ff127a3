"""The lane of push messages: to devices of contacts and of citizens."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from stadtherz.alerts.channels.webpush import Device, of_details, push
from stadtherz.alerts.citizens.telling import about
from stadtherz.alerts.models import AlertEvent, Delivery
from stadtherz.alerts.outbox.deliveries import Claim
from stadtherz.alerts.outbox.handing import Result, hand_over
from stadtherz.alerts.outbox.pushing import sender
from stadtherz.alerts.outbox.readers import Reader
from stadtherz.alerts.outbox.witness import Witness
from stadtherz.kit.declaration import Severity


@dataclass(frozen=True, slots=True)
class PushLane:
    """Needs no gateway: each device names the server of its browser's maker."""

    public_url: str

    def send(self, delivery: Delivery, reader: Reader, claimed: Claim, witness: Witness) -> None:
        event, content = delivery.event, self._content(delivery.event, reader)
        to = _device(delivery, reader)

        def give(goes_next: Callable[[], None]) -> None:
            push(
                to,
                content,
                sender(),
                topic=f"alert-{about(event.alert)}",
                severity=Severity(event.severity),
                goes_next=goes_next,
            )

        if hand_over(claimed, witness, reader.address, give) is Result.GONE:
            _forget(delivery)

    def rests_until(self) -> None:
        return None

    def _content(self, event: AlertEvent, reader: Reader) -> dict[str, Any]:
        """What the service worker shows; of an alert that goes on the newest alone stays on the screen."""
        text = event.wording(reader.language)
        with override(reader.language):
            content: dict[str, Any] = {
                "title": text["subject"],
                "body": text["sentence"],
                "url": self.public_url + (reader.answer or text["link"]),
                "tag": f"alert-{about(event.alert)}",
                "lang": reader.language,
                "severity": event.severity,
                "test": event.alert.drill,
            }
            if reader.answer:
                content["take"] = {
                    "title": _("I take this on"),
                    "url": self.public_url + reader.answer,
                }
                content["code"] = reader.code
            if reader.leave:
                content["leave"] = {
                    "title": _("Change or end"),
                    "url": self.public_url + reader.leave,
                }
        return content


def push_lane() -> PushLane:
    return PushLane(str(settings.STADTHERZ["public_url"]))


def _device(delivery: Delivery, reader: Reader) -> Device:
    holder = delivery.subscriber or delivery.address
    return of_details(reader.address, holder.details if holder is not None else {})


def _forget(delivery: Delivery) -> None:
    """The device has unsubscribed; its address is of no use to anybody any more."""
    if delivery.subscriber is not None:
        delivery.subscriber.delete()
    elif delivery.address is not None:
        delivery.address.delete()
