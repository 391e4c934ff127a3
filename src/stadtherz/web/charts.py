"""Charts as SVG text, drawn without a browser: pure functions from numbers to markup.

They carry classes only, never style attributes, so the strict content security policy holds and
light, dark and print come from the style sheet. `sh-chart` replaces them where JavaScript runs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from stadtherz.base.time import DAY, Micros, from_us, to_us
from stadtherz.ingest.public import quality_sentence
from stadtherz.kit.declaration import Severity, Step
from stadtherz.web import formats
from stadtherz.web.axes import Scale, time_marks, value_marks

SPARK_POINTS = 48
_SPARK_WIDTH, _SPARK_HEIGHT = 192, 40
_WIDTH, _HEIGHT = 480, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 38, 44
_DOT = 3.5
_ROOM = DAY // 2


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at an instant, with a short name that a list beside the chart explains."""

    at: Micros
    name: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class LineChart:
    """One measured quantity over time.

    `points` are (microseconds, value) in order of time. Where two are further apart than `gap`,
    the line breaks: silence must not look like a steady value. `summary` says in one sentence what
    the picture shows; it stands above the picture and is read instead of it. `doubts` are the
    `resultQuality` of readings that are marked, by their time.
    """

    key: str
    title: str
    subtitle: str
    unit: str
    points: Sequence[tuple[Micros, float]]
    summary: str
    steps: Sequence[Step] = ()
    marks: Sequence[Mark] = ()
    span: tuple[Micros, Micros] | None = None  # what the time axis shows; else from first to last
    now: Micros | None = None
    gap: Micros | None = None
    digits: int = 0
    counts: bool = False  # whole things are counted: nobody reads off two fifths of an alarm
    download: str = ""
    doubts: Mapping[Micros, object] = field(default_factory=dict)

    @property
    def doubtful(self) -> list[tuple[Micros, float, str]]:
        """Time, value and why, in the active language, of the points that are doubtful."""
        if not self.doubts:
            return []
        found = ((t, v, quality_sentence(self.doubts.get(t))) for t, v in self.points)
        return [each for each in found if each[2]]

    @property
    def doubt_text(self) -> str:
        """A sentence about the marked points; empty without any."""
        count = len(self.doubtful)
        if not count:
            return ""
        return ngettext(
            "%(count)s reading is doubtful; a triangle marks it, and the table says why.",
            "%(count)s readings are doubtful; triangles mark them, and the table says why.",
            count,
        ) % {"count": count}

    @property
    def svg(self) -> SafeString:
        return line_chart(self)

    @property
    def data(self) -> dict[str, Any]:
        """What `sh-chart` reads. Times are milliseconds on the city's clock, so that the browser's
        own time zone does not matter; a null stands where the line breaks."""
        return {
            "title": self.title,
            "summary": self.summary,
            "unit": self.unit,
            "digits": self.digits,
            "locale": get_language() or "de",
            "zone": _zone_text(self.end),
            "start": self._wall(self.start),
            "end": self._wall(self.end),
            "now": None if self.now is None else self._wall(self.now),
            "nowText": _("now"),
            "points": self._rows(),
            "levels": self.levels,
            "doubts": [[self._wall(time), value] for time, value, _why in self.doubtful],
            "ticks": [
                [self._wall(mark), label, new_day]
                for mark, new_day, label in _time_labels(self.start, self.end)
            ],
            "steps": [
                {"name": s.name, "value": s.value, "severity": s.severity.value} for s in self.steps
            ],
        }

    @property
    def start(self) -> Micros:
        return self._shown[0]

    @property
    def end(self) -> Micros:
        return self._shown[1]

    @property
    def _shown(self) -> tuple[Micros, Micros]:
        """What the time axis shows. A single instant gets room on both sides: it would have no width."""
        first = self.points[0][0] if self.points else 0
        last = self.points[-1][0] if self.points else 0
        if self.span is not None:
            first, last = self.span[0], max(last, self.span[1])
        last = max(last, self.now or 0)
        return (first, last) if last > first else (first - _ROOM, first + _ROOM)

    @property
    def levels(self) -> list[float]:
        """Round marks of the value axis; steps belong into the picture, however far they are."""
        values = [value for _time, value in self.points] + [step.value for step in self.steps]
        marks = value_marks(min(values, default=0), max(values, default=0))
        whole = [mark for mark in marks if mark.is_integer()]
        return whole if self.counts and len(whole) > 1 else marks

    def _rows(self) -> list[tuple[int, float | None]]:
        rows: list[tuple[int, float | None]] = []
        for piece in _pieces(self.points, self.gap):
            rows += [(self._wall(time), value) for time, value in piece]
            rows.append((rows[-1][0] + 1, None))
        return rows[:-1]

    def _wall(self, moment: Micros) -> int:
        """One offset for the whole chart: an hour shown twice in autumn would fold the line."""
        offset = formats.local(self.end).utcoffset() or timedelta()
        return (moment + to_us(from_us(0) + offset)) // 1000

    @property
    def table(self) -> list[tuple[Micros, str, str]]:
        """Time, value and what is doubtful: at most 48 rows and all doubtful ones, newest first. The download
        has them all.
        """
        every = max(1, -(-len(self.points) // SPARK_POINTS))
        why = {time: text for time, _value, text in self.doubtful}
        newest = list(self.points)[::-1]
        rows = [row for n, row in enumerate(newest) if n % every == 0 or row[0] in why]
        return [(t, formats.measure(v, self.unit, self.digits), why.get(t, "")) for t, v in rows]


def sparkline(values: Sequence[float]) -> SafeString:
    """A small line with its area, without axes; it repeats what the text says, so it is hidden
    from screen readers. Empty below two values."""
    shown = thin(values, SPARK_POINTS)
    if len(shown) < 2:
        return mark_safe("")
    low, high = min(shown), max(shown)
    across = Scale(0, len(shown) - 1, 0, _SPARK_WIDTH)
    # A flat line belongs into the middle, not onto the floor.
    up = Scale(low, high, _SPARK_HEIGHT - 2, 2) if high > low else Scale(low - 1, low + 1, 38, 2)
    line = "L".join(f"{across(i)},{up(value)}" for i, value in enumerate(shown))
    return format_html(
        '<svg class="sh-spark" viewBox="0 0 {} {}" preserveAspectRatio="none" aria-hidden="true">'
        '<path class="sh-spark__area" d="M{}L{},{}L0,{}Z"/>'
        '<path class="sh-spark__line" d="M{}"/></svg>',
        *(_SPARK_WIDTH, _SPARK_HEIGHT, line, _SPARK_WIDTH, _SPARK_HEIGHT, _SPARK_HEIGHT, line),
    )


def thin(values: Sequence[float], most: int) -> list[float]:
    """At most `most` values, each the mean of an equal share, so that no short dip vanishes."""
    if len(values) <= most:
        return list(values)
    edges = [i * len(values) // most for i in range(most + 1)]
    return [sum(values[a:b]) / (b - a) for a, b in pairwise(edges)]


def line_chart(chart: LineChart) -> SafeString:
    """The chart with axes, steps as named lines and the present as a mark."""
    if not chart.points:
        return format_html('<p class="sh-chart__empty">{}</p>', _("No readings in this period."))
    levels = chart.levels
    across = Scale(chart.start, chart.end, _LEFT, _WIDTH - _RIGHT)
    up = Scale(levels[0], levels[-1], _HEIGHT - _BOTTOM, _TOP)
    return format_html(
        '<svg class="sh-plot" viewBox="0 0 {} {}" role="img" aria-labelledby="{}-t {}-d">'
        '<title id="{}-t">{}</title><desc id="{}-d">{}</desc>{}{}{}{}{}{}{}</svg>',
        *(_WIDTH, _HEIGHT, chart.key, chart.key),
        *(chart.key, chart.title, chart.key, f"{chart.summary} {chart.doubt_text}".strip()),
        _value_axis(levels, up),
        _time_axis(chart.start, chart.end, across),
        _steps(chart.steps, up),
        _line(chart, across, up),
        _doubts(chart, across, up),
        _marks(chart.marks, across),
        _now(chart.now, across),
    )


def _pieces(
    points: Sequence[tuple[Micros, float]], gap: Micros | None
) -> Iterator[list[tuple[Micros, float]]]:
    piece: list[tuple[Micros, float]] = []
    for point in points:
        if piece and gap is not None and point[0] - piece[-1][0] > gap:
            yield piece
            piece = []
        piece.append(point)
    if piece:
        yield piece


def _line(chart: LineChart, across: Scale, up: Scale) -> SafeString:
    """What lies together as a line; a reading alone has no length and becomes a dot."""
    pieces = list(_pieces(chart.points, chart.gap))
    paths = [
        "L".join(f"{across(time)},{up(value)}" for time, value in piece)
        for piece in pieces
        if len(piece) > 1
    ]
    line = format_html('<path class="sh-plot__line" d="{}"/>', "".join(f"M{p}" for p in paths))
    dots = format_html_join(
        "",
        '<circle class="sh-plot__dot" cx="{}" cy="{}" r="{}"/>',
        ((across(p[0][0]), up(p[0][1]), _DOT) for p in pieces if len(p) == 1),
    )
    return (line if paths else mark_safe("")) + dots


def _value_axis(marks: Sequence[float], up: Scale) -> SafeString:
    step = marks[1] - marks[0]
    digits = 0 if step == int(step) else 1 if step >= 0.1 else 2
    return format_html_join(
        "",
        '<path class="sh-plot__grid" d="M{},{}H{}"/><text class="sh-plot__value" x="{}" y="{}">{}</text>',
        (
            (_LEFT, up(m), _WIDTH - _RIGHT, _LEFT - 6, up(m) + 4, formats.number(m, digits))
            for m in marks
        ),
    )


def _time_axis(start: Micros, end: Micros, across: Scale) -> SafeString:
    labels = format_html_join(
        "",
        '<text class="sh-plot__time{}" x="{}" y="{}">{}</text>',
        (
            (" sh-plot__time--day" if new_day else "", across(mark), _HEIGHT - _BOTTOM + 19, label)
            for mark, new_day, label in _time_labels(start, end)
            if across(mark) < _WIDTH - 24
        ),
    )
    return format_html(
        '{}<text class="sh-plot__zone" x="{}" y="{}">{}</text>',
        *(labels, _WIDTH - _RIGHT, _HEIGHT - 5, _zone_text(end)),
    )


def _time_labels(start: Micros, end: Micros) -> list[tuple[Micros, bool, str]]:
    """Marks of the time axis: the instant, whether a day begins there, what is written."""
    found = []
    for mark in time_marks(start, end):
        clock = formats.clock(mark)
        new_day = clock == "00:00"
        found.append((mark, new_day, formats.day(mark) if new_day else clock))
    return found


def _zone_text(moment: Micros) -> str:
    return _("Times in %(zone)s") % {"zone": formats.zone_name(moment)}


def _steps(steps: Sequence[Step], up: Scale) -> SafeString:
    return format_html_join(
        "",
        '<g class="sh-plot__step sh-plot__step--{}"><path d="M{},{}H{}"/>'
        '<text x="{}" y="{}">{}</text></g>',
        (
            (
                *(step.severity.value, _LEFT, up(step.value), _WIDTH - _RIGHT),
                *(_LEFT + 4, up(step.value) - 5, step.name),
            )
            for step in steps
        ),
    )


def _doubts(chart: LineChart, across: Scale, up: Scale) -> SafeString:
    """A triangle above each doubtful point: a shape, not only a colour."""
    return format_html_join(
        "",
        '<path class="sh-plot__doubt" d="M{},{}l5,9h-10Z"/>',
        ((across(time), up(value) - 12) for time, value, _why in chart.doubtful),
    )


def _marks(marks: Sequence[Mark], across: Scale) -> SafeString:
    """A line with its name on top; where two would cover one another, one of them stands higher."""
    drawn, last, high = [], float("-inf"), False
    for mark in sorted(marks, key=lambda each: each.at):
        x = across(mark.at)
        high = not high if x - last < 16 else False
        last = x
        top = _TOP - 24 if high else _TOP - 8
        drawn.append((mark.severity.value, x, top + 3, _HEIGHT - _BOTTOM, x, top, mark.name))
    return format_html_join(
        "",
        '<g class="sh-plot__mark sh-plot__mark--{}"><path d="M{},{}V{}"/>'
        '<text x="{}" y="{}">{}</text></g>',
        drawn,
    )


def _now(moment: Micros | None, across: Scale) -> SafeString:
    if moment is None:
        return mark_safe("")
    x = across(moment)
    return format_html(
        '<g class="sh-plot__now{}"><path d="M{},{}V{}"/><text x="{}" y="{}">{}</text></g>',
        " sh-plot__now--end" if x > _WIDTH - 48 else "",
        *(x, _TOP - 18, _HEIGHT - _BOTTOM, x, _TOP - 22, _("now")),
    )
