"""Runs a codec's own tests in the worker processes, and says which do not hold."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stadtherz.base.time import Micros, now_us, parse_instant
from stadtherz.codecs.public import Decoded, Fault, Job, Outcome, submit
from stadtherz.ingest.decoding import waited
from stadtherz.ingest.library.examples import examples_of
from stadtherz.ingest.library.found import Example, FoundCodec

_PATIENCE_S = 30.0
_NEARLY = 1e-9
_REASON = "what it gives differs from what its test expects"


@dataclass(frozen=True, slots=True)
class Checked:
    """How many of the codec's tests held, the first reasons why others did not, and what it decoded."""

    held: int
    total: int
    problems: tuple[str, ...]
    decoded: tuple[dict[str, Any], ...]


def check(codec: FoundCodec) -> Checked:
    """Run the tests. Raises Unavailable if no worker answers."""
    examples = codec.examples or _from_script(codec.tests_as_script)
    outcomes = _run(codec, examples)
    problems = [
        f"{example.name or number}: {problem}"
        for number, (example, outcome) in enumerate(zip(examples, outcomes, strict=True), 1)
        if (problem := _problem(example, outcome))
    ]
    if codec.tests_as_script and not examples:
        problems.append("its tests cannot be read")
    return Checked(
        held=len(examples) - len(problems) if examples else 0,
        total=len(examples),
        problems=tuple(problems[:10]),
        decoded=tuple(each.data for each in outcomes if isinstance(each, Decoded)),
    )


def _from_script(text: str) -> Sequence[Example]:
    """Tests that are written as JavaScript writes objects: read by the engine, as any codec."""
    if not text:
        return ()
    job = Job(f"function Decoder() {{ return {{tests: (\n{text}\n)}} }}", b"", 0, 0, owner="tests")
    outcome = waited(submit(job), _PATIENCE_S)
    return examples_of(outcome.data.get("tests")) if isinstance(outcome, Decoded) else ()


def _run(codec: FoundCodec, examples: Sequence[Example]) -> list[Outcome]:
    waiting = [
        submit(
            Job(
                text=codec.text,
                payload=each.payload,
                f_port=each.f_port,
                received=_received(each),
                owner=("tests", codec.name),
                variables=each.variables,
            )
        )
        for each in examples
    ]
    return [waited(future, _PATIENCE_S) for future in waiting]


def _received(example: Example) -> Micros:
    try:
        return parse_instant(example.received)
    except (ValueError, OverflowError):
        return now_us()


def _problem(example: Example, outcome: Outcome) -> str:
    """What is wrong with the outcome; empty if it is what the test expects."""
    if isinstance(outcome, Decoded):
        return "" if _same(example.data or {}, outcome.data) else _REASON
    if example.refuses and outcome.fault in (Fault.ERRORS, Fault.THREW):
        return ""
    return f"{outcome.fault.value} {outcome.detail}".strip()


def _same(expected: Any, got: Any) -> bool:
    """Equal, up to rounding; what is null on one side may be missing on the other."""
    if isinstance(expected, dict) and isinstance(got, dict):
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
    return str(expected) == str(got)
