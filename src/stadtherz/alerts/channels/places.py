"""Where machines are told of alerts: addresses of webhooks, topics of brokers, tasking capabilities.

Each check raises Invalid with one of the reasons below, which the form puts into the reader's words.
"""

from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from stadtherz.base.addresses import is_public
from stadtherz.base.errors import Invalid
from stadtherz.store.public import tasking_capability

NO_URL = "is no address such as https://control.city.example/alarms"
PLAIN = "must begin with https://"
INSIDE = "leads into a private network"
NO_TOPIC = "is no topic such as town/alarms"
NO_CAPABILITY = "is no tasking capability of the organisation"

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_LONGEST_TOPIC = 400


def check_url(url: str) -> SplitResult:
    """The parts of an address that may be called; a name is looked up only when it is."""
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and (parts.port or 1) > 0 and parts.username is None
    except ValueError:
        raise Invalid("address", NO_URL) from None
    if not usable or parts.scheme not in ("http", "https") or not url.isprintable() or " " in url:
        raise Invalid("address", NO_URL)
    inside = bool(settings.STADTHERZ["call_private"])
    if parts.scheme == "http" and not (inside and parts.hostname in _LOOPBACK):
        raise Invalid("address", PLAIN)
    if not inside and _leads_inside(parts.hostname or ""):
        raise Invalid("address", INSIDE)
    return parts


def _leads_inside(host: str) -> bool:
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        return not is_public(host)
    except ValueError:  # a name
        return False


def check_topic(topic: str) -> None:
    """One topic of MQTT, no filter."""
    unfit = not topic or topic.startswith("$") or len(topic.encode()) > _LONGEST_TOPIC
    if unfit or any(sign in topic for sign in "+#\0") or not topic.isprintable():
        raise Invalid("address", NO_TOPIC)


def check_capability(named: str, owner: int) -> int:
    """The id of the organisation's tasking capability of this id or name; a name must be the only one."""
    found = tasking_capability(named, owner)
    if found is None:
        raise Invalid("address", NO_CAPABILITY)
    return found.id
