"""In whose name messages are pushed: a pair of keys, made when it is first needed and kept sealed.

Browsers tie a subscription to the public key; with another pair every device would have to subscribe again.
"""

from django.conf import settings

from stadtherz.alerts.channels.vault import opened, sealed
from stadtherz.alerts.channels.webpush import Sender, new_keys
from stadtherz.alerts.models import ServerKey

_NAME = "vapid"


def public_key() -> str:
    """What a browser wants to know before it subscribes."""
    return _keys().public


def sender() -> Sender:
    """Raises Invalid where the city's secret is not what the key was sealed with."""
    url = str(settings.STADTHERZ["public_url"])
    reached = url if url.startswith("https://") else f"mailto:{settings.STADTHERZ['mail_from']}"
    return Sender(opened(_keys().secret), reached)


def _keys() -> ServerKey:
    found = ServerKey.objects.filter(name=_NAME).first()
    if found is None:
        private, public = new_keys()
        # Two processes may both have made one; the first stays.
        found, _made = ServerKey.objects.get_or_create(
            name=_NAME, defaults={"public": public, "secret": sealed(private)}
        )
    return found
