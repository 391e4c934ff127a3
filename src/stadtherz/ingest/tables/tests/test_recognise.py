"""What files of real offices, and tables of any dialect, tell about themselves."""

import csv
import io
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stadtherz.ingest.tables import recognise
from stadtherz.ingest.tables.reading import column_names, data_rows, rows
from stadtherz.ingest.tables.reasons import BadTable
from stadtherz.ingest.tables.rules import Form, New, Rules, Target, TimeFormat
from stadtherz.ingest.tables.understanding import Understanding

RECORDED = Path(__file__).parent / "recorded"


def understood(path: Path, *sources: str) -> tuple[Form, Rules, Any]:
    """What is recognised, and the first portion under it with these columns."""
    form = recognise.recognise_form(path, path.name)
    rules = recognise.recognise_rules(path, form, "Europe/Berlin")
    targets = tuple(Target(source, new=New("T", source)) for source in sources)
    rules = Rules(form, rules.times, targets, missing=rules.missing)
    return form, rules, next(Understanding(path, rules).portions())


def test_a_gauges_file_of_an_office_is_understood() -> None:
    form, rules, found = understood(RECORDED / "gkd-wasserstand.csv", "Wasserstand [cm]")
    assert (form.encoding, form.delimiter, form.decimal) == ("utf-8-sig", ";", ",")
    assert (form.header, form.first) == (10, 11)
    assert rules.times.zone == recognise.MEZ  # "Zeitbezug: MEZ" stands above the table
    assert found.problems == []  # among them 30 March, 02:00, which summer time would not have
    assert found.rows == len(found.values) == 56
    column = recognise.columns(RECORDED / "gkd-wasserstand.csv", form)[1]
    assert (column.label, column.unit) == ("Wasserstand", "cm")


def test_times_without_dashes_and_missing_values_of_a_weather_service() -> None:
    form, rules, found = understood(RECORDED / "dwd-solar.txt", "GS_10", "LS_10")
    assert (form.delimiter, form.decimal) == (";", ".")
    assert (rules.times.column, rules.times.format) == ("MESS_DATUM", TimeFormat.COMPACT)
    assert found.missing == 29  # -999
    assert len(found.values) == 29


def test_three_lines_of_names_and_the_time_of_day_in_a_column_of_its_own() -> None:
    form, rules, found = understood(RECORDED / "dwd-poi.csv", "Taupunkttemperatur (2m)")
    assert (form.header, form.first) == (3, 4)
    assert (rules.times.column, rules.times.second) == ("Datum", "Uhrzeit (UTC)")
    assert rules.times.zone == "UTC"
    assert found.values[:2] == [-10.0, -10.2]
    assert found.times[0] - found.times[1] == 3_600_000_000


def test_commas_and_points_of_an_american_service() -> None:
    form, rules, found = understood(RECORDED / "usgs-dead-run.csv", "discharge_m3s")
    assert (form.delimiter, form.decimal, rules.times.format) == (",", ".", TimeFormat.ISO)
    assert found.values[0] == 0.6768


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"]
)
def test_encodings_are_recognised(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "t.csv"
    text = "Zeit;Höhe über Grund [m];Größe\r\n" + "01.02.2026 10:00;1,5;2\r\n" * 20
    path.write_bytes(text.encode(encoding))
    form = recognise.recognise_form(path, path.name)
    assert form.encoding == encoding
    assert column_names(path, form)[1] == "Höhe über Grund [m]"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"\n\n  \n", "empty"),
        (b"\x00\x01\x02\xff" * 100, "binary"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + bytes(range(256)) * 20, "binary"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, "binary"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old_excel"),
        (b"PK\x03\x04 no archive at all", "broken_workbook"),
    ],
)
def test_what_is_no_table_is_said_in_a_sentence(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(BadTable) as caught:
        recognise.recognise_form(path, path.name)
    assert caught.value.code == code
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("t;a\n1;" + "x" * 10_001 + "\n", "cell_too_long"),
        ("t;a\n1;" + "x" * 1_000_001 + "\n", "line_too_long"),
        ("t;a\n" + ";" * 1_001 + "x\n", "too_many_columns"),
        ('t;a\n1;"' + "open\n" * 40_000, "open_quote"),
    ],
)
def test_limits_of_text_are_told(tmp_path: Path, text: str, code: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(BadTable) as caught:
        list(rows(path, Form()))
    assert caught.value.code == code
    assert "?" not in str(caught.value)


def test_a_wrong_encoding_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"t;a\n" + b"1;2\n" * 30_000 + "1;ä\n".encode("cp1252"))
    with pytest.raises(BadTable) as caught:
        list(rows(path, Form()))
    assert caught.value.code == "encoding"


def test_comments_and_blank_lines_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        "# made by a logger\nt,a\n# units: cm\n\n2026-01-01 00:00,1.5\n,\n2026-01-01 00:10,2\n"
    )
    form = recognise.recognise_form(path, path.name)
    assert form.comment == "#"
    assert [number for number, _cells in data_rows(path, form)] == [5, 7]
    assert column_names(path, form) == ["t", "a"]


def test_columns_of_one_name_and_of_none_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("Zeit;cm;cm;\n2026-01-01 00:00;1;2;3\n")
    assert column_names(path, Form()) == ["Zeit", "cm", "cm (2)", "#4"]


