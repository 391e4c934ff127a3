"""A table becomes readings: new ones once, others as the clerk chose, the rest reported."""

from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from openpyxl import Workbook

from stadtherz.base.errors import Conflict
from stadtherz.base.time import DAY, now_us
from stadtherz.ingest.public import TableImport, tables
from stadtherz.ingest.tables import keeping, limits, understanding
from stadtherz.ingest.tables.tests.factories import START, Office, State, held, reported, table
from stadtherz.ingest.tables.tests.factories import work as worked
from stadtherz.store.public import streams

pytestmark = pytest.mark.django_db


@pytest.fixture
def office() -> Office:
    return Office()


def test_values_become_readings_of_the_chosen_datastreams(office: Office) -> None:
    row = office.imported(table([(96.5, 1.25), (97, 1.5)]))
    assert row.state == State.DONE
    assert office.values(office.level) == [96.5, 97.0]
    assert office.values(office.flow) == [1.25, 1.5]
    found = held(office.level)
    assert list(found.phenomenon_start) == [START, START + 60_000_000]
    assert (found.feature > 0).all()  # where the Thing stands
    assert row.counts["new"] == 4


def test_a_check_stores_nothing_and_tells_what_an_import_does(office: Office) -> None:
    office.measured(office.level, 0, 96.5)
    office.measured(office.level, 1, 50.0)
    content = table([(96.5, "-"), (97, "x"), (98, 1), ("", "")]) + "2026-13-01 00:00;1;1\n"
    checked = office.checked(content)
    assert checked.state == State.CHECKED
    assert len(office.values(office.level)) == 2
    done = office.imported(content)
    assert done.counts == checked.counts
    assert {n: done.counts[n] for n in ("rows", "new", "same", "changed", "missing")} == {
        "rows": 5,
        "new": 2,
        "same": 1,
        "changed": 1,
        "missing": 3,
    }
    assert done.counts["refused"] == {"not_a_number": 1, "bad_time": 1}
    assert done.rows_total == 5


def test_the_same_file_again_changes_nothing(office: Office) -> None:
    content = table([(n, n) for n in range(30)])
    office.imported(content)
    again = office.imported(content)
    assert (again.counts["new"], again.counts["same"]) == (0, 60)
    assert len(office.values(office.level)) == 30


def test_a_corrected_value_is_kept_or_replaced_as_chosen(office: Office) -> None:
    office.measured(office.level, 0, 1.0, key="uplink")
    kept = office.imported(table([(2, "")]))
    assert office.values(office.level) == [1.0]
    assert reported(kept) == [(2, "level", "2", "kept")]
    before = held(office.level).id.tolist()
    replaced = office.imported(table([(2, "")]), office.rules(replace=True))
    assert office.values(office.level) == [2.0]
    assert held(office.level).id.tolist() == before
    assert reported(replaced) == [(2, "level", "2", "changed")]
    assert replaced.counts["new"] == 0


def test_of_two_rows_with_one_time_the_first_or_the_last_counts(office: Office) -> None:
    content = (
        table([(1, "")]) + table([(1, ""), (2, "")]).split("\n")[1] + "\n" + "2026-01-01 00:00;3;\n"
    )
    row = office.imported(content)
    assert (row.counts["new"], row.counts["same"], row.counts["changed"]) == (1, 1, 1)
    assert office.values(office.level) == [1.0]
    office.imported(content, office.rules(replace=True))
    assert office.values(office.level) == [3.0]


def test_the_files_unit_becomes_that_of_the_datastream(office: Office) -> None:
    targets = (
        tables.Target("level", office.level, None, -1.0, 500.0, unit="m"),
        tables.Target("flow", None, tables.New("Weather", "Temperatur", "Cel"), unit="[degF]"),
    )
    content = table([(1.234, 212)])
    row = office.imported(content, office.rules(targets=targets))
    assert office.values(office.level) == [376.6]
    made = tables.rules_of(row.rules).targets[1].datastream
    assert made is not None
    assert office.values(made) == [100.0]
    again = office.imported(content, tables.rules_of(row.rules))
    assert (again.counts["new"], again.counts["same"]) == (0, 2)


