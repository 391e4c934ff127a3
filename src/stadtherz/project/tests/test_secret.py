from pathlib import Path

import pytest

from stadtherz.project.secret import secret_key


@pytest.fixture(autouse=True)
def no_key_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STADTHERZ_SECRET_KEY")


def test_the_key_is_made_once_and_stays(tmp_path: Path) -> None:
    first = secret_key(tmp_path / "city")
    assert len(first) > 50
    assert secret_key(tmp_path / "city") == first


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    secret_key(tmp_path)
    assert (tmp_path / "secret.key").stat().st_mode & 0o077 == 0


def test_the_environment_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STADTHERZ_SECRET_KEY", "given")
    assert secret_key(tmp_path) == "given"
    assert not (tmp_path / "secret.key").exists()
