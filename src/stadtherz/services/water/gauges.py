"""Which gauges a reader may see, and how each of them stands right now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from stadtherz.alerts.public import State, open_alerts
from stadtherz.base.errors import NotFound
from stadtherz.base.time import DAY, MINUTE, Micros, now_us
from stadtherz.base.visibility import Visibility
from stadtherz.kit.declaration import Severity
from stadtherz.services.water import readings, sentence
from stadtherz.services.water.levels import decide, release
from stadtherz.services.water.models import Gauge, WarningStep
from stadtherz.services.water.trend import GROUNDWATER, LEVEL, Trend, Window, trend
from stadtherz.store.public import StreamInfo, streams, streams_visible_to

STEP_REACHED = "water.step_reached"
_SILENT_AFTER = 3  # intervals without a reading


@dataclass(frozen=True, slots=True)
class Situation:
    """A gauge with everything a page, a tile or a pin says about it.

    `value` and `at` are None as long as nothing has been measured; `recent` are the readings of the
    last day as (microseconds, centimetres).
    """

    gauge: Gauge
    stream: StreamInfo
    steps: Sequence[WarningStep]
    value: float | None
    at: Micros | None
    recent: Sequence[tuple[Micros, float]]
    trend: Trend | None
    step: WarningStep | None
    since: Micros | None
    silent: bool

    @property
    def severity(self) -> Severity:
        if self.silent or self.value is None:
            return Severity.UNKNOWN
        return Severity(self.step.severity) if self.step else Severity.OK

    @property
    def state_text(self) -> str:
        """The state in a word or two, for a badge."""
        if self.value is None:
            return _("no readings")
        if self.silent:
            return _("silent")
        return self.step.name if self.step else _("normal")

    @property
    def sentence(self) -> str:
        """How the gauge stands, in one or two plain sentences."""
        if self.value is None or self.at is None:
            return sentence.never()
        if self.silent:
            return sentence.silent(self.gauge, self.value, self.at)
        stands = sentence.stands(self.gauge, self.value, self.trend)
        return f"{stands} {self.step_sentence}".strip()

    @property
    def step_sentence(self) -> str:
        if self.step is None:
            return sentence.normal(has_steps=bool(self.steps))
        return sentence.reached(self.step.name, self.since)

    @property
    def outlook(self) -> str:
        """What comes next: how far the next step is, or when the highest is over."""
        if self.value is None or self.silent or not self.steps:
            return ""
        held = self.steps.index(self.step) + 1 if self.step else 0
        if held == len(self.steps):
            highest = self.steps[-1]
            return sentence.over_below(highest.name, release(highest))
        following = self.steps[held]
        return sentence.next_step(following.name, following.level, self.value)

    @property
    def level_text(self) -> str:
        return "–" if self.value is None else sentence.level(self.value)

    @property
    def direction_text(self) -> str:
        return sentence.direction_text(self.gauge, self.trend)

    @property
    def trend_text(self) -> str:
        return "–" if self.silent else sentence.trend_text(self.gauge, self.trend)


def situations(visibility: Visibility) -> list[Situation]:
    """Every gauge this reader may see, by name."""
    return _situations(_visible(visibility), visibility)


def situation(slug: str, visibility: Visibility) -> Situation:
    """One gauge; NotFound if there is none or the reader may not see it."""
    gauge = _visible(visibility, slug=slug)
    if not gauge:
        raise NotFound(f"gauge {slug}")
    return _situations(gauge, visibility)[0]


def find(slug: str, visibility: Visibility) -> Gauge:
    """The gauge alone, without its readings; NotFound as above."""
    found = _visible(visibility, slug=slug)
    if not found:
        raise NotFound(f"gauge {slug}")
    return found[0]


def is_silent(gauge: Gauge, at: Micros, now: Micros) -> bool:
    """Whether the newest reading is older than three of the gauge's intervals."""
    return now - at > _SILENT_AFTER * gauge.interval_minutes * MINUTE


def window(gauge: Gauge) -> Window:
    return GROUNDWATER if gauge.kind == Gauge.Kind.GROUNDWATER else LEVEL


def rank_of(steps: Sequence[WarningStep], state: State | None) -> int:
    """The rank among today's steps of the step an open alert names.

    Staff may have added, moved or deleted steps since. A deleted step counts as the highest that is
    left at or below its old rank, and never as normal: somebody still waits for the all-clear.
    """
    if state is None:
        return 0
    names = [str(step.pk) for step in steps]
    if state.step in names:
        return names.index(state.step) + 1
    return max(1, min(state.rank, len(steps)))


def _visible(visibility: Visibility, slug: str | None = None) -> list[Gauge]:
    chosen = Gauge.objects.filter(datastream__in=streams_visible_to(visibility))
    if slug is not None:
        chosen = chosen.filter(slug=slug)
    return list(chosen.prefetch_related("steps"))


def _situations(gauges: Sequence[Gauge], visibility: Visibility) -> list[Situation]:
    known = streams(gauge.datastream_id for gauge in gauges)
    newest = readings.newest(known)
    recent = readings.since(_current(newest), now_us() - _LOOK_BACK)
    alerts = {state.subject: state for state in open_alerts(visibility, STEP_REACHED)}
    return [
        _situation(
            gauge,
            known[gauge.datastream_id],
            newest.get(gauge.datastream_id),
            recent.get(gauge.datastream_id, []),
            alerts.get(str(gauge.pk)),
        )
        for gauge in gauges
    ]


_LOOK_BACK = 3 * DAY  # what the slowest trend needs


def _current(newest: dict[int, tuple[Micros, float]]) -> Iterable[int]:
    """Streams worth reading: those with anything in the time we look back."""
    limit = now_us() - _LOOK_BACK
    return [stream for stream, (at, _value) in newest.items() if at >= limit]


def _situation(
    gauge: Gauge,
    stream: StreamInfo,
    newest: tuple[Micros, float] | None,
    recent: Sequence[tuple[Micros, float]],
    alert: State | None,
) -> Situation:
    steps = sorted(gauge.steps.all(), key=lambda step: step.level)
    at, value = newest or (None, None)
    step, since = _step(steps, value, alert)
    return Situation(
        gauge=gauge,
        stream=stream,
        steps=steps,
        value=value,
        at=at,
        recent=[(t, v) for t, v in recent if at is not None and t > at - DAY],
        trend=trend([t for t, _v in recent], [v for _t, v in recent], window(gauge)),
        step=step,
        since=since,
        silent=at is not None and is_silent(gauge, at, now_us()),
    )


def _step(
    steps: Sequence[WarningStep], value: float | None, alert: State | None
) -> tuple[WarningStep | None, Micros | None]:
    """The step that holds, and since when if an alert knows it.

    The alert remembers what hysteresis needs; the newest reading may be a moment ahead of it.
    """
    if value is None:
        return None, None
    before = rank_of(steps, alert)
    after = decide(steps, value, before).after
    step = steps[after - 1] if after else None
    return step, alert.since if alert is not None and after == before else None


def with_steps() -> list[int]:
    """The datastreams of the gauges that can warn."""
    found = Gauge.objects.filter(steps__isnull=False).values_list("datastream", flat=True)
    return list(found.distinct())
