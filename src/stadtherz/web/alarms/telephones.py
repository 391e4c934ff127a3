"""Messages on a telephone or in a browser: the page on which a device enters itself, and what browsers need for it.

The page needs no account: its link is the right, for one person. A browser asks for the worker and the
manifest at fixed addresses, since both belong to the whole site.
"""

import json
import re
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from stadtherz.alerts.public import (
    DeviceOwner,
    add_device,
    device_owner,
    push_key,
    remove_device,
    try_device,
)
from stadtherz.base.errors import Conflict, Invalid
from stadtherz.web.manifest import ASSETS, entries
from stadtherz.web.shell import render

WORKER = "/push-worker.js"
_LARGEST = 8 * 1024  # characters of a subscription
_TRIES = 20  # of one link in an hour
_LONGEST_NUMBER = 18  # digits
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)
# The first that is named: each but the first two pretends to be those after it.
_BROWSERS = (
    ("Firefox", "Firefox"),
    ("Edg", "Edge"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)


# Who knows the link may use it, whatever page they come from; no cookie is needed.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, token: str) -> HttpResponse:
    """Show the button with GET; with POST keep what the browser gave, or remove a device."""
    owner = device_owner(token)
    if owner is None:
        return _private(render(request, "sh/device_gone.html", {}, status=404))
    with override(owner.language):
        if request.method != "POST":
            return _shown(request, owner)
        if "remove" in request.POST:
            return _private(_removed(request, owner))
        return _private(_kept(request, token, owner))


def _shown(
    request: HttpRequest, owner: DeviceOwner, problem: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "owner": owner,
        "problem": problem,
        "removed": request.GET.get("removed") == "1",
        "languages": [],
        "LANGUAGE_CODE": owner.language,
        **push_context(),
    }
    return _private(render(request, "sh/device.html", context, status=status))


def _removed(request: HttpRequest, owner: DeviceOwner) -> HttpResponse:
    chosen = request.POST["remove"]
    try:
        if chosen.isascii() and chosen.isdigit() and len(chosen) < _LONGEST_NUMBER:
            remove_device(owner, int(chosen))
    except Conflict:
        problem = _(
            "This device is the only way to reach you. Enter another one first, or ask whoever runs the list."
        )
        return _shown(request, owner, problem, status=409)
    return redirect(f"{request.path}?removed=1")


def _kept(request: HttpRequest, token: str, owner: DeviceOwner) -> HttpResponse:
    key = f"alerts.device.{token}"
    cache.add(key, 0, 3600)
    if int(cache.incr(key)) > _TRIES:
        return told(_("There were too many attempts. Please try again in an hour."), 429)
    try:
        name = device_name(request.headers.get("User-Agent", ""))
        kept = add_device(owner, subscription_of(request), name)
    except Invalid:
        return told(
            _("Your browser has not given what is needed. Please update it and try again."), 422
        )
    except Conflict:
        return told(
            _(
                "Too many devices are entered for you. Ask whoever runs the list to remove old ones."
            ),
            409,
        )
    city, url = settings.STADTHERZ["city"], settings.STADTHERZ["public_url"] + request.path
    if try_device(kept, city, url):
        return told(
            _("This device shows your alerts from now on. A first message is on its way."), 201
        )
    return told(
        _(
            "This device is entered, but the first message could not be sent. Tell whoever runs the list."
        ),
        201,
    )


def subscription_of(request: HttpRequest) -> Any:
    """What the browser gave. Raises Invalid for what is no JSON."""
    given = request.POST.get("subscription", "")
    try:
        return json.loads(given) if len(given) <= _LARGEST else None
    except ValueError as problem:
        raise Invalid("subscription", "is no JSON") from problem


def told(sentence: str, status: int) -> HttpResponse:
    """A sentence that the button's script shows."""
    return JsonResponse({"text": sentence}, status=status)


def push_context() -> dict[str, str]:
    """What the button in a template needs."""
    return {"push_key": push_key(), "push_worker": WORKER}


def device_name(agent: str) -> str:
    """By what a person knows the device again.

    >>> device_name("Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit Chrome/126.0 Mobile Safari/537")
    'Chrome, Android'
    """
    browser = next((name for sign, name in _BROWSERS if sign in agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in agent), "")
    return ", ".join(filter(None, (browser, system))) or re.sub(r"[^\w ./-]", "", agent)[:40] or "?"


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """The script that a browser keeps and wakes up when a message comes."""
    built = entries().get("push-worker.ts")
    if built is None:
        raise Http404
    response = HttpResponse((ASSETS / built).read_bytes(), content_type="text/javascript")
    response["Cache-Control"] = "no-cache"
    return response


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """Lets a telephone put the site among its apps, without which iPhones show no messages."""
    city = settings.STADTHERZ["city"]
    icon = {"src": static("sh/heart.svg"), "sizes": "any", "type": "image/svg+xml"}
    described = {
        "name": city,
        "short_name": city[:30],
        "id": "/",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "icons": [icon],
    }
    response = JsonResponse(described, content_type="application/manifest+json")
    response["Cache-Control"] = "max-age=3600"
    return response


def _private(response: HttpResponse) -> HttpResponse:
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


urlpatterns: list[URLPattern] = [
    path("geraet/<str:token>", page, name="alert-device"),
    path(WORKER.removeprefix("/"), worker, name="push-worker"),
    path("app.webmanifest", manifest, name="app-manifest"),
]
