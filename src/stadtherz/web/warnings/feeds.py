"""Public warnings for programs: an Atom feed (RFC 4287) of CAP documents, and each document.

Whoever asks, only what everybody may see is in them: a document says of itself that its scope is
public.
"""

import hashlib
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, quote_etag
from django.utils.translation import gettext as _

from stadtherz.alerts.public import (
    WITHDRAWALS_KEPT,
    Alert,
    PublicWarning,
    as_shown,
    public_warnings,
    withdrawn_warnings,
)
from stadtherz.base.errors import NotFound
from stadtherz.base.time import DAY, SECOND, Micros, now_us
from stadtherz.base.visibility import ANONYMOUS
from stadtherz.store.public import StreamInfo, streams
from stadtherz.web.warnings import cap, telling

KEPT: Micros = 3 * DAY
"""How long a warning that is over stands in the feed, so that readers see its end."""

DOCUMENTS: Micros = WITHDRAWALS_KEPT
"""How long its documents can be read."""

_ATOM = "http://www.w3.org/2005/Atom"
_MOST = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """A message, and where it is about; None if it says only that something was taken back."""

    message: cap.Message
    stream: StreamInfo | None

    @property
    def url(self) -> str:
        path = reverse("web:warning-document", kwargs={"key": self.message.key})
        return f"{settings.STADTHERZ['public_url']}{path}"


def feed(request: HttpRequest) -> HttpResponse:
    """The messages of all warnings in force and of those that ended lately, newest first."""
    now = now_us()
    entries = _entries(now, since=now - KEPT)
    entries.sort(key=lambda entry: entry.message.order, reverse=True)
    body = _atom(entries[:_MOST])
    newest = entries[0].message.sent if entries else 0
    return _answer(request, body, "application/atom+xml; charset=utf-8", newest)


def document(request: HttpRequest, key: str) -> HttpResponse:
    """One message; NotFound where there is none, or where not everybody may see it."""
    now = now_us()
    entries = _entries(now, since=now - DOCUMENTS)
    entry = next((each for each in entries if each.message.key == key), None)
    if entry is None:
        raise NotFound(f"warning {key}")
    message, stream = entry.message, entry.stream
    body = cap.document(
        message,
        telling.sender(stream),
        telling.words(message, stream),
        telling.area(stream, _locations(message.warning)),
        telling.category(message),
    )
    return _answer(request, body, "application/cap+xml; charset=utf-8", message.sent)


def _entries(now: Micros, *, since: Micros) -> list[Entry]:
    """Of warnings that are in force or ended later than that, and of those taken back since."""
    gone = (cap.taken_back(each.warning, each.at) for each in withdrawn_warnings(since=since))
    listed = as_shown(public_warnings(ANONYMOUS, since=since))
    return _of_warnings(listed, now) + [Entry(each, None) for each in gone if each is not None]


def _of_warnings(listed: list[PublicWarning], now: Micros) -> list[Entry]:
    known = streams({each.datastream for each in listed})
    return [
        Entry(message, known[warning.datastream])
        for warning in listed
        if warning.datastream in known
        for message in cap.messages(warning, now)
    ]


def _locations(warning: PublicWarning) -> list[object]:
    found = Alert.objects.filter(pk=warning.id).order_by("datastream__thing__locations__id")
    return list(found.values_list("datastream__thing__locations__location", flat=True))


def _atom(entries: list[Entry]) -> bytes:
    root = ET.Element("feed", {"xmlns": _ATOM})
    home = settings.STADTHERZ["public_url"]
    here = f"{home}{reverse('web:warnings-feed')}"
    _put(root, "id", here)
    _put(root, "title", _("Warnings of %(city)s") % {"city": settings.STADTHERZ["city"]})
    _put(root, "updated", cap.moment(entries[0].message.sent if entries else 0))
    ET.SubElement(root, "link", {"rel": "self", "type": "application/atom+xml", "href": here})
    page = f"{home}{reverse('web:warnings')}"
    ET.SubElement(root, "link", {"rel": "alternate", "type": "text/html", "href": page})
    _put(ET.SubElement(root, "author"), "name", settings.STADTHERZ["city"])
    for entry in entries:
        _entry(root, entry)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _entry(root: ET.Element, entry: Entry) -> None:
    words = telling.words(entry.message, entry.stream)[0]
    element = ET.SubElement(root, "entry")
    _put(element, "id", entry.url)
    _put(element, "title", words.headline)
    _put(element, "updated", cap.moment(entry.message.sent))
    link = {"rel": "alternate", "type": "application/cap+xml", "href": entry.url}
    ET.SubElement(element, "link", link)
    _put(element, "summary", words.description)


def _put(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = cap.printable(text)


def _answer(request: HttpRequest, body: bytes, kind: str, changed: Micros) -> HttpResponse:
    """With an ETag of its bytes, so that readers who ask every minute cost nearly nothing."""
    etag = quote_etag(hashlib.sha256(body).hexdigest()[:32])
    modified = changed // SECOND
    response = HttpResponse(body, content_type=kind)
    response["Cache-Control"] = "public, max-age=20"
    response["ETag"] = etag
    response["Last-Modified"] = http_date(modified)
    response["Access-Control-Allow-Origin"] = "*"
    found = get_conditional_response(request, etag=etag, last_modified=modified, response=response)
    return found if isinstance(found, HttpResponse) else response
