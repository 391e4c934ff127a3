"""How allauth behaves here: accounts are made by administrators, nobody signs up."""

from collections.abc import Mapping
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

_ONLY_MAIL = "account/email/password_reset_key"


class StaffOnly(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Signing in for staff whom an administrator has added."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_mail(self, template_prefix: str, email: str, context: Mapping[str, Any]) -> None:
        """Only the reset link is sent. allauth would also write to addresses that have no account,
        which lets anybody make this server mail strangers."""
        if template_prefix == _ONLY_MAIL:
            super().send_mail(template_prefix, email, context)
