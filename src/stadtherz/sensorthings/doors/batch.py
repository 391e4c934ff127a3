"""Batches: several requests in one, each through the same door as if it came alone (18-088 §11).

The requests of a group share one transaction. A request that fails ends the batch, unless the
client prefers to go on.
"""

import base64
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from urllib.parse import quote, urlsplit

import orjson
from django.db import Error

from stadtherz.base.errors import Invalid, StadtherzError, TooLarge, Unavailable
from stadtherz.sensorthings.answers.get import Answer
from stadtherz.sensorthings.doors.parts import METHODS, FailedDependency, Part, References, check
from stadtherz.sensorthings.headers.preferences import preferences
from stadtherz.sensorthings.writing.bodies import load
from stadtherz.store import public as store

Scope = MutableMapping[str, Any]
MAX_ANSWER = 32 * 1024 * 1024

Outcome = tuple[Part, Answer]
_OWN_HEADERS = frozenset({"accept", "content-type", "if-match", "if-none-match", "prefer"})
_GO_ON = ("continue-on-error", "odata.continue-on-error")
_PRINTABLE = "".join(chr(code) for code in range(0x21, 0x7F))


class _Undone(Exception):
    """A request of a group failed, so the transaction of all of them must."""


@dataclass(frozen=True, slots=True)
class Doors:
    """`answer` carries out one request; `refuse` says in an answer what was wrong with it."""

    answer: Callable[[Scope, bytes], Answer]
    refuse: Callable[[Exception], Answer]


def prefers_to_go_on(scope: Scope) -> bool:
    """Whether the client asks for `continue-on-error`."""
    wishes = preferences(scope)
    return any(wishes.get(name, "false") != "false" for name in _GO_ON)


def run(parts: list[Part], scope: Scope, root: str, doors: Doors) -> list[Outcome]:
    """Carry out the requests in their order; those that were not begun are left out.

    Raises:
        Invalid, TooLarge: if the batch itself makes no sense; then nothing is carried out.
    """
    check(parts)
    return list(_Run(scope, References(root), doors).outcomes(parts))


@dataclass(slots=True)
class _Run:
    scope: Scope
    references: References
    doors: Doors
    size: int = 0

    def outcomes(self, parts: list[Part]) -> Iterator[Outcome]:
        go_on = prefers_to_go_on(self.scope)
        for group, members in groupby(parts, key=lambda part: part.group or part):
            if isinstance(group, Part):
                answered = [self._answered(group)]
            else:
                answered = self._together(group, list(members))
            yield from answered
            if not go_on and any(_failed(answer) for _, answer in answered):
                return

    def _answered(self, part: Part) -> Outcome:
        """The answer to one request, remembered for those that refer to it."""
        answer = self._answer(part)
        self.size += len(answer.body)
        if _failed(answer):
            self.references.failed.add(part.id)
        else:
            self.references.answers[part.id] = answer
        return part, answer

    def _answer(self, part: Part) -> Answer:
        try:
            if self.size > MAX_ANSWER:
                raise TooLarge(f"the answers so far are longer than {MAX_ANSWER} bytes")
            self.references.need(part.depends_on)
            address = self.references.address(part.url)
            body = self.references.body(part.body)
            if address.partition("?")[0].strip("/") == "$batch":
                raise Invalid("url", "a batch cannot hold another one")
        except (StadtherzError, FailedDependency) as error:
            return self.doors.refuse(error)
        return self.doors.answer(self._scope(part, address), body)

    def _scope(self, part: Part, address: str) -> Scope:
        """The request as if it had come alone: with the credentials and the host of the batch."""
        path, _, query = address.partition("?")
        path = urlsplit(self.references.root).path + path
        kept = [
            (name, value)
            for name, value in self.scope["headers"]
            if name.decode("latin-1") not in _OWN_HEADERS
        ]
        own = [
            (name.encode(), value.encode("latin-1", "replace"))
            for name, value in part.headers.items()
            if name in _OWN_HEADERS
        ]
        return {
            **self.scope,
            "method": part.method,
            "path": path,
            "raw_path": quote(path, safe=_PRINTABLE).encode(),
            "query_string": quote(query, safe=_PRINTABLE).encode(),
            "headers": [*kept, *own],
        }

    def _together(self, group: str, members: list[Part]) -> list[Outcome]:
        """All or none: the readings of the group are asked for before anything is held."""
        answered: list[Outcome] = []
        try:
            with store.moving():
                for part in members:
                    answered.append(self._answered(part))
                    if _failed(answered[-1][1]):
                        raise _Undone
        except _Undone:
            return self._undone(group, members, answered[-1])
        except Error as error:
            reason = Unavailable("database", str(error), retry=True)
            return self._undone(group, members, (members[-1], self.doors.refuse(reason)))
        return answered

    def _undone(self, group: str, members: list[Part], culprit: Outcome) -> list[Outcome]:
        failed, answer = culprit
        self.references.failed |= {group, *(part.id for part in members)}
        because = FailedDependency(f"undone with all of {group!r}: {failed.id!r} failed")
        refusal = self.doors.refuse(because)
        return [(part, answer if part is failed else refusal) for part in members]


