"""Processes that begin with the product loaded: forked from one that has loaded it once.

Loading takes seconds, and a test that kills a process at every step needs many. Each fork is a
process of its own in all that matters here: it has its own connections and threads, and kill -9 ends
it like any other. What a city starts (`tests/product.py`) is started as a city does.
"""

import importlib
import multiprocessing
import os
import runpy
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TextIO
from urllib.parse import quote

from django.conf import settings
from django.db import connections

_ROOT = Path(__file__).parents[1]
_SETTINGS = "stadtherz.project.settings"
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["pytest", "tests.loaded"])


class Forked:
    """One run of a program, a file that would be run as `python FILE ARGUMENTS...`.

    It works on this test's database; what `more` names is added to its environment.
    """

    def __init__(self, program: Path, *arguments: object, **more: str) -> None:
        heard, told = _forks.Pipe(duplex=False)
        line = [str(program), *map(str, arguments)]
        given = (line, {**_environment(), **more}, told)
        self._process = _forks.Process(target=_run, args=given, daemon=True)
        with _path_for_the_server():
            self._process.start()
        told.close()
        self.stdout: TextIO = os.fdopen(os.dup(heard.fileno()), encoding="utf-8")
        heard.close()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def wait(self, timeout: float) -> int:
        """How it ended: -9 for a kill; raises `TimeoutError` if it goes on for longer."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise TimeoutError
        return self._process.exitcode

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        """Kill it unless it has ended, and give back what it held here."""
        self.kill()
        self._process.join()
        self._process.close()
        self.stdout.close()


@contextmanager
def forked(program: Path, *arguments: object, **more: str) -> Iterator[Forked]:
    """Runs within the block; at its end comes kill -9."""
    process = Forked(program, *arguments, **more)
    try:
        yield process
    finally:
        process.end()


def engine_url() -> str:
    """The URL of the database this test runs on, for another process."""
    known = connections["default"].settings_dict
    if "sqlite" in known["ENGINE"]:
        return f"sqlite://{quote(str(known['NAME']))}"
    user = quote(known["USER"]) + (f":{quote(known['PASSWORD'])}" if known["PASSWORD"] else "")
    return f"postgresql://{user}@{known['HOST']}:{known['PORT']}/{known['NAME']}"


def _environment() -> dict[str, str]:
    return {
        **os.environ,
        "STADTHERZ_ENGINE": engine_url(),
        "STADTHERZ_SECRET_KEY": settings.SECRET_KEY,  # passwords are sealed with it
    }


@contextmanager
def _path_for_the_server() -> Iterator[None]:
    """The server begins with the first fork and finds its modules by the environment alone."""
    before = dict(os.environ)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(_ROOT / "src"), str(_ROOT), *sys.path])
    os.environ["DJANGO_SETTINGS_MODULE"] = _SETTINGS
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _run(line: list[str], environment: dict[str, str], told: Connection) -> None:
    """In the fork: the environment, its settings and the output are those of the program's own."""
    os.dup2(told.fileno(), 1)
    os.environ.clear()
    os.environ.update(environment)
    _read_settings_again()
    sys.argv = line
    runpy.run_path(line[0], run_name="__main__")


def _read_settings_again() -> None:
    module = importlib.reload(importlib.import_module(_SETTINGS))
    for name in filter(str.isupper, dir(module)):
        setattr(settings, name, getattr(module, name))
    connections._settings = None
    connections.__dict__.pop("settings", None)
