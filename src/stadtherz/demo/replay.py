"""Plays the recordings on as live uplinks: real documents of two networks over real HTTP.

The frame counter is the place in the recording, so a restarted demo goes on where it was.
"""

import logging
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import orjson
from django.db import connections

from stadtherz.base.time import SECOND, Micros, now_us
from stadtherz.demo.documents import document
from stadtherz.demo.recordings import NEIGHBOUR, STATIONS, Station
from stadtherz.ingest.public import device_state

logger = logging.getLogger(__name__)

_STAGGER: Micros = 2 * SECOND  # between the stations' first uplinks, so that one can watch them
_TIMEOUT_S = 10
_PARTING_S = 3


@dataclass(slots=True)
class _Turn:
    station: Station
    number: int
    due: Micros


class Player:
    """One thread that sends each station's next row when it is due."""

    def __init__(
        self,
        *,
        url: str,
        tokens: dict[str, str],
        speed: float = 1.0,
        clock: Callable[[], Micros] = now_us,
    ) -> None:
        self._url = url
        self._tokens = tokens
        self._speed = speed
        self._clock = clock
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="replay", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread.is_alive():  # an empty demo never started it
            self._thread.join(timeout=_TIMEOUT_S)

    def _run(self) -> None:
        try:
            turns = self._first_turns((*STATIONS, NEIGHBOUR))
        finally:
            connections.close_all()  # the rest goes over HTTP
        while not self._stopped.is_set():
            turn = min(turns, key=lambda each: each.due)
            if self._stopped.wait(max(0, turn.due - self._clock()) / SECOND):
                return
            self._play(turn)

    def _first_turns(self, stations: Sequence[Station]) -> list[_Turn]:
        turns = []
        for place, station in enumerate(stations):
            state = device_state(station.network, station.dev_eui)
            soonest = self._clock() + place * _STAGGER
            if state is None or state.last_f_cnt is None or state.last_seen is None:
                turns.append(_Turn(station, 0, soonest))
            else:
                due = max(soonest, state.last_seen + self._pause(station))
                turns.append(_Turn(station, state.last_f_cnt + 1, due))
        return turns

    def _pause(self, station: Station) -> Micros:
        return int(station.step / self._speed)

    def _play(self, turn: _Turn) -> None:
        """Send one uplink; what the server could not take is sent again at the next turn."""
        owner = "neighbour" if turn.station is NEIGHBOUR else "city"
        body = document(turn.station, turn.number, self._clock())
        if self._send(f"{self._url}/{turn.station.network}", body, self._tokens[owner]):
            turn.number += 1
        turn.due = self._clock() + self._pause(turn.station)

    def _send(self, url: str, body: dict[str, object], token: str) -> bool:
        """Whether the server has dealt with it, so that the next row is due."""
        request = urllib.request.Request(  # noqa: S310 - the address is our own
            url,
            data=orjson.dumps(body),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S):  # noqa: S310
                return True
        except urllib.error.HTTPError as refused:
            logger.warning("the demo's uplink was refused: %s", refused)
            return refused.code < HTTPStatus.INTERNAL_SERVER_ERROR  # repeating would not help
        except OSError as problem:
            if not self._stopped.wait(_PARTING_S):  # at the end the server goes before the player
                logger.warning("the demo's uplink did not arrive: %s", problem)
            return False
