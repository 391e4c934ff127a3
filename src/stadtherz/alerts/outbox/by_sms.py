"""The lane of SMS: the first gateway that works takes the message, at its own pace."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from django.utils.translation import override

from stadtherz.alerts.channels.http_sms import http_gateway
from stadtherz.alerts.channels.smpp import smpp_account, smpp_wishes
from stadtherz.alerts.channels.sms import compose, parts
from stadtherz.alerts.channels.spool import gammu, smstools
from stadtherz.alerts.channels.vault import opened
from stadtherz.alerts.models import Channel, Delivery, Gateway
from stadtherz.alerts.outbox import deliveries, health, lines
from stadtherz.alerts.outbox.budget import SPENT, Budget, midnight
from stadtherz.alerts.outbox.deliveries import Claim
from stadtherz.alerts.outbox.doors import door_of
from stadtherz.alerts.outbox.readers import Reader
from stadtherz.alerts.outbox.ways import Way, hand_on, rests_until
from stadtherz.alerts.outbox.witness import Witness
from stadtherz.alerts.people.phones import e164
from stadtherz.base.errors import Invalid
from stadtherz.base.time import now_us

_GRAVEST = 3  # the urgency of danger


class Carrier(Protocol):
    """What can take an SMS: see `channels.http_sms` and `channels.spool`."""

    def send(self, to: str, text: str, key: str, *, goes_next: Callable[[], None]) -> str: ...

    def check(self) -> None:
        """Look whether anybody is there, without a message. Raises NotHandedOver."""


@dataclass(frozen=True, slots=True)
class SmsLane:
    """Sends by the gateways of the table, in their order."""

    ways: Sequence[Way[Carrier]]
    budget: Budget = field(default_factory=Budget)

    def send(self, delivery: Delivery, reader: Reader, claimed: Claim, witness: Witness) -> None:
        number = e164(reader.address)
        if number is None:
            deliveries.mark_failed(claimed, "This is no telephone number.")
            return
        with override(reader.language):
            texts = delivery.event.texts
            wording = texts.get(reader.language) or next(iter(texts.values()))
            text = compose(wording, reader.code)

        size = parts(text)
        ways = [way for way in self.ways if self._may_cost(way.gateway, delivery, size)]
        if not ways:
            deliveries.wait(claimed, SPENT, midnight(self.budget.day, days=1))
            return

        def hand_over(way: Way[Carrier]) -> str:
            # Our own name for it stands there first: a receipt may be quicker than the answer.
            key = f"sh-{delivery.pk}"
            goes_next = partial(_goes_next, claimed, witness, way.gateway.name, key, size)
            known_as = way.carrier.send(number, text, key, goes_next=goes_next)
            self.budget.spend(way.gateway, size)
            return known_as

        hand_on(ways, claimed, number, hand_over)

    def _may_cost(self, row: Gateway, delivery: Delivery, size: int) -> bool:
        """Danger is told whatever it costs."""
        return delivery.urgency >= _GRAVEST or self.budget.allows(row, size)

    def rests_until(self) -> int | None:
        return rests_until(self.ways)


def sms_lane() -> SmsLane | None:
    """None if no gateway is set. One whose settings are broken says so and is passed over.

    Raises StandsBy where another process of this machine has the line to the SMS centre.
    """
    rows = list(Gateway.objects.filter(channel=Channel.SMS, active=True))
    if any(row.kind == Gateway.Kind.SMPP for row in rows) and not lines.ours():
        raise lines.StandsBy
    found = [Way(row, carrier) for row in rows if (carrier := _carrier(row)) is not None]
    return SmsLane(found) if found else None


def _carrier(row: Gateway) -> Carrier | None:
    try:
        return carrier_of(row)
    except (Invalid, ValueError) as problem:
        if health.may_try(row, now_us()):
            health.note_failure(row, str(problem))
        return None


def carrier_of(row: Gateway) -> Carrier:
    """Raises Invalid where the settings do not fit the kind."""
    if row.kind == Gateway.Kind.HTTP:
        return http_gateway(row.settings, opened(row.secret), receipts=door_of(row))
    if row.kind == Gateway.Kind.SMSTOOLS:
        return smstools(row.settings)
    if row.kind == Gateway.Kind.SMPP:
        account = smpp_account(row.settings, opened(row.secret))
        return lines.smpp(row.pk, row.name, account, smpp_wishes(row.settings))
    if row.kind == Gateway.Kind.GAMMU:
        return gammu(row.settings)
    raise Invalid("kind", "cannot send SMS")


def _goes_next(claimed: Claim, witness: Witness, gateway: str, key: str, number: int) -> None:
    """The arbiter first, then the witness: between it and the request lies what nobody can know."""
    deliveries.mark_handing_over(claimed, key, gateway, number)
    witness.dot_goes_next(claimed.delivery)
