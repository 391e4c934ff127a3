from pathlib import Path

import pytest

from stadtherz.base.errors import Invalid
from stadtherz.project.engine import database_settings


def test_without_an_engine_everything_is_one_file_in_the_data_folder() -> None:
    settings = database_settings("", Path("city"))
    assert settings["ENGINE"].endswith("sqlite3")
    assert settings["NAME"] == str(Path("city/stadtherz.sqlite3"))
    assert "synchronous=FULL" in settings["OPTIONS"]["init_command"]


def test_a_postgresql_address_is_taken_apart() -> None:
    settings = database_settings(
        "postgresql://me:p%40ss@db.example:5433/city?sslmode=require", Path()
    )
    assert (settings["USER"], settings["PASSWORD"]) == ("me", "p@ss")
    assert (settings["HOST"], settings["PORT"], settings["NAME"]) == ("db.example", "5433", "city")
    assert settings["OPTIONS"] == {"sslmode": "require"}


@pytest.mark.parametrize(
    "url", ["mysql://host/name", "postgresql://host:port/name", "postgresql://[host/name"]
)
def test_another_engine_is_refused_with_the_forms_that_work(url: str) -> None:
    with pytest.raises(Invalid, match="postgresql://"):
        database_settings(url, Path())
