"""The one locked path of rules: new readings and looks at the clock change states and alerts in it.

Both lock the states they judge, judge with the same functions and write state and alert in one
transaction. A reading's transaction also moves the cursor of the log. So whichever process judges, and
whenever one dies, each change happens once.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from stadtherz.alerts.models import RuleState
from stadtherz.alerts.rules.changes import settle
from stadtherz.alerts.rules.figures import News, figures
from stadtherz.alerts.rules.judge import (
    FLAP_SPAN,
    Figure,
    Standing,
    Verdict,
    course,
    look_at,
    ticks,
)
from stadtherz.alerts.rules.known import KnownRule, Measure, Rules, rules
from stadtherz.alerts.rules.resting import Key, at_rest, awake, catch_up, concerned
from stadtherz.alerts.rules.telling import tell
from stadtherz.base.time import HOUR, MINUTE, Micros, now_us
from stadtherz.kit.public import numbers
from stadtherz.store.public import LogSlice, exclusive, latest
from stadtherz.stream.public import Consumer

NAME = "alerts.rules"
_AHEAD = 10 * MINUTE  # of our clock: beyond it, one of the two is wrong
_LIVE = HOUR  # readings that come together and are older than this have been kept back
_AT_ONCE = 500  # states that one look at the clock judges
_TOLD_AT_ONCE = 10  # changes in one transaction: on SQLite nobody else writes meanwhile

_FIELDS = (
    "rank",
    "wanted",
    "wanted_since",
    "wanted_count",
    "value",
    "newest_at",
    "newest_id",
    "look_at",
    "looked_at",
    "edition",
    "raises",
)


def consumer() -> Consumer:
    """What the stream hands new readings to."""
    return Consumer(NAME, on_readings, streams=lambda: rules().streams, urgent=True)


def on_readings(piece: LogSlice) -> int:
    """Judge new readings by each rule of their datastream; how many, from the first on.

    Runs inside the cursor's transaction. To judge costs little, to tell people costs much: where a flood
    moves many gauges at once, only the first of the readings are taken, and the others have their turn soon.
    """
    known, now, count = rules(), now_us(), len(piece.columns)
    while True:
        told: list[_Told] = []
        jobs = _jobs(known, piece, count)
        states = _states(jobs, piece, now)
        newest = _newest(jobs.values(), now)
        judged = [_judged(job, states[key], now, newest, told) for key, job in jobs.items()]
        if len(told) <= _TOLD_AT_ONCE or count == 1:
            break
        count = max(count * _TOLD_AT_ONCE // (2 * len(told)), 1)
    for each in told:
        tell(each.rule, each.stream, each.verdict, each.value, each.observation)
    _write(state for state in judged if state is not None)
    return count


@dataclass(frozen=True, slots=True)
class _Told:
    """A change that people have to be told of."""

    rule: KnownRule
    stream: int
    verdict: Verdict
    value: float
    observation: int | None


@dataclass(slots=True)
class _Job:
    """A rule at a datastream, with the readings that may change its state."""

    rule: KnownRule
    stream: int
    readings: list[News] = field(default_factory=list)


def _jobs(known: Rules, piece: LogSlice, count: int) -> dict[Key, _Job]:
    """Of the first `count` readings, in the order of their keys, in which the states are locked, too."""
    readings = _readings(piece, count)
    sound = {key for _stream, _at, key, _value in numbers(piece.columns, doubtful=False)}
    concerned = _concerned(known, readings)
    jobs: dict[Key, _Job] = {}
    for stream, each in readings:
        for rule in concerned[stream]:
            if not (rule.doubtful or each.id in sound):
                continue
            under = rule.anchor or stream
            job = jobs.setdefault((rule.id, under), _Job(rule, under))
            job.readings.append(each)
    return dict(sorted(jobs.items()))


def _readings(piece: LogSlice, count: int) -> list[tuple[int, News]]:
    taken = set(piece.columns.id[:count].tolist())
    found = numbers(piece.columns)
    return [(stream, News(at, key, value)) for stream, at, key, value in found if key in taken]


def _concerned(
    known: Rules, readings: Iterable[tuple[int, News]]
) -> Mapping[int, Sequence[KnownRule]]:
    """By datastream the rules that have something to judge."""
    of_stream: dict[int, list[News]] = {}
    for stream, each in readings:
        of_stream.setdefault(stream, []).append(each)
    states = awake(of_stream)
    return {
        stream: concerned(known.by_stream.get(stream, ()), stream, news, states)
        for stream, news in of_stream.items()
    }


def _locked(keys: Iterable[Key]) -> dict[Key, RuleState]:
    wanted = set(keys)
    streams = {stream for _rule, stream in wanted}
    ids = {rule for rule, _stream in wanted}
    found = RuleState.objects.filter(datastream__in=streams, rule__in=ids)
    rows = found.select_for_update(of=("self",)).order_by("rule", "datastream")
    return {key: row for row in rows if (key := (row.rule_id, row.datastream_id)) in wanted}


def _states(jobs: Mapping[Key, _Job], piece: LogSlice, now: Micros) -> dict[Key, RuleState]:
    """The states of these jobs, as if each had seen every reading before this piece."""
    locked, first = _locked(jobs), int(piece.columns.id.min())
    states = {}
    for key, job in jobs.items():
        state = locked.get(key) or RuleState(rule_id=job.rule.id, datastream_id=job.stream)
        resting = job.rule.sleeps and at_rest(state)
        states[key] = catch_up(state, job.rule, now, before=first) if resting else state
    return states


def _judged(
    job: _Job, state: RuleState, now: Micros, newest: Mapping[int, Micros], told: list[_Told]
) -> RuleState | None:
    """The state after the readings, with what has to be told; None if none of them is news."""
    news = _concerning(_newer(job.readings, state, now), now, newest.get(job.stream))
    if not news:
        return None
    keys = {each.at: each.id for each in news}
    last, standing = _last(state), _standing(state, job.rule)
    found = [figure for _each, figure in figures(job.rule, job.stream, news, now)]
    for figure, after, verdict in course(job.rule.judging, standing, last, found):
        standing, last = after, figure
        if verdict is not None:
            observation = keys.get(figure.at) if figure.fresh else None
            told.append(_Told(job.rule, job.stream, verdict, figure.value, observation))
    state.newest_at, state.newest_id = news[-1].at, news[-1].id
    return _kept(state, job.rule, standing, last)


def _newer(readings: Sequence[News], state: RuleState, now: Micros) -> list[News]:
    """Those that were the newest when they came: what comes late is history, what is ahead is wrong."""
    newest = (state.newest_at, state.newest_id)
    if newest[0] is not None and newest[0] > now + _AHEAD:  # our clock has been set back
        newest = (None, None)
    found: list[News] = []
    for each in readings:
        if each.at <= now + _AHEAD and (newest[0] is None or (each.at, each.id) > newest):
            found.append(each)
            newest = (each.at, each.id)
    return found


def _newest(jobs: Iterable[_Job], now: Micros) -> Mapping[int, Micros]:
    """When the newest sound reading of each datastream is from that has got older ones now.

    It may come in a later piece: how the log is cut must not decide whether old water warns.
    """
    late = {
        job.stream
        for job in jobs
        if not job.rule.inputs and any(each.at < now - _LIVE for each in job.readings)
    }
    known = numbers(latest(late), doubtful=False) if late else ()
    return {stream: at for stream, at, _key, _value in known if at <= now + _AHEAD}


def _concerning(news: Sequence[News], now: Micros, newest: Micros | None) -> Sequence[News]:
    """Of older readings that come together only the newest: they are an import, or were held back."""
    return [
        each
        for each in news
        if each.at >= now - _LIVE or (each is news[-1] and (newest is None or each.at >= newest))
    ]


# --- the clock -----------------------------------------------------------------------------------


def tick(now: Micros) -> None:
    """Judge what time or staff have changed. Safe to call at any time, in several processes at once."""
    settle(now)
    while _look(now) == _AT_ONCE:
        pass


def _look(now: Micros) -> int:
    with exclusive():
        due = RuleState.objects.filter(look_at__lte=now).order_by("rule", "datastream")
        rows = list(due.select_for_update(of=("self",), skip_locked=True)[:_AT_ONCE])
        known = rules()
        judged = [(known.by_id.get(row.rule_id), row) for row in rows]
        newest = _NewestOf(
            {row.datastream_id for rule, row in judged if rule and _is_new(rule, row)}
        )
        _write([_looked(rule, row, newest, now) for rule, row in judged])
    return len(rows)


class _NewestOf:
    """The newest reading of many datastreams, asked for at once."""

    def __init__(self, streams: Collection[int]) -> None:
        columns = latest(streams)
        self._found = {stream: News(at, key, value) for stream, at, key, value in numbers(columns)}
        self._sound = {stream for stream, *_rest in numbers(columns, doubtful=False)}

    def at(self, stream: int, now: Micros, *, doubtful: bool) -> list[News]:
        """One reading, or none that counts."""
        found = self._found.get(stream)
        if found is None or found.at > now + _AHEAD or not (doubtful or stream in self._sound):
            return []
        return [found]


def _is_new(rule: KnownRule, state: RuleState) -> bool:
    """Whether it has never been judged by the rule as it is now."""
    return state.edition != rule.edition or state.value is None


def _looked(rule: KnownRule | None, state: RuleState, newest: _NewestOf, now: Micros) -> RuleState:
    if rule is None:  # switched off in this moment; `changes` ends its alert
        state.look_at = None
        return state
    if _is_new(rule, state):
        news = newest.at(state.datastream_id, now, doubtful=rule.doubtful)
        return _begun(rule, state, news, now)
    if rule.measure == Measure.MISSING and not state.rank:
        catch_up(state, rule, now)
    last, standing = _last(state), _standing(state, rule)
    assert last is not None
    for figure, after, verdict in ticks(rule.judging, standing, last, now):
        standing, last = after, figure
        if verdict is not None:
            tell(rule, state.datastream_id, verdict, figure.value, None)
    return _kept(state, rule, standing, last)


def _begun(rule: KnownRule, state: RuleState, news: Sequence[News], now: Micros) -> RuleState:
    """A rule that is new or was changed judges the newest reading that there is."""
    standing = Standing(rank=min(state.rank, len(rule.steps)))
    found = figures(rule, state.datastream_id, news, now) if news else []
    last: Figure | None = None
    for each, figure in found:
        # Its hold began when it was read; a rule that was changed has nothing else to go by.
        for looked, after, verdict in course(rule.judging, standing, None, [figure]):
            standing, last = after, looked
            if verdict is not None:
                # Changed once more, the same reading may say something else.
                tell(rule, state.datastream_id, replace(verdict, at=now), looked.value, None)
        state.newest_at, state.newest_id = each.at, each.id
    if last is None:
        state.look_at, state.edition, state.value = None, rule.edition, None
        return state
    return _kept(state, rule, standing, last)


# --- rows and values -----------------------------------------------------------------------------


def _standing(state: RuleState, rule: KnownRule) -> Standing:
    if state.edition is not None and state.edition != rule.edition:
        return Standing(rank=min(state.rank, len(rule.steps)))
    return Standing(
        rank=state.rank,
        wanted=state.wanted,
        since=state.wanted_since,
        count=state.wanted_count,
        raises=tuple(state.raises),
    )


def _last(state: RuleState) -> Figure | None:
    if state.value is None or state.newest_at is None:
        return None
    looked = state.newest_at if state.looked_at is None else max(state.newest_at, state.looked_at)
    return Figure(looked, state.value, state.newest_at, fresh=False)


def _kept(state: RuleState, rule: KnownRule, standing: Standing, last: Figure | None) -> RuleState:
    state.rank, state.wanted = standing.rank, standing.wanted
    state.wanted_since, state.wanted_count = standing.since, standing.count
    state.raises, state.edition = list(standing.raises), rule.edition
    if last is not None:
        state.raises = [moment for moment in state.raises if last.at - moment < FLAP_SPAN]
        state.value, state.looked_at = last.value, last.at
        state.look_at = look_at(rule.judging, standing, last)
    return state


def _write(states: Iterable[RuleState]) -> None:
    """One statement for all; rows that another process has made meanwhile are overwritten."""
    rows = [
        RuleState(rule_id=s.rule_id, datastream_id=s.datastream_id, **_values(s)) for s in states
    ]
    RuleState.objects.bulk_create(
        rows,
        batch_size=1000,
        update_conflicts=True,
        unique_fields=["rule", "datastream"],
        update_fields=list(_FIELDS),
    )


def _values(state: RuleState) -> Mapping[str, object]:
    return {name: getattr(state, name) for name in _FIELDS}
