"""Why a table, a row or a value was not taken: a code for machines, a sentence for people.

The sentence is made when it is shown, so that a kept report reads in every language.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from stadtherz.base.errors import StadtherzError


class BadTable(StadtherzError):
    """A file that cannot be read, or not any further; `code` and `facts` as `sentence` takes them."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts

    def __str__(self) -> str:
        return sentence(self.code, self.facts)


_OF_FILES = {
    "empty": _("The file is empty."),
    "too_large": _("The file is larger than {limit}. Cut it into parts, or let the operator raise the limit."),
    "binary": _("This is no table but binary data. Save it as CSV or as an Excel workbook (.xlsx)."),
    "old_excel": _("This is an old Excel file (.xls). Save it as .xlsx in Excel or LibreOffice, then upload it again."),
    "no_workbook": _("This archive is no Excel workbook (.xlsx)."),
    "broken_workbook": _("The workbook is damaged and cannot be read to its end. Open and save it in Excel or LibreOffice, then try again."),
    "bomb": _("The workbook would unpack to {size}, which is more than a table can need. It was not opened."),
    "no_sheet": _("There is no sheet called “{sheet}” in the workbook."),
    "encoding": _("From line {row} on the characters cannot be read as {encoding}. Choose another encoding."),
    "open_quote": _("A quotation mark that is opened before line {row} is never closed."),
    "line_too_long": _("Line {row} is longer than {limit} characters."),
    "cell_too_long": _("A cell in line {row} is longer than {limit} characters."),
    "too_many_columns": _("Line {row} has more than {limit} columns."),
    "too_many_rows": _("The table has more than {limit} rows. Cut it into parts."),
    "too_many_series": _("The columns that name the series hold more than {limit} different texts. Choose others."),
    "no_data": _("There are no rows of data. Look at the line in which the data begin."),
    "no_column": _("The file has no column called “{column}”, which the mapping needs."),
    "no_zone": _("There is no time zone called “{zone}”."),
    "unit": _("Column “{column}”: {told}"),
    "no_target": _("No column is assigned to a datastream."),
    "foreign": _("A datastream of the mapping does not exist, or belongs to another organisation."),
    "stopped": _("Stopped by hand. What was imported stays; “Import” goes on where it was."),
    "gone": _("The file is no longer there. Upload it again."),
    "store": _("The measurements could not be stored: {told}"),
    "bug": _("Something unexpected went wrong; the operator finds it in the log. What was imported before stays, and the import can be started again."),
}  # fmt: skip
_OF_ROWS = {
    "no_time": _("The row has no time."),
    "bad_time": _("“{value}” cannot be read as a time in the chosen form."),
    "gap": _("The time {value} never was: the clocks were put forward. Is the time zone right?"),
    "double": _("The time {value} came twice, when the clocks were put back, and nothing tells which one is meant."),
    "double_taken": _("The time {value} came twice, when the clocks were put back. Taken by the chosen rule as {taken}."),
    "double_once": _("The hour before {value} comes twice, when the clocks were put back, but stands only once in the file. Check its rows."),
    "too_many_cells": _("The row has more cells than the table has columns. Are separator and decimal sign right?"),
    "not_a_number": _("“{value}” is not a number."),
    "error_code": _("{value} is an error code of the sensor."),
    "unknown_series": _("No datastream is chosen for “{value}”."),
    "too_large_number": _("{value} is too large a number."),
    "again": _("The same file was imported before (import {number}). Nothing was done."),
    "changed": _("A value for this time was there already ({before}). It was replaced."),
    "kept": _("A value for this time was there already ({before}). It was kept."),
    "more": _("The report ends here; {count} more lines are left out."),
}  # fmt: skip
NOTES = frozenset({"again", "double_taken", "double_once", "changed", "kept", "more"})
"""What a report tells of rows that were not refused."""

_WORDS = {
    "no_time": _("without a time"),
    "bad_time": _("with a time that cannot be read"),
    "gap": _("with a time that never was (clocks put forward)"),
    "double": _("with a time that came twice (clocks put back)"),
    "too_many_cells": _("with too many cells"),
    "not_a_number": _("no numbers"),
    "error_code": _("error codes"),
    "unknown_series": _("of series without a datastream"),
    "too_large_number": _("numbers too large"),
    "double_taken": _("in the double hour, taken by the rule"),
    "double_once": _("double hours that stand only once"),
    "changed": _("different from what was there, replaced"),
    "kept": _("different from what was there, which was kept"),
}


def sentence(code: str, facts: Mapping[str, Any]) -> str:
    """What is wrong and what helps, in the active language."""
    template = _OF_FILES.get(code) or _OF_ROWS.get(code)
    return str(template).format_map(_Facts(facts)) if template else code


def word(code: str) -> str:
    """The reason behind a number of rows or values, in the active language."""
    return str(_WORDS.get(code, code))


class _Facts(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"

    def __getitem__(self, key: str) -> Any:
        value = super().__getitem__(key)
        if key == "taken":
            return _("standard time") if value else _("summer time")
        return f"{value:,}" if isinstance(value, int) and key != "row" else value
