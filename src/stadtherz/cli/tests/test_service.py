"""`stadtherz service new`, as a newcomer types it: no city, no settings, another folder."""

import subprocess
import sys
from pathlib import Path


def new(name: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stadtherz.cli.main", "service", "new", name, "--into", "."],
        cwd=folder,
        env={"PYTHONPATH": str(Path(__file__).parents[3]), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=False,
        text=True,
    )


def test_a_new_service_is_made_without_a_city(tmp_path: Path) -> None:
    done = new("noise", tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "noise" / "service.py").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["noise"]


def test_an_impossible_name_is_refused_in_one_sentence(tmp_path: Path) -> None:
    done = new("Noise!", tmp_path)
    assert done.returncode == 1
    assert "lower-case word" in done.stderr
    assert "Traceback" not in done.stderr
