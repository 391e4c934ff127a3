"""A worker process: decodes (or encodes) one payload after the other, each in a fresh JavaScript context.

Started by `process` as a script of its own (`python -I worker.py LIMITS`), so that it imports nothing
of the product and gets neither its environment nor its open files. Frames go both ways: four bytes of
length, big endian, then the content. First it says what it is; then it answers every request:

    {"code": digest, "text": ... the first time ..., "input": [bytes, port, milliseconds, variables]}
    (with "encode": the object, it is a downlink that has no bytes yet; with "downlink": its bytes are those of one)
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


def _script(name: str) -> str:
    return (_HERE / name).read_text("utf-8").rstrip()


_EXPORTS = re.compile(r"\bexport|\bdriver\b")
_ROOM, _CLOCK = _script("room.js"), _script("clock.js")
_BUFFER = re.compile(r"\bBuffer\b|\brequire\(\s*[\"'](node:)?buffer")
# Where a text speaks of all that stands first, it finds what stands behind; most do not, and each costs a decode its compilation.
_BESIDE = [
    ([_BUFFER], _script("buffer.js")),
    ([_BUFFER, re.compile(r"\.(write|copy|compare|swap16|writeU?Int[BL]E)\b")], _script("buffer_more.js")),
    ([re.compile(r"\bText(De|En)coder\b|\bstructuredClone\b")], _script("texts.js")),
    ([re.compile(r"\brequire\(\s*[\"'](node:)?(buffer|util)[\"']")], _script("modules.js")),
    ([re.compile(r"\bglobal\s*[.\[]")], "globalThis.global = globalThis;"),
    ([_EXPORTS], _script("exported.js")),
]  # fmt: skip
_EXPORT = re.compile(
    r"^[ \t]*export[ \t]+(?:(?P<declared>(?:default[ \t]+)?(?=(?:async[ \t]+)?(?:function|class)[ \t*]+\w)|(?=(?:const|let|var)\b))"
    r"|(?P<default>default\b)|\{(?P<names>[^}]{0,5000})\}[ \t]*;?)",
    re.MULTILINE,
)


def _functions(*names: str, exported: bool) -> str:
    """Expressions for each function: as it is declared, else where a text exports some as it does."""
    beside = ",".join(
        f'typeof {each}=="object"&&{each}' for each in ("module", "exports", "driver")
    )
    return ",".join(
        f'typeof {name}=="function"?{name}:'
        + (f'__exported("{name}",{beside})' if exported else "0")
        for name in names
    )


def _calls(*, exported: bool) -> tuple[str, str, str]:
    """For an uplink, for what a device is sent, and to encode that."""
    up = _functions("decodeUplink", "Decode", "Decoder", exported=exported)
    down = _functions("decodeDownlink", exported=exported)
    encode = _functions("encodeDownlink", "Encode", "Encoder", exported=exported)
    call = _script("call.js")
    return (
        f"{call}({up},%s,%d,%d,%s)",
        f"{call}({down},0,0,%s,%d,%d,%s)",
        f"{_script('encode.js')}({encode},%s,%d,%s)",
    )


_CALLS = {exported: _calls(exported=exported) for exported in (False, True)}
_LINE = re.compile(r"<input>:(\d+)")
_NO_RESULT = ("no_function", "promise")
_LENGTH = struct.Struct(">I")
_CHUNK = 64 * 1024
_PATIENCE_S = 0.004  # of answers for company


def main() -> None:
    limits = json.loads(sys.argv[1])
    _confine(limits)
    texts: dict[str, _Text] = {}
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


class _Text:
    """A codec's text as the engine takes it, and what it wants to find around it."""

    def __init__(self, text: str) -> None:
        self.script = _EXPORT.sub(_as_script, text) if "export" in text else text
        wanted = (s for shapes, s in _BESIDE if all(shape.search(text) for shape in shapes))
        self.beside = "\n".join(wanted)
        self.has_clock = "Date" in text
        self.calls = _CALLS[_EXPORTS.search(text) is not None]


def _as_script(match: "re.Match[str]") -> str:
    """An `export` of a module as a script says it, on as many lines."""
    if match["default"]:
        return "module.exports.default ="
    told = ""
    for each in (match["names"] or "").split(","):
        name, _, called = each.strip().partition(" as ")
        if name:
            told += f"exports.{called.strip() or name} = {name};"
    return told + "\n" * match[0].count("\n")


def _answer(request: dict[str, Any], texts: dict[str, _Text], limits: dict[str, Any]) -> bytes:
    if request.get("forget"):
        texts.clear()
    if "text" in request:
        texts[request["code"]] = _Text(request["text"])
    try:
        text = texts[request["code"]]
        told = _run(text, _call(request, text), request["input"][2], limits)
    except MemoryError:
        told = _failed("memory")
    return told.encode("utf-8", errors="replace")


def _call(request: dict[str, Any], text: _Text) -> str:
    bytes_, f_port, time_ms, variables = request["input"]
    up, down, encode = text.calls
    if "encode" in request:
        return encode % (json.dumps(request["encode"]), f_port, json.dumps(variables))
    call = down if "downlink" in request else up
    return call % (bytes_, f_port, time_ms, json.dumps(variables))


def _run(text: _Text, call: str, time_ms: int, limits: dict[str, Any]) -> str:
    context = quickjs.Context()
    context.set_memory_limit(limits["memory"])
    context.set_max_stack_size(limits["stack"])
    context.set_time_limit(limits["cpu"])
    context.eval(_ROOM)
    if text.has_clock:
        context.eval(f"{_CLOCK}({time_ms})")
    if text.beside:
        context.eval(text.beside)
    fault = "syntax"
    try:
        context.eval(text.script)
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
