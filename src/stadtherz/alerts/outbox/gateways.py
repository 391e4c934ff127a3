"""Gateways for SMS as the operator sets them up, tries them and takes them away again."""

from collections.abc import Mapping
from typing import Any

from django.core.signing import BadSignature, Signer

from stadtherz.alerts.channels.outcomes import NotHandedOver, PerhapsHandedOver
from stadtherz.alerts.channels.vault import sealed
from stadtherz.alerts.models import Channel, Gateway
from stadtherz.alerts.outbox.by_sms import carrier_of
from stadtherz.alerts.outbox.wake import wake
from stadtherz.alerts.people.phones import e164
from stadtherz.base.errors import Conflict, Invalid, NotFound, Unavailable

_SIGNER = Signer(salt="stadtherz.alerts.gateway", sep="~")


def add_gateway(
    name: str,
    kind: str,
    settings: Mapping[str, Any],
    *,
    secret: str = "",
    position: int = 1,
    per_second: float = 10,
) -> None:
    """Set up a way out for SMS. Raises Invalid where the settings do not fit, Conflict for a name in use."""
    if Gateway.objects.filter(name=name).exists():
        raise Conflict(f"there is a gateway named {name} already")
    row = Gateway(
        name=name,
        channel=Channel.SMS,
        kind=kind,
        settings=dict(settings),
        secret=sealed(secret),
        position=position,
        per_second=per_second,
    )
    carrier_of(row)
    row.save()
    wake()


def remove_gateway(name: str) -> None:
    """Messages that wait for it go by the others, or wait. Raises NotFound."""
    if not Gateway.objects.filter(name=name).delete()[0]:
        raise NotFound(f"gateway {name}")


def try_gateway(name: str, number: str, text: str) -> str:
    """Send one message by this gateway now; its id there.

    Raises Invalid for a wrong number, Unavailable with what the gateway said.
    """
    row = _named(name)
    to = e164(number)
    if to is None:
        raise Invalid("number", "is no telephone number such as +4915123456789")
    try:
        return carrier_of(row).send(to, text, "test", goes_next=lambda: None)
    except (NotHandedOver, PerhapsHandedOver) as problem:
        raise Unavailable(f"gateway {name}", str(problem), retry=True) from problem


def inbound_token(name: str) -> str:
    """What stands in the address to which the gateway passes messages that come in."""
    return _SIGNER.sign(str(_named(name).pk))


def gateway_of(token: str) -> str | None:
    """The gateway of an inbound address, as long as it is set up; None for a token that was never given."""
    try:
        pk = int(_SIGNER.unsign(token))
    except BadSignature:
        return None
    row = Gateway.objects.filter(pk=pk, active=True).first()
    return None if row is None else row.name


def _named(name: str) -> Gateway:
    row = Gateway.objects.filter(name=name).first()
    if row is None:
        raise NotFound(f"gateway {name}")
    return row
