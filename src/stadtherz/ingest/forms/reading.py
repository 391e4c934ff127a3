"""From a message to uplinks: the device, the time and the values of each of its readings.

Where a message holds a list of readings, what stands beside the list counts for each of them; an
entry's own fields come first. What one reading lacks spoils none of the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

import orjson

from stadtherz.base.errors import Invalid
from stadtherz.base.time import MINUTE, Micros
from stadtherz.ingest.documents import document, uplink
from stadtherz.ingest.documents.uplink import AHEAD, Uplink
from stadtherz.ingest.forms import bare, lines, payloads, senml, times
from stadtherz.ingest.forms.arranged import TABLE, rows_at
from stadtherz.ingest.forms.expressions import Expression, Message, as_text
from stadtherz.ingest.forms.lines import BadLine
from stadtherz.ingest.forms.senml import SENML, BadPack
from stadtherz.ingest.values.decode import MISSING, shown

NETWORK = "json"
MOST_READINGS = 1_000
LONGEST_QUERY = 499  # with the topic; of more only 500 are kept with a refused message
_LONGEST_NAME = 100
_MOST_FIELDS = 1_000  # of a form that was sent, and of an address
_MOST_COPIES = 200_000  # of fields that stand beside a list, over all its entries
_SHOWN = 60
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class KnownForm:
    """A message form as it is used; without `time` a reading is from when it came."""

    owner: int
    key: str
    device: Expression
    time: Expression | None
    zone: str
    message_id: Expression | None
    readings: Expression | None
    payload: Expression | None = None  # bytes as text, for the codec of the device
    payload_kind: str = payloads.HEX


class Misfit(Invalid):
    """A form's expression finds nothing in a message, or nothing that it could use."""

    def __init__(self, part: str, fault: str, expression: str = "", value: object = "") -> None:
        super().__init__(part, f"{expression} {fault}")
        self.part = part
        self.fault = fault
        self.expression = expression
        self.message: Any = None  # the reading that it was looked for in
        self.value = shown(str(value), _SHOWN)

    @property
    def facts(self) -> dict[str, str]:
        """What a sentence about it needs (`ingest.reasons`), as it is kept."""
        return {
            "part": self.part,
            "fault": self.fault,
            "expression": self.expression,
            "value": self.value,
        }


@dataclass(frozen=True, slots=True)
class Address:
    """What came beside the message: which form reads it, its topic, and the parameters."""

    form: str
    topic: tuple[str, ...] = ()
    kind: str = ""  # of the content
    query: Mapping[str, str] | None = None


def query_of(form: str, topic: str = "", kind: str = "", query: str = "") -> str:
    """How a delivery tells of these: `form=KEY&topic=a/b`, then what the sender added."""
    announced = kind.partition(";")[0].strip().lower()[:_LONGEST_NAME]
    told = {"form": form, "topic": topic, **({"type": announced} if kind or query else {})}
    ours = urlencode(told, safe="/")
    return f"{ours}&{query}" if query else ours


def address(query: str) -> Address:
    """What a delivery's query tells; the first of a name counts, so no sender can take ours back."""
    if len(query) > LONGEST_QUERY:
        raise Invalid("topic", f"has, with the address, more than {LONGEST_QUERY} characters")
    told: dict[str, str] = {}
    for name, text in _pairs("address", query):
        told.setdefault(name, text)
    topic = told.pop("topic", "").strip("/")
    return Address(
        form=told.pop("form", ""),
        topic=tuple(topic.split("/")) if topic else (),
        kind=told.pop("type", ""),
        query=told,
    )


