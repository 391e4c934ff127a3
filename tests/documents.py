"""Runs every `bash` and `python` block of the docs and guides, in order, one document after another.

A document gets an empty folder and a port of its own; `127.0.0.1:8000` in the text stands for it. A block
whose last command is `stadtherz serve` or `stadtherz demo` is left running until the document ends. Blocks that
change the machine (installing, services of the system) are written as `console`; tests/run.sh does
those for real.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser

ROOT = Path(__file__).parent.parent
_STARTS_SERVER = re.compile(r"^\s*(?:[A-Z_]+=\S+\s+)*stadtherz (serve|demo)\b[^|]*$")
# A reader's own variables, and those that choose an instance.
_KEPT = "^declare -[x-]+ ([a-z]|STADTHERZ_|PYTHONPATH)"
_LIMIT_S = 180


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def set_up(namespace: dict[str, Any]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="stadtherz-docs-"))
    bin_folder = folder / ".bin"
    bin_folder.mkdir()
    _program(bin_folder / "stadtherz", f'"{sys.executable}" -m stadtherz.cli.main')
    _program(bin_folder / "python", f'"{sys.executable}"')
    port = _free_port()
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("STADTHERZ_", "DJANGO_"))}
    namespace["folder"] = folder
    namespace["port"] = port
    namespace["servers"] = []
    namespace["environment"] = kept | {
        "PATH": f"{bin_folder}:{kept['PATH']}",
        "PYTHONPATH": str(ROOT / "src"),
        "STADTHERZ_PORT": str(port),
    }


def _program(path: Path, command: str) -> None:
    path.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    path.chmod(0o755)


def tear_down(namespace: dict[str, Any]) -> None:
    for server in namespace["servers"]:
        server.terminate()
        server.wait(timeout=_LIMIT_S)
    shutil.rmtree(namespace["folder"], ignore_errors=True)


def run_bash(example: Example) -> str | None:
    """Run one block; a failing command fails the document and shows what it printed."""
    space = example.namespace
    text = str(example.parsed).replace("127.0.0.1:8000", f"127.0.0.1:{space['port']}")
    *before, last = text.rstrip("\n").split("\n")
    if _STARTS_SERVER.match(last):
        if before:
            _run(space, "\n".join(before))
        space["servers"].append(_start(space, last))
    else:
        _run(space, text)
    return None


def _run(space: dict[str, Any], text: str) -> None:
    # Variables that one block sets are there in the next, as in a reader's terminal.
    script = (
        f"set -euo pipefail\n{_recalled(space)}\n{text}\n"
        f"declare -p | grep -E '{_KEPT}' > '{_state(space)}' || true\n"
    )
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=space["folder"],
        env=space["environment"],
        check=False,
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
    )
    assert done.returncode == 0, f"{text}\n--- output\n{done.stdout}\n--- errors\n{done.stderr}"


def _state(space: dict[str, Any]) -> Path:
    folder: Path = space["folder"]
    return folder / ".variables"


def _recalled(space: dict[str, Any]) -> str:
    return f"if [ -f '{_state(space)}' ]; then source '{_state(space)}'; fi"


def _start(space: dict[str, Any], command: str) -> "subprocess.Popen[bytes]":
    server = subprocess.Popen(
        ["bash", "-c", f"{_recalled(space)}\nexec env {command}"],
        cwd=space["folder"],
        env=space["environment"],
    )
    for _ in range(_LIMIT_S * 5):
        assert server.poll() is None, f"{command} ended with {server.returncode}"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{space['port']}/healthz", timeout=5):
                return server
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise AssertionError(f"{command} never answered")


documents = Sybil(
    parsers=[CodeBlockParser(language="bash", evaluator=run_bash), PythonCodeBlockParser()],
    patterns=["docs/**/*.md", "src/stadtherz/services/*/guide.md"],
    setup=set_up,
    teardown=tear_down,
    path=str(ROOT),
)
