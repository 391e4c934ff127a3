"""One alert from beginning to end: sentences, the curve with its steps, and all that was done."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from django.conf import settings
from django.utils.translation import gettext as _

from stadtherz.alerts.public import Alert, AlertEvent, AlertNote, Delivery, with_reach
from stadtherz.base import naming
from stadtherz.base.time import DAY, HOUR, Micros, now_us
from stadtherz.base.visibility import Visibility
from stadtherz.kit.declaration import Severity, Step
from stadtherz.store.public import Bucketing, StreamInfo, buckets, streams
from stadtherz.web import formats
from stadtherz.web.alarms import words
from stadtherz.web.alarms.figures import digits
from stadtherz.web.charts import LineChart, Mark
from stadtherz.web.start import read_tiles

_LEAD = 6 * HOUR  # what is shown before and after
_MOST_LINES = 500


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the time line. `number` is that of the mark in the chart, 0 where there is none."""

    at: Micros
    what: str
    severity: str
    who: str
    text: str
    number: int = 0
    url_pk: int | None = None  # of a message


def events_of(alert: Alert) -> list[AlertEvent]:
    return list(alert.events.order_by("id")[:_MOST_LINES])


def sentences(alert: Alert, events: Sequence[AlertEvent]) -> Iterator[str]:
    """What happened, in plain sentences."""
    values = {"place": words.place(alert), "when": formats.when(alert.opened_at)}
    if alert.drill:
        yield _("This is a test alarm. Nothing is wrong.")
    yield _("%(place)s: it began %(when)s.") % values
    told = [event for event in events if words.said(event) and event.change in _STATES]
    if told:
        yield words.said(told[-1])
    yield from _outcome(alert)


_STATES = ("raised", "escalated", "lowered", "cleared")


def _outcome(alert: Alert) -> Iterator[str]:
    if alert.acknowledged_at is not None:
        yield _("%(who)s took it on after %(time)s.") % {
            "who": alert.acknowledged_by or _("Somebody"),
            "time": words.lasting(alert.acknowledged_at - alert.opened_at),
        }
    elif alert.cleared_at is None:
        yield _("Nobody has taken it on yet.")
    if alert.cleared_at is not None:
        if _reached_nobody(alert):
            yield _("No message of it has reached anybody.")
        yield _("It was over %(when)s, after %(time)s.") % {
            "when": formats.when(alert.cleared_at),
            "time": words.lasting(alert.cleared_at - alert.opened_at),
        }
    if alert.false_alarm is not None:
        yield (
            _("Staff judged it a false alarm.")
            if alert.false_alarm
            else _("Staff judged that it was right.")
        )


def _reached_nobody(alert: Alert) -> bool:
    found = with_reach(Alert.objects.filter(pk=alert.pk))
    return found.filter(owed_any=True, told_any=False).exists()


# --- the time line ---------------------------------------------------------------------------------


def time_line(alert: Alert, events: Sequence[AlertEvent]) -> list[Line]:
    """Events, what people did, and messages with what became of them, oldest first."""
    numbers = {event.pk: number for number, event in enumerate(marked(events), 1)}
    lines = [_of_event(event, numbers.get(event.pk, 0)) for event in events]
    lines += [_of_note(note) for note in alert.notes.order_by("id")[:_MOST_LINES]]
    sent = Delivery.objects.filter(event__alert=alert).select_related("contact", "address")
    lines += [_of_delivery(each) for each in sent.order_by("id")[:_MOST_LINES]]
    return sorted(lines, key=lambda line: line.at)


def marked(events: Iterable[AlertEvent]) -> list[AlertEvent]:
    """Those that the curve caused."""
    return [event for event in events if event.change in _STATES]


def _of_event(event: AlertEvent, number: int) -> Line:
    text = words.said(event, "subject")
    if event.muted:
        text = f"{text} ({_('nobody was told: silenced')})"
    what = str(event.get_change_display())
    return Line(event.recorded_at, what, event.severity, "", text, number)


def _of_note(note: AlertNote) -> Line:
    text = note.why
    if note.act == AlertNote.Act.ACKNOWLEDGED and note.way:
        text = f"{text} ({_WAYS.get(note.way, note.way)})".strip()
    return Line(note.at, str(note.get_act_display()), "", note.who, text)


