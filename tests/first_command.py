"""Runs the README's first command, word for word, in a fresh clone, and asks the city for its first page.

Called by tests/run.sh; it is no pytest test because it installs everything once more.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parent.parent


def first_command() -> str:
    """The command line that the README promises, made to print one line for scripts."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    command = re.search(r"^python3 -m venv .*stadtherz demo$", readme, re.MULTILINE)
    assert command, "the README no longer shows its first command"
    return f"{command[0]} --port 0 --json"


def main() -> int:
    """Clone, run the command, read a page in both languages, end it with Ctrl-C."""
    with tempfile.TemporaryDirectory(prefix="stadtherz-first-") as folder:
        clone = Path(folder) / "stadtherz"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        city = subprocess.Popen(
            ["bash", "-c", first_command()], cwd=clone, stdout=subprocess.PIPE, text=True
        )
        assert city.stdout is not None
        ready = next((line for line in city.stdout if line.startswith("{")), None)
        if ready is None:
            print("the first command ended before the city was ready")
            return 1
        facts = json.loads(ready)
        for page in ("", "en/", "sta/v1.1"):
            with urllib.request.urlopen(facts["url"] + page, timeout=60) as answer:
                print(f"{answer.status} {facts['url']}{page}")
        os.kill(facts["pid"], signal.SIGINT)
        return city.wait(timeout=60)


if __name__ == "__main__":
    sys.exit(main())
