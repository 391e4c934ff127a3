"""Passwords that have to be readable for the program, sealed with a key made of the city's secret.

A copy of the database alone does not give them away. Whoever also has `secret.key` (or
STADTHERZ_SECRET_KEY), as every backup and every administrator of the machine has, can read them.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from stadtherz.base.errors import Invalid

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet


@dataclass(frozen=True, slots=True)
class Vault:
    """What is sealed for one purpose opens for no other.

    `field` is what an error names. `plain_key`: what was sealed before November 2026 with a simpler
    derivation opens as well.
    """

    secret: Callable[[], str]
    purpose: str
    field: str = "password"
    plain_key: bool = False

    def sealed(self, password: str) -> str:
        return self._box().encrypt(password.encode()).decode() if password else ""

    def opened(self, sealed: str) -> str:
        """The password. Raises Invalid where the city's secret is not what it was sealed with."""
        from cryptography.fernet import InvalidToken  # noqa: PLC0415 - five megabytes, seldom needed

        try:
            return self._box().decrypt(sealed).decode() if sealed else ""
        except InvalidToken as problem:
            raise Invalid(self.field, "was sealed with another secret key") from problem

    def _box(self) -> "MultiFernet":
        from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415

        secret, purpose = self.secret().encode(), self.purpose.encode()
        keys = [derived(secret, purpose)]
        if self.plain_key:
            keys.append(_hashed(secret, purpose))
        return MultiFernet([Fernet(urlsafe_b64encode(key)) for key in keys])


def derived(secret: bytes, purpose: bytes) -> bytes:
    """32 bytes by HKDF with SHA-256, without salt (RFC 5869)."""
    return _hashed(_hashed(bytes(32), secret), purpose + b"\x01")


def _hashed(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, sha256)
