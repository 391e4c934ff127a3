"""One worker process, seen from the parent: jobs in, one answer after the other out.

Whatever comes out of a worker is taken as what a stranger says: it has a bounded length and form, and
must come in time. A worker that does otherwise is killed, and the job it was at is to blame.
"""

import json
import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from stadtherz.base.time import Micros
from stadtherz.codecs.limits import DEEPEST, Limits
from stadtherz.codecs.outcomes import Decoded, Failed, Fault, Outcome

_SCRIPT = Path(__file__).parent / "worker.py"
_HELLO = b"stadtherz codec worker 1"
_START_S = 20.0
_END_S = 1.0
_REMEMBERED = 200  # codecs a worker keeps the text of
_LENGTH = struct.Struct(">I")
_ROOM = 4096  # beside the output in an answer: its wrapping, warnings and log are bounded as well
_CHUNK = 64 * 1024


class Lost(Exception):
    """The worker is gone: killed, since it overran, or ended by itself."""


@dataclass(frozen=True)
class Job:
    """A payload and the codec that reads it. `received` in microseconds; `owner` is whom a slow
    codec is held against: jobs of different owners take turns. With `encode` it is the other way: this
    object becomes {"bytes": [...], "fPort": ...}; with `downlink` the payload is one that a device is sent.
    """

    text: str
    payload: bytes
    f_port: int
    received: Micros
    owner: object = None
    variables: dict[str, str] = field(default_factory=dict)
    digest: str = ""
    encode: dict[str, Any] | None = None
    downlink: bool = False

    @cached_property
    def code(self) -> str:
        return self.digest or sha256(self.text.encode("utf-8", "replace")).hexdigest()

    def request(self, *, known: bool, forget: bool) -> bytes:
        told: dict[str, Any] = {
            "code": self.code,
            "input": [
                list(self.payload),
                self.f_port,
                self.received // 1000,
                self.variables,
            ],
        }
        if not known:
            # Some published files end in NUL bytes, which no engine takes.
            told["text"] = self.text.replace("\x00", " ")
        if self.encode is not None:
            told["encode"] = self.encode
        if self.downlink:
            told["downlink"] = True
        if forget:
            told["forget"] = True
        content = json.dumps(told).encode() if not known else orjson.dumps(told)
        return _LENGTH.pack(len(content)) + content


@dataclass(frozen=True, slots=True)
class Answer:
    outcome: Outcome
    cpu: float  # seconds


class Worker:
    """A running process; raises OSError or Lost if it does not start."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._known: set[str] = set()
        self._proven: set[str] = set()
        self._buffer = bytearray()
        self.decodes = 0
        self._process = subprocess.Popen(  # noqa: S603 - our own script
            [sys.executable, "-I", str(_SCRIPT), json.dumps(limits.told())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={
                "TZ": "UTC"
            },  # a codec's local time is that of the networks' servers, wherever this one stands
            cwd="/",
            close_fds=True,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests, self._answers = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._requests, False)
        os.set_blocking(self._answers, False)
        if self._frame(bytearray(), time.monotonic() + _START_S) != _HELLO:
            self.kill()
            raise Lost

    def answers(self, jobs: Sequence[Job]) -> Iterator[Answer]:
        """The answer to each job in turn; after Lost the rest has no answer and this worker no use."""
        pending = bytearray(b"".join(self._request(job) for job in jobs))
        for job in jobs:
            yield _read(self._frame(pending, time.monotonic() + self._limits.patience))
            self._proven.add(job.code)
            self.decodes += 1

    def may_have_ended_later(self, job: Job) -> bool:
        """Whether the first job without an answer may have been answered all the same: a worker holds back
        answers of codecs that it has run before.
        """
        return job.code in self._proven

    def _request(self, job: Job) -> bytes:
        known, forget = job.code in self._known, False
        if not known:
            forget = len(self._known) >= _REMEMBERED
            if forget:
                self._known.clear()
            self._known.add(job.code)
        return job.request(known=known, forget=forget)

    def _frame(self, pending: bytearray, until: float) -> bytes:
        """The next frame, while what is pending is handed over; so neither side waits for the other."""
        while (frame := self._taken()) is None:
            left = until - time.monotonic()
            wanted = [self._requests] if pending else []
            readable, writable, _ = select.select([self._answers], wanted, [], max(left, 0))
            if not readable and not writable:
                self.kill()
                raise Lost
            try:
                if writable:
                    del pending[: os.write(self._requests, memoryview(pending)[:_CHUNK])]
                if readable:
                    self._read_some()
            except (BrokenPipeError, BlockingIOError) as problem:
                self.kill()
                raise Lost from problem
        return frame

    def _read_some(self) -> None:
        part = os.read(self._answers, _CHUNK)
        if not part:
            self.kill()
            raise Lost
        self._buffer += part

    def _taken(self) -> bytes | None:
        """A whole frame out of what has been read."""
        if len(self._buffer) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._buffer)
        if length > 4 * self._limits.output + _ROOM:  # UTF-8 has up to four bytes a character
            self.kill()
            raise Lost
        end = _LENGTH.size + length
        if len(self._buffer) < end:
            return None
        frame = bytes(self._buffer[_LENGTH.size : end])
        del self._buffer[:end]
        return frame

    def kill(self) -> None:
        self._process.kill()
        self._close()

    def stop(self) -> None:
        """Let it end by itself, but not for long."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._close()

    def _close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()


def _read(frame: bytes) -> Answer:
    """An answer; whoever gives none that can be read gets no second chance."""
    head, _, told = frame.partition(b"\n")
    try:
        cpu = float(orjson.loads(head)["cpu"])
        return Answer(_outcome(told[:1], orjson.loads(told[1:])), cpu)
    except (ValueError, KeyError, TypeError):
        return Answer(Failed(Fault.NO_OBJECT), 0.0)


def _outcome(sign: bytes, told: Any) -> Outcome:
    if sign != b"+":
        return Failed(Fault(told["fault"]), told["detail"], told["line"])
    result, log = told
    log = _texts(log)
    if not isinstance(result, dict):
        return Failed(Fault.NO_OBJECT, log=log)
    if errors := _texts(result.get("errors")):
        return Failed(Fault.ERRORS, "; ".join(errors), log=log)
    data = _named(result.get("data"))
    if data is None and (errors := _texts(result.get("error"))):
        return Failed(Fault.ERRORS, "; ".join(errors), log=log)
    if not isinstance(data, dict):
        return Failed(Fault.NO_OBJECT, log=log)
    if _too_deep(data):
        return Failed(Fault.TOO_DEEP, str(DEEPEST), log=log)
    return Decoded(data, _texts(result.get("warnings")), log)


def _named(data: Any) -> Any:
    """Values in a list of objects, as some platforms want them, under a name: a payload is an object."""
    is_list = isinstance(data, list) and data and all(isinstance(each, dict) for each in data)
    return {"values": data} if is_list else data


def _texts(told: Any) -> tuple[str, ...]:
    """What should be a list of text, as codecs write it: also one text, or a list of anything."""
    if not told:
        return ()
    return tuple(str(each)[:300] for each in (told if isinstance(told, list) else [told])[:50])


def _too_deep(data: dict[str, Any]) -> bool:
    level: list[Any] = [data]
    for _ in range(DEEPEST):
        level = [child for holder in level for child in _children(holder)]
        if not level:
            return False
    return True


def _children(holder: Any) -> list[Any]:
    if isinstance(holder, dict):
        return list(holder.values())
    return holder if isinstance(holder, list) else []
