import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from stadtherz.project import template


def tables(database: str | Path) -> dict[str, str]:
    """Every table and index of a database with the statement that makes it."""
    with closing(sqlite3.connect(database)) as opened:
        found = opened.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        return {name: " ".join(sql.split()) for name, sql in found if "sqlite_" not in name}


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database made by the migrations, one after another, in a process of its own."""
    folder = tmp_path_factory.mktemp("migrated")
    root = Path(__file__).parents[4]
    script = f"from pathlib import Path; from tools.empty_database import migrated; migrated(Path({str(folder)!r}))"
    subprocess.run([sys.executable, "-c", script], cwd=root, check=True)
    return folder / "stadtherz.sqlite3"


def test_the_dump_makes_the_same_tables_as_the_migrations(migrated: Path, tmp_path: Path) -> None:
    made = tmp_path / "city.sqlite3"
    template.install(made)
    assert tables(made) == tables(migrated), "a migration was added: run tools/empty_database.py"


def test_the_dump_has_every_migration_and_first_row_behind_it(
    migrated: Path, tmp_path: Path
) -> None:
    made = tmp_path / "city.sqlite3"
    template.install(made)
    for query in (
        "SELECT app, name FROM django_migrations",
        "SELECT app_label, model FROM django_content_type",
        "SELECT name FROM auth_group",
        "SELECT codename FROM auth_permission",
    ):
        with closing(sqlite3.connect(made)) as one, closing(sqlite3.connect(migrated)) as other:
            assert sorted(one.execute(query)) == sorted(other.execute(query)), query


def test_a_database_that_is_there_is_left_alone(tmp_path: Path) -> None:
    database = tmp_path / "city.sqlite3"
    assert template.install(database)
    with closing(sqlite3.connect(database)) as opened:
        opened.execute("CREATE TABLE mine (x)")
    assert not template.install(database)
    assert "mine" in tables(database)


def test_an_interrupted_first_start_is_simply_repeated(tmp_path: Path) -> None:
    (tmp_path / "city.draft").write_bytes(b"half a database")
    assert template.install(tmp_path / "city.sqlite3")
    assert not (tmp_path / "city.draft").exists()
