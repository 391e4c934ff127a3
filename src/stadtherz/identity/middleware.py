"""Gives every page request its `Visibility`, and keeps what it shows out of foreign caches."""

from collections.abc import Callable
from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers

from stadtherz.base.visibility import ANONYMOUS, Visibility
from stadtherz.identity.visibility import visibility_of_user

_OF_STAFF = ("/verwaltung/", "/konto/")


class _SeenRequest(HttpRequest):
    """A page request that has passed the middleware."""

    visibility: Visibility


class StaffLanguage:
    """What has no language in its address (back office, accounts) speaks that of whoever is signed in.

    To all others it speaks that of their browser: `LocaleMiddleware` takes an address without one for German.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(_OF_STAFF):
            user = request.user
            translation.activate(
                user.language
                if user.is_authenticated
                else translation.get_language_from_request(request)
            )
            request.LANGUAGE_CODE = translation.get_language()
        return self._get_response(request)


class VisibilityMiddleware:
    """Sets `request.visibility`. Who brings no session costs no query."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        cast("_SeenRequest", request).visibility = _visibility_of(request)
        response = self._get_response(request)
        _keep_private(request, response)
        return response


def _keep_private(request: HttpRequest, response: HttpResponseBase) -> None:
    """What somebody signed in gets is kept nowhere; what everybody gets, only for those signed out.

    Answers that say they are public (tiles, assets) are the same for everybody.
    """
    if "public" in response.headers.get("Cache-Control", ""):
        return
    patch_vary_headers(response, ("Cookie",))
    if settings.SESSION_COOKIE_NAME in request.COOKIES:
        response.headers["Cache-Control"] = "private, no-store"


def visibility_of_request(request: HttpRequest) -> Visibility:
    """What the sender of this page request may see."""
    return cast("_SeenRequest", request).visibility


def _visibility_of(request: HttpRequest) -> Visibility:
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return ANONYMOUS
    return visibility_of_user(request.user)
