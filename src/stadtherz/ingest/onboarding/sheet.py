"""A list of devices as a spreadsheet saves it: columns by their headings, one device a line."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO

from django.utils.translation import get_language, gettext

from stadtherz.base.errors import Invalid
from stadtherz.ingest.values.decode import shown

MOST = 5_000  # devices of a list
LARGEST = 1024 * 1024
_LONGEST_CELL = 2_000

COLUMNS = ("name", "network", "eui", "type", "longitude", "latitude", "organisation", "description", "like",
    "station")  # fmt: skip
NEEDED = ("name", "network", "eui")
_HEADINGS = {
    "name": "name", "bezeichnung": "name", "standort": "name", "station": "name",
    "network": "network", "netz": "network", "netzwerk": "network", "funknetz": "network",
    "eui": "eui", "deveui": "eui", "deviceeui": "eui", "geraeteeui": "eui", "geräteeui": "eui",
    "identifier": "eui", "id": "eui", "kennung": "eui", "gerätekennung": "eui", "geraetekennung": "eui", "deviceid": "eui",
    "like": "like", "likedevice": "like", "sameas": "like", "wie": "like", "wiegerät": "like", "wiegeraet": "like",
    "vorlage": "like", "muster": "like", "existingstation": "station", "atstation": "station",
    "vorhandenestation": "station", "anstation": "station",
    "type": "type", "devicetype": "type", "devicetypekey": "type", "typ": "type", "gerätetyp": "type",
    "geraetetyp": "type", "gerätetypkennung": "type", "schlüsseldesgerätetyps": "type",
    "longitude": "longitude", "lon": "longitude", "lng": "longitude", "länge": "longitude", "laenge": "longitude",
    "längengrad": "longitude", "laengengrad": "longitude", "geografischelänge": "longitude",
    "latitude": "latitude", "lat": "latitude", "breite": "latitude", "breitengrad": "latitude",
    "geografischebreite": "latitude",
    "organisation": "organisation", "organization": "organisation",
    "description": "description", "beschreibung": "description", "bemerkung": "description",
}  # fmt: skip

TEMPLATES = {
    "de": "Name;Netz;Geräte-EUI;Gerätetyp;Längengrad;Breitengrad;Organisation;Beschreibung;Wie Gerät;"
    "Vorhandene Station\n"
    "Pegel Mühlbach;chirpstack;A84041000181A2B3;milesight/em500-udl;7,7689;49,4447;;Am Steg;;\n",
    "en": "name,network,EUI,device type key,longitude,latitude,organisation,description,like device,"
    "existing station\n"
    "Mill stream gauge,chirpstack,A84041000181A2B3,milesight/em500-udl,7.7689,49.4447,,At the footbridge,,\n",
}
"""What people fill in, by language: each as a spreadsheet of that language opens and saves it."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A line: its number in the file and its texts by column."""

    line: int
    values: Mapping[str, str] = field(default_factory=dict)


def template(language: str) -> bytes:
    """The file to fill in; the mark at its beginning tells spreadsheets that it is UTF-8."""
    return ("\ufeff" + _in_language(language)).encode()


def _in_language(language: str) -> str:
    return TEMPLATES["de" if language.startswith("de") else "en"]


def read_sheet(content: bytes) -> list[Listed]:
    """The lines of a list. Raises Invalid, field `file`, in the active language."""
    if len(content) > LARGEST:
        raise Invalid("file", gettext("The file is larger than 1 MB. Split it into several."))
    text = _text(content)
    first = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = max(";,\t", key=first.count)
    rows = _rows(text, delimiter)
    heading = next(rows, (0, []))[1]
    columns = [_column(each) for each in heading]
    _check_columns(columns)
    found = []
    for line, cells in rows:
        values = dict(zip(columns, cells, strict=False))
        values.pop("", None)
        if any(values.values()):
            found.append(Listed(line, values))
        if len(found) > MOST:
            told = gettext("The list has more than {most} devices. Split it into several.")
            raise Invalid("file", told.format(most=MOST))
    if not found:
        raise Invalid("file", gettext("There is no device below the headings."))
    return found


def _text(content: bytes) -> str:
    """UTF-8, or what German spreadsheets save as "CSV"."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The number and cells of each line that is not empty."""
    reader = csv.reader(StringIO(text.replace("\0", ""), newline=""), delimiter=delimiter)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, [shown(cell.strip(), _LONGEST_CELL) for cell in cells]
    except csv.Error as problem:
        told = gettext("The file cannot be read near line {line}.").format(line=reader.line_num)
        raise Invalid("file", told) from problem


def _column(heading: str) -> str:
    return _HEADINGS.get(re.sub(r"[\W_]", "", heading).lower(), "")


def _check_columns(columns: Sequence[str]) -> None:
    """What is missing or there twice is told by the headings of the template."""
    missing = [name for name in NEEDED if name not in columns]
    if not {"type", "like"} & set(columns):
        missing.append("type")  # or "like", but whoever knows of that has the template
    if missing:
        told = gettext(
            "These columns are missing in the first line: {columns}. Download the table and fill it in."
        )
        raise Invalid("file", told.format(columns=", ".join(map(_heading, missing))))
    twice = next((name for name in columns if name and columns.count(name) > 1), None)
    if twice is not None:
        told = gettext("There are two columns for “{column}”. Leave one of them out.")
        raise Invalid("file", told.format(column=_heading(twice)))


def _heading(column: str) -> str:
    """As the template of the reader's language calls it."""
    first = _in_language(get_language() or "de").split("\n", 1)[0]
    return re.split("[;,]", first)[COLUMNS.index(column)]


def number(text: str) -> float | None:
    """A number with a decimal point or comma; None if it is none."""
    found = text.strip().replace(",", ".").removesuffix("°").strip()
    if not re.fullmatch(r"[+-]?\d{1,3}(\.\d{1,15})?", found, re.ASCII):
        return None
    return float(found)
