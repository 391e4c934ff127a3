"""The lane of SMS: the first gateway that works takes the message, at its own pace."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from django.utils.translation import override

from stadtherz.alerts.channels.http_sms import http_gateway
from stadtherz.alerts.channels.outcomes import NotHandedOver, PerhapsHandedOver
from stadtherz.alerts.channels.smpp import Smpp, smpp_account, smpp_wishes
from stadtherz.alerts.channels.sms import compose, parts
from stadtherz.alerts.channels.spool import gammu, smstools
from stadtherz.alerts.channels.vault import opened
from stadtherz.alerts.models import Channel, Delivery, Gateway
from stadtherz.alerts.outbox import deliveries, lines
from stadtherz.alerts.outbox.deliveries import Claim, LeaseLost, nameless
from stadtherz.alerts.outbox.readers import Reader
from stadtherz.alerts.outbox.witness import Witness
from stadtherz.alerts.people.phones import e164
from stadtherz.base.errors import Invalid
from stadtherz.base.time import now_us

logger = logging.getLogger(__name__)


class Carrier(Protocol):
    """What can take an SMS: see `channels.http_sms` and `channels.spool`."""

    def send(self, to: str, text: str, key: str, *, goes_next: Callable[[], None]) -> str: ...


@dataclass(frozen=True, slots=True)
class SmsLane:
    """Sends by the gateways of the table, in their order."""

    gateways: Sequence[tuple[Gateway, Carrier]]

    def send(self, delivery: Delivery, reader: Reader, claimed: Claim, witness: Witness) -> None:
        number = e164(reader.address)
        if number is None:
            deliveries.mark_failed(claimed, "This is no telephone number.")
            return
        with override(reader.language):
            texts = delivery.event.texts
            wording = texts.get(reader.language) or next(iter(texts.values()))
            text = compose(wording, reader.code)
        refused: NotHandedOver | None = None
        final = True  # only if every gateway refuses this very message
        for gateway, carrier in self.gateways:
            began = time.monotonic()
            try:
                said = carrier.send(
                    number,
                    text,
                    f"{delivery.pk}",
                    goes_next=partial(_goes_next, claimed, witness, gateway.name, parts(text)),
                )
            except NotHandedOver as reason:
                refused = reason
                deliveries.take_back(claimed)
                message = reason.permanent and not reason.account
                final = final and message
                _note_failure(gateway, nameless(reason, number), permanent=message)
                continue
            except PerhapsHandedOver as reason:
                _note_failure(gateway, nameless(reason, number), permanent=False)
                deliveries.mark_uncertain(claimed, nameless(reason, number))
                return
            except LeaseLost:
                logger.info("delivery %s was taken over by another process", claimed.delivery)
                return
            deliveries.mark_sent(claimed, said)
            _note_success(gateway)
            _keep_pace(gateway, began)
            return
        if refused is not None:
            deliveries.put_back(claimed, nameless(refused, number), permanent=final)


def sms_lane() -> SmsLane | None:
    """None if no gateway is set. One whose settings are broken says so and is passed over.

    Raises StandsBy where another process of this machine has the line to the SMS centre.
    """
    rows = list(Gateway.objects.filter(channel=Channel.SMS, active=True))
    if any(row.kind == Gateway.Kind.SMPP for row in rows) and not lines.ours():
        raise lines.StandsBy
    found = [(row, carrier) for row in rows if (carrier := _carrier(row)) is not None]
    return SmsLane(found) if found else None


def _carrier(row: Gateway) -> Carrier | None:
    try:
        return carrier_of(row)
    except (Invalid, ValueError) as problem:
        _note_failure(row, str(problem), permanent=False)
        return None


def carrier_of(row: Gateway) -> Carrier:
    """Raises Invalid where the settings do not fit the kind."""
    if row.kind == Gateway.Kind.HTTP:
        return http_gateway(row.settings, opened(row.secret))
    if row.kind == Gateway.Kind.SMSTOOLS:
        return smstools(row.settings)
    if row.kind == Gateway.Kind.SMPP:
        account = smpp_account(row.settings, opened(row.secret))
        wishes = smpp_wishes(row.settings)
        return Smpp(account, wishes, partial(lines.line_of, row.pk, row.name, account, wishes))
    if row.kind == Gateway.Kind.GAMMU:
        return gammu(row.settings)
    raise Invalid("kind", "cannot send SMS")


def _goes_next(claimed: Claim, witness: Witness, gateway: str, number: int) -> None:
    """The arbiter first, then the witness: between it and the request lies what nobody can know."""
    deliveries.mark_handing_over(claimed, "", gateway, number)
    witness.dot_goes_next(claimed.delivery)


def _note_failure(row: Gateway, reason: str, *, permanent: bool) -> None:
    """A refusal of one message is not the gateway's fault."""
    changes: dict[str, object] = {"last_error": reason[:500]}
    if not permanent and row.failing_since is None:
        row.failing_since = changes["failing_since"] = now_us()
        logger.error("the gateway %s does not take messages: %s", row.name, reason)
    Gateway.objects.filter(pk=row.pk).update(**changes)


def _note_success(row: Gateway) -> None:
    Gateway.objects.filter(pk=row.pk).update(last_success=now_us(), failing_since=None)
    row.failing_since = None


def _keep_pace(row: Gateway, began: float) -> None:
    """No faster than the gateway allows; other lanes do not wait for it."""
    rest = 1 / max(row.per_second, 0.01) - (time.monotonic() - began)
    if rest > 0:
        time.sleep(min(rest, 60.0))
