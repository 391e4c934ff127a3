"""Citizens subscribe to public warnings, confirm it, change it and leave; without an account.

The first page says the same whether the address is known or not. The page behind the link in a
message is for whoever has the message; opening it changes nothing, so that a mail scanner neither
confirms nor unsubscribes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from stadtherz.alerts.public import Channel, Wish, citizens
from stadtherz.base.errors import Invalid, NotFound
from stadtherz.kit.declaration import Severity
from stadtherz.web.alarms.telephones import push_context, subscription_of, told
from stadtherz.web.shell import render

_ASKS = 10  # from one address in an hour
_HOUR = 3600
_TOO_OFTEN = gettext_noop(
    "From your connection there were too many attempts. Please try again in an hour."
)
_EVERYTHING = "all"
_LEAST = (
    (Severity.INFO, gettext_noop("everything, also information")),
    (Severity.WARNING, gettext_noop("warnings and danger")),
    (Severity.DANGER, gettext_noop("danger only")),
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A box to tick."""

    value: str
    name: str
    ticked: bool


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """Ask for an address and what to be warned of."""
    if request.method != "POST":
        return _form(request, "", [_EVERYTHING], Severity.WARNING)
    email, chosen = request.POST.get("email", ""), request.POST.getlist("topics")
    least = _least(request)
    if _too_often(request):
        return _form(request, email, chosen, least, {"page": _(_TOO_OFTEN)}, status=429)
    try:
        wishes = _wishes(chosen, least)
        citizens.subscribe(email, language=get_language() or "de", wishes=wishes)
    except Invalid as problem:
        return _form(request, email, chosen, least, _said(problem), status=422)
    return render(request, "warned/asked.html", {"hours": citizens.HOURS_TO_CONFIRM})


@never_cache
@require_POST
def device(request: HttpRequest) -> HttpResponse:
    """The same for this browser: it sends what it gives for push messages, and what to be warned of."""
    if _too_often(request):
        return told(_(_TOO_OFTEN), 429)
    try:
        wishes = _wishes(request.POST.getlist("topics"), _least(request))
        given = subscription_of(request)
        citizens.subscribe_device(given, language=get_language() or "de", wishes=wishes)
    except Invalid as problem:
        wrong = _("Your browser has not given what is needed. Please update it and try again.")
        return told(_said(problem).get("topics", wrong), 422)
    return told(
        _("A message is on its way to this device. Open it and confirm; then you are subscribed."),
        201,
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def subscription(request: HttpRequest, token: str) -> HttpResponse:
    """What somebody is warned of: to confirm, to change, to end."""
    try:
        subscriber = citizens.subscriber_of(token)
    except NotFound:
        return _private(render(request, "warned/gone.html", {}, status=404))
    if request.method != "POST":
        return _own(request, token, subscriber)
    if request.POST.get("act") == "leave":
        citizens.leave(subscriber)
        return _private(render(request, "warned/left.html", {}))
    try:
        if subscriber.confirmed_at is None:
            citizens.confirm(subscriber)
        else:
            citizens.choose(subscriber, _wishes(request.POST.getlist("topics"), _least(request)))
    except Invalid as problem:
        return _own(request, token, subscriber, _said(problem), status=422)
    return redirect(f"{request.path}?saved=1")


@csrf_exempt  # a mail program presses this button (RFC 8058); the token is the right to
@require_POST
def leave_at_once(request: HttpRequest, token: str) -> HttpResponse:
    """Unsubscribe in one step, without a page in between."""
    try:
        citizens.leave(citizens.subscriber_of(token))
    except NotFound:
        return HttpResponse(status=404)
    return HttpResponse("ok\n", content_type="text/plain")


def _form(
    request: HttpRequest,
    email: str,
    chosen: Sequence[str],
    least: Severity,
    errors: dict[str, str] | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    context = {
        "email": email,
        "errors": errors or {},
        "push_to": reverse("web:subscribe-device"),
        **push_context(),
        **_boxes(chosen, least),
    }
    return render(request, "warned/subscribe.html", context, status=status)


def _own(
    request: HttpRequest,
    token: str,
    subscriber: Any,
    errors: dict[str, str] | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    wishes = citizens.wishes_of(subscriber)
    chosen = [_EVERYTHING if wish.thing is None else str(wish.thing) for wish in wishes]
    least = wishes[0].least if wishes else Severity.INFO
    if errors:  # what was sent, with what is wrong about it
        chosen, least = request.POST.getlist("topics"), _least(request)
    context = {
        "confirmed": subscriber.confirmed_at is not None,
        "on_device": subscriber.channel == Channel.PUSH,
        "saved": "saved" in request.GET,
        "errors": errors or {},
        "languages": [],
        **_boxes(chosen, least),
    }
    return _private(render(request, "warned/subscription.html", context, status=status))


def _boxes(chosen: Sequence[str], least: Severity) -> dict[str, object]:
    places = [
        Choice(str(place.thing), place.name, str(place.thing) in chosen)
        for place in citizens.warned_places()
    ]
    return {
        "everything": Choice(_EVERYTHING, "", _EVERYTHING in chosen),
        "places": places,
        "least": [Choice(each.value, str(_(name)), each is least) for each, name in _LEAST],
    }


def _wishes(chosen: Sequence[str], least: Severity) -> list[Wish]:
    """Only what is offered: an id from elsewhere says nothing, also not whether it exists."""
    if _EVERYTHING in chosen:
        return [Wish(None, least)]
    offered = {str(place.thing): place.thing for place in citizens.warned_places()}
    return [Wish(offered[value], least) for value in chosen if value in offered]


def _least(request: HttpRequest) -> Severity:
    given = request.POST.get("least", "")
    return next((each for each, _name in _LEAST if each == given), Severity.INFO)


def _said(problem: Invalid) -> dict[str, str]:
    words = {
        "email": _("This is no e-mail address. It looks like name@example.org."),
        "topics": _("Choose at least one place, or all of them."),
    }
    return {problem.field: words[problem.field]} if problem.field in words else {}


def _too_often(request: HttpRequest) -> bool:
    key = f"subscribing.{request.META.get('REMOTE_ADDR', '')}"
    cache.add(key, 0, _HOUR)
    return int(cache.incr(key)) > _ASKS


def _private(response: HttpResponse) -> HttpResponse:
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


urlpatterns: list[URLPattern] = [
    path("warnungen/abo/", page, name="subscribe"),
    path("warnungen/abo/geraet/", device, name="subscribe-device"),
    path("warnungen/abo/<str:token>/", subscription, name="subscription"),
    path("warnungen/abo/<str:token>/ende", leave_at_once, name="unsubscribe"),
]
