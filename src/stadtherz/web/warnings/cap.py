"""Public warnings as CAP 1.2 (OASIS Standard, Common Alerting Protocol 1.2, 1 July 2010).

Pure: from a warning to its messages, from a message to bytes. Each change of a warning is a message:
the first an Alert, each later one an Update, its end a Cancel, with references to all before it. A
message that is still true after `VALID` is said again by an Update, so no reader who forgets what has
expired believes that a warning is over while it is in force. A message never changes: it has the same
words whenever it is asked for.

How grave something is becomes urgency and severity (section 3.2.2): what calls for action at once is
Immediate and Severe, a warning Expected and Moderate, an information Future and Minor. Certainty is
Observed, because an instrument has measured it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from xml.etree import ElementTree as ET

from stadtherz.alerts.public import AlertEvent, PublicWarning, WarningChange
from stadtherz.base.time import HOUR, SECOND, Micros
from stadtherz.kit.declaration import Severity
from stadtherz.web import formats

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
VALID: Micros = 24 * HOUR
_MOST_RENEWALS = 366
_GRAVITY = {
    Severity.DANGER: ("Immediate", "Severe"),
    Severity.WARNING: ("Expected", "Moderate"),
    Severity.INFO: ("Future", "Minor"),
}
_UNKNOWN = ("Unknown", "Unknown")
_LANGUAGES = {"de": "de-DE", "en": "en-GB"}
# Characters that no XML document may hold (XML 1.0, section 2.2).
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

ET.register_namespace("", NAMESPACE)


@dataclass(frozen=True, slots=True)
class Message:
    """One CAP message: `change` as it was first told, or told again for the `renewal`-th time.

    `withdrawn` if it takes back what the change has told: nobody knows how things are. `hidden` if what it
    told is not for everybody any more, so that it says no more than that.
    """

    warning: PublicWarning
    change: WarningChange
    renewal: int
    before: tuple["Message", ...]  # oldest first
    withdrawn: bool = False
    hidden: bool = False

    @property
    def key(self) -> str:
        name = "gone" if self.hidden else "end" if self.withdrawn else str(self.renewal)
        again = f"-{self.warning.round}" if self.warning.round else ""
        return f"{self.change.id}-{name}{again}"

    @property
    def sent(self) -> Micros:
        if self.withdrawn:
            return (self.change.recorded // SECOND) * SECOND
        return (self.change.recorded // SECOND) * SECOND + self.renewal * VALID

    @property
    def order(self) -> tuple[Micros, int, int, bool]:
        """What grows with each message of a warning, also within a second."""
        return self.sent, self.warning.round, self.change.id, self.withdrawn

    @property
    def kind(self) -> str:
        if not self.before:
            return "Alert"
        return "Cancel" if self.is_end else "Update"

    @property
    def is_end(self) -> bool:
        return self.change.change == AlertEvent.Change.CLEARED

    @property
    def is_unknown(self) -> bool:
        """It ends, but whether things are normal nobody knows."""
        return self.is_end and self.change.certainty == "Unknown"


@dataclass(frozen=True, slots=True)
class Area:
    """Where: a name with a circle (longitude, latitude, kilometres) or a polygon, and official keys."""

    name: str
    circle: tuple[float, float, float] | None = None
    polygon: Sequence[tuple[float, float]] = ()
    keys: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """What an info block says in one language."""

    language: str
    event: str
    headline: str
    description: str
    instruction: str
    web: str


@dataclass(frozen=True, slots=True)
class Sender:
    """`domain` is what CAP calls the sender, `name` what people read."""

    domain: str
    name: str


def messages(warning: PublicWarning, now: Micros) -> list[Message]:
    """All messages of a warning until now, oldest first."""
    told: list[Message] = []
    for place, change in enumerate(warning.changes):
        is_end = change.change == AlertEvent.Change.CLEARED
        following = warning.changes[place + 1 : place + 2]
        until = following[0].recorded if following else (warning.over or now)
        told.append(Message(warning, change, 0, tuple(told)))
        if not is_end:
            told += _renewals(told[-1], min(until, now))
    if told and warning.over is not None and not told[-1].is_end:
        told.append(_withdrawal(told, warning.over))
    return told


def taken_back(warning: PublicWarning, at: Micros) -> Message | None:
    """The end of a warning that was made private, hidden or deleted; None if nothing was told of it."""
    told = [each for each in messages(warning, at) if not each.is_end]
    return replace(_withdrawal(told, at), hidden=True) if told else None


def _withdrawal(told: Sequence[Message], over: Micros) -> Message:
    """The end of what has ended without a word, because its gauge or its rule is gone."""
    last = told[-1]
    sent = max(over, last.sent)
    change = replace(
        last.change,
        change=AlertEvent.Change.CLEARED,
        at=sent,
        recorded=sent,
        subjects={},
        sentences={},
        certainty="Unknown",
    )
    return Message(last.warning, change, 0, tuple(told), withdrawn=True)


def _renewals(first: Message, until: Micros) -> Iterator[Message]:
    last = first
    for renewal in range(1, _MOST_RENEWALS):
        last = Message(first.warning, first.change, renewal, (*last.before, last))
        if last.sent >= until:
            return
        yield last


def identifier(message: Message, sender: Sender) -> str:
    """Unique without spaces, commas, < and & (section 3.2.1)."""
    return f"{sender.domain}.{message.warning.id}.{message.key}"


def document(
    message: Message, sender: Sender, words: Sequence[Words], area: Area, category: str
) -> bytes:
    """The message as XML, its elements in the order of the schema."""
    alert = ET.Element(_name("alert"))
    _put(alert, "identifier", identifier(message, sender))
    _put(alert, "sender", sender.domain)
    _put(alert, "sent", moment(message.sent))
    _put(alert, "status", "Actual")
    _put(alert, "msgType", message.kind)
    _put(alert, "scope", "Public")
    if message.before:
        _put(alert, "references", " ".join(_reference(each, sender) for each in message.before))
    for each in words:
        _info(alert, message, sender, each, area, category)
    ET.indent(alert)
    return bytes(ET.tostring(alert, encoding="utf-8", xml_declaration=True)) + b"\n"


def moment(at: Micros) -> str:
    """Local time with its offset, as section 3.2.1 wants it; never the letter Z."""
    return formats.local((at // SECOND) * SECOND).isoformat()


def _reference(message: Message, sender: Sender) -> str:
    return f"{sender.domain},{identifier(message, sender)},{moment(message.sent)}"


def _info(
    alert: ET.Element, message: Message, sender: Sender, words: Words, area: Area, category: str
) -> None:
    info = ET.SubElement(alert, _name("info"))
    urgency, severity = _gravity(message)
    response = _response(message)
    _put(info, "language", _LANGUAGES.get(words.language, words.language))
    _put(info, "category", category)
    _put(info, "event", words.event)
    _put(info, "responseType", response)
    _put(info, "urgency", urgency)
    _put(info, "severity", severity)
    _put(info, "certainty", message.change.certainty)
    _put(info, "effective", moment(message.sent))
    _put(info, "onset", moment(message.change.at))
    _put(info, "expires", moment(message.sent + VALID))
    _put(info, "senderName", sender.name)
    _put(info, "headline", words.headline[:160])
    _put(info, "description", words.description)
    _put(info, "instruction", words.instruction)
    _put(info, "web", words.web)
    _area(info, area)


def _gravity(message: Message) -> tuple[str, str]:
    """The end of a warning is as severe as what it ends: readers sort it to that."""
    if not message.is_end:
        return _GRAVITY.get(message.change.severity, _UNKNOWN)
    _urgency, severity = _GRAVITY.get(message.warning.worst, _UNKNOWN)
    return "Unknown" if message.is_unknown else "Past", severity


def _response(message: Message) -> str:
    if message.is_end:
        return "Assess" if message.is_unknown else "AllClear"
    return "Prepare" if message.change.severity == Severity.DANGER else "Monitor"


def _area(info: ET.Element, area: Area) -> None:
    element = ET.SubElement(info, _name("area"))
    _put(element, "areaDesc", area.name)
    if area.polygon:
        _put(element, "polygon", " ".join(f"{lat:.5f},{lon:.5f}" for lon, lat in area.polygon))
    elif area.circle is not None:
        longitude, latitude, radius = area.circle
        _put(element, "circle", f"{latitude:.5f},{longitude:.5f} {radius:g}")
    for key, value in (area.keys or {}).items():
        code = ET.SubElement(element, _name("geocode"))
        _put(code, "valueName", key)
        _put(code, "value", value)


def _put(parent: ET.Element, name: str, text: str) -> None:
    """An element with its text; none where there is nothing to say."""
    if clean := printable(text):
        ET.SubElement(parent, _name(name)).text = clean


def printable(text: str) -> str:
    """Without what no XML document may hold."""
    return _FORBIDDEN.sub("", text).strip()


def _name(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"