def _failed(answer: Answer) -> bool:
    return answer.status >= 400


# --- as JSON (OData JSON format 4.01 §19) --------------------------------------------------------------


def read_json(raw: bytes) -> list[Part]:
    """The requests of a JSON batch.

    Raises:
        Invalid: naming the request and the member that cannot be read.
    """
    document = load(raw)
    requests = document.get("requests") if isinstance(document, dict) else None
    if not isinstance(requests, list):
        raise Invalid("requests", "must be a list of requests")
    return [_read(request, f"requests/{place}") for place, request in enumerate(requests)]


def _read(request: Any, where: str) -> Part:
    if not isinstance(request, dict):
        raise Invalid(where, "must be a JSON object")
    if "if" in request:
        raise Invalid(f"{where}/if", "is not supported")
    depends_on = request.get("dependsOn") or []
    if not isinstance(depends_on, list):
        raise Invalid(f"{where}/dependsOn", "must be a list of ids")
    group = request.get("atomicityGroup")
    method = _text(request.get("method"), f"{where}/method").upper()
    if method not in METHODS:
        raise Invalid(f"{where}/method", f"must be one of {', '.join(METHODS)}")
    return Part(
        _text(request.get("id"), f"{where}/id"),
        method,
        _text(request.get("url"), f"{where}/url"),
        _headers(request.get("headers"), f"{where}/headers"),
        _body(request, where),
        None if group is None else _text(group, f"{where}/atomicityGroup"),
        tuple(_text(name, f"{where}/dependsOn") for name in depends_on),
    )


def _text(value: Any, where: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)  # ids as numbers are seen in the field
    if not isinstance(value, str) or not value:
        raise Invalid(where, "must be a text")
    return value


def _headers(headers: Any, where: str) -> dict[str, str]:
    if headers is None:
        return {}
    if not isinstance(headers, dict) or not all(isinstance(v, str) for v in headers.values()):
        raise Invalid(where, "must be an object of texts")
    return {name.lower(): value for name, value in headers.items()}


def _body(request: dict[str, Any], where: str) -> bytes:
    if "body" not in request:
        return b""
    try:
        return orjson.dumps(request["body"])
    except orjson.JSONEncodeError:
        raise TooLarge(f"{where}/body: JSON is nested too deeply") from None


def as_json(outcomes: list[Outcome]) -> Answer:
    return Answer(200, orjson.dumps({"responses": [_response(*outcome) for outcome in outcomes]}))


def _response(part: Part, answer: Answer) -> dict[str, Any]:
    response: dict[str, Any] = {"id": part.id, "status": answer.status}
    if part.group is not None:
        response["atomicityGroup"] = part.group
    headers = dict(answer.headers)
    if "location" in headers:
        response["location"] = headers["location"]  # where other servers' clients look for it
    if answer.body:
        headers["content-type"] = answer.content_type
        response["body"] = _embedded(answer)
    return {**response, "headers": headers}


def _embedded(answer: Answer) -> orjson.Fragment | str:
    """JSON as it is, texts as strings, all else in base64url."""
    if "json" in answer.content_type:
        return orjson.Fragment(answer.body)
    if answer.content_type.startswith("text/"):
        return answer.body.decode()
    return base64.urlsafe_b64encode(answer.body).rstrip(b"=").decode()
