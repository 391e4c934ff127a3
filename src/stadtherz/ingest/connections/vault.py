"""Passwords of brokers, sealed with a key that is made of the city's secret.

A copy of the database alone does not give them away. Whoever also has `secret.key` (or
STADTHERZ_SECRET_KEY), as every backup and every administrator of the machine has, can read them.
"""

from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING

from django.conf import settings

from stadtherz.base.errors import Invalid

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

_PURPOSE = b"stadtherz: passwords of connections"


def sealed(password: str) -> str:
    return _box().encrypt(password.encode()).decode() if password else ""


def opened(secret: str) -> str:
    """The password. Raises Invalid where the city's secret is not what it was sealed with."""
    from cryptography.fernet import InvalidToken  # noqa: PLC0415 - five megabytes, seldom needed

    try:
        return _box().decrypt(secret).decode() if secret else ""
    except InvalidToken as problem:
        raise Invalid("password", "was sealed with another secret key") from problem


def _box() -> "Fernet":
    from cryptography.fernet import Fernet  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

    derived = HKDF(SHA256(), length=32, salt=None, info=_PURPOSE)
    return Fernet(urlsafe_b64encode(derived.derive(settings.SECRET_KEY.encode())))
