from pathlib import Path

from stadtherz.project import credentials
from stadtherz.project.credentials import Account, Credentials
from stadtherz.project.founding import new_password

KNOWN = Credentials(
    accounts={"admin": Account("a@b.example", "pass-word", "administrator", "Stadt")},
    tokens={"admin": "t0ken"},
)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    credentials.write(tmp_path, KNOWN)
    assert credentials.read(tmp_path) == KNOWN


def test_nothing_there_is_no_error(tmp_path: Path) -> None:
    assert credentials.read(tmp_path) is None


def test_the_file_is_private_also_when_it_replaces_another(tmp_path: Path) -> None:
    credentials.path_in(tmp_path).write_text("{}")
    credentials.path_in(tmp_path).chmod(0o644)
    credentials.write(tmp_path, KNOWN)
    assert credentials.path_in(tmp_path).stat().st_mode & 0o777 == 0o600


def test_passwords_differ_and_are_long() -> None:
    made = {new_password() for _ in range(200)}
    assert len(made) == 200
    assert all(len(password) == 19 for password in made)
