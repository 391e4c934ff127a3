"""What a file tells about itself: encoding, separator, header, form of times and numbers.

It is a proposal. People see it beside the first rows, and can change every part.
"""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from stadtherz.ingest.tables import numbers
from stadtherz.ingest.tables.limits import LONGEST_LINE
from stadtherz.ingest.tables.reading import (
    Row,
    column_names,
    data_rows,
    opened,
    rows,
    sheets,
    shown,
)
from stadtherz.ingest.tables.reasons import BadTable
from stadtherz.ingest.tables.rules import MISSING, Form, Rules, TimeFormat, Times
from stadtherz.ingest.tables.times import parser

ENCODINGS = ("utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be")
DELIMITERS = (";", ",", "\t", "|")
COMMENTS = ("#", "%", "//")

_LOOKED_AT = 120  # rows
_BLOCK = 1 << 20
_FORMS = (
    TimeFormat.ISO,
    TimeFormat.GERMAN,
    TimeFormat.COMPACT,
    TimeFormat.DAY_FIRST,
    TimeFormat.MONTH_FIRST,
)
_UNIT = re.compile(
    r"(?P<name>.*?)\s*(?:\[(?P<sure>[^\[\]]{1,20})\]|\((?P<unit>[^()]{1,20})\)|\bin (?P<word>\S{1,10}))"
)
_UCUM = {
    "°c": "Cel",
    "grad c": "Cel",
    "c": "Cel",
    "µg/m³": "ug/m3",
    "m³/s": "m3/s",
    "m³": "m3",
    "kwh": "kW.h",
}
# What stands above the table in files of offices that write wall-clock times.
_ALL_YEAR = re.compile(r"\bMEZ\b(?!\s*/)|\bCET\b(?!\s*/)|UTC\+0?1\b")
_UTC = re.compile(r"\bUTC\b(?!\s*[+-])|\bGMT\b(?!\s*[+-])|_utc\b", re.IGNORECASE)
MEZ = "Etc/GMT-1"
"""Central European Time all the year; the sign is that of the zone's name."""


@dataclass(frozen=True, slots=True)
class Column:
    """What a column seems to hold, by its first cells."""

    name: str
    example: str
    kind: str  # time, number, text or empty
    label: str  # the name without its unit
    unit: str


# --- the form ------------------------------------------------------------------------------------


def recognise_form(path: Path, name: str) -> Form:
    """How a file seems to be written. Raises BadTable for what is no table."""
    with path.open("rb") as file:
        head = file.read(8192)
    if not head:
        raise BadTable("empty")
    if head.startswith(b"PK"):
        return _workbook_form(path)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise BadTable("old_excel")
    encoding = recognise_encoding(path, head)
    return _text_form(path, encoding)


def recognise_encoding(path: Path, head: bytes) -> str:
    """The encoding; Windows-1252 is what is left. Raises BadTable for binary data."""
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in head:
        even, odd = head[::2].count(0), head[1::2].count(0)
        half = len(head) // 4
        if even == 0 and odd > half:
            return "utf-16-le"
        if odd == 0 and even > half:
            return "utf-16-be"
        raise BadTable("binary")
    if _decodes(path, "utf-8"):
        return "utf-8"
    if _is_text(head) and _decodes(path, "cp1252"):
        return "cp1252"
    raise BadTable("binary")


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        try:
            while block := file.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _is_text(head: bytes) -> bool:
    """Whether there are hardly any characters that only steer devices."""
    steering = sum(byte < 32 and byte not in b"\t\r\n\f" for byte in head)
    return steering * 100 < len(head)


def _workbook_form(path: Path) -> Form:
    form = Form(kind="xlsx", encoding="", delimiter="", quote="", decimal=",", header=0, first=1)
    for title in sheets(path):
        sheet = replace(form, sheet=title)
        found = list(islice(rows(path, sheet), _LOOKED_AT))
        if found:
            return _with_header(sheet, found)
    raise BadTable("empty")


def _text_form(path: Path, encoding: str) -> Form:
    form = Form(encoding=encoding, header=0, first=1)
    lines = _first_lines(path, encoding)
    if not any(line.strip() for line in lines):
        raise BadTable("empty")
    form = replace(form, comment=_comment(lines))
    tried = [_tried(form, delimiter, lines) for delimiter in DELIMITERS]
    _score, form, found = max(tried, key=lambda each: each[0])
    decimal, thousands = decimal_of(cell for _n, cells in found for cell in cells)
    return _with_header(replace(form, decimal=decimal, thousands=thousands), found)


