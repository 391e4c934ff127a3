"""A worker process: decodes (or encodes) one payload after the other, each in a fresh JavaScript context.

Started by `process` as a script of its own (`python -I worker.py LIMITS`), so that it imports nothing
of the product and gets neither its environment nor its open files. Frames go both ways: four bytes of
length, big endian, then the content. First it says what it is; then it answers every request:

    {"code": digest, "text": ... the first time ..., "input": [bytes, port, milliseconds, variables]}
    (with "encode": the object, it is a downlink that has no bytes yet)
    {"cpu": seconds} NEWLINE then +[result, log] as `call.js` gives it, or -{"fault", "detail", "line"}

It holds itself to its limits as far as it can; the parent kills it where it cannot.
"""

import json
import os
import re
import resource
import signal
import struct
import sys
import time
from pathlib import Path
from typing import Any

import quickjs

HELLO = b"stadtherz codec worker 1"
_HERE = Path(__file__).parent
_ROOM = (_HERE / "room.js").read_text("utf-8")
_BUFFER = (_HERE / "buffer.js").read_text("utf-8")


def _functions(*names: str) -> str:
    return ",".join(
        f'typeof {name}=="function"?{name}:module.exports.{name}||exports.{name}' for name in names
    )


_CALL = (_HERE / "call.js").read_text("utf-8").rstrip() + (
    f"({_functions('decodeUplink', 'Decode', 'Decoder')},%s,%d,%d,%s)"
)
_ENCODE = (_HERE / "encode.js").read_text("utf-8").rstrip() + (
    f"({_functions('encodeDownlink', 'Encode', 'Encoder')},%s,%d,%s)"
)
_LINE = re.compile(r"<input>:(\d+)")
_NO_RESULT = ("no_function", "promise")
_LENGTH = struct.Struct(">I")
_CHUNK = 64 * 1024
_PATIENCE_S = 0.004  # of answers for company


def main() -> None:
    limits = json.loads(sys.argv[1])
    _confine(limits)
    texts: dict[str, str] = {}
    proven: set[str] = set()
    arrived, answers = bytearray(), _Answers()
    answers.send(HELLO)
    while True:
        frame = _taken(arrived)
        if frame is None:
            answers.flush()
            if not (part := os.read(0, _CHUNK)):
                return
            arrived += part
            continue
        request = json.loads(frame)
        is_new = request["code"] not in proven
        if is_new or answers.old:
            answers.flush()
        # Even if the parent is gone, nothing runs on: the default action of this signal is the end.
        signal.setitimer(signal.ITIMER_REAL, limits["alarm"])
        began = time.process_time()
        answer = _answer(request, texts, limits)
        took = time.process_time() - began
        signal.setitimer(signal.ITIMER_REAL, 0)
        answers.hold(b'{"cpu":%f}\n' % took + answer)
        if is_new:
            answers.flush()
            proven.add(request["code"])


class _Answers:
    """What is to be sent: each write wakes the parent, so answers to quick jobs go together.

    Before a codec runs for the first time, and after it, nothing is held back: if it is the end of us, the
    parent knows which job it was.
    """

    def __init__(self) -> None:
        self._held = bytearray()
        self._since = 0.0

    @property
    def old(self) -> bool:
        """Whether somebody has waited long enough, or a lot."""
        held = len(self._held)
        return held > _CHUNK or (held > 0 and time.monotonic() - self._since > _PATIENCE_S)

    def hold(self, content: bytes) -> None:
        if not self._held:
            self._since = time.monotonic()
        self._held += _LENGTH.pack(len(content)) + content

    def flush(self) -> None:
        while self._held:
            del self._held[: os.write(1, self._held)]

    def send(self, content: bytes) -> None:
        self.hold(content)
        self.flush()


def _taken(arrived: bytearray) -> bytes | None:
    """A whole frame out of what has arrived."""
    if len(arrived) < _LENGTH.size:
        return None
    end = _LENGTH.size + int(_LENGTH.unpack_from(arrived)[0])
    if len(arrived) < end:
        return None
    frame = bytes(arrived[_LENGTH.size : end])
    del arrived[:end]
    return frame


def _confine(limits: dict[str, Any]) -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    for kind, most in (
        (resource.RLIMIT_AS, limits["address_space"]),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 3),  # what is open already, and no more
    ):
        resource.setrlimit(kind, (most, most))


def _answer(request: dict[str, Any], texts: dict[str, str], limits: dict[str, Any]) -> bytes:
    if request.get("forget"):
        texts.clear()
    if "text" in request:
        texts[request["code"]] = request["text"]
    try:
        told = _run(texts[request["code"]], _call(request), limits)
    except MemoryError:
        told = _failed("memory")
    return told.encode("utf-8", errors="replace")


def _call(request: dict[str, Any]) -> str:
    bytes_, f_port, time_ms, variables = request["input"]
    if "encode" in request:
        return _ENCODE % (json.dumps(request["encode"]), f_port, json.dumps(variables))
    return _CALL % (bytes_, f_port, time_ms, json.dumps(variables))


def _run(text: str, call: str, limits: dict[str, Any]) -> str:
    context = quickjs.Context()
    context.set_memory_limit(limits["memory"])
    context.set_max_stack_size(limits["stack"])
    context.set_time_limit(limits["cpu"])
    context.eval(_ROOM)
    if "Buffer" in text:
        context.eval(_BUFFER)
    fault = "syntax"
    try:
        context.eval(text)
        fault = "threw"
        told = context.eval(call)
    except quickjs.StackOverflow:
        return _failed("recursion")
    except quickjs.JSException as problem:
        return _thrown(fault, str(problem))
    return _given(told, limits["output"])


def _given(told: object, most: int) -> str:
    if not isinstance(told, str):  # a codec that brought its own JSON
        return _failed("no_object")
    if told in _NO_RESULT:
        return _failed(told)
    return "+" + told if len(told) <= most else _failed("too_large")


def _thrown(fault: str, message: str) -> str:
    """What ended the codec, by the engine's words for it and, below, the place."""
    first, _, rest = message.partition("\n")
    if "interrupted" in first:
        return _failed("too_slow")
    if "out of memory" in first or first == "null":
        return _failed("memory")
    if first == "TypeError: circular reference":
        return _failed("cycle")
    if fault == "syntax" and not first.startswith("SyntaxError"):
        fault = "threw"
    place = _LINE.search(rest)
    return _failed(fault, first[:300], int(place[1]) if place else None)


def _failed(fault: str, detail: str = "", line: int | None = None) -> str:
    return "-" + json.dumps({"fault": fault, "detail": detail, "line": line})


if __name__ == "__main__":
    main()
