"""How a device is, on its page and in the list of devices."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import django_filters
import orjson
from django.db.models import QuerySet
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column

from stadtherz.base.time import DAY, Micros, now_us
from stadtherz.ingest.public import (
    Condition,
    Device,
    DeviceDay,
    DeviceReport,
    Message,
    devices_in,
    known_device,
    refusal_sentence,
    report_of,
    share,
)
from stadtherz.store.public import StreamInfo, streams
from stadtherz.web import formats
from stadtherz.web.charts import LineChart
from stadtherz.web.devices import words as device_words
from stadtherz.web.staff.views import local_time

_CHARTED = 90 * DAY

FILTERS = {
    "silent": (_("silent"), (Condition.SILENT, Condition.NEVER_SENT)),
    "late": (_("late"), (Condition.LATE,)),
    "never": (_("never heard"), (Condition.NEVER_HEARD, Condition.NEVER_SENT)),
    "battery": (_("battery low or soon empty"), (Condition.BATTERY_LOW, Condition.BATTERY_SOON)),
    "radio": (_("weak radio or many losses"), (Condition.WEAK_RADIO, Condition.MANY_LOST)),
    "clock": (_("clock wrong"), (Condition.CLOCK_WRONG,)),
    "fine": (_("fine"), (Condition.FINE,)),
}


class DeviceFilters(WagtailFilterSet):
    """The list's filters, and the state, which no column of the table holds."""

    state = django_filters.ChoiceFilter(
        label=_("State"),
        choices=[(key, name) for key, (name, _conditions) in FILTERS.items()],
        method="having",
    )

    def having(self, rows: QuerySet[Device], _name: str, value: str) -> QuerySet[Device]:
        return devices_in(rows, FILTERS[value][1])


def state_of(device: Device) -> SafeString:
    """The worst of what holds, for a list."""
    return device_words.badge(known_device(device, now_us()).worst)


state_column = Column("state", label=_("State"), accessor=state_of)


@dataclass(frozen=True, slots=True)
class Line:
    """A message as the page shows it."""

    at: str
    outcome: str
    f_cnt: int | None
    why: str
    values: Sequence[tuple[str, str]]
    document: str
    cut: bool


def page_of(device: Device, *, refused: bool = False) -> dict[str, Any]:
    """What a device's page shows of its health. Charts have their table beside them.

    `refused`: whether messages of it wait as refused. Then all is not well, however well it is heard.
    """
    report = report_of(device.pk)
    known, now = report.known, now_us()
    sentences = [device_words.sentence(each, known.facts, now) for each in known.conditions]
    is_fine = known.worst is Condition.FINE
    if refused and is_fine:
        sentences = [device_words.refused(known.facts)]
    return {
        "badge": device_words.refused_badge()
        if refused and is_fine
        else device_words.badge(known.worst),
        "sentences": sentences,
        "figures": list(_figures(report, now)),
        "charts": [chart for chart in _charts(report, now) if chart.points],
        "messages": _lines(report.messages),
    }


def _figures(report: DeviceReport, now: Micros) -> Iterable[tuple[str, str]]:
    known, recent = report.known, report.recent
    yield _text("Expected"), _expected(report)
    yield _text("Battery"), _battery(report, now)
    yield _text("Best signal of the last day"), device_words.signal(known.facts)
    if known.gateway:
        yield _text("Gateway that hears it best"), known.gateway
    yield _text("Messages of the last 7 days"), formats.number(recent.received)
    lost = share(recent.received, recent.lost)
    if lost is not None:
        yield (
            _text("Of them lost"),
            f"{formats.number(recent.lost)} ({formats.measure(lost, '%', 1)})",
        )
    yield _text("Counter started again"), formats.number(recent.resets)


def _expected(report: DeviceReport) -> str:
    known = report.known
    if known.facts.interval is None:
        return _text("not known yet")
    told = device_words.every(known.facts.interval)
    if known.device.expected_minutes is None:
        return _text("%(every)s (learned)") % {"every": told}
    return told


def _battery(report: DeviceReport, now: Micros) -> str:
    """The value, and when it will be used up where its fall tells that."""
    told = [device_words.battery(report.known.facts)]
    forecast = device_words.empty(report.known.facts.empty_at, now)
    if forecast:
        told.append(forecast)
    elif told[0] != formats.NO_VALUE:
        told.append(_text("How long it will last cannot be told (yet)."))
    return " – ".join(told) if len(told) > 1 else told[0]


def _charts(report: DeviceReport, now: Micros) -> Iterable[LineChart]:
    days = [day for day in report.days if day.day > now - _CHARTED]
    yield _chart("battery", _text("Battery"), "%", days, "battery")
    yield _chart("volts", _text("Battery voltage"), "V", days, "volts")
    yield _chart("rssi", _text("Best signal strength of each day"), "dBm", days, "rssi")
    yield _chart("received", _text("Messages of each day"), "", days, "received")


def _chart(key: str, title: str, unit: str, days: Sequence[DeviceDay], name: str) -> LineChart:
    found = [(day.day + DAY // 2, getattr(day, name)) for day in days]
    points = [(at, float(value)) for at, value in found if value is not None]
    digits = 2 if unit == "V" else 0
    return LineChart(
        key=f"device-{key}",
        title=title,
        subtitle=title,
        unit=unit,
        points=points,
        summary=_summary([value for _at, value in points], unit, digits),
        span=(days[0].day, days[-1].day + DAY) if days else None,
        gap=3 * DAY,
        digits=digits,
    )


def _summary(values: Sequence[float], unit: str, digits: int) -> str:
    if not values:
        return ""
    low, high = (formats.measure(edge(values), unit, digits) for edge in (min, max))
    last = formats.measure(values[-1], unit, digits)
    told = {"low": low, "high": high, "last": last}
    return _text("Between %(low)s and %(high)s; last %(last)s.") % told


def _lines(messages: Sequence[Message]) -> list[Line]:
    known = streams({stream for message in messages for stream, _value in message.values})
    return [_line(message, known) for message in messages]


def _line(message: Message, known: dict[int, StreamInfo]) -> Line:
    return Line(
        at=local_time(message.received),
        outcome=str(_OUTCOMES.get(message.outcome, message.outcome)),
        f_cnt=message.f_cnt,
        why=_why(message),
        values=[_value(stream, value, known) for stream, value in message.values],
        document=_readable(message.body),
        cut=message.size > len(message.body),
    )


_OUTCOMES = {
    "stored": _("stored"),
    "duplicate": _("repeated, changed nothing"),
    "refused": _("refused"),
    "event": _("no measurement"),
}


def _why(message: Message) -> str:
    if message.outcome == "refused":
        return refusal_sentence(message.reason, message.facts)
    return message.reason


def _value(stream: int, value: Any, known: dict[int, StreamInfo]) -> tuple[str, str]:
    about = known.get(stream)
    if about is None:
        return f"{stream}", str(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (
            about.name,
            f"{formats.number(value, 3).rstrip('0').rstrip(',.')} {about.unit_symbol}",
        )
    return about.name, str(value)


def _readable(body: bytes) -> str:
    """With line breaks where it is JSON, else as it came."""
    try:
        return orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return body.decode("utf-8", errors="replace")
