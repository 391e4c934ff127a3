"""The product as its own process, on the benchmark's data folder."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bench.setup import DATA


@contextmanager
def served() -> Iterator[str]:
    """The address of `stadtherz serve` while the block runs."""
    with running() as (url, _pid):
        yield url


@contextmanager
def running() -> Iterator[tuple[str, int]]:
    """The address of `stadtherz serve` and its process while the block runs."""
    command = [sys.executable, "-m", "stadtherz.cli.main", "serve"]
    options = ["--data", str(DATA), "--port", "0", "--json"]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, env=_environment()) as run:
        try:
            line = run.stdout.readline() if run.stdout else b""
            if not line:
                raise SystemExit(f"stadtherz serve ended with {run.wait()}")
            yield json.loads(line)["url"].rstrip("/"), run.pid
        finally:
            run.send_signal(signal.SIGINT)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "STADTHERZ_URL"}
