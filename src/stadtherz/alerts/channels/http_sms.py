"""SMS through a provider's HTTP interface, described by a form instead of code.

A form says what is asked and what the answer means; `{to}`, `{text}`, `{from}`, `{id}`, `{secret}`, `{ttl}`
(minutes) and `{receipts}` (our address for receipts) stand for what changes. `FORMS` are those that come with the product.
"""

import base64
import http.client
import json
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode, urlsplit

from stadtherz.alerts.channels.outcomes import NotHandedOver, PerhapsHandedOver
from stadtherz.alerts.channels.sms import units
from stadtherz.base.errors import Invalid

PATIENCE = 20.0
# Shorter than a process may hold a message without having begun to hand it over (deliveries.claim).
_LINE_SECONDS = 5.0
_PLACE = re.compile(r"\{(\w+)\}")
_LARGEST_ANSWER = 64 * 1024
# The other side has not taken it, and may later: too many requests, service unavailable.
_LATER = frozenset({408, 425, 429, 503})
# Not this message is refused, but whoever sends it: password, credit, rights.
_ACCOUNT = frozenset({401, 402, 403, 407})
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Form:
    """How a provider is asked. `body` is sent as JSON or as a form; without one the query says it all.

    `accepted` are texts of which one begins the answer of a message that was taken (empty: the status
    is enough). With `code_path` a JSON answer has a code there, which must be one of `accepted`; one in
    `refused` is about this message, any other about the account. `id_path` leads to the provider's id.
    """

    method: str = "POST"
    path: str = "/"
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    as_json: bool = True
    basic: bool = False
    accepted: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    code_path: tuple[str | int, ...] = ()
    id_path: tuple[str | int, ...] = ()


FORMS: Mapping[str, Form] = {
    # Kannel's smsbox: 0 is taken, 3 is kept until the SMS centre is there again.
    "kannel": Form(
        method="GET",
        path="/cgi-bin/sendsms",
        query={
            "username": "{user}",
            "password": "{secret}",
            "from": "{from}",
            "to": "{to}",
            "text": "{text}",
            "charset": "UTF-8",
            "coding": "{coding}",
            "validity": "{ttl}",
            # Arrived, not arrived, with the centre, refused; %d is Kannel's place for which of them.
            "dlr-mask": "31",
            "dlr-url": "{receipts}?message={id}&receipt=%d",
        },
        accepted=("0:", "3:"),
    ),
    # https://docs.seven.io: a flood that is two days old is no news, hence the lifetime.
    "seven": Form(
        path="/api/sms",
        headers={"X-Api-Key": "{secret}", "Accept": "application/json"},
        body={
            "to": "{to}",
            "text": "{text}",
            "from": "{from}",
            "ttl": "{ttl}",
            "foreign_id": "{id}",
        },
        # The status is 200 also for a wrong key and an empty account; the code tells.
        accepted=("100",),
        refused=("202", "305"),
        code_path=("success",),
        id_path=("messages", 0, "id"),
    ),
    "sipgate": Form(
        path="/v2/sessions/sms",
        body={"smsId": "{from}", "recipient": "{to}", "message": "{text}"},
        basic=True,
    ),
}


@dataclass(frozen=True, slots=True)
class HttpGateway:
    """A provider with this city's account."""

    url: str  # https://host[:port][/prefix]; http only within the machine or where it is allowed
    form: Form
    user: str = ""
    secret: str = ""
    sender: str = ""
    ttl: int = 60
    receipts: str = ""  # the address of ours to which it passes receipts
    patience: float = PATIENCE  # seconds for the answer

    def send(self, to: str, text: str, key: str, *, goes_next: Callable[[], None]) -> str:
        """Hand one message over; the provider's id, or ours where it tells none.

        `goes_next` is called right before the request leaves. Raises NotHandedOver or PerhapsHandedOver.
        """
        values = self._values(to, text, key)
        line = _connected(self.url)
        line.sock.settimeout(self.patience)
        try:
            goes_next()
            status, body = _asked(line, self._request(values))
        except (OSError, http.client.HTTPException) as problem:
            raise PerhapsHandedOver(f"no answer: {type(problem).__name__}") from problem
        finally:
            line.close()
        _judge(status, body, self.form)
        return _found(body, self.form.id_path) or key

    def check(self) -> None:
        """Look whether anybody is there, without a message. Raises NotHandedOver."""
        _connected(self.url).close()

    def knock(self, seconds: float) -> None:
        """Ask without a message whether anybody answers (RFC 9110 §9.3.7): a process that hangs still has
        its connections accepted by the machine. Any answer will do, also a refusal or a hang-up.

        Raises NotHandedOver.
        """
        line = _connected(self.url, seconds)
        try:
            _asked(line, ("OPTIONS", "*", None, {}))
        except TimeoutError as problem:
            raise NotHandedOver("it accepts connections and answers nothing") from problem
        except (OSError, http.client.HTTPException):
            return
        finally:
            line.close()

    def _values(self, to: str, text: str, key: str) -> dict[str, str]:
        return {
            "to": to,
            "text": text,
            "from": self.sender,
            "id": key,
            "user": self.user,
            "secret": self.secret,
            "ttl": str(self.ttl),
            "receipts": self.receipts,
            "coding": "0" if units(text) is not None else "2",
        }

    def _request(self, values: Mapping[str, str]) -> tuple[str, str, bytes | None, dict[str, str]]:
        form, headers = self.form, _filled(self.form.headers, values)
        query = urlencode(_filled(form.query, values))
        target = urlsplit(self.url).path.rstrip("/") + form.path + (f"?{query}" if query else "")
        if form.basic:
            login = base64.b64encode(f"{self.user}:{self.secret}".encode()).decode()
            headers["Authorization"] = f"Basic {login}"
        if form.body is None:
            return form.method, target, None, headers
        body = _filled(form.body, values)
        kind = "json" if form.as_json else "x-www-form-urlencoded"
        headers["Content-Type"] = f"application/{kind}"
        written = json.dumps(body) if form.as_json else urlencode(body)
        return form.method, target, written.encode(), headers


