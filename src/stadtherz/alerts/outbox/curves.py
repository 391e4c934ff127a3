"""What the store knew of a datastream when an event happened, as a picture and a table for mails.

A repeated message is the same as the first: readings that came after the one that warned, also late ones
from before, are left out. Whatever fails here costs the mail its picture, never the mail.
"""

import logging
from dataclasses import dataclass, field
from decimal import Decimal

from django.utils import formats
from django.utils.timezone import get_current_timezone, localtime
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from stadtherz.alerts.channels.curve import Axes, Curve, Line, Picture, png, told
from stadtherz.alerts.models import Alert, AlertEvent, Rule
from stadtherz.base import naming
from stadtherz.base.expressions import And, Column, Compare, Expression, Kind, Literal, Order
from stadtherz.base.time import DAY, HOUR, Micros, from_us
from stadtherz.base.visibility import ANONYMOUS, SYSTEM, Visibility
from stadtherz.kit.public import numbers, services
from stadtherz.store.public import Selection, StreamInfo, select, streams, streams_visible_to

logger = logging.getLogger(__name__)

_LEAD = 12 * HOUR
_LONG_LEAD = 3 * DAY  # of what sends seldom
_ENOUGH = 8  # readings that make a curve
_MOST_READINGS = 50_000
_ROWS = 12
_KEPT = 50
_TIME, _ID = Column("phenomenon_start", Kind.TIME), Column("id", Kind.NUMBER)


@dataclass(slots=True)
class Curves:
    """Pictures of events; each is drawn once for all readers of one language."""

    _drawn: dict[tuple[int, str, bool], Picture | None] = field(default_factory=dict)

    def of(self, event: AlertEvent, language: str, *, public: bool) -> Picture | None:
        """The picture of this event; None where there is nothing to show. `public`: for everybody."""
        key = (event.pk, language, public)
        if key not in self._drawn:
            if len(self._drawn) >= _KEPT:
                self._drawn.clear()
            try:
                with override(language):
                    self._drawn[key] = _picture(event, ANONYMOUS if public else SYSTEM)
            except Exception:  # whatever it is: people are warned without a picture
                logger.exception("the curve of event %s could not be drawn", event.pk)
                self._drawn[key] = None
        return self._drawn[key]


def _picture(event: AlertEvent, visibility: Visibility) -> Picture | None:
    alert = event.alert
    if alert.drill or alert.datastream_id is None:
        return None
    if visibility is ANONYMOUS and alert.datastream_id not in streams_visible_to(ANONYMOUS):
        return None
    stream = streams([alert.datastream_id])[alert.datastream_id]
    curve = _curve(event, stream, visibility)
    if not curve.points:
        return None
    picture = _in_words(curve)
    try:
        return Picture(picture.title, picture.sentence, picture.rows, png(curve, _axes(curve)))
    except (OSError, ValueError, MemoryError):
        logger.exception("the picture of event %s could not be drawn", event.pk)
        return picture


def _curve(event: AlertEvent, stream: StreamInfo, visibility: Visibility) -> Curve:
    start = event.at - _LEAD
    points = _readings(event, stream.id, event.at - _LONG_LEAD)
    recent = [point for point in points if point[0] >= start]
    if len(recent) < _ENOUGH:
        start, recent = event.at - _LONG_LEAD, points
    return Curve(
        title=naming.at(stream.thing_name, stream.name),
        unit=stream.unit_symbol,
        points=recent,
        limits=_limits(event.alert, stream, visibility),
        start=start,
        end=event.at + (event.at - start) // 24,
        event=event.at,
        gap=max(3 * HOUR, (event.at - start) // 12),
    )


def _readings(event: AlertEvent, stream: int, start: Micros) -> list[tuple[Micros, float]]:
    """Numbers up to the event, and none that was written down after the reading that caused it."""
    where: list[Expression] = [
        Compare("ge", _TIME, Literal(start, Kind.TIME)),
        Compare("le", _TIME, Literal(event.at, Kind.TIME)),
    ]
    if event.observation is not None:
        where.append(Compare("le", _ID, Literal(event.observation, Kind.NUMBER)))
    found = select(
        Selection(
            streams=frozenset({stream}),
            where=And(tuple(where)),
            order=(Order(_TIME, True),),
            limit=_MOST_READINGS,
        )
    )
    return [(at, value) for _stream, at, _key, value in numbers(found)][::-1]


def _limits(alert: Alert, stream: StreamInfo, visibility: Visibility) -> list[Line]:
    """The rule's steps, or those that the service draws into its own charts."""
    rule = alert.rule
    if rule is not None:
        if rule.measure != Rule.Measure.VALUE:
            return []
        return [Line(step.limit, step.name, step.severity) for step in rule.steps.all()]
    for service in services():
        for source in service.tiles:
            for tile in source.data(visibility):
                if tile.streams[:1] == (stream.id,):
                    return [Line(s.value, str(s.name), s.severity.value) for s in tile.steps]
    return []


# --- words ---------------------------------------------------------------------------------------


def _in_words(curve: Curve) -> Picture:
    values = [value for _at, value in curve.points]
    places = told(curve.points, _ROWS)
    notes = {values.index(min(values)): _("lowest"), values.index(max(values)): _("highest")}
    if min(values) == max(values):
        notes = {}
    rows = [
        (_moment(curve.points[i][0]), _amount(curve.points[i][1], curve.unit), notes.get(i, ""))
        for i in places
    ]
    facts = {
        "low": _amount(min(values), curve.unit),
        "high": _amount(max(values), curve.unit),
        "last": _amount(values[-1], curve.unit),
        "from": _moment(curve.points[0][0]),
        "until": _moment(curve.points[-1][0]),
    }
    sentence = (
        _("From %(from)s until %(until)s: lowest %(low)s, highest %(high)s, at the end %(last)s.")
        % facts
    )
    return Picture(curve.title, sentence, rows)


def _axes(curve: Curve) -> Axes:
    days = curve.end - curve.start > DAY
    return Axes(
        zone=get_current_timezone(),
        number=_number,
        clock=_day_and_clock if days else _clock,
    )


def _clock(at: Micros) -> str:
    return localtime(from_us(at)).strftime("%H:%M")


def _day_and_clock(at: Micros) -> str:
    local = localtime(from_us(at))
    return _day(at) if local.strftime("%H:%M") == "00:00" else local.strftime("%H:%M")


def _day(at: Micros) -> str:
    local = localtime(from_us(at))
    return str(formats.date_format(local, "j. M" if get_language() == "de" else "j M"))


def _moment(at: Micros) -> str:
    return f"{_day(at)}, {_clock(at)}"


def _number(value: float) -> str:
    plain = f"{value:.2f}".rstrip("0").rstrip(".")
    return str(formats.number_format(Decimal(plain), use_l10n=True))


def _amount(value: float, unit: str) -> str:
    return f"{_number(value)} {unit}".strip()