@pytest.mark.parametrize(
    ("name", "label", "unit"),
    [
        ("Pegel [cm]", "Pegel", "cm"),
        ("Temperatur (°C)", "Temperatur", "Cel"),
        ("Abfluss in m³/s", "Abfluss", "m3/s"),
        ("Taupunkttemperatur (2m)", "Taupunkttemperatur (2m)", ""),
        ("Strahlung (letzte Stunde)", "Strahlung (letzte Stunde)", ""),
        ("Anzahl", "Anzahl", ""),
    ],
)
def test_units_in_the_header(name: str, label: str, unit: str) -> None:
    assert recognise.label_and_unit(name) == (label, unit)


# --- a table in any dialect is read back as it was written ----------------------------------------


@st.composite
def dialects(draw: st.DrawFn) -> dict[str, Any]:
    delimiter = draw(st.sampled_from([";", ",", "\t", "|"]))
    decimal = draw(st.sampled_from([",", "."] if delimiter != "," else ["."]))
    return {
        "delimiter": delimiter,
        "decimal": decimal,
        "encoding": draw(st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"])),
        "quoting": draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        "end": draw(st.sampled_from(["\r\n", "\n"])),
        "time": draw(st.sampled_from(["%d.%m.%Y %H:%M", "%Y-%m-%d %H:%M:%S", "%Y%m%d%H%M"])),
        "above": draw(
            st.lists(st.sampled_from(["Messstelle: Mühlbach", "Stand: heute", ""]), max_size=4)
        ),
    }


@settings(max_examples=40, deadline=None)
@given(
    dialects(),
    st.lists(
        st.tuples(st.integers(-99_999, 99_999), st.none() | st.integers(-99_999, 99_999)),
        min_size=6,
        max_size=30,
    ),
)
def test_a_table_in_any_dialect_is_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    dialect: dict[str, Any],
    numbers: list[tuple[int, int | None]],
) -> None:
    path = tmp_path_factory.mktemp("d") / "t.csv"
    begin = datetime(2026, 5, 1, 12)
    path.write_bytes(written(dialect, numbers, begin).encode(dialect["encoding"]))
    form, _rules, found = understood(path, "Höhe [cm]", "B")
    assert form.delimiter == dialect["delimiter"]
    assert found.problems == []
    wanted = [n / 100 for pair in numbers for n in pair if n is not None]
    assert found.values == wanted
    assert found.missing == sum(b is None for _a, b in numbers)
    assert found.times[-1] - found.times[0] == (len(numbers) - 1) * 600_000_000


def written(dialect: dict[str, Any], numbers: list[tuple[int, int | None]], begin: datetime) -> str:
    out = io.StringIO()
    for line in dialect["above"]:
        out.write(line + dialect["end"])
    writer = csv.writer(
        out,
        delimiter=dialect["delimiter"],
        quoting=dialect["quoting"],
        lineterminator=dialect["end"],
    )
    writer.writerow(["Zeit", "Höhe [cm]", "B"])
    for count, pair in enumerate(numbers):
        texts = [
            "" if n is None else f"{n / 100:.2f}".replace(".", dialect["decimal"]) for n in pair
        ]
        when = begin + timedelta(minutes=10 * count)
        writer.writerow([when.strftime(dialect["time"]), *texts])
    return out.getvalue()


@pytest.mark.parametrize("units", [";cm;°C", "-;[cm];[°C]"])
def test_units_in_a_line_under_the_names_are_those_of_the_columns(
    tmp_path: Path, units: str
) -> None:
    path = tmp_path / "gauge.csv"
    lines = [
        "Zeit;Pegel;Temperatur",
        units,
        "26.11.2026 08:00;12,5;3,4",
        "26.11.2026 08:15;12,6;3,5",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    form, _, found = understood(path, "Pegel", "Temperatur")
    assert [each.unit for each in recognise.columns(path, form)] == ["", "cm", "Cel"]
    assert found.values == [12.5, 3.4, 12.6, 3.5]


@pytest.mark.parametrize("text", ["11/10/2026 3:05:00 PM;7", "11/10/2026;3:05 PM;7"])
def test_where_a_day_has_two_halves_the_month_comes_first(tmp_path: Path, text: str) -> None:
    names = "Time;Level" if text.count(";") == 1 else "Date;Time;Level"
    file = tmp_path / "logger.csv"
    file.write_text(f"{names}\n{text}\n{text}\n")
    form = recognise.recognise_form(file, file.name)
    rules = recognise.recognise_rules(file, form, "UTC")
    assert rules.times.format == TimeFormat.MONTH_FIRST
    assert bool(rules.times.second) == (text.count(";") == 2)


@pytest.mark.parametrize(
    ("cells", "decimal", "thousands", "doubtful"),
    [
        (["1.234", "999", "1.235"], ".", "", "1.234"),
        (["1.234", "0.998"], ".", "", ""),
        (["1.234", "12,5"], ",", ".", ""),
        (["1,234", "12.5", "2,345"], ".", ",", ""),
        (["21.5", "1.234"], ".", "", ""),
        (["1,234", "2,345"], ",", "", "1,234"),
        (["1.234.567", "7", "1.234"], ",", ".", ""),
    ],
)
def test_a_number_that_may_mean_a_thousandfold_is_told_or_settled_by_others(
    tmp_path: Path, cells: list[str], decimal: str, thousands: str, doubtful: str
) -> None:
    rows = "".join(f"2026-11-{n + 1:02} 10:00;{cell}\n" for n, cell in enumerate(cells))
    file = tmp_path / "counter.csv"
    file.write_text(f"Zeit;Zähler\n{rows}")
    form = recognise.recognise_form(file, file.name)
    assert (form.decimal, form.thousands) == (decimal, thousands)
    assert recognise.doubtful_decimals(file, form) == doubtful