def http_gateway(settings: Mapping[str, Any], secret: str, receipts: str = "") -> HttpGateway:
    """From a gateway's settings: `url`, `form` (a name or a form of one's own), `user`, `sender`, `ttl`.

    Raises Invalid, which names the setting.
    """
    given = settings.get("form", "")
    if isinstance(given, Mapping):
        form = _own_form(given)
    elif given in FORMS:
        form = FORMS[given]
    else:
        raise Invalid("form", f"is none of {', '.join(FORMS)}")
    return HttpGateway(
        url=_checked(str(settings.get("url", "")), insecure=bool(settings.get("insecure"))),
        form=form,
        user=str(settings.get("user", "")),
        secret=secret,
        sender=str(settings.get("sender", "")),
        ttl=int(settings.get("ttl", 60)),
        receipts=receipts,
    )


def _own_form(given: Mapping[str, Any]) -> Form:
    known = {name: given[name] for name in Form.__dataclass_fields__ if name in given}
    if unknown := set(given) - set(known):
        raise Invalid("form", f"does not know {', '.join(sorted(unknown))}")
    for name in ("accepted", "refused", "code_path", "id_path"):
        known[name] = tuple(known.get(name, ()))
    return replace(Form(), **known)


def _checked(url: str, *, insecure: bool) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.hostname is not None and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or parts.scheme not in ("http", "https"):
        raise Invalid("url", "is no address such as https://gateway.example")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK and not insecure:
        raise Invalid("url", "must begin with https://, or everybody on the way can read along")
    return url


def _connected(url: str, seconds: float = _LINE_SECONDS) -> http.client.HTTPConnection:
    """A line to the gateway. Before it stands, nothing can have been handed over."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    line: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        line = http.client.HTTPSConnection(host, parts.port, timeout=seconds, context=context)
    else:
        line = http.client.HTTPConnection(host, parts.port, timeout=seconds)
    try:
        line.connect()
    except (OSError, http.client.HTTPException) as problem:
        line.close()
        said = f"{type(problem).__name__}: {problem}"
        raise NotHandedOver(said, unreached=True) from problem
    return line


def _asked(
    line: http.client.HTTPConnection, request: tuple[str, str, bytes | None, dict[str, str]]
) -> tuple[int, bytes]:
    method, target, body, headers = request
    line.request(method, target, body, headers)
    answer = line.getresponse()
    return answer.status, answer.read(_LARGEST_ANSWER)


def _judge(status: int, body: bytes, form: Form) -> None:
    text = body[:200].decode("utf-8", "replace").strip()
    said = f"{status} {text}".strip()
    if status in _LATER:
        raise NotHandedOver(said)
    if status >= 500:
        raise PerhapsHandedOver(said)
    if status >= 300:
        raise NotHandedOver(said, permanent=True, account=status in _ACCOUNT)
    if form.code_path:
        code = _found(body, form.code_path) or text
        if code not in form.accepted:
            raise NotHandedOver(said, permanent=True, account=code not in form.refused)
    elif form.accepted and not text.startswith(form.accepted):
        raise NotHandedOver(said, permanent=True)


def _found(body: bytes, path: tuple[str | int, ...]) -> str:
    """What a JSON answer has there; empty if it has not."""
    if not path:
        return ""
    try:
        found: Any = json.loads(body)
        for step in path:
            found = found[step]
    except (ValueError, LookupError, TypeError):
        return ""
    return str(found)[:200]


def _filled(template: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """Each text with its places filled, however deep it lies; a number stays as it is."""
    return {name: _filled_in(part, values) for name, part in template.items()}


def _filled_in(part: Any, values: Mapping[str, str]) -> Any:
    if isinstance(part, str):
        return _fill(part, values)
    if isinstance(part, Mapping):
        return _filled(part, values)
    if isinstance(part, list):
        return [_filled_in(each, values) for each in part]
    return part


def _fill(text: str, values: Mapping[str, str]) -> str:
    """What is filled in is not looked through again: a text may hold braces."""
    return _PLACE.sub(lambda place: values.get(place[1], place[0]), text)
