"""The back office's addresses: Wagtail's, without the parts this product does not use.

Wagtail brings a second sign-in (without our limits on tries), pages, files and account forms of its
own. They keep their names, because its templates link to them, but nobody gets there.
"""

from typing import NoReturn

from allauth.account.views import logout
from django.http import Http404, HttpRequest
from django.urls import URLPattern, URLResolver, path, re_path, reverse_lazy
from django.views.generic import RedirectView
from wagtail.admin import urls as wagtail_urls

_CLOSED = (
    "api",
    "block-preview",
    "bulk",
    "choose-[a-z-]+",
    "collections",
    "documents",
    "editing-sessions",
    "failwhale",
    "groups",
    "images",
    "pages",
    "password_reset",
    "reports",
    "search",
    "tag-autocomplete",
    "test404",
    "users",
    "workflows",
)


def closed(request: HttpRequest) -> NoReturn:
    raise Http404


urlpatterns: list[URLPattern | URLResolver] = [
    re_path(rf"^(?:{'|'.join(_CLOSED)})(?:/|$)", closed),
    path("account/", RedirectView.as_view(url=reverse_lazy("account_own"))),
    path("login/", RedirectView.as_view(url=reverse_lazy("account_login"), query_string=True)),
    path("logout/", logout),
    *wagtail_urls.urlpatterns,
]
