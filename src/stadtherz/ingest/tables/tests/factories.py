"""A town with datastreams, tables for them, and the steps of an import in one call."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from stadtherz.base.time import Period
from stadtherz.base.vocabulary import DISCHARGE, WATER_LEVEL, Observable
from stadtherz.ingest.public import TableImport, tables
from stadtherz.ingest.tables.rules import MISSING
from stadtherz.store.public import (
    Columns,
    NewStream,
    Reading,
    Selection,
    append,
    create_organisation,
    register_stream,
    select,
)

State = TableImport.State


def make_stream(owner: int, observed: Observable = WATER_LEVEL, name: str = "Gauge") -> int:
    return register_stream(
        NewStream(
            owner=owner,
            thing_name=name,
            thing_description="",
            location={"type": "Point", "coordinates": [7.77, 49.44]},
            sensor_name="Radar",
            sensor_description="",
            observed=observed,
            name=f"{name}: {observed.name}",
            description="",
        )
    )


class Office:
    """An organisation with two datastreams, `level` and `flow`."""

    def __init__(self, slug: str = "office") -> None:
        self.owner = create_organisation(slug, slug.title())
        self.level = make_stream(self.owner)
        self.flow = make_stream(self.owner, DISCHARGE)

    def rules(self, **changes: Any) -> tables.Rules:
        """A wide table: time;level;flow in UTC."""
        rules = tables.Rules(
            form=tables.Form(delimiter=";", decimal=",", header=1, first=2),
            times=tables.Times("time"),
            targets=(
                tables.Target("level", self.level),
                tables.Target("flow", self.flow),
            ),
            missing=MISSING,
        )
        return replace(rules, **changes)

    def upload(
        self, content: str | bytes, rules: tables.Rules | None = None, name: str = "t.csv"
    ) -> TableImport:
        raw = content.encode() if isinstance(content, str) else content
        row = tables.take(self.owner, name, [raw])
        tables.set_rules(row, rules or self.rules())
        return row

    def imported(self, content: str | bytes, rules: tables.Rules | None = None) -> TableImport:
        row = self.upload(content, rules)
        tables.start_import(row)
        return work(row)

    def checked(self, content: str | bytes, rules: tables.Rules | None = None) -> TableImport:
        row = self.upload(content, rules)
        tables.start_check(row)
        return work(row)

    def measured(self, stream: int, minute: int, value: Any, key: str | None = None) -> None:
        """A reading that somebody else brought."""
        at = Period(START + minute * 60_000_000)
        append([Reading(stream, at, value, key=key)])

    def values(self, stream: int) -> list[float]:
        return list(held(stream).result)


START = 1_767_225_600_000_000  # 2026-01-01


def work(row: TableImport) -> TableImport:
    claimed = tables.claim(tables.name_of_holder(), row.pk)
    assert claimed is not None
    tables.run(claimed)
    row.refresh_from_db()
    return row


def held(stream: int) -> Columns:
    return select(Selection(frozenset({stream})))


def table(rows: Iterable[Sequence[Any]], first: int = 0) -> str:
    """Rows of values, a minute apart."""
    lines = ["time;level;flow"]
    for count, values in enumerate(rows, first):
        hour, minute = divmod(count, 60)
        texts = [str(value).replace(".", ",") for value in values]
        lines.append(";".join([f"2026-01-{1 + hour // 24:02} {hour % 24:02}:{minute:02}", *texts]))
    return "\n".join(lines) + "\n"


def reported(row: TableImport) -> list[tuple[int, str, str, str]]:
    found = tables.read_report(tables.report_of(row), row.counts.get("lines", 0))
    return [(each.row, each.column, each.value, each.code) for each in found]


def put(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path