def test_a_unit_that_cannot_be_converted_is_told_before_anything_is_stored(office: Office) -> None:
    rules = office.rules(targets=(tables.Target("level", office.level, unit="Cel"),))
    with pytest.raises(tables.BadTable, match="Cel") as caught:
        office.imported(table([(1, 1)]), rules)
    assert caught.value.code == "unit"
    assert office.values(office.level) == []


def test_factor_and_offset_convert(office: Office) -> None:
    rules = office.rules(targets=(tables.Target("level", office.level, None, 100.0, -5.0),))
    office.imported(table([(0.6768, 0), (1.1, 0)]), rules)
    assert office.values(office.level) == [62.68, 105.0]


def test_a_long_table_names_its_datastreams_in_rows(office: Office) -> None:
    content = (
        "time;station;what;value\n"
        "2026-01-01 00:00;Bach;level;1,5\n"
        "2026-01-01 00:00;Bach;flow;0,2\n"
        "2026-01-01 00:00;Weiher;level;7\n"
        "2026-01-01 00:10;Bach;level;1,6\n"
    )
    long = tables.Long(("station", "what"), "value")
    rules = office.rules(
        long=long,
        targets=(
            tables.Target("Bach / level", office.level),
            tables.Target("Bach / flow", office.flow),
        ),
    )
    row = office.imported(content, rules)
    assert office.values(office.level) == [1.5, 1.6]
    assert office.values(office.flow) == [0.2]
    assert reported(row) == [(4, "station / what", "Weiher / level", "unknown_series")]
    found = tables.series_in(tables.file_of(row), rules, long, most_rows=100)
    assert found == ["Bach / flow", "Bach / level", "Weiher / level"]


def test_new_datastreams_are_made_once_and_only_by_the_import(office: Office) -> None:
    new = tables.New("Mühlbach", "Wassertemperatur", "Cel")
    rules = office.rules(targets=(tables.Target("level", None, new),))
    content = table([(9.5, 0)])
    assert office.checked(content, rules).counts["new"] == 1
    assert "Mühlbach" not in [each.label for each in tables.choices(office.owner)]
    first, second = office.imported(content, rules), office.imported(content, rules)
    (stream,) = {tables.rules_of(row.rules).targets[0].datastream for row in (first, second)}
    assert stream is not None
    info = streams([stream])[stream]
    assert (info.thing_name, info.unit_symbol) == ("Mühlbach", "°C")
    assert second.counts["same"] == 1


def test_rows_with_more_cells_than_columns_are_refused(office: Office) -> None:
    row = office.imported(table([(1, 2)]) + "2026-01-01 00:05;1;2;3\n2026-01-01 00:06;5;6;;\n")
    assert reported(row) == [(3, "", "3", "too_many_cells")]
    assert office.values(office.level) == [1.0, 5.0]


def test_a_file_that_lacks_a_column_fails_with_its_name(office: Office) -> None:
    row = office.imported("time;level\n2026-01-01 00:00;1\n")
    assert row.state == State.FAILED
    assert "flow" in row.problem_sentence


def test_a_file_without_data_fails(office: Office) -> None:
    assert office.imported("time;level;flow\n").problem["code"] == "no_data"


def test_datastreams_of_others_do_not_exist(office: Office) -> None:
    other = Office("elsewhere")
    rules = office.rules(targets=(tables.Target("level", other.level),))
    with pytest.raises(tables.BadTable) as caught:
        office.upload(table([(1, 1)]), rules)
    assert caught.value.code == "foreign"
    row = office.upload(table([(1, 1)]))
    TableImport.objects.filter(pk=row.pk).update(rules=tables.told(rules))
    row.refresh_from_db()
    tables.start_import(row)
    assert worked(row).problem["code"] == "foreign"
    assert office.values(other.level) == []


# --- interrupted ---------------------------------------------------------------------------------


