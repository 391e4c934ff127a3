"""The translator of `base.errors` for pages: the right status, a plain sentence, a way out.

The other translator is `sensorthings.http`. Views raise what went wrong and know nothing of HTTP.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from stadtherz.base.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    StadtherzError,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from stadtherz.kit.declaration import Page


@dataclass(frozen=True, slots=True)
class Explanation:
    """What an error page says."""

    status: int
    title: str
    sentence: str


class TranslateErrors:
    """Middleware: answers with a page what a view raised from `base.errors`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, StadtherzError):
            return None
        response = _page(request, explain(error))
        if isinstance(error, Unavailable) and error.retry:
            response["Retry-After"] = "60"
        return response


def explain(error: StadtherzError) -> Explanation:
    """Status and words for an error. What it says about a field is repeated, never more."""
    match error:
        case NotFound():
            return _not_found()
        case Forbidden():
            return _forbidden()
        case Unauthenticated():
            return Explanation(401, _("Please sign in"), _("This page is for signed-in staff."))
        case Invalid():
            return Explanation(400, _bad_title(), f"{error.field}: {error.reason}")
        case Conflict():
            return Explanation(409, _("That collides with something"), str(error))
        case TooLarge():
            return Explanation(413, _("That is too much at once"), str(error))
        case Unavailable():
            return Explanation(503, _("Not available just now"), _unavailable())
        case _:
            return _broken()


def guarded(page: Page) -> Callable[..., HttpResponseBase]:
    """The page's view, open only to whom it declares: strangers must not learn that it exists."""
    key = page.permission
    if key is None:
        return page.view

    @wraps(page.view)
    def view(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not request.user.is_authenticated or not request.user.is_staff:
            raise NotFound(page.name)
        if not request.user.has_perm(key):
            raise Forbidden(key)
        return page.view(request, *args, **kwargs)

    return view


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, Explanation(400, _bad_title(), _("Please check the address.")))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, _forbidden())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, _not_found())


def server_error(request: HttpRequest) -> HttpResponse:
    """Leans on nothing that may be what broke: no database, no context processors."""
    explanation = _broken()
    text = render_to_string("sh/broken.html", {"error": explanation})
    return HttpResponse(text, status=explanation.status)


def _page(request: HttpRequest, explanation: Explanation) -> HttpResponse:
    text = render_to_string("sh/error.html", {"error": explanation}, request=request)
    return HttpResponse(text, status=explanation.status)


def _not_found() -> Explanation:
    sentence = _("There is nothing at this address, or it is not meant for everybody.")
    return Explanation(404, _("Not found"), sentence)


def _forbidden() -> Explanation:
    sentence = _("You are signed in, but your role does not include this page.")
    return Explanation(403, _("Not allowed"), sentence)


def _broken() -> Explanation:
    sentence = _("Something went wrong on our side. It has been noted; please try again later.")
    return Explanation(500, _("That did not work"), sentence)


def _bad_title() -> str:
    return _("We do not understand this request")


def _unavailable() -> str:
    return _("A part of the system does not answer. Please try again in a few minutes.")
