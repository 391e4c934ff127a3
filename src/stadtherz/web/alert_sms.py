"""The address to which an SMS gateway passes what people answer; its answer goes back to them.

The token names the gateway and is signed. The parameters are those of common gateways: the sender as
`from`, `sender` or `msisdn`, the text as `text`, `message` or `body`, in the query or a form.
"""

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from stadtherz.alerts.public import by_sms, gateway_of

_SENDERS = ("from", "sender", "msisdn")
_TEXTS = ("text", "message", "body")
_LONGEST = 1000


@csrf_exempt  # a program asks; the token is its right to
@require_http_methods(["GET", "POST"])
def inbound(request: HttpRequest, token: str) -> HttpResponse:
    """Take on what the SMS names; the body is what is sent back, empty for nothing."""
    if gateway_of(token) is None:
        return HttpResponse(status=404)
    given = request.POST if request.method == "POST" and request.POST else request.GET
    sender, text = _first(given, _SENDERS), _first(given, _TEXTS)
    if not sender:
        return HttpResponse("from: is missing\n", status=400, content_type="text/plain")
    answer = by_sms(sender[:40], text[:_LONGEST])
    return HttpResponse(answer or "", content_type="text/plain; charset=utf-8")


def _first(given: QueryDict, names: tuple[str, ...]) -> str:
    return next((str(given[name]) for name in names if given.get(name)), "")


urlpatterns: list[URLPattern] = [path("alarm/sms/<str:token>", inbound, name="sms-inbound")]
