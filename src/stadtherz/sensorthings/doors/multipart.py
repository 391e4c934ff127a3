"""Batches as multipart/mixed, with change sets inside (18-088 §11, OData 4.0 part 1 §11.7)."""

import re
import secrets
from collections.abc import Iterator
from email.message import Message
from http import HTTPStatus
from itertools import groupby

from stadtherz.base.errors import Invalid
from stadtherz.sensorthings.answers.get import Answer
from stadtherz.sensorthings.doors.batch import Outcome
from stadtherz.sensorthings.doors.parts import METHODS, Part

_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_REQUEST = re.compile(r"(?P<method>[A-Za-z]+) +(?P<url>\S.*?)(?: +HTTP/\d(?:\.\d)?)? *")
_HEAD = b"Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"

Headers = dict[str, str]


def read(content_type: str, body: bytes) -> list[Part]:
    """The requests of a multipart batch; those of a change set form a group.

    Raises:
        Invalid: naming the part that cannot be read.
    """
    parts: list[Part] = []
    for place, (headers, content) in enumerate(_pieces(content_type, body, "batch"), start=1):
        where = f"part {place}"
        inner = headers.get("content-type", "")
        if _message(inner).get_content_type() != "multipart/mixed":
            parts.append(_read(headers, content, where, None))
            continue
        for number, piece in enumerate(_pieces(inner, content, where), start=1):
            parts.append(_read(*piece, f"{where}.{number}", f"change set {place}"))
            if parts[-1].method == "GET":
                raise Invalid(f"{where}.{number}", "a change set holds no GET")
    return parts


def _message(content_type: str) -> Message:
    message = Message()
    message["Content-Type"] = content_type
    return message


def _pieces(content_type: str, body: bytes, where: str) -> Iterator[tuple[Headers, bytes]]:
    """Headers and content of each part between the boundaries."""
    boundary = _message(content_type).get_boundary()
    if not boundary:
        raise Invalid(where, "the Content-Type names no boundary")
    line = re.escape(boundary.encode("latin-1", "replace"))
    pieces = re.split(rb"(?:\A|\r?\n)--" + line + rb"[ \t]*(?=\r?\n|--)", body)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise Invalid(where, f"does not end with --{boundary}--")
    for piece in pieces[1:-1]:
        yield _split(piece.removeprefix(b"\r").removeprefix(b"\n"))


def _split(text: bytes) -> tuple[Headers, bytes]:
    """Headers and what follows the blank line behind them."""
    head, *rest = _BLANK_LINE.split(text, maxsplit=1)
    headers: Headers = {}
    for line in head.decode("latin-1").splitlines():
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return headers, rest[0] if rest else b""


def _read(headers: Headers, content: bytes, where: str, group: str | None) -> Part:
    if _message(headers.get("content-type", "")).get_content_type() != "application/http":
        raise Invalid(where, "must be application/http")
    request, _, rest = content.lstrip().partition(b"\n")
    match = _REQUEST.fullmatch(request.decode("utf-8", "replace").rstrip("\r"))
    if match is None or match["method"].upper() not in METHODS:
        raise Invalid(where, "must begin with a request such as 'GET Things HTTP/1.1'")
    own, body = _split(rest) if not rest.startswith((b"\n", b"\r\n")) else ({}, rest.lstrip())
    name = headers.get("content-id") or own.get("content-id") or where
    return Part(name, match["method"].upper(), match["url"], own, body.rstrip(b"\r\n"), group)


# --- answers -----------------------------------------------------------------------------------------


def write(outcomes: list[Outcome]) -> Answer:
    """The answers in the form of the requests; a change set that was undone has a single one."""
    pieces: list[bytes] = []
    for group, members in groupby(outcomes, key=lambda outcome: outcome[0].group):
        answered = list(members)
        culprit = _culprit(answered)
        if group is None:
            pieces += [_piece(*outcome) for outcome in answered]
        elif culprit is not None:
            pieces.append(_piece(*culprit))
        else:
            pieces.append(_change_set([_piece(*outcome) for outcome in answered]))
    content_type, body = _mixed(pieces)
    return Answer(200, body, content_type)


def _culprit(answered: list[Outcome]) -> Outcome | None:
    """The one that failed by itself; the others were undone with it."""
    failed = [outcome for outcome in answered if outcome[1].status >= 400]
    own = [outcome for outcome in failed if outcome[1].status != HTTPStatus.FAILED_DEPENDENCY]
    return next(iter([*own, *failed]), None)


def _mixed(pieces: list[bytes]) -> tuple[str, bytes]:
    boundary = f"batch_{secrets.token_hex(12)}"
    marks = [f"--{boundary}\r\n".encode() + piece + b"\r\n" for piece in pieces]
    body = b"".join([*marks, f"--{boundary}--\r\n".encode()])
    return f"multipart/mixed; boundary={boundary}", body


def _change_set(pieces: list[bytes]) -> bytes:
    content_type, body = _mixed(pieces)
    return f"Content-Type: {content_type}\r\n\r\n".encode() + body


def _piece(part: Part, answer: Answer) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    if answer.body:
        lines += [f"content-type: {answer.content_type}", f"content-length: {len(answer.body)}"]
    content_id = f"Content-ID: {part.id}\r\n".encode("latin-1", "replace")
    head = "\r\n".join(lines).encode("latin-1", "replace")
    return _HEAD + content_id + b"\r\n" + head + b"\r\n\r\n" + answer.body
