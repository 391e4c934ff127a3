"""The addresses at which gateways tell us something: each gateway has its own, with a signed token."""

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from stadtherz.alerts.models import Gateway

_SIGNER = Signer(salt="stadtherz.alerts.gateway", sep="~")


def token_of(row: Gateway) -> str:
    """What stands in the address to which the gateway passes messages that come in."""
    return _SIGNER.sign(str(row.pk))


def door_of(row: Gateway) -> str:
    """The whole address, as the outside world reaches it; empty for a gateway that is not saved yet."""
    if row._state.adding:
        return ""
    return f"{settings.STADTHERZ['public_url']}{reverse('sms-inbound', args=[token_of(row)])}"


def gateway_of(token: str) -> str | None:
    """The gateway of an address, as long as it is set up; None for a token that was never given."""
    try:
        pk = int(_SIGNER.unsign(token))
    except BadSignature:
        return None
    row = Gateway.objects.filter(pk=pk, active=True).first()
    return None if row is None else row.name
