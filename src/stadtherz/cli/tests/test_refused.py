"""`stadtherz refused` on a city to which an unknown device has sent."""

from pathlib import Path

import pytest

from stadtherz.cli.tests.test_store import python

KEEP = """
import sys
from pathlib import Path
from stadtherz.cli import instance
instance.choose(Path(sys.argv[1]))
instance.load()
from stadtherz.base.visibility import Scope, Visibility
from stadtherz.ingest.public import Delivery, deliver, stop
from stadtherz.store.public import organisations, stop_writer
by = Visibility(home=organisations()[0].id, scopes=frozenset({Scope.INGEST}))
body = b'{"end_device_ids": {"dev_eui": "A1B2C3D4E5F60718"}, "uplink_message": {"f_port": 1}}'
(delivered,) = deliver([Delivery("tts", body, "", 1_700_000_000_000_000, by)])
delivered.keep()
stop()
stop_writer()
"""


@pytest.fixture
def data(tmp_path: Path) -> str:
    data = str(tmp_path / "city")
    made = python("-m", "stadtherz.cli.main", "init", "--city", "Eppishausen", "--data", data)
    assert made.returncode == 0, made.stderr
    kept = python("-c", KEEP, data)
    assert kept.returncode == 0, kept.stderr
    return data


def test_what_waits_is_listed_and_run_again(data: str) -> None:
    listed = python("-m", "stadtherz.cli.main", "refused", "list", "--data", data)
    assert "1  unknown_device" in listed.stdout
    assert "2023-11-14T22:13:20Z  tts  The device A1B2C3D4E5F60718 is not" in listed.stdout
    eui = "a1b2c3d4e5f60718"
    again = python(
        *("-m", "stadtherz.cli.main", "refused", "replay", "--device", eui, "--data", data)
    )
    assert (again.returncode, again.stdout) == (1, "0 stored, 1 refused again, 0 left\n")
    other = python(
        *("-m", "stadtherz.cli.main", "refused", "list", "--organisation", "none", "--data", data)
    )
    assert other.returncode == 1
    assert "none" in other.stderr
