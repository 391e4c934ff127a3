"""The secret in the links of a subscriber's messages: whoever has it got the message."""

from django.core.signing import BadSignature, Signer

from stadtherz.alerts.models import Subscriber
from stadtherz.base.errors import NotFound

_SIGNER = Signer(salt="stadtherz.alerts.subscriber")


def token_of(subscriber: Subscriber) -> str:
    """What stands in the address of the subscriber's page; the same as long as it is subscribed."""
    return _SIGNER.sign(f"{subscriber.pk}.{subscriber.key}").replace(":", "~")


def subscriber_of(token: str) -> Subscriber:
    """Whose token this is. Raises NotFound for one that was never given, or of somebody who has left."""
    try:
        pk, _dot, key = _SIGNER.unsign(token.replace("~", ":")).partition(".")
    except BadSignature as problem:
        raise NotFound("subscription") from problem
    found = Subscriber.objects.filter(pk=int(pk), key=key).first()
    if found is None:
        raise NotFound("subscription")
    return found
