"""Tests of a codec as its collection writes them, whatever is missing or odd in them."""

from collections.abc import Sequence
from typing import Any

from stadtherz.ingest.library.found import Downlink, Example

MOST = 200  # examples of a codec


def examples_of(
    told: Any, *, expected: str = "expected", name: str = "name"
) -> tuple[Example, ...]:
    """`told` is a list of {name, input: {bytes, fPort, recvTime}, expected: {data, errors}}."""
    rows = told if isinstance(told, list) else []
    found = (_example(row, expected, name) for row in rows[:MOST])
    return tuple(each for each in found if each is not None)


def _example(row: Any, expected: str, name: str) -> Example | None:
    if not isinstance(row, dict) or not isinstance(given := row.get("input"), dict):
        return None
    payload, wanted = _bytes(given.get("bytes")), row.get(expected)
    if payload is None or not isinstance(wanted, dict):
        return None
    variables, normal = given.get("variables"), row.get("normalizedOutput")
    return Example(
        name=str(row.get(name) or ""),
        payload=payload,
        f_port=_port(given.get("fPort")),
        data=wanted.get("data"),
        refuses=bool(wanted.get("errors")),
        received=str(given.get("recvTime") or ""),
        variables={str(k): str(v) for k, v in variables.items()}
        if isinstance(variables, dict)
        else {},
        normalized=normal.get("data") if isinstance(normal, dict) else None,
    )


def downlinks_of(
    told: Any, *, expected: str = "expected", name: str = "name", decodes: bool = False
) -> tuple[Downlink, ...]:
    """`told` is a list of {name, input: {data}, expected: {bytes, fPort, errors}}; with `decodes` of {name, input: {bytes,
    fPort}, expected: {data, errors}}.
    """
    rows = told if isinstance(told, list) else []
    found = (_downlink(row, expected, name, decodes=decodes) for row in rows[:MOST])
    return tuple(each for each in found if each is not None)


def _downlink(row: Any, expected: str, name: str, *, decodes: bool) -> Downlink | None:
    given, wanted = (row.get("input"), row.get(expected)) if isinstance(row, dict) else (0, 0)
    if not isinstance(given, dict) or not isinstance(wanted, dict):
        return None
    data, beside = (wanted.get("data"), given) if decodes else (given.get("data"), wanted)
    refuses = bool(wanted.get("errors"))
    payload = _bytes(beside.get("bytes"))
    if (payload is None or not isinstance(data, dict)) and not refuses:
        return None
    return Downlink(
        name=str(row.get(name) or ""),
        data=data,
        payload=payload or b"",
        f_port=_port(beside["fPort"]) if "fPort" in beside else None,
        refuses=refuses,
        decodes=decodes,
    )


def _bytes(told: Any) -> bytes | None:
    """A list of numbers, or hexadecimal text."""
    try:
        if isinstance(told, str):
            return bytes.fromhex(told)
        return bytes(told) if isinstance(told, Sequence) else None
    except (ValueError, TypeError):
        return None


def _port(told: Any) -> int:
    return told if isinstance(told, int) and 0 <= told <= 255 else 0
