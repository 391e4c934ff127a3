"""What every page has around its content: the city's name, the menu, the languages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render as django_render
from django.urls import NoReverseMatch, reverse, translate_url
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from stadtherz.kit import registry
from stadtherz.kit.declaration import Service, Severity, Text


@dataclass(frozen=True, slots=True)
class Crumb:
    """One step of the way back, shown above a page's heading."""

    title: Text
    url: str


@dataclass(frozen=True, slots=True)
class Place:
    """A pin on the map and, with the same words, a line of the list beside it."""

    name: str
    position: tuple[float, float]  # longitude, latitude
    icon: str
    value: str  # with its unit, as short as it fits on a pin
    state: Severity
    state_text: str
    url: str


@dataclass(frozen=True, slots=True)
class MenuItem:
    title: Text
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Language:
    code: str
    name: str
    url: str
    current: bool


def render(
    request: HttpRequest, template: str, context: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    """A page of the shell.

    The template extends `sh/base.html`. Of the context, the shell reads `streams` (ids of
    datastreams whose news refresh the page's `data-live` blocks) and `crumbs` (a list of Crumb).
    """
    response = django_render(request, template, dict(context), status=status)
    patch_vary_headers(response, ["Cookie", "Accept-Language"])
    return response


def context(request: HttpRequest) -> dict[str, Any]:
    """The context processor behind `sh/base.html`."""
    return {
        "city": settings.STADTHERZ["city"],
        "demo": settings.STADTHERZ["demo"],
        "public_url": settings.STADTHERZ["public_url"],
        "menu": list(_menu(request.path)),
        "languages": list(_languages(request)),
    }


def _menu(path: str) -> Iterator[MenuItem]:
    """Start, then each service that wants to stand in the menu, then warnings and the data."""
    start = _address("web:start")
    yield MenuItem(_("Today"), start, current=path == start)
    for service in registry.services():
        for name, url in _in_menu(service):
            yield MenuItem(name, url, current=path.startswith(url))
    warnings = _address("web:warnings")
    yield MenuItem(_("Warnings"), warnings, current=path == warnings)
    data = _address("web:data")
    yield MenuItem(_("Data"), data, current=path == data)


def _in_menu(service: Service) -> Iterator[tuple[Text, str]]:
    for page in service.pages:
        if page.menu is not None and (url := _address(f"{service.key}:{page.name}")):
            yield page.menu, url


def service_url(service: Service) -> str:
    """Where people find what a service measures; empty if it has no page for that."""
    return next((url for _name, url in _in_menu(service)), "")


def _languages(request: HttpRequest) -> Iterator[Language]:
    """This page in each language; none where its address is the same in all, which would lead nowhere else."""
    here = request.get_full_path()
    urls = {code: translate_url(here, code) for code, _name in settings.LANGUAGES}
    if len(set(urls.values())) > 1:
        for code, name in settings.LANGUAGES:
            yield Language(code, name, urls[code], current=code == get_language())


def _address(name: str) -> str:
    """Empty where the installation has no such page: a menu must not break an error page."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
