"""The page behind the link in a message: what is wrong, and one large button to take it on.

It needs no account: the link is the right, for one person and one alert. Opening it changes nothing.
"""

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from stadtherz.alerts.public import Alert, Question, answer, device_link, question
from stadtherz.base.visibility import SYSTEM
from stadtherz.kit.declaration import Severity
from stadtherz.web.alarms import story
from stadtherz.web.shell import render

_TRIES = 30  # of links that are none, from one address in a minute
_PRESSES = 20  # of one link's button in a minute


# Who knows the link may press the button, whatever page they press it from; no cookie is needed, and a
# mail program's own browser that keeps none works as well.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, token: str) -> HttpResponse:
    """Ask with GET, take the alert on with POST."""
    asked = question(token)
    if asked is None:  # whoever has a link gets through, however many others are guessing
        tries = _count(f"alerts.link.{request.META.get('REMOTE_ADDR', '')}")
        return _closed(request, 404 if tries <= _TRIES else 429)
    if request.method == "POST":
        if _count(f"alerts.press.{token}") > _PRESSES:
            return _closed(request, 429)
        answer(token, request.POST.get("why", ""))
        return redirect(request.path)
    with override(asked.language):
        return _private(render(request, "sh/alert_answer.html", _shown(asked)))


def _shown(asked: Question) -> dict[str, object]:
    state = asked.severity if not asked.over else Severity.OK
    alert = Alert.objects.select_related("datastream", "rule").get(pk=asked.alert)
    return {
        # The message that brought the link shows the same curve: whoever is called may see it.
        "chart": None if alert.drill else story.chart(alert, (), SYSTEM),
        "asked": asked,
        "state": state,
        "languages": [],
        "LANGUAGE_CODE": asked.language,
        "device_url": device_link(asked.contact),
    }


def _closed(request: HttpRequest, status: int) -> HttpResponse:
    """The same for a link that was never given, is over, or whose reader is gone."""
    return _private(render(request, "sh/alert_gone.html", {"status": status}, status=status))


def _private(response: HttpResponse) -> HttpResponse:
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _count(key: str) -> int:
    """How often in this minute."""
    cache.add(key, 0, 60)
    try:
        return cache.incr(key)
    except ValueError:  # the minute ended in this moment
        return 1


urlpatterns: list[URLPattern] = [path("q/<str:token>", page, name="alert-answer")]
