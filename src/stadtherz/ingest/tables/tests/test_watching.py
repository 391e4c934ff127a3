"""Files that somebody puts into a folder are imported once, and put away with their report."""

from pathlib import Path
from typing import Any

import pytest

from stadtherz.ingest.public import TableImport, WatchedFolder, tables
from stadtherz.ingest.tables import watching
from stadtherz.ingest.tables.tests.factories import Office, put, table

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(settings: Any, tmp_path: Path) -> Office:
    settings.STADTHERZ = {**settings.STADTHERZ, "watched": tmp_path / "watched"}
    return Office()


@pytest.fixture
def folder(office: Office) -> WatchedFolder:
    mapping = tables.save_mapping(office.owner, "Monat", office.rules())
    made = WatchedFolder.objects.create(owner_id=office.owner, name="bach", mapping=mapping)
    watching.look_at_all(quiet_s=0)  # makes it
    return made


def looked(folder: WatchedFolder, times: int = 1) -> None:
    """Look, and let the worker work, so many times."""
    for _ in range(times):
        watching.look_at_all(quiet_s=0)
        while (claimed := tables.claim(tables.name_of_holder())) is not None:
            tables.run(claimed)


def names(folder: WatchedFolder, where: str = "") -> list[str]:
    path = tables.path_of(folder) / where
    return sorted(f.name for f in path.iterdir() if f.is_file() and f.name != ".lock")


def test_a_file_is_imported_and_lies_in_done_with_its_report(
    office: Office, folder: WatchedFolder
) -> None:
    put(tables.path_of(folder) / "juli.csv", table([(1, "x"), (2, 3)]))
    looked(folder, 2)
    assert office.values(office.level) == [1.0, 2.0]
    assert names(folder) == []
    assert names(folder, "done") == ["juli.csv", "juli.csv.report.csv"]
    report = tables.path_of(folder) / "done" / "juli.csv.report.csv"
    assert "2;flow;x;nicht übernommen;„x“ ist keine Zahl." in report.read_text(encoding="utf-8")


def test_a_file_that_still_grows_is_left_alone(office: Office, folder: WatchedFolder) -> None:
    file = put(tables.path_of(folder) / "juli.csv", table([(1, 1)]))
    for count in range(3):
        watching.look_at_all(quiet_s=3_600)
        put(file, table([(n, n) for n in range(count + 2)]))
    assert not TableImport.objects.exists()
    for name in ("neu.csv.part", ".neu.csv", "neu.tmp"):
        put(tables.path_of(folder) / name, table([(1, 1)]))
    looked(folder, 2)
    assert office.values(office.level) == [0.0, 1.0, 2.0, 3.0]
    assert len(names(folder)) == 3


def test_the_same_file_again_or_renamed_is_not_imported_twice(
    office: Office, folder: WatchedFolder
) -> None:
    content = table([(1, 1)])
    for name in ("juli.csv", "juli.csv", "august.csv"):
        put(tables.path_of(folder) / name, content)
        looked(folder, 2)
    assert TableImport.objects.count() == 1
    assert len(office.values(office.level)) == 1
    assert names(folder, "done") == [
        "august.csv",
        "august.csv.report.csv",
        "juli-2.csv",
        "juli-2.csv.report.csv",
        "juli.csv",
        "juli.csv.report.csv",
    ]


def test_what_cannot_be_read_lies_in_failed_and_says_why(
    office: Office, folder: WatchedFolder
) -> None:
    put(tables.path_of(folder) / "bild.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9)
    put(tables.path_of(folder) / "andere.csv", "Zeit;Wert\n01.01.2026 10:00;1\n" * 3)
    looked(folder, 3)
    assert names(folder, "failed") == [
        "andere.csv",
        "andere.csv.report.csv",
        "bild.csv",
        "bild.csv.report.csv",
    ]
    report = tables.path_of(folder) / "failed" / "andere.csv.report.csv"
    assert "keine Spalte namens" in report.read_text(encoding="utf-8")


def test_a_link_out_of_the_folder_is_not_followed(office: Office, folder: WatchedFolder) -> None:
    (tables.path_of(folder) / "passwd.csv").symlink_to("/etc/passwd")
    looked(folder, 2)
    assert not TableImport.objects.exists()


def test_a_process_that_died_in_between_is_followed_up(
    office: Office, folder: WatchedFolder
) -> None:
    """Killed after the file was taken, before anything was noted about it."""
    file = put(tables.path_of(folder) / "juli.csv", table([(1, 1)]))
    watching.look_at_all(quiet_s=0)
    WatchedFolder.objects.update(seen={})
    looked(folder, 2)
    assert TableImport.objects.count() == 1
    assert not file.exists()
    assert office.values(office.level) == [1.0]


def test_two_processes_do_not_look_at_once(office: Office, folder: WatchedFolder) -> None:
    put(tables.path_of(folder) / "juli.csv", table([(1, 1)]))
    with watching._alone(tables.path_of(folder)) as alone:
        assert alone
        watching.look_at_all(quiet_s=0)
    assert not TableImport.objects.exists()
    assert names(folder) == ["juli.csv"]
