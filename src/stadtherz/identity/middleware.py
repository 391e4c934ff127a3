"""Gives every page request its `Visibility`."""

from collections.abc import Callable
from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from stadtherz.base.visibility import ANONYMOUS, Visibility
from stadtherz.identity.visibility import visibility_of_user


class _SeenRequest(HttpRequest):
    """A page request that has passed the middleware."""

    visibility: Visibility


class VisibilityMiddleware:
    """Sets `request.visibility`. Who brings no session costs no query."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        cast("_SeenRequest", request).visibility = _visibility_of(request)
        return self._get_response(request)


def visibility_of_request(request: HttpRequest) -> Visibility:
    """What the sender of this page request may see."""
    return cast("_SeenRequest", request).visibility


def _visibility_of(request: HttpRequest) -> Visibility:
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return ANONYMOUS
    return visibility_of_user(request.user)
