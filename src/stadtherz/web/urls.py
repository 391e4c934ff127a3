"""Addresses of the shell itself; `project.urls` puts them below each language."""

from django.urls import URLPattern, URLResolver, include, path, re_path

from stadtherz.web import legal, start
from stadtherz.web.devices import stickers as staff_stickers
from stadtherz.web.entities import views as entities
from stadtherz.web.warnings import feeds, subscribing
from stadtherz.web.warnings import pages as warning_page

_ENTITIES = r"sta/v(?P<version>1\.1|2\.0)(?P<path>(?:/.*)?)"

_pages: list[URLPattern] = [
    path("", start.page, name="start"),
    path("daten/", start.data, name="data"),
    path("warnungen/", warning_page.page, name="warnings"),
    path("warnungen/cap.atom", feeds.feed, name="warnings-feed"),
    path("warnungen/cap/<slug:key>.xml", feeds.document, name="warning-document"),
    path("impressum/", legal.imprint, name="imprint"),
    path("datenschutz/", legal.privacy, name="privacy"),
    path("d/<int:device>", staff_stickers.short, name="sticker"),
    *subscribing.urlpatterns,
    path("barrierefreiheit/", legal.accessibility, name="accessibility"),
    re_path(rf"^{_ENTITIES}$", entities.page, name="entities"),
    re_path(r"^datasets/(?P<dataset>[^/]+)/?$", entities.dataset, name="dataset"),
    re_path(rf"^datasets/(?P<dataset>[^/]+)/{_ENTITIES}$", entities.page, name="dataset-entities"),
]

urlpatterns: list[URLPattern | URLResolver] = [path("", include((_pages, "web")))]
