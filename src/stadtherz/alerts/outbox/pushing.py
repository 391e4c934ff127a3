"""In whose name messages are pushed: a pair of keys, made when it is first needed and kept sealed.

Browsers tie a subscription to the public key; with another pair every device would have to subscribe again.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from stadtherz.alerts.channels.vault import opened, sealed
from stadtherz.alerts.channels.webpush import Sender, new_keys, of_details, push
from stadtherz.alerts.models import ServerKey
from stadtherz.kit.declaration import Severity

_NAME = "vapid"


def public_key() -> str:
    """What a browser wants to know before it subscribes."""
    return _keys().public


def sender() -> Sender:
    """Raises Invalid where the city's secret is not what the key was sealed with."""
    url = str(settings.STADTHERZ["public_url"])
    reached = url if url.startswith("https://") else f"mailto:{settings.STADTHERZ['mail_from']}"
    return Sender(opened(_keys().secret), reached)


def push_to(
    endpoint: str, details: Mapping[str, Any], content: Mapping[str, Any], *, topic: str
) -> None:
    """Push something that may come twice, such as a greeting. Raises what `webpush.push` raises."""
    to = of_details(endpoint, details)
    push(to, content, sender(), topic=topic, severity=Severity.INFO, goes_next=lambda: None)


def _keys() -> ServerKey:
    found = ServerKey.objects.filter(name=_NAME).first()
    if found is None:
        private, public = new_keys()
        # Two processes may both have made one; the first stays.
        found, _made = ServerKey.objects.get_or_create(
            name=_NAME, defaults={"public": public, "secret": sealed(private)}
        )
    return found
