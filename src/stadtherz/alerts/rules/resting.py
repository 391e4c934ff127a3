"""States at rest, which is nearly all of them: what moves none of them is neither read nor written.

A limit that is far away need not hear of each reading. So the state of a rule that `sleeps` is left alone
while it is at rest and the readings reach no limit, and a watch for silence until it is due. What such a
row knows of the newest reading is then older than the log: whoever needs it asks the store (`catch_up`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q

from stadtherz.alerts.models import RuleState
from stadtherz.alerts.rules.figures import News
from stadtherz.alerts.rules.known import KnownRule, Measure
from stadtherz.base.expressions import And, Column, Compare, Expression, Kind, Literal, Order
from stadtherz.base.time import Micros
from stadtherz.kit.public import numbers
from stadtherz.store.public import Selection, select

Key = tuple[int, int]  # rule and datastream

_TIME, _ID = Column("phenomenon_start", Kind.TIME), Column("id", Kind.NUMBER)
_ENOUGH = 200  # newest readings among which one is a sound number


def at_rest(state: RuleState) -> bool:
    """Nothing holds, nothing is pending, and the clock has nothing to decide."""
    return state.look_at is None and _calm(state.rank, state.wanted_since, state.raises)


@dataclass(frozen=True, slots=True)
class Awake:
    """Of some states those that every reading may move, and those of which the clock will hear anyway."""

    moved: frozenset[Key]
    waiting: frozenset[Key]


def awake(streams: Iterable[int]) -> Awake:
    """The states at these datastreams that are not at rest."""
    moved = Q(rank__gt=0) | Q(wanted_since__isnull=False) | ~Q(raises=[])
    rows = list(
        RuleState.objects.filter(
            moved | Q(look_at__isnull=False), datastream__in=list(streams)
        ).values_list("rule", "datastream", "rank", "wanted_since", "raises", "look_at")
    )
    return Awake(
        frozenset((rule, stream) for rule, stream, *calm, _at in rows if not _calm(*calm)),
        frozenset((rule, stream) for rule, stream, *_calm, at in rows if at is not None),
    )


def _calm(rank: int, since: Micros | None, raises: Sequence[Micros]) -> bool:
    return rank == 0 and since is None and not raises


def catch_up(
    state: RuleState, rule: KnownRule, now: Micros, *, before: int | None = None
) -> RuleState:
    """Let a state that was at rest know of the newest reading, of those written down `before` this one."""
    newest = _newest(state.datastream_id, now, before, doubtful=rule.doubtful)
    if newest is not None and (
        state.newest_at is None or newest > (state.newest_at, state.newest_id)
    ):
        state.newest_at, state.newest_id = newest
    return state


def _newest(
    stream: int, now: Micros, before: int | None, *, doubtful: bool
) -> tuple[Micros, int] | None:
    """Time and id. What lies in the future hides nothing that is measured now."""
    where: list[Expression] = [Compare("le", _TIME, Literal(now, Kind.TIME))]
    if before is not None:
        where.append(Compare("lt", _ID, Literal(before, Kind.NUMBER)))
    found = select(
        Selection(
            streams=frozenset({stream}),
            where=And(tuple(where)),
            order=(Order(_TIME, True), Order(_ID, True)),
            limit=_ENOUGH,
        )
    )
    return next(((at, key) for _s, at, key, _v in numbers(found, doubtful=doubtful)), None)


def concerned(
    rules: Iterable[KnownRule], stream: int, readings: Sequence[News], states: Awake
) -> tuple[KnownRule, ...]:
    """Of the rules at a datastream those that have to judge these readings."""
    low = min(each.value for each in readings)
    high = max(each.value for each in readings)
    return tuple(
        rule
        for rule in rules
        if not rule.sleeps or _is_moved(rule, (rule.id, stream), states) or rule.wakes(low, high)
    )


def _is_moved(rule: KnownRule, key: Key, states: Awake) -> bool:
    """Silence begins with the first reading: from then on the clock has a time for it."""
    if key in states.moved:
        return True
    return (key in states.waiting) != (rule.measure == Measure.MISSING)