def _first_lines(path: Path, encoding: str) -> list[str]:
    with opened(path, encoding) as file:
        lines = []
        for _ in range(_LOOKED_AT):
            line = file.readline(LONGEST_LINE)
            if not line:
                break
            lines.append(line)
    return lines


def _comment(lines: Sequence[str]) -> str:
    starts = Counter(sign for line in lines for sign in COMMENTS if line.startswith(sign))
    return starts.most_common(1)[0][0] if starts else ""


Tried = tuple[tuple[float, float, int], Form, list[Row]]


def _tried(form: Form, delimiter: str, lines: Sequence[str]) -> Tried:
    """How well a separator fits: equally long rows, whose cells are times and numbers."""
    form = replace(form, delimiter=delimiter)
    found: list[Row] = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or (form.comment and line.startswith(form.comment)):
            continue
        try:
            cells = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))
        except (csv.Error, StopIteration):
            cells = [line]
        found.append((number, cells))
    width = _usual_width(found)
    usual = [cells for _n, cells in found if len(cells) == width]
    even = len(usual) / max(1, len(found))
    typed = sum(_kind(cell) in ("time", "number") for cells in usual for cell in cells)
    typed_share = typed / max(1, sum(len(cells) for cells in usual))
    times = any(_kind(cell) == "time" for cells in usual for cell in cells)
    score = (even if width > 1 else 0.1) * (0.25 + typed_share) * (2.0 if times else 1.0)
    return (score, even, width), form, found


def _usual_width(found: Sequence[Row]) -> int:
    """That of most rows in the second half, where hardly anything but data stands."""
    behind = found[len(found) // 2 :] or found
    counted = Counter(len(cells) for _n, cells in behind)
    return counted.most_common(1)[0][0] if counted else 0


def _with_header(form: Form, found: Sequence[Row]) -> Form:
    """Where the data begin: at the first row that holds a time and a number, or else a number."""
    for wanted in ({"time", "number"}, {"number"}):
        for place, (number, cells) in enumerate(found):
            kinds = {_kind(cell, form) for cell in cells}
            if wanted <= kinds and not _is_preamble(cells, found):
                return replace(form, header=_header(found[:place], cells), first=number)
    number = found[0][0]
    return replace(form, header=number, first=found[1][0] if len(found) > 1 else number + 1)


def _is_preamble(cells: Sequence[Any], found: Sequence[Row]) -> bool:
    return len(cells) < _usual_width(found)


def _header(before: Sequence[Row], first: Sequence[Any]) -> int:
    """The line of names: the last one above the data with enough texts, but not one of units."""
    wide = [
        row for row in before if sum(cell not in ("", None) for cell in row[1]) * 2 > len(first)
    ]
    if not wide:
        return 0
    number, cells = wide[-1]
    if len(wide) > 1 and _are_units(cells):
        number = wide[-2][0]
    return number


_UNITS = frozenset({"cm", "mm", "m", "km", "%", "°c", "grad c", "hpa", "w/m2", "w/m²", "m3/s", "m³/s",
    "km/h", "m/s", "v", "a", "kwh", "lx", "db", "ppm", "l/s", "µg/m³", "mg/l", "grad", "°", "-", ""})  # fmt: skip


def _are_units(cells: Sequence[Any]) -> bool:
    texts = [shown(cell).strip().strip("[]()").casefold() for cell in cells]
    return len(texts) > 1 and sum(text in _UNITS for text in texts[1:]) * 4 >= len(texts[1:]) * 3


# --- cells ---------------------------------------------------------------------------------------

_PARSERS = {form: parser(form) for form in _FORMS}
_NUMBER = {
    (d, t): numbers.pattern(d, t) for d, t in ((",", "."), (".", ","), (",", " "), (".", "'"))
}


def _kind(cell: Any, form: Form | None = None) -> str:
    if isinstance(cell, datetime | date):
        return "time"
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return "number"
    text = shown(cell).strip()
    if not text or text in MISSING:
        return "empty"
    if any(pattern.fullmatch(text) for pattern in _NUMBER.values()):
        return "time" if _is_compact(text) else "number"
    return "time" if any(_PARSERS[form_](text, None) for form_ in _FORMS) else "text"


def _is_compact(text: str) -> bool:
    """A number of 8, 10, 12 or 14 digits that begins like a date of our times."""
    found = re.fullmatch(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])(\d\d){2,3}", text)
    return found is not None and _PARSERS[TimeFormat.COMPACT](text, None) is not None


