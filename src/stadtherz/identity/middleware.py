"""Gives every page request its `Visibility`."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from stadtherz.base.visibility import ANONYMOUS, Visibility
from stadtherz.identity.visibility import visibility_of_user


class VisibilityMiddleware:
    """Sets `request.visibility`. Who brings no session costs no query."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.visibility = _visibility_of(request)  # type: ignore[attr-defined]
        return self._get_response(request)


def _visibility_of(request: HttpRequest) -> Visibility:
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return ANONYMOUS
    return visibility_of_user(request.user)
