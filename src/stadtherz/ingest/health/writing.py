"""Writes what was noted of some devices, in one transaction and a few statements for all of them."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Protocol

from stadtherz.base.time import DAY, HOUR, MINUTE, SECOND, Micros, now_us
from stadtherz.ingest.devices import messages
from stadtherz.ingest.devices.messages import Message
from stadtherz.ingest.devices.seen import Seen
from stadtherz.ingest.health import intervals, judging, states
from stadtherz.ingest.health.counters import Day, Tally
from stadtherz.ingest.health.models import DeviceHealth, DeviceMessages
from stadtherz.ingest.health.rows import (
    DayRow,
    Days,
    State,
    find_days,
    locked_states,
    save_days,
    save_states,
)
from stadtherz.ingest.models import Device, DeviceField
from stadtherz.store.public import put_rows

STAYS_OPEN: Micros = 8 * DAY
"""So long after a day an uplink of it may still come and be counted."""

_JUDGE_AGAIN: Micros = 6 * HOUR


class Waiting(Protocol):
    seen: list[Seen]

    @property
    def messages(self) -> Collection[Message]: ...


def write(group: Mapping[int, Waiting]) -> None:
    """Must run in a transaction. Devices that are gone are passed over."""
    present = Device.objects.filter(pk__in=group).order_by("pk")
    group = {pk: group[pk] for pk in present.values_list("pk", flat=True)}
    known = locked_states(group)
    if missing := [pk for pk in group if pk not in known]:
        _make(missing)
        known |= locked_states(missing)
    days = find_days(group, set(_dates(group)))
    streams = _batteries.of(group)
    for pk, waiting in group.items():
        _learn(known[pk], days, waiting.seen)
        _charge(known[pk], days, waiting.messages, streams[pk])
        known[pk].kept += len(waiting.messages)
    _keep_messages(group)
    _prune([state for state in known.values() if state.kept > messages.most_kept() * 5 // 4])
    save_states(known.values())
    save_days(days.values())
    states.write({pk: waiting.seen for pk, waiting in group.items()})
    _judge(known.values())


def _make(devices: Iterable[int]) -> None:
    """Rows to lock; another process may be faster."""
    rows = [DeviceHealth(device_id=pk, judged_at=now_us()) for pk in devices]
    DeviceHealth.objects.bulk_create(rows, ignore_conflicts=True)


def _dates(group: Mapping[int, Waiting]) -> Iterator[Micros]:
    for waiting in group.values():
        for seen in waiting.seen:
            yield _midnight(seen.at)
            yield _midnight(seen.heard)
        for message in waiting.messages:
            yield _midnight(message.received)


def _midnight(at: Micros) -> Micros:
    return at - at % DAY


def _day(days: Days, device: int, at: Micros) -> DayRow:
    key = (device, _midnight(at))
    if key not in days:
        days[key] = DayRow(*key)
    return days[key]


def _learn(state: State, days: Days, signs: Iterable[Seen]) -> None:
    """What the signs of life of a device tell, in the order in which they came."""
    timely = (seen for seen in signs if seen.at - seen.heard <= STAYS_OPEN)
    for (midnight, counts), run in groupby(timely, key=_kind):
        some = list(run)
        row = _day(days, state.device_id, midnight)
        if counts:
            _count(state, row, some)
            _radio(state, row, some)
        else:
            _hear(state, days, [seen for seen in some if seen.event is None])
        for seen in some:
            if seen.battery is not None:
                _percent(state, row, seen.heard, seen.battery)


def _kind(seen: Seen) -> tuple[Micros, bool]:
    """The day of a sign, and whether its device counts what it sends."""
    return _midnight(seen.heard), seen.f_cnt is not None


def _count(state: State, row: DayRow, signs: Sequence[Seen]) -> None:
    day = Day(row.heard, Tally(row.received, row.lost, row.resets, row.low, row.high))
    pairs = [((s.heard - row.day) // SECOND, s.f_cnt) for s in signs if s.f_cnt is not None]
    came = zip(signs, day.add_all(pairs), strict=True)
    news = [seen for seen, is_new in came if is_new]
    told = day.tally
    row.heard, row.received, row.lost, row.resets = day.heard, told.received, told.lost, told.resets
    row.low, row.high = told.low, told.high
    if news:
        _remember(state, [seen.heard for seen in news])
        own, heard = news[-1].own, news[-1].heard
        state.skew = None if own is None else own - heard


def _hear(state: State, days: Days, signs: Sequence[Seen]) -> None:
    """Uplinks of a device that does not count them: told apart by their times."""
    for seen, is_new in zip(signs, _remember(state, [seen.at for seen in signs]), strict=True):
        if is_new:
            _day(days, state.device_id, seen.at).received += 1


def _remember(state: State, times: Sequence[Micros]) -> Sequence[bool]:
    """Which of these times of uplinks were not yet known."""
    known = intervals.unpack(state.recent)
    newest, are_new = intervals.remember_all(known, times)
    if newest != known:
        state.recent, state.interval = intervals.pack(newest), intervals.usual(newest)
    return are_new


def _radio(state: State, row: DayRow, signs: Sequence[Seen]) -> None:
    row.rssi = _best(row.rssi, [seen.rssi for seen in signs])
    row.snr = _best(row.snr, [seen.snr for seen in signs])
    state.rssi, state.snr = row.rssi, row.snr
    gateway = next((seen.gateway for seen in reversed(signs) if seen.gateway), state.gateway)
    state.gateway = gateway[:100]


def _best(known: float | None, told: Iterable[float | None]) -> float | None:
    return max((each for each in (known, *told) if each is not None), default=None)


# --- batteries -----------------------------------------------------------------------------------

_PERCENT = 0.0
_FACTORS = {"%": _PERCENT, "V": 1.0, "mV": 0.001}


class _Batteries:
    """Which datastreams hold a device's battery, asked again every few minutes.

    They are known by the name of their field and by their unit, as makers' codecs give them.
    """

    _FRESH: Micros = 5 * MINUTE
    _MOST = 20_000

    def __init__(self) -> None:
        self._known: dict[int, tuple[Micros, dict[int, float]]] = {}

    def of(self, devices: Iterable[int]) -> dict[int, dict[int, float]]:
        """Of each device, its datastreams and what makes volts of their results; _PERCENT for percent."""
        now = now_us()
        nothing = (-self._FRESH, dict[int, float]())
        old = [pk for pk in devices if now - self._known.get(pk, nothing)[0] > self._FRESH]
        if old:
            self._load(old, now)
        return {pk: self._known[pk][1] for pk in devices}

    def _load(self, devices: Sequence[int], now: Micros) -> None:
        if len(self._known) > self._MOST:
            self._known.clear()
        self._known.update({pk: (now, {}) for pk in devices})
        named = DeviceField.objects.filter(device__in=devices, path__icontains="bat")
        told = named.values_list("device", "datastream", "datastream__unit_of_measurement")
        for device, stream, unit in told:
            factor = _FACTORS.get(str((unit or {}).get("symbol")))
            if factor is not None:
                self._known[device][1][stream] = factor

    def clear(self) -> None:
        self._known.clear()


_batteries = _Batteries()
forget_batteries = _batteries.clear


def _charge(
    state: State, days: Days, came: Iterable[Message], streams: Mapping[int, float]
) -> None:
    """What devices tell of their battery in the payload."""
    if not streams:
        return
    for message in came:
        for stream, result in message.values:
            if stream in streams and isinstance(result, int | float):
                row = _day(days, state.device_id, message.received)
                if streams[stream] == _PERCENT:
                    _percent(state, row, message.received, float(result))
                else:
                    _volts(state, row, message.received, result * streams[stream])


def _percent(state: State, row: DayRow, at: Micros, percent: float) -> None:
    """The newest of a day is kept."""
    if at >= row.battery_at:
        row.battery, row.battery_at = percent, at
    state.battery = percent


def _volts(state: State, row: DayRow, at: Micros, volts: float) -> None:
    if at >= row.volts_at:
        row.volts, row.volts_at = volts, at
    state.volts = volts


# --- messages ------------------------------------------------------------------------------------


def _keep_messages(group: Mapping[int, Waiting]) -> None:
    small = messages.compressor()
    rows = []
    for pk, waiting in group.items():
        if came := list(waiting.messages):
            rows.append((pk, came[-1].received, len(came), messages.pack(came, small)))
    put_rows(DeviceMessages, ["device_id", "last_at", "count", "packed"], rows)


def _prune(states: Sequence[State]) -> None:
    """Forget the oldest messages of devices that have more than wanted."""
    if not states:
        return
    most = messages.most_kept()
    kept: dict[int, int] = dict.fromkeys((state.device_id for state in states), 0)
    beyond = []
    newest = DeviceMessages.objects.filter(device__in=kept).order_by("-last_at", "-pk")
    for pk, device, count in newest.values_list("pk", "device", "count"):
        if kept[device] and kept[device] + count > most:
            beyond.append(pk)
        else:
            kept[device] += count
    DeviceMessages.objects.filter(pk__in=beyond).delete()
    for state in states:
        state.kept = kept[state.device_id]


def _judge(states: Iterable[State]) -> None:
    """What takes several days into account is looked at a few times a day."""
    limit = now_us() - _JUDGE_AGAIN
    due = [state.device_id for state in states if state.judged_at < limit]
    for state in DeviceHealth.objects.filter(pk__in=due).select_related("device"):
        judging.judge(state)