_DIGITS = re.compile(r"[+\-−]?[\d.,' \u00a0\u202f]*\d")
_GERMAN_DATE = re.compile(r"\d\d?\.\d\d?\.(\d{4}|\d\d)")


def decimal_of(cells: Iterator[Any]) -> tuple[str, str]:
    """The decimal sign and that of the thousands, by the cells that tell; else a comma."""
    texts = [shown(cell).strip() for cell in cells]
    texts = [t for t in texts if _DIGITS.fullmatch(t) and not _GERMAN_DATE.fullmatch(t)]
    comma = sum("," in text for text in texts)
    point = sum("." in text for text in texts)
    for decimal, thousands in ((",", "."), (".", ",")):
        if any(re.search(rf"\{thousands}\d{{3}}\{decimal}\d", text) for text in texts):
            return decimal, thousands
    for sign in (" ", "\u00a0", "\u202f", "'"):
        if any(re.search(rf"\d{sign}\d{{3}}(?:[.,]|$)", text) for text in texts):
            return ("," if comma >= point else "."), ("'" if sign == "'" else " ")
    for decimal, thousands in ((",", "."), (".", ",")):
        if _are_thousands(thousands, texts) and _tells(decimal, thousands, texts):
            return decimal, thousands
    return (".", "") if point > comma else (",", "")


def _tells(decimal: str, thousands: str, texts: Sequence[str]) -> bool:
    """Whether one of the numbers shows which sign is which: 12,5 beside 1.234, or 1.234.567."""
    if any(decimal in text for text in texts):
        return not _are_thousands(decimal, texts)
    return any(text.count(thousands) > 1 for text in texts)


def _are_thousands(sign: str, texts: Sequence[str]) -> bool:
    """Whether it could stand between thousands wherever it stands, as in 1.234."""
    looks = re.compile(rf"[+\-−]?[1-9]\d{{0,2}}(?:{re.escape(sign)}\d{{3}})+")
    return any(sign in text for text in texts) and all(
        looks.fullmatch(text) for text in texts if sign in text
    )


def doubtful_decimals(path: Path, form: Form) -> str:
    """A number that may mean a thousandfold, where none of the first rows tells which; else empty."""
    if form.kind == "xlsx":
        return ""
    found = (cell for _n, cells in islice(data_rows(path, form), _LOOKED_AT) for cell in cells)
    texts = [text for cell in found if _DIGITS.fullmatch(text := shown(cell).strip())]
    texts = [text for text in texts if not _GERMAN_DATE.fullmatch(text)]
    if not _are_thousands(form.decimal, texts):
        return ""
    return next(text for text in texts if form.decimal in text)


def columns(path: Path, form: Form) -> list[Column]:
    """What each column seems to hold."""
    found = [cells for _n, cells in islice(data_rows(path, form), _LOOKED_AT)]
    if not found:
        raise BadTable("no_data")
    below = dict(enumerate(_units_below(path, form)))
    columns = [_column(name, place, found) for place, name in enumerate(column_names(path, form))]
    return [
        each if each.unit else replace(each, unit=below.get(place, ""))
        for place, each in enumerate(columns)
    ]


def _units_below(path: Path, form: Form) -> list[str]:
    """The units, as UCUM writes them, that stand in a line of their own under the names."""
    number, cells = next(rows(path, form, begin=form.header + 1), (0, []))
    if not form.header or not form.header < number < form.first or not _are_units(cells):
        return []
    texts = [shown(cell).strip().strip("[]()") for cell in cells]
    units = [_UCUM.get(text.casefold(), text) for text in texts]
    return ["" if unit == "-" else unit for unit in units]


def _column(name: str, place: int, found: Sequence[Sequence[Any]]) -> Column:
    cells = [cells[place] for cells in found if place < len(cells)]
    counted = Counter(_kind(cell) for cell in cells)
    filled = {kind: count for kind, count in counted.items() if kind != "empty"}
    kind = max(filled, key=lambda each: filled[each]) if filled else "empty"
    example = next((shown(c).strip() for c in cells if shown(c).strip()), "")
    label, unit = label_and_unit(name)
    return Column(name, example, kind, label, unit)


