"""Passwords of brokers and servers from which measurements come, see `base.vault`."""

from django.conf import settings

from stadtherz.base.vault import Vault

_VAULT = Vault(lambda: settings.SECRET_KEY, "stadtherz: passwords of connections")

sealed = _VAULT.sealed
opened = _VAULT.opened
