"""Addresses of the shell itself; `project.urls` puts them below each language."""

from django.urls import URLPattern, URLResolver, include, path

from stadtherz.web import legal, start

_pages: list[URLPattern] = [
    path("", start.page, name="start"),
    path("daten/", start.data, name="data"),
    path("impressum/", legal.imprint, name="imprint"),
    path("datenschutz/", legal.privacy, name="privacy"),
    path("barrierefreiheit/", legal.accessibility, name="accessibility"),
]

urlpatterns: list[URLPattern | URLResolver] = [path("", include((_pages, "web")))]
