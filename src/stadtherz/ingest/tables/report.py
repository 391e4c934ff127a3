"""The report of an import: a line for each row or value that was not simply taken.

It is kept as codes and facts, and becomes sentences when somebody reads it, in their language.
"""

import csv
import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import orjson
from django.utils.translation import gettext as _

from stadtherz.ingest.tables.limits import MOST_REPORTED
from stadtherz.ingest.tables.reasons import NOTES, sentence
from stadtherz.ingest.tables.understanding import Problem


class Report:
    """Grows at its end; what an interrupted run wrote too far is cut off at the start."""

    def __init__(self, path: Path, size: int = 0, lines: int = 0) -> None:
        self._file = path.open("ab")
        os.truncate(path, min(size, path.stat().st_size))
        self._file.seek(0, os.SEEK_END)
        self.lines = lines

    @property
    def size(self) -> int:
        return self._file.tell()

    def add(self, problems: Iterable[Problem]) -> None:
        """On disk when this returns."""
        wrote = False
        for each in problems:
            self.lines += 1
            if self.lines > MOST_REPORTED:
                continue
            told = [each.row, each.column, each.value, each.code, each.facts]
            self._file.write(orjson.dumps(told) + b"\n")
            wrote = True
        if wrote:
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


def read(path: Path, lines: int = 0) -> Iterator[Problem]:
    """What a report holds; `lines` is how many there were in all."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for text in file:
            yield Problem(*orjson.loads(text))
    if lines > MOST_REPORTED:
        yield Problem(0, "", "", "more", {"count": lines - MOST_REPORTED})


def as_csv(problems: Iterable[Problem]) -> Iterator[str]:
    """The report as people open it: CSV with a header, in the active language."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=";")
    writer.writerow(
        ["\ufeff" + _("Line"), _("Column"), _("Value"), _("What happened"), _("Reason")]
    )
    for each in problems:
        writer.writerow(
            [
                each.row or "",
                harmless(each.column),
                harmless(each.value),
                _("note") if each.code in NOTES else _("not taken"),
                told(each),
            ]
        )
        if buffer.tell() > 65_536:
            yield _emptied(buffer)
    yield _emptied(buffer)


def told(problem: Problem) -> str:
    """The reason as a sentence, in the active language."""
    return sentence(problem.code, {**problem.facts, "value": problem.value, "row": problem.row})


def harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    is_number = text[1:].replace(".", "").replace(",", "").isdigit()
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") and not is_number else text


def _emptied(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
