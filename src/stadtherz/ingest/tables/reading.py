"""A file as a stream of rows, however large it is: (number of the line, its cells).

A cell of a CSV file is text; one of a workbook may be a number, a truth value, a date or a time.
"""

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from stadtherz.ingest.tables import limits
from stadtherz.ingest.tables.reasons import BadTable
from stadtherz.ingest.tables.rules import Form

Cell = str | int | float | bool | datetime | date | time | None
Row = tuple[int, Sequence[Any]]


def rows(path: Path, form: Form, *, begin: int = 1) -> Iterator[Row]:
    """The rows from a line on, without blank ones and comments. Raises BadTable where it cannot go on."""
    found = _of_workbook(path, form) if form.kind == "xlsx" else _of_text(path, form, begin)
    for number, cells in found:
        if number < begin or not cells or (not cells[0] and _is_blank(cells)):
            continue
        if len(cells) > limits.MOST_COLUMNS:
            raise BadTable("too_many_columns", row=number, limit=limits.MOST_COLUMNS)
        yield number, cells


def _is_blank(cells: Sequence[Any]) -> bool:
    return all(cell is None or cell == "" for cell in cells)


def data_rows(path: Path, form: Form) -> Iterator[Row]:
    """The rows that hold data."""
    for count, row in enumerate(rows(path, form, begin=form.first)):
        if count >= limits.MOST_ROWS:
            raise BadTable("too_many_rows", limit=limits.MOST_ROWS)
        yield row


def shown(cell: Cell) -> str:
    """A cell as people read it."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell)


def column_names(path: Path, form: Form) -> list[str]:
    """What the columns are called: unique, `#3` where the header says nothing."""
    width = len(next(data_rows(path, form), (0, []))[1])
    heads: Sequence[Cell] = []
    if form.header:
        number, cells = next(rows(path, form, begin=form.header), (0, []))
        heads = cells if number == form.header else []
    width = max(width, len(heads))
    texts = [shown(cell).strip() for cell in heads] + [""] * (width - len(heads))
    found: dict[str, int] = {}
    names = []
    for place, text in enumerate(texts, 1):
        name = text or f"#{place}"
        found[name] = found.get(name, 0) + 1
        names.append(name if found[name] == 1 else f"{name} ({found[name]})")
    return names


# --- text ----------------------------------------------------------------------------------------


def _encoding(name: str) -> str:
    """UTF-8 with or without a mark at its beginning: next month's file may differ in that."""
    return "utf-8-sig" if name == "utf-8" else name


@contextmanager
def opened(path: Path, encoding: str) -> Iterator[io.TextIOBase]:
    """The file as text, with the line ends as they are."""
    with path.open("r", encoding=_encoding(encoding), newline="") as file:
        yield file


class _Lines:
    """Lines from one on; knows the number of the last one that was given out."""

    def __init__(self, file: io.TextIOBase, comment: str, begin: int) -> None:
        self._file, self._comment, self._begin = file, comment, begin
        self.number = 0
        self.long = False  # whether a cell may be too long since this was looked at

    def __iter__(self) -> Iterator[str]:
        read, comment = self._file.readline, self._comment
        while line := read(limits.LONGEST_LINE + 1):
            self.number += 1
            if len(line) > limits.LONGEST_CELL:
                self.long = True
                if len(line) > limits.LONGEST_LINE:
                    raise BadTable("line_too_long", row=self.number, limit=limits.LONGEST_LINE)
            if self.number < self._begin or (comment and line.startswith(comment)):
                continue
            yield line


def _of_text(path: Path, form: Form, begin: int) -> Iterator[Row]:
    with opened(path, form.encoding) as file:
        lines = _Lines(file, form.comment, begin)
        reader = csv.reader(
            iter(lines),
            delimiter=form.delimiter,
            quotechar=form.quote or None,
            quoting=csv.QUOTE_MINIMAL if form.quote else csv.QUOTE_NONE,
            skipinitialspace=True,
        )
        try:
            for cells in reader:
                if lines.long:  # seldom
                    _check_cells(cells, lines.number)
                    lines.long = False
                yield lines.number, cells
        except csv.Error as problem:
            raise BadTable("open_quote", row=lines.number) from problem
        except UnicodeDecodeError as problem:
            raise BadTable("encoding", row=lines.number + 1, encoding=form.encoding) from problem


def _check_cells(cells: Sequence[str], number: int) -> None:
    if any(len(cell) > limits.LONGEST_CELL for cell in cells):
        raise BadTable("cell_too_long", row=number, limit=limits.LONGEST_CELL)


# --- workbooks -----------------------------------------------------------------------------------


def check_workbook(path: Path) -> None:
    """Raise BadTable if the archive is no workbook, or unpacks to more than can be wanted."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as problem:
        raise BadTable("broken_workbook") from problem
    names = {part.filename.lower().removeprefix("/") for part in parts}
    if "xl/workbook.xml" not in names:
        raise BadTable("no_workbook")
    unpacked = sum(part.file_size for part in parts)
    packed = sum(part.compress_size for part in parts) or 1
    texts = max(
        (p.file_size for p in parts if p.filename.lower().endswith("sharedstrings.xml")), default=0
    )
    if (
        unpacked > limits.MOST_UNPACKED
        or unpacked / packed > limits.LARGEST_RATIO
        or texts > limits.MOST_TEXTS
        or len(parts) > limits.MOST_PARTS
    ):
        raise BadTable("bomb", size=f"{unpacked // 1024**2} MB")


@contextmanager
def workbook(path: Path) -> Iterator[Any]:
    """The workbook with its formulas' values, open for reading from front to back."""
    check_workbook(path)
    from openpyxl import load_workbook  # noqa: PLC0415 - heavy, and most processes never need it

    with path.open("rb") as file:
        try:
            book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        except Exception as problem:  # whatever a broken archive makes openpyxl stumble over
            raise BadTable("broken_workbook") from problem
        try:
            yield book
        finally:
            book.close()


def sheets(path: Path) -> list[str]:
    """The names of a workbook's sheets that hold cells."""
    with workbook(path) as book:
        return [sheet.title for sheet in book.worksheets]


def epoch_of(path: Path) -> datetime:
    """The day from which a workbook counts: in 1899, or in 1904 (made on an old Macintosh)."""
    with workbook(path) as book:
        return book.epoch  # type: ignore[no-any-return]  # openpyxl has no types


def _of_workbook(path: Path, form: Form) -> Iterator[Row]:
    with workbook(path) as book:
        sheet = next((each for each in book.worksheets if form.sheet in ("", each.title)), None)
        if sheet is None:
            raise BadTable("no_sheet", sheet=form.sheet)
        sheet.reset_dimensions()  # some programs write a wrong one
        found = _sheet_rows(sheet)
        for number, cells in enumerate(found, 1):
            if number > limits.MOST_SHEET_ROWS:
                raise BadTable("too_many_rows", limit=limits.MOST_SHEET_ROWS)
            for cell in cells:
                if type(cell) is str and len(cell) > limits.LONGEST_CELL:
                    raise BadTable("cell_too_long", row=number, limit=limits.LONGEST_CELL)
            yield number, cells


def _sheet_rows(sheet: Any) -> Iterator[Sequence[Any]]:
    try:
        yield from sheet.iter_rows(values_only=True)
    except Exception as problem:  # whatever broken XML makes openpyxl stumble over
        raise BadTable("broken_workbook") from problem
