"""Runs a codec's own tests in the worker processes, and says which do not hold."""

import math
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

from stadtherz.base.time import DAY, Micros, now_us, parse_instant
from stadtherz.codecs.public import Decoded, Fault, Job, Outcome, submit
from stadtherz.ingest.devices.decoding import waited
from stadtherz.ingest.library.examples import downlinks_of, examples_of
from stadtherz.ingest.library.found import Downlink, Example, FoundCodec

_PATIENCE_S = 30.0
_NEARLY = 1e-9
_REASON = "what it gives differs from what its test expects"
_UNREADABLE = "its tests cannot be read"
_LATER: Micros = 400 * DAY


@dataclass(frozen=True, slots=True)
class Ran:
    """An example and what the codec made of it."""

    example: Example
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Checked:
    """How many of the codec's tests held, the first reasons why others did not, what it decoded, and the downlinks of its tests
    that the encoder makes as they expect.
    """

    held: int
    total: int
    problems: tuple[str, ...]
    ran: tuple[Ran, ...] = ()
    downlinks: tuple[Downlink, ...] = ()


def check(codec: FoundCodec) -> Checked:
    """Run the tests. Raises Unavailable if no worker answers."""
    codec = _with_scripts(codec)
    outcomes = _waited(_decode(codec, each, _received(each)) for each in codec.examples)
    downs = _waited(_downlink(codec, each) for each in codec.downlinks)
    told = [
        *(
            (each.name, _problem(codec, each, outcome))
            for each, outcome in zip(codec.examples, outcomes, strict=True)
        ),
        *(
            (each.name, _problem_down(each, outcome))
            for each, outcome in zip(codec.downlinks, downs, strict=True)
        ),
    ]
    problems = [f"{name or number}: {why}" for number, (name, why) in enumerate(told, 1) if why]
    unread = [_UNREADABLE] if any(codec.tests_as_script) and not told else []
    return Checked(
        held=len(told) - len(problems),
        total=len(told),
        problems=tuple([*problems, *unread][:10]),
        ran=tuple(
            Ran(example, outcome.data)
            for example, outcome in zip(codec.examples, outcomes, strict=True)
            if isinstance(outcome, Decoded)
        ),
        downlinks=tuple(
            each
            for each, outcome in zip(codec.downlinks, downs, strict=True)
            if not (each.decodes or each.refuses or _problem_down(each, outcome))
        ),
    )


def decoded_again(codec: FoundCodec) -> tuple[Ran, ...]:
    """What the codec makes of the examples now. Raises Unavailable if no worker answers."""
    outcomes = _waited(_decode(codec, each, _received(each)) for each in codec.examples)
    found = zip(codec.examples, outcomes, strict=True)
    return tuple(Ran(each, told.data) for each, told in found if isinstance(told, Decoded))


def _with_scripts(codec: FoundCodec) -> FoundCodec:
    """With the tests that are written as JavaScript writes objects: read by the engine, as any codec."""
    up, down = codec.tests_as_script
    return replace(
        codec,
        examples=codec.examples or examples_of(_from_script(up)),
        downlinks=codec.downlinks or downlinks_of(_from_script(down)),
    )


def _from_script(text: str) -> Any:
    if not text:
        return None
    job = Job(f"function Decoder() {{ return {{tests: (\n{text}\n)}} }}", b"", 0, 0, owner="tests")
    outcome = waited(submit(job), _PATIENCE_S)
    return outcome.data.get("tests") if isinstance(outcome, Decoded) else None


def _waited(started: Iterable[Future[Outcome]]) -> Sequence[Outcome]:
    return [waited(future, _PATIENCE_S) for future in list(started)]


def _decode(codec: FoundCodec, example: Example, received: Micros) -> Future[Outcome]:
    job = Job(
        text=codec.text,
        payload=example.payload,
        f_port=example.f_port,
        received=received,
        owner=("tests", codec.name),
        variables=example.variables,
    )
    return submit(job)


def _downlink(codec: FoundCodec, told: Downlink) -> Future[Outcome]:
    own = codec.downlink_decoder if told.decodes else codec.encoder
    job = Job(
        text=own or codec.text,
        payload=told.payload if told.decodes else b"",
        f_port=told.f_port or 1,
        received=now_us(),
        owner=("tests", codec.name),
        encode=None if told.decodes else (told.data if isinstance(told.data, dict) else {}),
        downlink=told.decodes,
    )
    return submit(job)


def _received(example: Example) -> Micros:
    try:
        return parse_instant(example.received)
    except (ValueError, OverflowError):
        return now_us()


def _problem(codec: FoundCodec, example: Example, outcome: Outcome) -> str:
    """What is wrong with the outcome; empty if it is what the test expects."""
    if not isinstance(outcome, Decoded):
        return _problem_of_failure(outcome, refuses=example.refuses)
    expected = example.data or {}
    if _same(expected, outcome.data):
        return ""
    if example.received or "Date" not in codec.text:
        return _REASON
    # Its maker wrote down what came out on one day.
    (later,) = _waited([_decode(codec, example, now_us() - _LATER)])
    steady = isinstance(later, Decoded) and _same_whenever(expected, outcome.data, later.data)
    return "" if steady else _REASON


def _problem_down(told: Downlink, outcome: Outcome) -> str:
    if not isinstance(outcome, Decoded):
        return _problem_of_failure(outcome, refuses=told.refuses)
    if told.decodes:
        return "" if _same(told.data or {}, outcome.data) else _REASON
    is_same = outcome.data.get("bytes") == list(told.payload)
    is_port = told.f_port is None or outcome.data.get("fPort") in (told.f_port, None)
    return "" if is_same and is_port else _REASON


def _problem_of_failure(outcome: Any, *, refuses: bool) -> str:
    if refuses and outcome.fault in (Fault.ERRORS, Fault.THREW):
        return ""
    return f"{outcome.fault.value} {outcome.detail}".strip()


def _same_whenever(expected: Any, got: Any, later: Any) -> bool:
    """The same but for what the codec gives otherwise on another day."""
    if isinstance(expected, dict) and isinstance(got, dict) and isinstance(later, dict):
        names = expected.keys() | got.keys()
        return all(_same_whenever(expected.get(n), got.get(n), later.get(n)) for n in names)
    if isinstance(expected, list) and isinstance(got, list) and isinstance(later, list):
        is_long = len(expected) == len(got) == len(later)
        return is_long and all(map(_same_whenever, expected, got, later))
    return got != later or _same(expected, got)


def _same(expected: Any, got: Any) -> bool:
    """Equal, up to rounding; what is null on one side may be missing on the other."""
    if isinstance(expected, dict) and isinstance(got, dict):
        got = {str(name): value for name, value in got.items()}
        expected = {str(name): value for name, value in expected.items()}
        return all(
            _same(expected.get(name), got.get(name)) for name in expected.keys() | got.keys()
        )
    if isinstance(expected, list) and isinstance(got, list):
        return len(expected) == len(got) and all(map(_same, expected, got))
    if isinstance(expected, bool) or isinstance(got, bool):
        return expected is got
    if isinstance(expected, int | float) and isinstance(got, int | float):
        return math.isclose(expected, got, rel_tol=_NEARLY, abs_tol=_NEARLY)
    if expected is None or got is None:
        return expected in (None, "NaN") and got in (None, "NaN")
    return str(expected) == str(got) or _same_instant(expected, got)


def _same_instant(expected: Any, got: Any) -> bool:
    try:
        return parse_instant(str(expected)) == parse_instant(str(got))
    except (ValueError, OverflowError):
        return False
