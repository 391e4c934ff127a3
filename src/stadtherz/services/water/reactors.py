"""What a new level does: judge it by the gauge's steps and tell those responsible."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models.signals import post_delete
from django.dispatch import receiver

from stadtherz.alerts.public import Transition, change, current, withdraw
from stadtherz.base.time import DAY, HOUR, MINUTE, Micros, now_us
from stadtherz.base.visibility import AccessLevel
from stadtherz.kit.declaration import Severity
from stadtherz.services.water import readings, wording
from stadtherz.services.water.gauges import STEP_REACHED, rank_of, window
from stadtherz.services.water.levels import Decision, turns
from stadtherz.services.water.models import Gauge, GaugeState, WarningStep
from stadtherz.services.water.trend import trend
from stadtherz.store.public import Columns

_AHEAD = 10 * MINUTE  # of our clock: beyond it, one of the two is wrong
_LIVE = HOUR  # readings that come together and are older than this have been kept back
_WARNING_AGE = DAY  # whom an older reading would warn has seen the water


@dataclass(frozen=True, slots=True)
class Level:
    """One reading of a gauge."""

    at: Micros
    id: int
    value: float


def on_level(columns: Columns) -> None:
    """Judge each new reading of each gauge, in the order they were committed.

    One that failed a check of its device is judged, too: a flash flood is a sudden jump, and a quarter of
    an hour is all the time there is.
    Runs inside the transaction that moves the cursor: whatever changes here happens exactly once.
    """
    levels: dict[int, list[Level]] = {}
    for stream, at, key, value in readings.numbers(columns):
        levels.setdefault(stream, []).append(Level(at, key, value))
    gauges = (
        Gauge.objects.filter(datastream__in=levels)
        .prefetch_related("steps")
        .select_related("datastream")
    )
    for gauge in gauges.order_by("pk"):
        _judge(gauge, levels[gauge.datastream_id])


def _judge(gauge: Gauge, levels: Sequence[Level]) -> None:
    state, _created = GaugeState.objects.select_for_update().get_or_create(gauge=gauge)
    now = now_us()
    news = _concerning(_newer(levels, state, now), now)
    if not news:
        return
    steps = sorted(gauge.steps.all(), key=lambda step: step.level)
    before = rank_of(steps, current(STEP_REACHED, str(gauge.pk)))
    for decision in turns(steps, [level.value for level in news], before):
        level = news[decision.index]
        if decision.after < decision.before or level.at >= now - _WARNING_AGE:
            change(_transition(gauge, steps, decision, level))
    state.newest_at, state.newest_id = news[-1].at, news[-1].id
    state.save(update_fields=["newest_at", "newest_id"])


def _newer(levels: Iterable[Level], state: GaugeState, now: Micros) -> list[Level]:
    """The readings that were the newest when they came; what comes late is history, not news.

    A time in the future counts for nothing, or it would silence all that really comes.
    """
    found: list[Level] = []
    newest = (state.newest_at, state.newest_id)
    if newest[0] is not None and newest[0] > now + _AHEAD:  # our clock has been set back
        newest = (None, None)
    for level in levels:
        if level.at > now + _AHEAD:
            continue
        if newest[0] is None or (level.at, level.id) > newest:
            found.append(level)
            newest = (level.at, level.id)
    return found


def _concerning(news: Sequence[Level], now: Micros) -> Sequence[Level]:
    """Those that still concern people: of older readings that come together only the newest.

    They are an import, or what a network kept while the line was down; a flood in the middle of them
    is over. Live readings count one by one, also if they come together because we were busy.
    """
    return [level for level in news if level is news[-1] or level.at >= now - _LIVE]


def _transition(
    gauge: Gauge, steps: Sequence[WarningStep], decision: Decision, level: Level
) -> Transition:
    span = window(gauge)
    pairs = readings.since([gauge.datastream_id], level.at - span.span, level.at)
    known = pairs.get(gauge.datastream_id, [])
    occasion = wording.Occasion(
        gauge=gauge,
        steps=steps,
        decision=decision,
        value=level.value,
        at=level.at,
        trend=trend([t for t, _v in known], [v for _t, v in known], span),
    )
    step = occasion.after
    return Transition(
        kind=STEP_REACHED,
        subject=str(gauge.pk),
        datastream=gauge.datastream_id,
        before=decision.before,
        after=decision.after,
        step=str(step.pk) if step else "",
        severity=Severity(step.severity) if step else Severity.OK,
        title=wording.titles(step),
        texts=wording.texts(occasion),
        observation=level.id,
        at=level.at,
        recipients=gauge.recipients_id,
        public=gauge.datastream.access == AccessLevel.PUBLIC,
    )


@receiver(post_delete, sender=Gauge, dispatch_uid="water-gauge-deleted")
def _withdraw(instance: Gauge, **_signal: Any) -> None:
    """Nothing could ever clear the alert of a gauge that is gone."""
    withdraw(STEP_REACHED, str(instance.pk))
