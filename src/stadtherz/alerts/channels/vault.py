"""Passwords of gateways, sealed with a key that is made of the city's secret.

A copy of the database alone does not give them away; whoever also has the secret key can read them.
"""

from base64 import b64encode, urlsafe_b64encode
from hashlib import sha256
from hmac import new as hmac
from secrets import token_bytes

from django.conf import settings

from stadtherz.base.errors import Invalid

_PURPOSE = b"stadtherz: passwords of gateways"


def sealed(password: str) -> str:
    from cryptography.fernet import Fernet  # noqa: PLC0415 - five megabytes, seldom needed

    return Fernet(_key()).encrypt(password.encode()).decode() if password else ""


def opened(secret: str) -> str:
    """The password. Raises Invalid where the city's secret is not what it was sealed with."""
    from cryptography.fernet import Fernet, InvalidToken  # noqa: PLC0415

    try:
        return Fernet(_key()).decrypt(secret).decode() if secret else ""
    except InvalidToken as problem:
        raise Invalid("secret", "was sealed with another secret key") from problem


def _key() -> bytes:
    return urlsafe_b64encode(hmac(settings.SECRET_KEY.encode(), _PURPOSE, sha256).digest())


def new_webhook_secret() -> str:
    """192 bits in the form of the Standard Webhooks specification."""
    return f"whsec_{b64encode(token_bytes(24)).decode()}"
