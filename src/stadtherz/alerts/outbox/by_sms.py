"""The lane of SMS: the first gateway that works takes the message, at its own pace."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from django.utils.translation import override

from stadtherz.alerts.channels.http_sms import HttpGateway, http_gateway
from stadtherz.alerts.channels.smpp import smpp_account, smpp_wishes
from stadtherz.alerts.channels.sms import compose, parts
from stadtherz.alerts.channels.spool import gammu, smstools
from stadtherz.alerts.channels.vault import opened
from stadtherz.alerts.models import Channel, Delivery, Gateway
from stadtherz.alerts.outbox import deliveries, lines, ways
from stadtherz.alerts.outbox.budget import SPENT, Budget, midnight
from stadtherz.alerts.outbox.deliveries import Claim
from stadtherz.alerts.outbox.doors import door_of
from stadtherz.alerts.outbox.handing import goes_next
from stadtherz.alerts.outbox.readers import Reader
from stadtherz.alerts.outbox.ways import Way
from stadtherz.alerts.outbox.witness import Witness
from stadtherz.alerts.people.phones import e164
from stadtherz.base.errors import Invalid

_GRAVEST = 3  # the urgency of danger
_BRISK = 5.0  # seconds for an answer where others could take the next messages


class Carrier(Protocol):
    """What can take an SMS: see `channels.http_sms` and `channels.spool`."""

    def send(self, to: str, text: str, key: str, *, goes_next: Callable[[], None]) -> str: ...

    def check(self) -> None:
        """Look whether anybody is there, without a message. Raises NotHandedOver."""

    def knock(self, seconds: float) -> None:
        """Ask whether anybody answers, for so long at most. Raises NotHandedOver."""


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
            text = compose(delivery.event.wording(reader.language), reader.code).text

        size = parts(text)
        affordable = [way for way in self.ways if self._may_cost(way.gateway, delivery, size)]
        if not affordable:
            deliveries.wait(claimed, SPENT, midnight(self.budget.day, days=1))
            return

        def hand_over(way: Way[Carrier]) -> str:
            # Our own name for it stands there first: a receipt may be quicker than the answer.
            key = f"sh-{delivery.pk}"
            going = partial(goes_next, claimed, witness, key, way.gateway.name, size)
            known_as = _patient(way).send(number, text, key, goes_next=going)
            self.budget.spend(way.gateway, size)
            return known_as

        ways.hand_on(affordable, claimed, number, hand_over, ways.knock)

    def _may_cost(self, row: Gateway, delivery: Delivery, size: int) -> bool:
        """Danger is told whatever it costs."""
        return delivery.urgency >= _GRAVEST or self.budget.allows(row, size)

    def rests_until(self) -> int | None:
        return ways.rests_until(self.ways)


def _patient(way: Way[Carrier]) -> Carrier:
    """Who waits for one that hangs keeps the messages behind from the others."""
    carrier = way.carrier
    if way.alone or not isinstance(carrier, HttpGateway):
        return carrier
    return replace(carrier, patience=_BRISK)


def sms_lane() -> SmsLane | None:
    """None if no gateway is set. One whose settings are broken says so and is passed over.

    Raises StandsBy where another process of this machine has the line to the SMS centre.
    """
    rows = ways.active(channel=Channel.SMS.value)
    if any(row.kind == Gateway.Kind.SMPP for row in rows) and not lines.ours():
        raise lines.StandsBy
    found = ways.opened(rows, carrier_of)
    return SmsLane(found) if found else None


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