_WAYS = {"app": "Stadtherz", "link": "Link", "sms": "SMS"}


def _of_delivery(sent: Delivery) -> Line:
    status = str(sent.get_status_display())
    if sent.receipt:
        status = f"{status}, {sent.get_receipt_display()}"
    if sent.error:
        status = f"{status}: {_(sent.error)}"
    channel = str(sent.get_channel_display())
    who = str(sent.contact) if sent.contact else _("subscriber")
    severity = {"failed": "danger", "uncertain": "warning", "sent": "ok"}.get(sent.status, "")
    return Line(sent.changed_at, channel, severity, who, status, url_pk=sent.pk)


# --- the curve -------------------------------------------------------------------------------------


def chart(alert: Alert, events: Sequence[AlertEvent], visibility: Visibility) -> LineChart | None:
    """The readings from before it began until after it ended, with steps and events."""
    if alert.datastream_id is None:
        return None
    stream = streams([alert.datastream_id])[alert.datastream_id]
    begin, end = _span(alert)
    points = points_of(stream.id, begin, end)
    marks = [
        Mark(event.at, str(number), Severity(event.severity))
        for number, event in enumerate(marked(events), 1)
        if begin <= event.at <= end
    ]
    values = [value for _at, value in points]
    return LineChart(
        key=f"alert-{alert.pk}",
        title=stream.thing_name,
        subtitle=naming.beside(stream.name, stream.thing_name),
        unit=stream.unit_symbol,
        points=points,
        summary=summary(values, stream.unit_symbol),
        steps=steps_of(alert, stream, visibility),
        marks=marks,
        span=(begin, end),
        gap=max(3 * HOUR, (end - begin) // 40, 3 * _usual_distance(points)),
        digits=max((digits(value) for value in values), default=0),
    )


def points_of(stream: int, begin: Micros, end: Micros) -> list[tuple[Micros, float]]:
    """Lowest and highest of buckets that give a few hundred: a mean would hide the peak that warned."""
    width = Bucketing.MINUTE
    if end - begin > 60 * DAY:
        width = Bucketing.DAY
    elif end - begin > 7 * DAY:
        width = Bucketing.HOUR
    elif end - begin > DAY:
        width = Bucketing.QUARTER
    found = buckets(stream, width, settings.TIME_ZONE, start=begin, end=end)
    points: list[tuple[Micros, float]] = []
    rows = zip(found.start.tolist(), found.minimum.tolist(), found.maximum.tolist(), strict=True)
    for at, low, high in rows:
        falls = bool(points) and abs(points[-1][1] - high) < abs(points[-1][1] - low)
        both = (high, low) if falls else (low, high)
        points += [(at, value) for value in (both if low != high else both[:1])]
    return points


def _usual_distance(points: Sequence[tuple[Micros, float]]) -> Micros:
    """Who measures twice a day is not silent in between."""
    distances = [after[0] - before[0] for before, after in pairwise(points)]
    return int(median([each for each in distances if each] or [0]))


def summary(values: Sequence[float], unit: str) -> str:
    if not values:
        return _("There are no readings in this period.")
    low, high = min(values), max(values)
    return _("Lowest %(low)s, highest %(high)s in this period.") % {
        "low": formats.measure(low, unit, digits(low)),
        "high": formats.measure(high, unit, digits(high)),
    }


def _span(alert: Alert) -> tuple[Micros, Micros]:
    over = alert.cleared_at or now_us()
    lead = max(_LEAD, (over - alert.opened_at) // 5)
    return alert.opened_at - lead, min(over + lead, now_us())


def steps_of(alert: Alert, stream: StreamInfo, visibility: Visibility) -> Sequence[Step]:
    """The rule's limits, or those that the service draws into its own charts."""
    if alert.rule is not None:
        if alert.rule.measure != "value":
            return ()
        steps = alert.rule.steps.all()
        return [Step(step.name, step.limit, Severity(step.severity)) for step in steps]
    for tile in read_tiles(visibility):
        if tile.streams[:1] == (stream.id,):
            return tile.steps
    return ()
