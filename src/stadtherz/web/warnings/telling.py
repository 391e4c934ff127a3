"""A public warning in words, with its place: what the page, the banner and CAP say alike."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from stadtherz.alerts.public import PublicWarning
from stadtherz.base.errors import Invalid
from stadtherz.base.geometry import check_geometry
from stadtherz.base.time import Micros
from stadtherz.kit.declaration import AlertKind, Severity
from stadtherz.kit.registry import services
from stadtherz.store.public import StreamInfo, streams
from stadtherz.web.shell import Place
from stadtherz.web.warnings.cap import Area, Message, Sender, Words

RADIUS_KM = 1.0
"""Of the circle around a measuring point. Nobody has surveyed how far a warning reaches."""


@dataclass(frozen=True, slots=True)
class Told:
    """A warning as people read it, in the active language."""

    id: int
    severity: Severity
    state: str
    title: str
    place: str
    sentence: str
    advice: str
    since: Micros
    opened: Micros
    over: Micros | None
    url: str
    owner: str
    position: tuple[float, float] | None
    datastream: int


def tell(warnings: Iterable[PublicWarning]) -> list[Told]:
    """The warnings with their places, in the same order."""
    listed = list(warnings)
    known = streams({warning.datastream for warning in listed})
    return [_told(each, known[each.datastream]) for each in listed if each.datastream in known]


def _told(warning: PublicWarning, stream: StreamInfo) -> Told:
    severity = warning.worst if warning.over is not None else warning.severity
    change = warning.told
    return Told(
        id=warning.id,
        severity=severity,
        state=state_name(severity),
        title=title_of(warning),
        place=stream.thing_name,
        sentence=_part(change.sentences) if change else "",
        advice=_part(warning.advice),
        since=warning.since,
        opened=warning.opened,
        over=warning.over,
        url=_part(change.links) if change else "",
        owner=stream.owner_name,
        position=stream.position,
        datastream=warning.datastream,
    )


def state_name(severity: Severity) -> str:
    match severity:
        case Severity.DANGER:
            return _("Danger")
        case Severity.WARNING:
            return _("Warning")
    return _("Information")


def title_of(warning: PublicWarning) -> str:
    """The step's name; what is over has none, so the last subject tells what it was."""
    named = _part(warning.title)
    if named:
        return named
    worded = next((each for each in warning.changes if each.subjects), None)
    return _part(worded.subjects) if worded else kind_name(warning.kind)


def _part(texts: Mapping[str, str]) -> str:
    return texts.get(get_language() or "de") or texts.get("de") or next(iter(texts.values()), "")


def declared(kind: str) -> AlertKind | None:
    found = (each for service in services() for each in service.alerts if each.key == kind)
    return next(found, None)


def kind_name(kind: str) -> str:
    known = declared(kind)
    return str(known.name) if known else _("Warning")


def places(told: Iterable[Told]) -> list[Place]:
    """Pins for those whose place is known; the list beside the map has all."""
    return [
        Place(
            name=each.place,
            position=each.position,
            icon="warning",
            value=each.title,
            state=each.severity,
            state_text=each.state,
            url=f"#warning-{each.id}",
        )
        for each in told
        if each.position is not None
    ]


# --- for CAP ---------------------------------------------------------------------------------------


# Of what is not for everybody any more there is no stream, and the city alone is named.


def sender(stream: StreamInfo | None) -> Sender:
    name = settings.STADTHERZ["city"] if stream is None else stream.owner_name
    return Sender(urlsplit(settings.STADTHERZ["public_url"]).hostname or "localhost", name)


def category(message: Message) -> str:
    """What the rule said when it happened, else what the service calls its kind."""
    known = declared(message.warning.kind)
    return message.change.category or (known.category if known else "Env")


def words(message: Message, stream: StreamInfo | None) -> list[Words]:
    """One block a language, the installation's first language first."""
    return [_words(code, message, stream) for code, _name in settings.LANGUAGES]


def _words(code: str, message: Message, stream: StreamInfo | None) -> Words:
    with override(code):
        warning, change = message.warning, message.change
        headline = _part(change.subjects) or _end(message, stream)
        return Words(
            language=code,
            event=_("Warning") if stream is None else kind_name(warning.kind),
            headline=headline,
            description=_part(change.sentences) or headline,
            instruction="" if message.is_end else _part(change.advice),
            web=f"{settings.STADTHERZ['public_url']}{reverse('web:warnings')}",
        )


def _end(message: Message, stream: StreamInfo | None) -> str:
    if stream is None:
        return _("A warning was withdrawn. Whether things are back to normal is not known.")
    return _withdrawn(stream) if message.withdrawn else _over(stream)


def _over(stream: StreamInfo) -> str:
    return _("The warning for %(place)s is over.") % {"place": stream.thing_name}


def _withdrawn(stream: StreamInfo) -> str:
    return _(
        "The warning for %(place)s was withdrawn. Whether things are back to normal is not known."
    ) % {"place": stream.thing_name}


def area(stream: StreamInfo | None, locations: Sequence[object]) -> Area:
    """The outer ring of the Thing's area, or a circle around its place."""
    city, key = settings.STADTHERZ["city"], settings.STADTHERZ["regional_key"]
    keys = {"ARS": key} if key else None
    if stream is None:
        return Area(city, keys=keys)
    circle = None if stream.position is None else (*stream.position, RADIUS_KM)
    return Area(f"{stream.thing_name} ({city})", circle, _ring(locations), keys)


def _ring(locations: Sequence[object]) -> list[tuple[float, float]]:
    for location in locations:
        try:
            geometry = check_geometry(location)
        except Invalid:
            continue
        if geometry["type"] == "Polygon":
            return [(float(place[0]), float(place[1])) for place in geometry["coordinates"][0]]
    return []
