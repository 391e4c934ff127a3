"""What a simulated city sends, in the order in which it is sent: the same again for the same seed."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count

from stadtherz.base.time import SECOND, Micros
from stadtherz.simulate import documents
from stadtherz.simulate.devices import Gateway, SimulatedCity, SimulatedDevice
from stadtherz.simulate.documents import Frame, Message
from stadtherz.simulate.mishaps import Chance, Mishap
from stadtherz.simulate.values import noise

_JITTER = 0.02  # devices' clocks drift, so that they do not send all at once
_AFTER_JOINING = 2 * SECOND


@dataclass(frozen=True, slots=True)
class Sending:
    """A message to be sent at `at` (time of the city); `mishap` if it is not what it should be."""

    at: Micros
    device: SimulatedDevice
    message: Message
    mishap: Mishap | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """For whoever trains others: which mishap happened when, to which device."""

    at: Micros
    mishap: Mishap
    device: SimulatedDevice


@dataclass(slots=True)
class _State:
    """A device as it is just now."""

    device: SimulatedDevice
    session: int
    f_cnt: int = 0
    silent_until: Micros = 0
    joined: bool = False


@dataclass(slots=True)
class Schedule:
    """Sendings from `begin` to `end` (None: without end).

    `interval` is how often each device sends; None: as often as its kind does. `notes` fill up
    while the sendings are taken.
    """

    city: SimulatedCity
    begin: Micros
    end: Micros | None
    interval: Micros | None
    chance: Chance
    notes: list[Note] = field(default_factory=list)
    _waiting: list[tuple[Micros, int, Sending | _State]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=count)
    _out: dict[int, Micros] = field(default_factory=dict)  # gateways, until when

    def __iter__(self) -> Iterator[Sending]:
        for device in self.city.devices:
            state = _State(device, session=self.begin // SECOND)
            phase = (noise(device.place, 7) + 1) / 2
            self._push(self.begin + int(phase * self._interval(device)), state)
        while self._waiting:
            at, _, next_one = heapq.heappop(self._waiting)
            if isinstance(next_one, Sending):
                yield next_one
            elif self.end is None or at < self.end:
                self._turn(next_one, at)

    def _push(self, at: Micros, what: Sending | _State) -> None:
        heapq.heappush(self._waiting, (at, next(self._order), what))

    def _interval(self, device: SimulatedDevice) -> Micros:
        return self.interval or device.kind.interval

    def _turn(self, state: _State, at: Micros) -> None:
        """A device measures and sends."""
        interval = self._interval(state.device)
        self._push(at + int(interval * (1 + _JITTER * noise(state.device.place, at))), state)
        if at < state.silent_until:
            return
        mishap = self.chance.next()
        if mishap is not None:
            self.notes.append(Note(at, mishap, state.device))
        if mishap is Mishap.DEAD_SENSOR:
            state.silent_until = at + self.chance.intervals(15, 30, interval)
            state.joined = False
            return
        if mishap is Mishap.COUNTER_RESET:
            state.joined = False
        if mishap is Mishap.GATEWAY_OUTAGE and state.device.heard_by:
            nearest = state.device.heard_by[0].gateway
            self._out[nearest.number] = at + self.chance.intervals(4, 10, interval)
        self._send(state, at, mishap)

    def _send(self, state: _State, at: Micros, mishap: Mishap | None) -> None:
        frame = self._frame(state, at, mishap)
        state.f_cnt += 1
        if not frame.heard:
            return  # lost in the air; the counter shows it
        if mishap is Mishap.WRONG_CLOCK:
            frame = replace(frame, at=frame.at + self.chance.wrong_clock())
        message = documents.uplink(frame)
        if mishap is Mishap.TRUNCATED:
            message = replace(message, body=self.chance.cut(message.body))
        interval = self._interval(state.device)
        delay = 0
        if mishap is Mishap.LATE:
            delay = self.chance.intervals(3, 8, interval)
        elif mishap is Mishap.REORDERED:
            delay = self.chance.intervals(1.1, 1.9, interval)
        sending = Sending(at + delay, state.device, message, mishap)
        self._push(sending.at, sending)
        if mishap is Mishap.REPEATED:
            again = replace(sending, at=at + self.chance.intervals(0, 0.5, interval))
            self._push(again.at, again)

    def _frame(self, state: _State, at: Micros, mishap: Mishap | None) -> Frame:
        device = state.device
        if not state.joined:
            self._join(state, at)
        told = dict(device.kind.measure(self.city.seed, device.place, at, self._interval(device)))
        if mishap is Mishap.ERROR_CODE:
            told |= device.kind.fault
        return Frame(
            device=device,
            at=at,
            session=state.session,
            f_cnt=state.f_cnt,
            payload=device.kind.pack(told),
            decoded=told if device.kind.coding is None else None,
            heard=tuple(each for each in device.heard_by if self._works(each.gateway, at)),
        )

    def _join(self, state: _State, at: Micros) -> None:
        """A new session, whose counter begins at 0."""
        state.joined, state.session, state.f_cnt = True, at // SECOND, 0
        frame = Frame(state.device, at - _AFTER_JOINING, state.session, 0, b"", None, ())
        message = documents.join(frame)
        if message is not None:
            self._push(at, Sending(at, state.device, message))

    def _works(self, gateway: Gateway, at: Micros) -> bool:
        return self._out.get(gateway.number, 0) <= at
