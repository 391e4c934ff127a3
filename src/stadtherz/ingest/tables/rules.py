"""What people say about a table: how it is written, where its times stand, where its values go.

Columns are named as the file's header names them, `#3` where it has no header, so that a saved mapping
fits next month's file although a column was moved.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

import msgspec

from stadtherz.base.errors import Invalid
from stadtherz.ingest.documents.shapes import work_out


class TimeFormat(StrEnum):
    """How a time is written."""

    ISO = "iso"  # 2026-12-31 14:30, with or without offset
    GERMAN = "german"  # 31.12.2026 14:30
    DAY_FIRST = "day_first"  # 31/12/2026
    MONTH_FIRST = "month_first"  # 12/31/2026
    COMPACT = "compact"  # 202612311430
    SECONDS = "seconds"  # since 1970
    MILLISECONDS = "milliseconds"
    EXCEL = "excel"  # a number of days, as workbooks keep times


class Double(StrEnum):
    """Which of the two is meant by a time in the hour that comes twice in autumn."""

    ORDER = "order"  # the order of the rows tells
    FIRST = "first"  # summer time
    SECOND = "second"  # standard time
    REFUSE = "refuse"
    COLUMN = "column"  # a column tells


@dataclass(frozen=True, slots=True)
class Form:
    """How the file is written. Lines are counted from 1; header 0 means that it has none."""

    kind: Literal["csv", "xlsx"] = "csv"
    encoding: str = "utf-8"
    delimiter: str = ";"
    quote: str = '"'
    decimal: str = ","
    thousands: str = ""
    comment: str = ""
    header: int = 1
    first: int = 2
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class Times:
    """Where times stand. `second` is the column of the time of day where it has one of its own."""

    column: str
    format: TimeFormat = TimeFormat.ISO
    zone: str = "UTC"
    second: str = ""
    double: Double = Double.ORDER
    season: str = ""  # the column that tells summer time, for Double.COLUMN


@dataclass(frozen=True, slots=True)
class New:
    """A datastream that is made when the import starts."""

    thing: str
    name: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """Where values go: converted from `unit`, then result = value * factor + offset.

    `source` is a column of a wide table, or the text that names a series in a long one. `unit` is that of the
    file, as UCUM writes it; empty: that of the datastream.
    """

    source: str
    datastream: int | None = None
    new: New | None = None
    factor: float = 1.0
    offset: float = 0.0
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Long:
    """A long table: each row has one value, and columns that say of what."""

    series: tuple[str, ...]
    value: str


@dataclass(frozen=True, slots=True)
class Rules:
    """All that has to be known to import a table."""

    form: Form
    times: Times
    targets: tuple[Target, ...]
    long: Long | None = None
    missing: tuple[str, ...] = field(default=())
    errors: tuple[str, ...] = field(default=())
    replace: bool = False


MISSING = ("-", "--", "---", "NA", "N/A", "NaN", "null", "#N/A", "#NV", "-999", "-9999")
"""What usually stands for "no value"; an empty cell always does."""

MANY_SERIES = " / "
"""Stands between the texts where several columns name a series."""


def told(rules: Rules | Form | Target) -> dict[str, Any]:
    """As plain JSON values."""
    plain: dict[str, Any] = msgspec.to_builtins(rules)
    return plain


def rules_of(plain: Mapping[str, Any]) -> Rules:
    """Raises Invalid if these are no rules."""
    work_out(Rules)
    try:
        return msgspec.convert(plain, Rules)
    except msgspec.ValidationError as problem:
        raise Invalid("mapping", str(problem)) from problem


def form_of(plain: Mapping[str, Any]) -> Form:
    """Raises Invalid if this is no form."""
    work_out(Form)
    try:
        return msgspec.convert(plain, Form)
    except msgspec.ValidationError as problem:
        raise Invalid("form", str(problem)) from problem
