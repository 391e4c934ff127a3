"""Gives every page request its `Visibility`."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import SimpleLazyObject

from stadtherz.identity.visibility import visibility_of_user


class VisibilityMiddleware:
    """Sets `request.visibility`, worked out when first asked for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        user = request.user
        request.visibility = SimpleLazyObject(lambda: visibility_of_user(user))  # type: ignore[attr-defined]
        return self._get_response(request)
