"""A document handed to a webhook, signed as the Standard Webhooks specification 1.0 has it.

The receiver knows by the signature that it comes from this city, by the time that it is not an old one
sent again, and by the id what it has had already.
"""

import base64
import hmac
from collections.abc import Callable

from stadtherz.alerts.channels.outside import judge, post
from stadtherz.base.time import SECOND, now_us

_PREFIX = "whsec_"


def send(url: str, secret: str, key: str, body: bytes, *, goes_next: Callable[[], None]) -> None:
    """Hand it over under this id. Raises NotHandedOver, Gone or PerhapsHandedOver."""
    moment = now_us() // SECOND
    headers = {
        "Content-Type": "application/json",
        "webhook-id": key,
        "webhook-timestamp": str(moment),
        "webhook-signature": signature(secret, key, moment, body),
    }
    judge(post(url, body, headers, goes_next=goes_next))


def signature(secret: str, key: str, moment: int, body: bytes) -> str:
    """What stands in the header `webhook-signature`.

    >>> signature("whsec_c2VjcmV0", "msg_1", 1700000000, b"{}")
    'v1,A5oIrJxXPB/PkULSoVu0e4khvPiqpF9vljmhkSKg0FI='
    """
    named = f"{key}.{moment}.".encode() + body
    digest = hmac.digest(base64.b64decode(secret.removeprefix(_PREFIX)), named, "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"
