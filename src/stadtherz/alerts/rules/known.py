"""The rules that are switched on, as plain values, by the datastreams whose readings they judge.

A hundred thousand rules are not looked at for each reading: the process keeps them and asks one number
whether anything has changed. Every change of a rule, step or input changes that number, in whichever
process.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from secrets import randbits
from typing import Any

from django.conf import settings
from django.db.models.signals import post_delete, post_save

from stadtherz.alerts.models import Rule, RuleInput, RuleStep, RuleVersion
from stadtherz.alerts.rules.expression import Expression, parse
from stadtherz.alerts.rules.limits import Judging, Limit, Season
from stadtherz.base.errors import QuerySyntaxError
from stadtherz.base.time import MINUTE, Micros, now
from stadtherz.store.public import streams_by_property

Measure = Rule.Measure
_LOOK_FOR_STREAMS = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Input:
    """A datastream that an expression knows by a name."""

    name: str
    datastream: int
    window: Any  # measures.Window
    span: Micros


@dataclass(frozen=True, slots=True)
class KnownRule:
    """A rule as the engine needs it; `steps` are the ids of its steps, mildest first."""

    id: int
    edition: datetime
    owner: int
    measure: str
    datastream: int | None
    observed_property: int | None
    judging: Judging
    steps: tuple[int, ...]
    window: Any  # measures.Window
    span: Micros
    steep: float | None
    max_age: Micros
    recipients: int | None
    public: bool
    doubtful: bool = False  # judges readings that failed a check of their device, too
    expression: Expression | None = None
    inputs: tuple[Input, ...] = ()

    @property
    def history(self) -> Micros:
        """How far back the figure of a reading looks."""
        spans = [16 * MINUTE if self.steep is not None else 0]
        if self.measure == Measure.RISE or self.window != Rule.Window.NEWEST:
            spans.append(self.span)
        return max(spans)

    @property
    def anchor(self) -> int | None:
        """The datastream under which an expression's state and alert stand."""
        return self.inputs[0].datastream if self.inputs else None


@dataclass(slots=True)
class Rules:
    """All rules that are switched on, as of `version`."""

    version: int
    by_stream: Mapping[int, tuple[KnownRule, ...]]
    by_id: Mapping[int, KnownRule]
    streams: frozenset[int]
    read_at: float = field(default_factory=time.monotonic)

    @property
    def old(self) -> bool:
        """Whether datastreams may have come that nobody has told it of."""
        selecting = any(rule.observed_property is not None for rule in self.by_id.values())
        return selecting and time.monotonic() - self.read_at > _LOOK_FOR_STREAMS


_kept: list[Rules] = []


def rules() -> Rules:
    """The rules in force, read again if anything has changed.

    A new datastream is judged by the rules of its property within a minute.
    """
    version = _version()
    if not _kept or _kept[0].version != version or _kept[0].old:
        _kept[:] = [_read(version)]
    return _kept[0]


def _version() -> int:
    found = RuleVersion.objects.values_list("number", flat=True).first()
    return found or 0


def _read(version: int) -> Rules:
    active = Rule.objects.filter(active=True).prefetch_related("steps", "inputs")
    found = [rule for rule in map(known, active.iterator(chunk_size=2000)) if rule is not None]
    by_stream: dict[int, list[KnownRule]] = {}
    observing = streams_by_property(
        rule.observed_property for rule in found if rule.observed_property is not None
    )
    for rule in found:
        for stream in _streams_of(rule, observing):
            by_stream.setdefault(stream, []).append(rule)
    frozen = {stream: tuple(each) for stream, each in by_stream.items()}
    return Rules(version, frozen, {rule.id: rule for rule in found}, frozenset(frozen))


def _streams_of(rule: KnownRule, observing: Mapping[tuple[int, int], list[int]]) -> Iterable[int]:
    if rule.inputs:
        return {each.datastream for each in rule.inputs}
    if rule.datastream is not None:
        return (rule.datastream,)
    if rule.observed_property is not None:
        return observing.get((rule.owner, rule.observed_property), ())
    return ()


def known(rule: Rule) -> KnownRule | None:
    """The rule as plain values; None if it cannot judge anything (`mistakes` says why)."""
    steps = ranked_steps(rule)
    text = None
    inputs: tuple[Input, ...] = ()
    if rule.measure == Measure.EXPRESSION:
        try:
            text = parse(rule.expression)
        except QuerySyntaxError:
            return None
        inputs = tuple(_input(each) for each in rule.inputs.all())
        if not text.names <= {each.name for each in inputs}:
            return None
    if not steps:
        return None
    return KnownRule(
        id=rule.pk,
        edition=rule.changed_at,
        owner=rule.owner_id,
        measure=rule.measure,
        datastream=rule.datastream_id,
        observed_property=rule.observed_property_id,
        judging=_judging(rule, steps),
        steps=tuple(step.pk for step in steps),
        window=rule.window,
        span=rule.window_minutes * MINUTE,
        steep=rule.steep,
        max_age=rule.max_age_minutes * MINUTE,
        recipients=rule.recipients_id,
        public=rule.public,
        # A doubtful reading is a sign of life all the same.
        doubtful=rule.doubtful or rule.measure == Measure.MISSING,
        expression=text,
        inputs=inputs,
    )


def ranked_steps(rule: Rule) -> list[RuleStep]:
    """The rule's steps as ranks count them: rank 1 is the first, the mildest."""
    return sorted(rule.steps.all(), key=lambda step: _turn(rule) * step.limit)


def _turn(rule: Rule) -> int:
    return -1 if rule.direction == Rule.Direction.BELOW else 1


def _judging(rule: Rule, steps: Iterable[RuleStep]) -> Judging:
    sign = _turn(rule)
    return Judging(
        limits=tuple(_limit(step, sign) for step in steps),
        sign=sign,
        samples=rule.samples,
        hold=rule.hold_minutes * MINUTE,
        calm=rule.calm_minutes * MINUTE,
        zone=settings.TIME_ZONE,
        growing=rule.measure == Measure.MISSING,
    )


def _limit(step: RuleStep, sign: int) -> Limit:
    level = sign * step.limit
    season = Season(
        months=frozenset(step.months),
        weekdays=frozenset(step.weekdays),
        start=None if step.from_time is None else step.from_time.hour * 60 + step.from_time.minute,
        end=None if step.until_time is None else step.until_time.hour * 60 + step.until_time.minute,
    )
    return Limit(level, level - step.hysteresis, season)


def _input(row: RuleInput) -> Input:
    return Input(row.name, row.datastream_id, row.window, row.window_minutes * MINUTE)


# --- changes -------------------------------------------------------------------------------------


def _changed(sender: Any, instance: Any, **_signal: Any) -> None:
    if isinstance(instance, RuleStep | RuleInput):
        Rule.objects.filter(pk=instance.rule_id).update(changed_at=now())
    change_version()


def change_version() -> None:
    """Make every process read the rules again. Drawn, so that a restored backup is no old version."""
    RuleVersion.objects.update_or_create(pk=1, defaults={"number": randbits(62)})


def connect() -> None:
    """Notice every change of rules and of what they select by; called when Django starts."""
    for model in (Rule, RuleStep, RuleInput):
        for signal in (post_save, post_delete):
            signal.connect(_changed, sender=model, dispatch_uid=f"alerts.rules.{model.__name__}")