def label_and_unit(name: str) -> tuple[str, str]:
    """`Pegel [cm]` as name and unit, the latter as UCUM writes it where that is known.

    >>> label_and_unit("Pegel [cm]")
    ('Pegel', 'cm')
    """
    found = _UNIT.fullmatch(name.strip())
    if found is None:
        return name.strip(), ""
    unit = (found["sure"] or found["unit"] or found["word"]).strip()
    known = unit.casefold() in _UNITS or unit.casefold() in _UCUM
    if not (found["sure"] or known):
        return name.strip(), ""
    return found["name"].strip() or name.strip(), _UCUM.get(unit.casefold(), unit)


# --- the rules -----------------------------------------------------------------------------------


def recognise_rules(path: Path, form: Form, zone: str) -> Rules:
    """Where times seem to stand; nothing is assigned to a datastream yet."""
    found = columns(path, form)
    place = next((n for n, c in enumerate(found) if c.kind == "time"), None)
    if place is None:
        place = next((n for n, c in enumerate(found) if _looks_since_1970(c)), 0)
    column = found[place]
    following = found[place + 1] if place + 1 < len(found) else None
    has_clock = ":" in column.example or len(column.example) > len("31.12.2026")
    second = ""
    if following is not None and not has_clock and _is_clock(following.example):
        second = following.name
    zone = _zone(path, form, [c.name for c in found]) or zone
    times = Times(column.name, format_of(path, form, place, second), zone, second)
    return Rules(form, times, (), missing=MISSING)


def _looks_since_1970(column: Column) -> bool:
    return re.fullmatch(r"1\d{9}(\d{3})?", column.example) is not None


def _is_clock(text: str) -> bool:
    return re.fullmatch(rf"\d\d?:\d\d(:\d\d)?(\s*{_HALF})?", text) is not None


_HALF = r"[AaPp]\.?[Mm]\.?"  # of the day


def format_of(path: Path, form: Form, place: int, second: str) -> TimeFormat:
    """The form in which most of the first times can be read."""
    cells = [
        cells[place]
        for _n, cells in islice(data_rows(path, form), _LOOKED_AT)
        if place < len(cells)
    ]
    numbered = [c for c in cells if isinstance(c, int | float) or str(c).strip().isdecimal()]
    if len(numbered) * 2 > len(cells):
        return _format_of_numbers(numbered, form)
    clock = "12:00" if second else None
    names = column_names(path, form)
    read = {each: sum(_PARSERS[each](c, clock) is not None for c in cells) for each in _FORMS}
    american = _has_halves(path, form, (place, *([names.index(second)] if second else [])))
    order = sorted(_FORMS, key=lambda each: american and each == TimeFormat.DAY_FIRST)
    return max(order, key=lambda each: read[each])


def _has_halves(path: Path, form: Form, places: Sequence[int]) -> bool:
    """Whether times of day are told as where the month comes first, with AM and PM."""
    found = (cells for _n, cells in islice(data_rows(path, form), _LOOKED_AT))
    texts = (shown(cells[n]).strip() for cells in found for n in places if n < len(cells))
    return any(re.search(rf"\d\s*{_HALF}$", text) for text in texts)


def _format_of_numbers(cells: Sequence[Any], form: Form) -> TimeFormat:
    texts = [shown(cell).strip() for cell in cells]
    if all(_PARSERS[TimeFormat.COMPACT](text, None) for text in texts):
        return TimeFormat.COMPACT
    if form.kind == "xlsx" and all(float(text) < 1_000_000 for text in texts):
        return TimeFormat.EXCEL
    return TimeFormat.MILLISECONDS if len(texts[0]) > 11 else TimeFormat.SECONDS


def _zone(path: Path, form: Form, names: Sequence[str]) -> str:
    """The zone that the lines above the data name, or the header."""
    above = list(names)
    if form.first > 1:
        everything = replace(form, header=0, first=1, comment="")
        for number, cells in rows(path, everything):
            if number >= form.first:
                break
            above += [shown(cell) for cell in cells]
    text = " ; ".join(above)
    if _ALL_YEAR.search(text):
        return MEZ
    return "UTC" if _UTC.search(text) else ""
