import subprocess
import sys
import tarfile
from pathlib import Path

import pytest


def stadtherz(*arguments: str, data: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stadtherz.cli.main", *arguments, "--data", str(data)],
        env={"PYTHONPATH": str(Path(__file__).parents[3]), "PATH": "/usr/bin:/bin", **settings},
        capture_output=True,
        check=False,
        text=True,
    )


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("city")
    done = stadtherz("init", "--city", "Eppishausen", data=data)
    assert done.returncode == 0, done.stderr
    return data


@pytest.mark.parametrize("again", [("--city", "Eppishausen"), ("--city", "Anderswo"), ()])
def test_initialising_twice_changes_nothing(city: Path, again: tuple[str, ...]) -> None:
    before = (city / "credentials.json").read_text()
    done = stadtherz("init", *again, data=city)
    assert done.returncode == 0
    assert "already" in done.stderr
    assert (city / "credentials.json").read_text() == before
    assert (city / "city.txt").read_text() == "Eppishausen\n"


def test_people_and_tokens_are_added_from_the_command_line(city: Path) -> None:
    added = stadtherz(
        "user", "add", "a@b.example", "--organisation", "eppishausen",
        "--password", "forty-two-gauges", data=city,
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    token = stadtherz("token", "create", "sensor", "--organisation", "eppishausen", data=city)
    assert len(token.stdout.strip()) > 30


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("user", "add", "c@d.example", "--organisation", "atlantis", "--password", "x" * 12), "atlantis"),
        (("user", "add", "c@d.example", "--organisation", "eppishausen", "--password", "short"), "password"),
        (("user", "password", "nobody@b.example", "--password", "forty-two-gauges"), "nobody"),
        (("token", "create", "t", "--organisation", "atlantis"), "atlantis"),
    ],
)  # fmt: skip
def test_mistakes_are_said_in_one_sentence(
    city: Path, arguments: tuple[str, ...], reason: str
) -> None:
    done = stadtherz(*arguments, data=city)
    assert done.returncode == 1
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [("STADTHERZ_ENGINE", "mysql://host/name"), ("STADTHERZ_SMTP_URL", "mail.example:25")],
)
def test_a_setting_that_cannot_be_used_is_named(city: Path, name: str, value: str) -> None:
    done = stadtherz("check", data=city, **{name: value})
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {name}: must")


def test_a_backup_holds_the_city_but_no_plain_secrets(city: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup.tar.gz"
    (city / "texts").mkdir()
    (city / "texts" / "imprint.de.txt").write_text("Gemeinde Eppishausen", encoding="utf-8")
    assert stadtherz("backup", str(target), data=city).returncode == 0
    with tarfile.open(target) as archive:
        names = archive.getnames()
    assert {"stadtherz.sqlite3", "secret.key", "texts/imprint.de.txt"} <= set(names)
    assert "credentials.json" not in names
    assert target.stat().st_mode & 0o077 == 0


def test_check_finds_nothing_wrong_with_a_new_city(city: Path) -> None:
    done = stadtherz("check", data=city)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("init", "--email", "town hall"), "--email"),
        (("serve", "--port", "70000"), "--port"),
        (("serve", "--host", "no.such.host.invalid"), "--host"),
        (("demo", "--speed", "0"), "--speed"),
        (("serve", "--engine", "postgresql://u@127.0.0.1:1/x", "--port", "0"), "--engine"),
        (("serve", "--port", "0"), "stadtherz init --data"),
    ],
)
def test_an_operators_mistake_is_said_with_the_way_out(
    tmp_path: Path, arguments: tuple[str, ...], reason: str
) -> None:
    data = tmp_path / "none"
    done = stadtherz(*arguments, data=data)
    assert done.returncode in (1, 2)
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
    assert not (data / "stadtherz.sqlite3").exists()  # the next `init` starts from nothing


def test_a_data_folder_that_cannot_be_is_said_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = stadtherz("init", data=tmp_path / "file" / "city")
    assert done.returncode == 1
    assert "--data" in done.stderr
    assert "Traceback" not in done.stderr


def test_init_does_not_reset_a_city_whose_passwords_were_noted_down(tmp_path: Path) -> None:
    assert stadtherz("init", "--city", "Eppishausen", data=tmp_path).returncode == 0
    (tmp_path / "credentials.json").unlink()
    done = stadtherz("init", data=tmp_path)
    assert "already" in done.stderr
    assert not (tmp_path / "credentials.json").exists()


@pytest.mark.parametrize("kilobytes", [16, 300])
def test_a_full_disk_is_said_and_leaves_no_half_city(tmp_path: Path, kilobytes: int) -> None:
    script = f"""
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write past the limit fails, as on a full disk
resource.setrlimit(resource.RLIMIT_FSIZE, ({kilobytes * 1024},) * 2)
from stadtherz.cli.main import main
main(["init", "--data", {str(tmp_path)!r}])
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(Path(__file__).parents[3]), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 1
    assert "space left" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "stadtherz.sqlite3").exists()


def test_nobody_else_on_the_machine_reads_the_city(city: Path) -> None:
    for name in ("stadtherz.sqlite3", "secret.key", "credentials.json"):
        assert (city / name).stat().st_mode & 0o077 == 0, name
