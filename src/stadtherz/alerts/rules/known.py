"""The rules that are switched on, as plain values, by the datastreams whose readings they judge.

A hundred thousand rules are not looked at for each reading: the process keeps them and asks one number
whether anything has changed. Every change of a rule, step or input changes that number, in whichever
process.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from secrets import randbits
from typing import Any, TypeVar

from django.conf import settings
from django.db.models.signals import post_delete, post_save

from stadtherz.alerts.models import Rule, RuleInput, RuleStep, RuleVersion
from stadtherz.alerts.rules.expression import Expression, parse
from stadtherz.alerts.rules.limits import Judging, Limit, Season
from stadtherz.base.errors import QuerySyntaxError
from stadtherz.base.time import MINUTE, Micros
from stadtherz.store.public import PreparedQuery, streams_by_property

Measure = Rule.Measure
_LOOK_FOR_STREAMS = 60.0  # seconds
_AT_ONCE = 500  # rules read by one query

Part = TypeVar("Part", RuleStep, RuleInput)


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

    @property
    def sleeps(self) -> bool:
        """Whether each reading shows by itself that nothing can change while the state is at rest."""
        if self.measure == Measure.MISSING:
            return not self.judging.seasonal
        return self.measure == Measure.VALUE and self.window == Rule.Window.NEWEST

    def wakes(self, low: float, high: float) -> bool:
        """Whether readings between these two can move a state that is at rest."""
        if self.measure == Measure.MISSING:
            return False
        mildest = self.judging.limits[0].level
        return high >= mildest if self.judging.sign > 0 else -low >= mildest


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
        _kept[:] = [_read(version, _kept[0].by_id if _kept else {})]
    return _kept[0]


def _version() -> int:
    return next(iter(_numbers()), 0)


_numbers = PreparedQuery(
    lambda: RuleVersion.objects.order_by("pk").values_list("number", flat=True)[:1]
)


def _read(version: int, before: Mapping[int, KnownRule]) -> Rules:
    """All rules in force; only those are read that are not known in this edition."""
    editions = dict(Rule.objects.filter(active=True).values_list("pk", "changed_at"))
    found = {pk: before[pk] for pk, edition in editions.items() if _is_known(before, pk, edition)}
    missing = sorted(editions.keys() - found)
    for portion in (missing[i : i + _AT_ONCE] for i in range(0, len(missing), _AT_ONCE)):
        found |= {rule.id: rule for rule in _read_some(portion)}
    by_stream: dict[int, list[KnownRule]] = {}
    observing = streams_by_property(
        {rule.observed_property for rule in found.values() if rule.observed_property is not None}
    )
    for _pk, rule in sorted(found.items()):
        for stream in _streams_of(rule, observing):
            by_stream.setdefault(stream, []).append(rule)
    frozen = {stream: tuple(each) for stream, each in by_stream.items()}
    return Rules(version, frozen, found, frozenset(frozen))


def _is_known(before: Mapping[int, KnownRule], pk: int, edition: datetime) -> bool:
    return pk in before and before[pk].edition == edition


def _read_some(keys: Sequence[int]) -> Iterator[KnownRule]:
    """Without the related managers, which cost more than all the rest."""
    steps = _by_rule(RuleStep.objects.filter(rule__in=keys))
    inputs = _by_rule(RuleInput.objects.filter(rule__in=keys))
    for row in Rule.objects.filter(pk__in=keys):
        rule = _known(row, steps.get(row.pk, ()), inputs.get(row.pk, ()))
        if rule is not None:
            yield rule


def _by_rule(rows: Iterable[Part]) -> Mapping[int, Sequence[Part]]:
    found: dict[int, list[Part]] = {}
    for row in rows:
        found.setdefault(row.rule_id, []).append(row)
    return found


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
    return _known(rule, rule.steps.all(), rule.inputs.all())


def _known(
    rule: Rule, its_steps: Iterable[RuleStep], its_inputs: Iterable[RuleInput]
) -> KnownRule | None:
    steps = _ranked(rule, its_steps)
    text = None
    inputs: tuple[Input, ...] = ()
    if rule.measure == Measure.EXPRESSION:
        try:
            text = parse(rule.expression)
        except QuerySyntaxError:
            return None
        inputs = tuple(_input(each) for each in its_inputs)
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
    return _ranked(rule, rule.steps.all())


def _ranked(rule: Rule, steps: Iterable[RuleStep]) -> list[RuleStep]:
    return sorted(steps, key=lambda step: _turn(rule) * step.limit)


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
        for rule in Rule.objects.filter(pk=instance.rule_id):
            rule.save(update_fields=["changed_at"])
    change_version()


def change_version() -> None:
    """Make every process read the rules again. Drawn, so that a restored backup is no old version."""
    RuleVersion.objects.update_or_create(pk=1, defaults={"number": randbits(62)})


def connect() -> None:
    """Notice every change of rules and of what they select by; called when Django starts."""
    for model in (Rule, RuleStep, RuleInput):
        for signal in (post_save, post_delete):
            signal.connect(_changed, sender=model, dispatch_uid=f"alerts.rules.{model.__name__}")
