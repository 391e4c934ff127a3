"""What a file will become, in words: its first rows as they are understood, and what a run found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from stadtherz.base.time import from_us
from stadtherz.ingest.tables import reasons, report
from stadtherz.ingest.tables.reading import data_rows, rows, shown
from stadtherz.ingest.tables.rules import Form, Rules
from stadtherz.ingest.tables.understanding import Portion, Understanding

FEW = 8
"""Rows that a preview shows."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A row as it is understood: its time, one text a target, and what is wrong with it."""

    line: int
    when: str
    values: Sequence[str]
    problems: Sequence[str]


def raw_lines(path: Path, form: Form, most: int = 14) -> list[tuple[int, list[str], str]]:
    """The first lines as the chosen form cuts them: number, cells, and what the line is."""
    found = []
    everything = Form(**{**_plain(form), "header": 0, "first": 1})
    for number, cells in islice(rows(path, everything), most):
        if number == form.header:
            kind = "header"
        else:
            kind = "data" if number >= form.first else "above"
        found.append((number, [shown(cell)[:60] for cell in cells[:30]], kind))
    return found


def _plain(form: Form) -> dict[str, Any]:
    return {name: getattr(form, name) for name in form.__slots__}


def first_rows(path: Path, rules: Rules, most: int = FEW) -> list[Seen]:
    """The first rows as they are understood. Raises BadTable as `Understanding` does."""
    understanding = Understanding(path, rules)
    found = []
    for line, cells in islice(data_rows(path, rules.form), most):
        portion = Portion()
        understanding.take(line, cells, portion)
        found.append(_seen(line, portion, len(rules.targets)))
    return found


def _seen(line: int, portion: Portion, width: int) -> Seen:
    held = dict(zip(portion.targets, portion.values, strict=True))
    values = [number_text(held[n]) if n in held else "–" for n in range(width)]
    problems = [report.told(each) for each in portion.problems]
    when = local(portion.times[0], offset=True) if portion.times else "–"
    return Seen(line, when, values, problems)


def number_text(value: float) -> str:
    """A number as people of the active language write it."""
    text = f"{value:.10g}"
    if "e" in text:
        return text
    decimals = len(text.partition(".")[2])
    return str(number_format(value, decimals, use_l10n=True, force_grouping=True))


def local(us: int, *, offset: bool = False) -> str:
    """An instant in the city's time, with its offset where the clock alone would not tell."""
    moment = localtime(from_us(us))
    text = date_format(moment, "SHORT_DATETIME_FORMAT")
    if not offset:
        return text
    hours, minutes = divmod(int((moment.utcoffset() or timedelta()).total_seconds()) // 60, 60)
    return f"{text} (UTC{hours:+d}{f':{minutes:02}' if minutes else ''})"


@dataclass(frozen=True, slots=True)
class Line:
    """A number of a run and what it counts."""

    count: int
    text: str
    bad: bool = False


def summary(counts: Mapping[str, Any]) -> str:
    """One sentence: how many rows, of how many datastreams, from when to when."""
    number = int(counts.get("rows", 0))
    streams = len(counts.get("targets", ()))
    told_rows = ngettext("%(count)s row", "%(count)s rows", number) % {"count": _count(number)}
    told_streams = ngettext("%(count)s datastream", "%(count)s datastreams", streams) % {
        "count": streams
    }
    if counts.get("first") is None:
        return f"{told_rows}, {told_streams}"
    span = _("from %(first)s to %(last)s") % {
        "first": local(counts["first"]),
        "last": local(counts["last"]),
    }
    return f"{told_rows}, {told_streams}, {span}"


def lines(counts: Mapping[str, Any], *, replace: bool, done: bool) -> list[Line]:
    """What became of the values, or (not `done`) what would become of them."""
    changed = (
        _("different from what is there: they replace it")
        if replace
        else _("different from what is there, which is kept")
    )
    found = [
        Line(counts.get("new", 0), _("new values stored") if done else _("new values")),
        Line(counts.get("same", 0), _("values that were there already, with the same time")),
        Line(counts.get("changed", 0), changed),
        Line(counts.get("missing", 0), _("cells without a value")),
    ]
    refused = counts.get("refused", {})
    found += [Line(n, reasons.word(code), bad=True) for code, n in sorted(refused.items())]
    notes = counts.get("notes", {})
    skipped = ("changed", "kept")
    found += [Line(n, reasons.word(c)) for c, n in sorted(notes.items()) if c not in skipped]
    return [line for line in found if line.count or line is found[0]]


def _count(number: int) -> str:
    return str(number_format(number, 0, use_l10n=True, force_grouping=True))
