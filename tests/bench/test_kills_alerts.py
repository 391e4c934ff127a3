"""kill -9 of the whole chain of alerts, from the uplink to gateways that count."""

import os
import subprocess
import sys

import pytest

from tests.bench.test_bench import ROOT
from tests.bench.test_kills import engine

__all__ = ["engine"]
pytestmark = pytest.mark.process


def test_recorded_floods_owe_each_message_once_however_often_the_server_is_killed(
    engine: dict[str, str],
) -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("STADTHERZ_", "DJANGO_"))}
    done = subprocess.run(
        [sys.executable, "-m", "bench.kills_alerts", "--quick"],
        cwd=ROOT,
        env=kept | engine | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        check=False,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split("|")[1:-1] for line in done.stdout.splitlines() if line.startswith("| ")][2:]
    assert [row[0].strip() for row in rows] == ["email", "sms"]
    for _way, promised, once, uncertain, *wrong in rows:
        assert int(promised) > 40
        assert int(once) + int(uncertain) == int(promised)
        assert [each.strip() for each in wrong] == ["0", "0", "0"]