def _pairs(field: str, text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except UnicodeDecodeError as problem:
        raise Invalid(field, "is not UTF-8") from problem
    except ValueError as problem:
        raise Invalid(field, f"has more than {_MOST_FIELDS} fields") from problem


def content(body: bytes, told: Address) -> Any:
    """The message: JSON or XML, an object of texts where a form was sent, a list of lines, or under a topic a value
    alone; raises Invalid.

    Many senders announce JSON or lines as something else, so what looks like them is read as that.
    """
    kind = told.kind
    if not body.lstrip().startswith((b"{", b"[", b"<")):
        if kind == lines.KIND or lines.looks_like(body.decode(errors="replace")):
            return lines.entries(_utf8(body), (told.query or {}).get("precision", ""))
        if kind == FORM:
            return dict(_pairs("document", _utf8(body)))
    try:
        return document.parse(body)
    except Invalid as problem:
        alone = bare.value_of(body.decode(errors="replace")) if told.topic else None
        if alone is not None:
            return alone
        if not kind or kind == FORM or "json" in kind:
            raise
        kinds = f"it is announced as {shown(kind, _SHOWN)}; send JSON, XML or {FORM}"
        raise Invalid(problem.field, f"{problem.reason} ({kinds})") from problem


def _utf8(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as problem:
        raise Invalid("document", "is not UTF-8") from problem


def read(form: KnownForm, told: Address, message: Any, received: Micros) -> list[Uplink | Misfit]:
    """The readings of a message, in order, or why one cannot be understood.

    Raises Misfit where there are none at all: the list is not where the form says, or too long.
    """
    where = _zone(form)
    if form.readings is None and not isinstance(message, list):
        fields = (
            message if isinstance(message, dict) else bare.fields(message, form.device, told.topic)
        )
        whole = Message(fields, told.topic, told.query or {})
        return [_reading(form, _Entry(whole, whole, None), where, received)]
    entries, beside = entries_of(form.readings, told, message, received)
    return [
        _no_record(fields)
        if isinstance(fields, BadPack | BadLine)
        else _reading(form, _entry(told, fields, beside, place), where, received)
        for place, fields in enumerate(entries)
    ]


def _no_record(told: BadPack | BadLine) -> Misfit:
    if isinstance(told, BadPack):
        return Misfit("readings", told.fault, SENML, told.about)
    return Misfit("lines", "no_line", str(told.number), told.text)


def _zone(form: KnownForm) -> ZoneInfo:
    try:
        return times.zone(form.zone)
    except ValueError as problem:
        raise Misfit("time_zone", "no_zone", form.zone) from problem


@dataclass(frozen=True, slots=True)
class _Entry:
    """One reading: alone, and with what stands beside the list; `place` is where it stands in it."""

    own: Message
    whole: Message
    place: int | None


def entries_of(
    readings: Expression | None, told: Address, message: Any, received: Micros
) -> tuple[list[Any], dict[str, Any]]:
    """The readings of a message, and what stands beside them; a record that is none is a BadPack or BadLine.

    Raises Misfit where there are none.
    """
    written = "" if readings is None else readings.written
    if written == SENML:
        return _few(_records(message, received), {}, written)
    if written.startswith(TABLE):
        found, beside = _rows(written, message)
    else:
        found, beside = _list(readings, told, message)
    return _few(found, beside, written)


def _few(
    found: list[Any], beside: dict[str, Any], written: str
) -> tuple[list[Any], dict[str, Any]]:
    """The readings, if there are some and not too many."""
    if len(found) > MOST_READINGS or len(found) * len(beside) > _MOST_COPIES:
        raise Misfit("readings", "too_many", written, len(found))
    if not found:
        raise Misfit("readings", "empty", written)
    return found, beside


def _list(
    readings: Expression | None, told: Address, message: Any
) -> tuple[list[Any], dict[str, Any]]:
    beside: dict[str, Any] = {}
    found, written = message, ""
    if readings is not None:
        written = readings.written
        found = readings.value(Message(message, told.topic, told.query or {}))
        if isinstance(message, dict):
            beside = _beside(message, found)
    if isinstance(found, dict):  # where XML tells of several, it tells of one without a list
        return [found], beside
    if not isinstance(found, list):
        fault = "missing" if found is MISSING else "no_list"
        raise Misfit("readings", fault, written, "" if found is MISSING else found)
    return found, beside


def _beside(holder: Mapping[str, Any], found: Any) -> dict[str, Any]:
    """The message without the list, however deep in objects it stands."""
    return {
        name: _beside(each, found) if isinstance(each, dict) else each
        for name, each in holder.items()
        if each is not found
    }


def _rows(written: str, message: Any) -> tuple[list[Any], dict[str, Any]]:
    table = rows_at(written.removeprefix(TABLE), message)
    if table is None:
        raise Misfit("readings", "no_table", written)
    return list(table.rows), table.beside


def _records(message: Any, received: Micros) -> list[Any]:
    try:
        return list(senml.readings(message, received))
    except BadPack as problem:
        raise Misfit("readings", problem.fault, SENML, problem.about) from problem


def _entry(told: Address, fields: Any, beside: dict[str, Any], place: int) -> _Entry:
    own = _fields(fields)
    query = told.query or {}
    return _Entry(
        Message(own, told.topic, query), Message({**beside, **own}, told.topic, query), place
    )


def _fields(content: Any) -> dict[str, Any]:
    """A bare value is an object with one field."""
    return content if isinstance(content, dict) else {"value": content}


def _reading(form: KnownForm, entry: _Entry, where: ZoneInfo, received: Micros) -> Uplink | Misfit:
    try:
        device = _name("device", form.device, entry.whole)
        time, ends = _time(form.time, entry.whole, where, received)
        key = _key(form, entry, device, time, received)
        payload = _payload(form, entry.whole)
    except Misfit as misfit:
        misfit.message = entry.whole.content
        return misfit
    return Uplink(
        network=NETWORK,
        dev_eui=device,
        device=device,
        application=form.key,
        time=received if time is None else time,
        received=received,
        f_cnt=None,
        f_port=(payloads.port_of(entry.whole.content) or 0) if payload else 0,
        payload=payload,
        decoded=entry.whole.content,
        confirmed=False,
        key=key,
        ends=ends,
    )


def _name(part: str, expression: Expression, message: Message) -> str:
    """A text that names something, as it is written."""
    found = expression.value(message)
    if found is MISSING:
        raise Misfit(part, "missing", expression.written)
    text = as_text(found)
    if text is None or not 0 < len(text) <= _LONGEST_NAME or not text.isprintable():
        raise Misfit(part, "no_name", expression.written, found)
    return text


def _time(
    expression: Expression | None, message: Message, where: ZoneInfo, received: Micros
) -> tuple[Micros | None, Micros | None]:
    """When the measured began and ended, as far as the message tells."""
    if expression is None:
        return None, None
    found = expression.value(message)
    if found is MISSING:
        raise Misfit("time", "missing", expression.written)
    try:
        time, ends = times.period(found, where, received)
    except times.NoTime as problem:
        raise Misfit("time", "no_time", expression.written, found) from problem
    latest = time if ends is None else ends
    if latest > received + AHEAD:
        ahead = (latest - received) // MINUTE
        raise Misfit("time", "ahead", expression.written, f"{shown(str(found), 40)} (+{ahead} min)")
    return time, ends


def _payload(form: KnownForm, message: Message) -> bytes:
    """What the device's codec reads; nothing where the message has no such field."""
    if form.payload is None:
        return b""
    try:
        return payloads.payload_of(form.payload, form.payload_kind, message) or b""
    except ValueError as problem:
        fault = "no_hex" if form.payload_kind == payloads.HEX else "no_base64"
        told = form.payload.value(message)
        raise Misfit("payload", fault, form.payload.written, told) from problem


def _key(form: KnownForm, entry: _Entry, device: str, time: Micros | None, received: Micros) -> str:
    """The same for the same reading, however often it is delivered, and for no other.

    Without a message id and a time only the moment of arrival tells two equal messages apart.
    """
    if form.message_id is not None:
        return uplink.key(NETWORK, device, "id", *_message_id(form.message_id, entry))
    content = sha256(orjson.dumps(entry.own.content, option=orjson.OPT_SORT_KEYS)).hexdigest()
    if time is not None:
        return uplink.key(NETWORK, device, "at", time, content)
    return uplink.key(NETWORK, device, "in", received, entry.place, content)


def _message_id(expression: Expression, entry: _Entry) -> tuple[str, int | None]:
    """Its own id, or the one beside the list with its place there."""
    if entry.place is not None and expression.value(entry.own) is MISSING:
        return _name("message_id", expression, entry.whole), entry.place
    return _name("message_id", expression, entry.own), None
