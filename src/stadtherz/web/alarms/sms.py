"""The address to which an SMS gateway passes what people answer, and receipts; an answer goes back to them.

The token names the gateway and is signed. Three forms are understood: parameters in the query or a form,
as common gateways send them (the sender as `from`, `sender` or `msisdn`, the text as `text`, `message` or
`body`); Kannel's receipts (`message`, `receipt`); and the JSON webhooks of seven.io
(https://docs.seven.io/en/rest-api/webhooks).
"""

import json
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from stadtherz.alerts.public import Delivery, by_sms, gateway_of, note_receipt_soon

Receipt = Delivery.Receipt

_SENDERS = ("from", "sender", "msisdn")
_TEXTS = ("text", "message", "body")
_LONGEST = 1000
_LARGEST = 64 * 1024
# Kannel user's guide, "Delivery reports".
_KANNEL = {
    "1": Receipt.DELIVERED,
    "2": Receipt.UNDELIVERED,
    "4": Receipt.BUFFERED,
    "8": Receipt.BUFFERED,
    "16": Receipt.UNDELIVERED,
}
_SEVEN = {
    "DELIVERED": Receipt.DELIVERED,
    "NOTDELIVERED": Receipt.UNDELIVERED,
    "REJECTED": Receipt.UNDELIVERED,
    "FAILED": Receipt.UNDELIVERED,
    "EXPIRED": Receipt.UNDELIVERED,
    "TRANSMITTED": Receipt.BUFFERED,
    "ACCEPTED": Receipt.BUFFERED,
    "BUFFERED": Receipt.BUFFERED,
}


@csrf_exempt  # a program asks; the token is its right to
@require_http_methods(["GET", "POST"])
def inbound(request: HttpRequest, token: str) -> HttpResponse:
    """Take on what the SMS names, or note a receipt; the body is what is sent back, empty for nothing."""
    gateway = gateway_of(token)
    if gateway is None:
        return HttpResponse(status=404)
    if request.content_type == "application/json":
        return _webhook(gateway, request)
    given = request.POST if request.method == "POST" and request.POST else request.GET
    if "receipt" in given:
        receipt = _KANNEL.get(given["receipt"])
        return _noted(gateway, given.get("message", ""), receipt, given["receipt"])
    return _heard(_first(given, _SENDERS), _first(given, _TEXTS))


def _webhook(gateway: str, request: HttpRequest) -> HttpResponse:
    if len(request.body) > _LARGEST:
        return HttpResponse(status=413)
    try:
        told = json.loads(request.body)
        event, data = told["webhook_event"], told["data"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return _wrong("this is no webhook of a kind that is known here")
    if not isinstance(data, dict):
        return _wrong("data: must be an object")
    if event == "dlr":
        status = str(data.get("status", "")).upper()
        return _noted(gateway, str(data.get("msg_id", "")), _SEVEN.get(status), status)
    if event == "sms_mo":
        # Its answer is not sent to anybody; the code was taken all the same.
        answered = _heard(_first(data, _SENDERS), _first(data, _TEXTS))
        return answered if answered.status_code != 200 else HttpResponse()
    return HttpResponse()


def _heard(sender: str, text: str) -> HttpResponse:
    if not sender:
        return _wrong("from: is missing")
    answer = by_sms(sender[:40], text[:_LONGEST])
    return HttpResponse(answer or "", content_type="text/plain; charset=utf-8")


def _noted(gateway: str, message: str, receipt: Receipt | None, said: str) -> HttpResponse:
    """A receipt of a kind that says nothing, or of a message that is not ours, is passed over."""
    if receipt is not None and message:
        error = said if receipt == Receipt.UNDELIVERED else ""
        note_receipt_soon(gateway, message[:200], receipt, error=error[:100])
    return HttpResponse()


def _wrong(what: str) -> HttpResponse:
    return HttpResponse(f"{what}\n", status=400, content_type="text/plain; charset=utf-8")


def _first(given: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((str(given[name]) for name in names if given.get(name)), "")


urlpatterns: list[URLPattern] = [path("alarm/sms/<str:token>", inbound, name="sms-inbound")]
