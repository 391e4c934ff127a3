"""Addresses of the product, put together from the registry.

German pages live at the root, English ones below `/en/`. What has no language (tiles, back office,
accounts) stands outside.
"""

from django.conf.urls.i18n import i18n_patterns
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path

from stadtherz.geo.public import urlpatterns as geo_urls
from stadtherz.identity.public import urlpatterns as account_urls
from stadtherz.kit.declaration import Service
from stadtherz.kit.registry import services
from stadtherz.web.public import answer_urls, device_urls, guarded, sms_urls
from stadtherz.web.public import urlpatterns as shell_urls


def health(request: HttpRequest) -> HttpResponse:
    """Answers `ok` as long as the process serves pages; for a proxy or watcher."""
    return HttpResponse("ok\n", content_type="text/plain")


def service_urls(service: Service) -> URLResolver:
    """A service's pages below its prefix, named `<service>:<page>`."""
    pages = [path(page.path, guarded(page), name=page.name) for page in service.pages]
    return path(f"{service.prefix}/", include((pages, service.key), namespace=service.key))


urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health),
    *geo_urls,
    *answer_urls,  # links of messages: short, in their reader's language
    *sms_urls,
    *device_urls,
    path("konto/", include(account_urls)),
    path("verwaltung/", include("stadtherz.web.staff.urls")),
    *i18n_patterns(
        *shell_urls,
        *(service_urls(service) for service in services()),
        prefix_default_language=False,
    ),
]

handler400 = "stadtherz.web.public.bad_request"
handler403 = "stadtherz.web.public.forbidden"
handler404 = "stadtherz.web.public.not_found"
handler500 = "stadtherz.web.public.server_error"
