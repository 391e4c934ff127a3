"""A second service lives in a folder of its own and touches nothing else.

It is made by the same command a newcomer uses, stands outside the product's tree, and is switched on by
one line of configuration. Then its own tests run in a fresh process: the contract, its reactor, its page
and its tile on the start page.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stadtherz.base.errors import Conflict, Invalid
from stadtherz.kit.scaffold import new_service

ROOT = Path(__file__).parents[2]


def run_tests(*paths: Path | str, services: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """pytest in a process of its own, with its own data folder and these services switched on."""
    (folder / "data").mkdir()
    path = os.pathsep.join([str(folder), str(ROOT / "src"), str(ROOT)])
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "pyproject.toml",
         "--rootdir", str(ROOT), *map(str, paths)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path, "STADTHERZ_SERVICES": services,
             "STADTHERZ_DATA": str(folder / "data"), "STADTHERZ_ENGINE": ""},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip


@pytest.mark.process
def test_a_new_service_passes_its_tests_and_the_contract(tmp_path: Path) -> None:
    folder = new_service("noise", tmp_path)
    done = run_tests(folder, services="water,noise.service:SERVICE", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.process
def test_the_product_runs_with_every_service_switched_off(tmp_path: Path) -> None:
    done = run_tests(Path(__file__).with_name("switched_off.py"), services="", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_service_is_not_made_twice(tmp_path: Path) -> None:
    new_service("noise", tmp_path)
    with pytest.raises(Conflict, match="exists already"):
        new_service("noise", tmp_path)


@pytest.mark.parametrize("name", ["", "Noise", "1noise", "a-b", "../up", "noise.service"])
def test_a_name_that_is_no_word_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Invalid, match="lower-case word"):
        new_service(name, tmp_path)
