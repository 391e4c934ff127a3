"""Passwords of gateways and keys of receivers, see `base.vault`."""

from base64 import b64encode
from secrets import token_bytes

from django.conf import settings

from stadtherz.base.vault import Vault

_VAULT = Vault(
    lambda: settings.SECRET_KEY, "stadtherz: passwords of gateways", "secret", plain_key=True
)

sealed = _VAULT.sealed
opened = _VAULT.opened


def new_webhook_secret() -> str:
    """192 bits in the form of the Standard Webhooks specification."""
    return f"whsec_{b64encode(token_bytes(24)).decode()}"
