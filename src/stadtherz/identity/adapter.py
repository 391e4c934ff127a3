"""How allauth behaves here: accounts are made by administrators, nobody signs up."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class StaffOnly(DefaultAccountAdapter):
    """Signing in for staff whom an administrator has added."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
