"""The one class a program needs: a city that takes measurements and gives them."""

import hashlib
import math
import os
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple
from urllib.parse import quote

from stadtherz.client.problems import Away, CityError, Refused, UnknownStream
from stadtherz.client.spool import Line, Spool
from stadtherz.client.web import Server

Value = float | int | str | bool | dict[str, Any] | list[Any] | None

_AT_ONCE = 1_000  # readings in a request
_PAGE = 1_000
_PAUSE_S = 5.0  # after the server was away, before it is tried again


class Reading(NamedTuple):
    """When it was measured (UTC; of an interval its beginning), and what."""

    at: datetime
    value: Value


class City:
    """A city by its address, such as https://daten.example, or by that of any SensorThings 1.1 root of the product.

    `token` needs the scope write to send, and read for what is not public. `spool` is the file for what
    could not be sent; by default one for each address and token in the user's state folder. Use one City in one thread.

    A reading is recognised by its datastream and its time: sent twice it is kept once, and another value for the same
    time corrects the first. Without `at` the time is now, to the microsecond, and never the same twice.
    """

    def __init__(
        self, url: str, token: str = "", *, spool: str | Path | None = None, timeout: float = 10.0
    ) -> None:
        self._server = Server(url, token, timeout=timeout)
        self._spool = Spool(Path(spool) if spool else _default_spool(self._server.origin, token))
        self._known: dict[str, int] = {}
        self._last_us = 0
        self._try_again = 0.0

    # --- sending ---------------------------------------------------------------------------------

    def send(self, stream: int | str, value: Value, *, at: datetime | None = None) -> bool:
        """Whether the server has it on disk; if not, it is kept in the spool and goes out later.

        Raises UnknownStream, NotAllowed or Refused if it never will, ValueError for what is no measurement.
        """
        return self._send([self._line(stream, value, at)])

    def batch(self) -> "Batch":
        """Gathers readings and sends them together: `with city.batch() as batch: batch.send(...)`."""
        return Batch(self)

    @property
    def unsent(self) -> int:
        """How many readings wait in the spool."""
        return len(self._spool.lines())

    def flush(self) -> bool:
        """Try now to send what waits; whether nothing does any more."""
        with self._spool.locked():
            return self._flush()

    def close(self) -> None:
        """Try once more to send what waits, and end the connection."""
        if self._spool:
            self.flush()
        self._server.close()

    def __enter__(self) -> "City":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _line(self, stream: int | str, value: Value, at: datetime | None) -> Line:
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{value} is no measurement; leave it out")
        if isinstance(stream, bool) or not isinstance(stream, int | str):
            raise ValueError(f"{stream!r} is neither a datastream's id nor its name")
        return {"stream": stream, "at": self._time(at), "value": value}

    def _time(self, at: datetime | None) -> str:
        if at is None:
            self._last_us = max(time.time_ns() // 1000, self._last_us + 1)
            at = datetime.fromtimestamp(self._last_us // 1_000_000, UTC)
            at = at.replace(microsecond=self._last_us % 1_000_000)
        if at.tzinfo is None:
            raise ValueError("say in which time zone it is: datetime(..., tzinfo=...)")
        return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")

    def _send(self, lines: Sequence[Line]) -> bool:
        """Straight to the server if nothing waits before, else behind what waits."""
        if not lines:
            return True
        waiting = bool(self._spool)
        if not waiting and time.monotonic() >= self._try_again:
            try:
                self._deliver(lines)
            except Away:
                self._try_again = time.monotonic() + _PAUSE_S
            else:
                return True
        with self._spool.locked():
            self._spool.append(lines)
            return self._flush() if time.monotonic() >= self._try_again else False

    def _flush(self) -> bool:
        """Call it `locked`. What the server does not want is set aside, so that the rest can go."""
        lines = self._spool.lines()
        for begin in range(0, len(lines), _AT_ONCE):
            part = lines[begin : begin + _AT_ONCE]
            try:
                refused = self._refused_of(part)
            except CityError as problem:  # also a wrong token: that is no fault of the readings
                self._try_again = time.monotonic() + _PAUSE_S
                if isinstance(problem, Away):
                    return False
                raise
            if refused:
                self._spool.set_aside(refused)
            self._spool.keep_only(lines[begin + _AT_ONCE :])
        return True

    def _refused_of(self, lines: Sequence[Line]) -> list[Line]:
        """Deliver, and give what was refused, each with its reason."""
        refused: list[Line] = []
        fine: list[Line] = []
        for line in lines:
            try:
                self._id(line["stream"])
                fine.append(line)
            except UnknownStream as problem:
                refused.append({**line, "reason": str(problem)})
        try:
            self._deliver(fine)
        except Refused as problem:
            rows = problem.rows or range(len(fine))
            refused += [{**fine[row], "reason": str(problem)} for row in rows]
        return refused

    def _deliver(self, lines: Sequence[Line]) -> None:
        """All of them acknowledged when it returns. Raises Refused with the places of those that are not kept."""
        lost: list[int] = []
        for begin in range(0, len(lines), _AT_ONCE):
            groups: dict[int, list[int]] = {}
            for place in range(begin, min(begin + _AT_ONCE, len(lines))):
                groups.setdefault(self._id(lines[place]["stream"]), []).append(place)
            if not groups:
                continue
            body = [
                {
                    "Datastream": {"@iot.id": stream},
                    "components": ["phenomenonTime", "result"],
                    "dataArray": [[lines[each]["at"], lines[each]["value"]] for each in places],
                }
                for stream, places in groups.items()
            ]
            answer = self._server.post("/CreateObservations?$upsert=phenomenonTime", body)
            order = [place for places in groups.values() for place in places]
            lost += _errors(answer, order)
        if lost:
            raise Refused(
                f"the server keeps {len(lost)} of {len(lines)} readings not: wrong value, or no right to write there",
                lost,
            )

    # --- reading ---------------------------------------------------------------------------------

    def latest(self, stream: int | str) -> Reading | None:
        """The newest reading; None if there is none. Raises UnknownStream, NotAllowed and Away."""
        return next(self._pages(stream, "$orderby=phenomenonTime%20desc&$top=1", most=1), None)

    def readings(
        self,
        stream: int | str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> list[Reading]:
        """Oldest first, from `since` (with it) to `until` (without), at most `limit`.

        Raises UnknownStream, NotAllowed and Away.
        """
        wanted = [
            f"phenomenonTime {comparison} {self._time(moment)}"
            for comparison, moment in (("ge", since), ("lt", until))
            if moment is not None
        ]
        top = _PAGE if limit is None else min(limit, _PAGE)
        query = f"$orderby=phenomenonTime&$top={top}"
        if wanted:
            query += f"&$filter={quote(' and '.join(wanted))}"
        return list(self._pages(stream, query, most=limit))

    def frame(
        self, stream: int | str, *, since: datetime | None = None, until: datetime | None = None
    ) -> Any:
        """The same as a pandas Series by time, named as the stream; needs pandas."""
        try:
            pd = import_module("pandas")  # only who wants it pays for it
        except ImportError as problem:
            raise CityError("pandas is not installed: pip install pandas") from problem
        found = self.readings(stream, since=since, until=until)
        index = pd.DatetimeIndex([each.at for each in found], name="at", tz="UTC")
        return pd.Series([each.value for each in found], index=index, name=str(stream))

    def _pages(self, stream: int | str, query: str, *, most: int | None) -> Iterator[Reading]:
        path = (
            f"/Datastreams({self._id(stream)})/Observations?$select=phenomenonTime,result&{query}"
        )
        given = 0
        while path:
            page = self._server.get(path)
            for each in page["value"]:
                if most is not None and given >= most:
                    return
                given += 1
                yield Reading(_instant(each["phenomenonTime"]), each["result"])
            path = page.get("@iot.nextLink", "")

    def _id(self, stream: int | str) -> int:
        """The id of a datastream by what it is called outside, then by its name; remembered."""
        if isinstance(stream, int):
            return stream
        if stream not in self._known:
            text = stream.replace("'", "''")
            wanted = f"properties/externalId eq '{text}' or name eq '{text}'"
            path = f"/Datastreams?$select=id,properties&$top=50&$filter={quote(wanted)}"
            try:
                found = self._server.get(path)["value"]
            except UnknownStream as problem:
                raise CityError(f"{self._server.origin} has no SensorThings there") from problem
            self._known[stream] = _one(stream, found)
        return self._known[stream]


class Batch:
    """Readings that go out together at the end of the block, also at that of one that failed: they were measured.

    `acknowledged` tells afterwards whether the server has them on disk.
    """

    def __init__(self, city: City) -> None:
        self._city = city
        self._lines: list[Line] = []
        self.acknowledged = False

    def send(self, stream: int | str, value: Value, *, at: datetime | None = None) -> None:
        self._lines.append(self._city._line(stream, value, at))

    def __enter__(self) -> "Batch":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        lines, self._lines = self._lines, []
        self.acknowledged = self._city._send(lines)


def _one(stream: str, found: list[dict[str, Any]]) -> int:
    called = [
        each for each in found if (each.get("properties") or {}).get("externalId") == stream
    ] or found
    if not called:
        raise UnknownStream(
            f"There is no datastream with the externalId or the name {stream!r} for this token"
        )
    if len(called) > 1:
        ids = ", ".join(str(each["@iot.id"]) for each in called)
        raise UnknownStream(f"Several datastreams are called {stream!r}; take the id: {ids}")
    return int(called[0]["@iot.id"])


def _errors(answer: Any, order: Sequence[int]) -> list[int]:
    if not isinstance(answer, list) or len(answer) != len(order):
        raise CityError("the server does not answer for every reading")
    return [place for place, told in zip(order, answer, strict=True) if told == "error"]


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text.partition("/")[0])


def _default_spool(origin: str, token: str) -> Path:
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    name = hashlib.sha256(f"{origin}\0{token}".encode()).hexdigest()[:16]
    return Path(state) / "stadtherz" / f"{name}.spool"