def test_an_import_goes_on_where_it_was(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(understanding, "AT_ONCE", 10)
    row = office.upload(table([(n, "x") for n in range(55)]))
    tables.start_import(row)
    seen: list[int] = []
    for _ in range(3):
        claimed = tables.claim(tables.name_of_holder(), row.pk)
        assert claimed is not None
        tables.run(claimed, until=lambda: True, tell=lambda now: seen.append(now.rows_done))
    assert seen == [10, 20, 30]
    worked(row)
    assert row.state == State.DONE
    assert office.values(office.level) == [float(n) for n in range(55)]
    assert row.counts["new"] == 55
    assert [line for line, *_rest in reported(row)] == list(range(2, 57))


def test_stopping_and_importing_again_goes_on(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(understanding, "AT_ONCE", 10)
    row = office.upload(table([(n, n) for n in range(25)]))
    tables.start_import(row)
    claimed = tables.claim("me", row.pk)
    assert claimed is not None
    tables.run(claimed, tell=lambda now: tables.stop_work(row))
    assert row.state == State.FAILED
    assert row.problem["code"] == "stopped"
    assert 0 < len(office.values(office.level)) < 25
    tables.start_import(row)
    worked(row)
    assert office.values(office.level) == [float(n) for n in range(25)]
    assert row.counts["new"] == 50


def test_who_lost_the_lease_writes_nothing(office: Office) -> None:
    row = office.upload(table([(1, 1)]))
    tables.start_import(row)
    slow = tables.claim("slow", row.pk)
    assert slow is not None
    assert tables.claim("quick", row.pk) is None
    TableImport.objects.filter(pk=row.pk).update(held_until=now_us() - 1)
    quick = tables.claim("quick", row.pk)
    assert quick is not None
    tables.run(slow)
    assert office.values(office.level) == []
    tables.run(quick)
    assert office.values(office.level) == [1.0]


def test_a_file_at_work_is_not_described_anew(office: Office) -> None:
    row = office.upload(table([(1, 1)]))
    tables.start_check(row)
    with pytest.raises(Conflict):
        tables.set_rules(row, office.rules())
    with pytest.raises(Conflict):
        tables.start_import(row)


# --- workbooks -----------------------------------------------------------------------------------


def workbook(rows: list[list[Any]], **told: Any) -> bytes:
    book = Workbook()
    book.active.title = "Werte"
    for row in rows:
        book.active.append(row)
    for name, value in told.items():
        setattr(book, name, value)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def of_workbook(office: Office, content: bytes, **changes: Any) -> tuple[TableImport, Any]:
    row = tables.take(office.owner, "Werte.xlsx", [content])
    form = tables.form_of(row.form)
    rules = tables.recognise_rules(tables.file_of(row), form, "UTC")
    return row, office.rules(form=form, times=rules.times, missing=rules.missing, **changes)


def test_a_workbook_is_read_with_its_dates_and_numbers(office: Office) -> None:
    rows: list[list[Any]] = [["Messwerte"], ["time", "level", "flow"]]
    begin = datetime(2026, 1, 1)
    rows += [[begin + timedelta(minutes=n), n + 0.5, "1,5" if n else "#NV"] for n in range(4)]
    row, rules = of_workbook(office, workbook(rows))
    assert (rules.form.header, rules.form.first, rules.form.sheet) == (2, 3, "Werte")
    tables.set_rules(row, rules)
    tables.start_import(row)
    worked(row)
    assert office.values(office.level) == [0.5, 1.5, 2.5, 3.5]
    assert office.values(office.flow) == [1.5, 1.5, 1.5]
    assert held(office.level).phenomenon_start[1] - START == 60_000_000


@pytest.mark.parametrize(("year", "number"), [(1900, 46023.25), (1904, 44561.25)])
def test_plain_numbers_of_days_count_from_the_workbooks_own_year(
    office: Office, year: int, number: float
) -> None:
    epoch = {"epoch": datetime(1904, 1, 1)} if year == 1904 else {}
    content = workbook([["time", "level", "flow"], [number, 1, 2], [number + 1, 1, 2]], **epoch)
    row, rules = of_workbook(office, content)
    assert rules.times.column == "time"
    times = tables.Times("time", tables.TimeFormat.EXCEL)
    tables.set_rules(row, office.rules(form=rules.form, times=times))
    tables.start_import(row)
    worked(row)
    assert held(office.level).phenomenon_start[0] == START + DAY // 4


def test_a_bomb_of_a_workbook_is_not_opened(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = workbook([["time", "level", "flow"], *([["x" * 5_000, 1, 1]] * 400)])
    monkeypatch.setattr(limits, "MOST_UNPACKED", 50_000)
    with pytest.raises(tables.BadTable) as caught:
        tables.take(office.owner, "bomb.xlsx", [content])
    assert caught.value.code == "bomb"
    assert not TableImport.objects.exists()


# --- files ---------------------------------------------------------------------------------------


def test_a_file_that_is_too_large_is_not_kept(office: Office, settings: Any) -> None:
    settings.STADTHERZ = {**settings.STADTHERZ, "table_mb": "1"}
    with pytest.raises(tables.BadTable) as caught:
        tables.take(office.owner, "t.csv", [b"x" * 600_000] * 2)
    assert "1 MB" in str(caught.value)
    assert not TableImport.objects.exists()


def test_files_go_some_time_after_the_end_and_the_record_stays(office: Office) -> None:
    done, waiting = office.imported(table([(1, 1)])), office.upload(table([(1, 2)]))
    old = now_us() - (limits.KEPT_DAYS + 1) * DAY
    TableImport.objects.filter(pk=done.pk).update(finished_at=old)
    assert tables.sweep() == 1
    assert not keeping.folder_of(done.pk).exists()
    assert keeping.folder_of(waiting.pk).exists()
    done.refresh_from_db()
    assert done.file_gone
    with pytest.raises(tables.BadTable):
        tables.start_import(done)


def test_a_report_opens_in_a_spreadsheet_and_holds_no_formula(office: Office) -> None:
    row = office.imported(table([("=1+1", 1), ("-3x", 1)]))
    found = tables.read_report(tables.report_of(row), row.counts["lines"])
    lines = "".join(tables.as_csv(found)).splitlines()
    assert lines[0].startswith("\ufeff")
    assert lines[1].startswith("2;level;'=1+1;")
    assert len(lines) == 3


def test_a_mapping_fits_a_file_with_other_lines_above(office: Office) -> None:
    rules = office.rules()
    row = tables.take(
        office.owner, "t.csv", [("Messstelle: Bach\nStand: heute\n" + table([(1, 2)] * 9)).encode()]
    )
    fitted = tables.fitted(tables.file_of(row), rules)
    assert (fitted.form.header, fitted.form.first) == (3, 4)
    with pytest.raises(tables.BadTable) as caught:
        tables.fitted(
            tables.file_of(row), office.rules(targets=(tables.Target("gone", office.level),))
        )
    assert "gone" in str(caught.value)


# --- a check tells what an import does, whatever the file ------------------------------------------


class TestAgreement(TestCase):
    @settings(max_examples=15, deadline=None)
    @given(
        rows=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3)), min_size=1, max_size=40),
        replace=st.booleans(),
        there=st.lists(st.integers(0, 12), max_size=5, unique=True),
        portion=st.integers(1, 9),
    )
    def test_a_check_counts_what_an_import_does(
        self, rows: list[tuple[int, int]], replace: bool, there: list[int], portion: int
    ) -> None:
        office = Office(f"office-{now_us()}")
        for minute in there:
            office.measured(office.level, minute, 1.0)
        content = "time;level\n" + "".join(f"2026-01-01 00:{m:02};{v}\n" for m, v in rows)
        rules = office.rules(targets=(tables.Target("level", office.level),), replace=replace)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(understanding, "AT_ONCE", portion)
            checked, done = office.checked(content, rules), office.imported(content, rules)
        assert checked.counts == done.counts
        assert dict(
            zip(minutes(office.level), office.values(office.level), strict=True)
        ) == expected(rows, there, replace=replace)


def minutes(stream: int) -> list[int]:
    return [(at - START) // 60_000_000 for at in held(stream).phenomenon_start.tolist()]


def expected(rows: list[tuple[int, int]], there: list[int], *, replace: bool) -> dict[int, float]:
    """The slow, obvious way."""
    found = dict.fromkeys(there, 1.0)
    for minute, value in rows:
        if replace or minute not in found:
            found[minute] = float(value)
    return found
