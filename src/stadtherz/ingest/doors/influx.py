"""The addresses to which InfluxDB's clients write: Telegraf, gateways, Home Assistant, Node-RED.

`POST /api/v2/write?bucket=FORM` and `POST /write?db=FORM` deliver lines for the message form FORM, as
`/ingest/json/FORM` does; behind that address (`/ingest/json/FORM/api/v2/write`) the form is known already, and
bucket and database may be called anything. The token is that of every delivery: after `Token` or `Bearer`, as the
password, or as the parameter `p`.

Source: docs.influxdata.com, "InfluxDB v2 API" (`/api/v2/write`) and "InfluxDB 1.x HTTP API" (`/write`).
"""

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from stadtherz.ingest.forms import lines, reading
from stadtherz.ingest.intake.pipeline import Answer
from stadtherz.ingest.trust.address_tokens import NAME

AsgiScope = MutableMapping[str, Any]

V1, V2 = "/write", "/api/v2/write"
ADDRESSES = frozenset({V1, V2})
_DOOR = f"/ingest/{reading.NETWORK}/"
_FORM_IN = {V1: "db", V2: "bucket"}
_THEIRS = frozenset({"org", "orgID", "bucket", "db", "rp", "consistency", "u"})
# A message with one of these is kept, and the same lines again would be refused again.
_KEPT = frozenset({400, 404, 422})
_CODES = {
    400: "invalid",
    401: "unauthorized",
    403: "forbidden",
    404: "not found",
    413: "request too large",
    422: "unprocessable entity",
    503: "unavailable",
}


@dataclass(frozen=True, slots=True)
class Writing:
    """A request to write, as the door takes it; `version` is the address that it came to."""

    scope: AsgiScope
    version: str

    def answer(self, given: Answer) -> Answer:
        """As InfluxDB answers. Telegraf drops what is a partial write, and sends other things for ever."""
        if given.status == 200:
            return Answer(204, {})
        told = str(given.body.get("detail") or given.body.get("error", ""))
        if self.version == V2:
            code = _CODES.get(given.status, "internal error")
            return Answer(given.status, {**given.body, "code": code, "message": told})
        error = f"partial write: {told}" if given.status in _KEPT else told
        return Answer(given.status, {**given.body, "error": error})


def writing(scope: AsgiScope) -> Writing | None:
    """The request, if it is one to write lines."""
    if scope["method"] != "POST":
        return None
    path = scope["path"].rstrip("/")
    version = next((each for each in (V2, V1) if path.endswith(each)), None)
    if version is None:
        return None
    asked = scope["query_string"].decode("ascii", errors="replace")
    told = dict(reversed(parse_qsl(asked, keep_blank_values=True, errors="replace")))
    if _FORM_IN[version] not in told:
        return None
    before = path.removesuffix(version)
    if before and not before.startswith(_DOOR):
        return None
    form = _DOOR + told[_FORM_IN[version]]
    rewritten = {
        **scope,
        "path": before or form,
        "query_string": _query(told).encode(),
        "headers": [*_headers(scope), (b"content-type", lines.KIND.encode())],
    }
    return Writing(rewritten, version)


def _query(told: dict[str, str]) -> str:
    """Without what only means something to InfluxDB; the password is a token."""
    kept = {
        NAME if name == "p" else name: text for name, text in told.items() if name not in _THEIRS
    }
    return urlencode({name: text for name, text in kept.items() if text})


def _headers(scope: AsgiScope) -> list[tuple[bytes, bytes]]:
    """Those of the request; `Token USER:PASSWORD` is how clients of v2 sign in to v1."""
    kept = [pair for pair in scope["headers"] if pair[0] not in (b"content-type", b"authorization")]
    for name, value in scope["headers"]:
        if name == b"authorization":
            kind, _, token = value.strip().partition(b" ")
            if kind.lower() == b"token":
                value = b"Bearer " + token.strip().rpartition(b":")[2]
            kept.append((name, value))
    return kept
