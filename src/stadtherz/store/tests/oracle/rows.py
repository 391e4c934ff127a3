"""Readings to rows of the oracle's table and back to columns, one by one."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson

from stadtherz.store.public import NONE, Columns, Reading

NAMES = (
    "id",
    "datastream",
    "phenomenon_start",
    "phenomenon_end",
    "result_time",
    "number",
    "result",
    "feature",
    "valid_start",
    "valid_end",
    "result_quality",
    "parameters",
)
"""The table's columns, without the key."""

Row = tuple[Any, ...]


def row_of(identity: int, reading: Reading) -> Row:
    """The reading as the table has it; a number stands in `number`, anything else is JSON."""
    result, valid = reading.result, reading.valid_time
    is_number = isinstance(result, int | float) and not isinstance(result, bool)
    return (
        identity,
        reading.datastream,
        reading.phenomenon_time.start,
        reading.phenomenon_time.end,
        reading.result_time,
        float(result) if is_number else None,  # type: ignore[arg-type]
        None if is_number else _json(result),
        reading.feature,
        valid.start if valid else None,
        valid.end if valid else None,
        None if reading.result_quality is None else _json(reading.result_quality),
        None if reading.parameters is None else _json(reading.parameters),
    )


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def columns_of(rows: Sequence[Row]) -> Columns:
    """The rows as columns, in the same order."""
    table = [dict(zip(NAMES, row, strict=True)) for row in rows]

    def integers(name: str) -> Any:
        return np.array([NONE if r[name] is None else r[name] for r in table], np.int64)

    def documents(name: str) -> list[Any] | None:
        texts = [row[name] for row in table]
        if all(text is None for text in texts):
            return None
        return [None if text is None else orjson.loads(text) for text in texts]

    return Columns(
        id=integers("id"),
        datastream=integers("datastream"),
        phenomenon_start=integers("phenomenon_start"),
        phenomenon_end=integers("phenomenon_end"),
        result_time=integers("result_time"),
        result=_results(table),
        feature=integers("feature"),
        valid_start=integers("valid_start"),
        valid_end=integers("valid_end"),
        result_quality=documents("result_quality"),
        parameters=documents("parameters"),
    )


def _results(table: list[dict[str, Any]]) -> Any:
    if all(row["number"] is not None for row in table):
        return np.array([row["number"] for row in table], np.float64)
    results = np.empty(len(table), object)
    for place, row in enumerate(table):
        number = row["number"]
        results[place] = orjson.loads(row["result"]) if number is None else number
    return results
