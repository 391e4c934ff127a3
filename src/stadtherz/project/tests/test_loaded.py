"""What a server holds from its start to its end, measured by what it has loaded."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_START = """
import sys
from pathlib import Path
from stadtherz.cli import instance
instance.choose(Path(sys.argv[1]))
instance.load()
instance.migrate()
from stadtherz.project import asgi
from django.urls import get_resolver
get_resolver().url_patterns
print(*sys.modules, sep="\\n")
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """The modules of a server on SQLite that is ready to answer."""
    done = subprocess.run(
        [sys.executable, "-c", _START, str(tmp_path_factory.mktemp("city"))],
        env={"PYTHONPATH": str(Path(__file__).parents[3]), "PATH": os.defpath},
        capture_output=True,
        check=True,
        text=True,
    )
    return frozenset(done.stdout.split())


@pytest.mark.parametrize(
    "package", ["charset_normalizer", "pillow_heif", "psycopg", "pygments", "requests", "yaml"]
)
def test_what_others_load_only_because_they_find_it_stays_away(
    loaded: frozenset[str], package: str
) -> None:
    assert {"bs4", "rest_framework", "willow"} <= loaded
    assert package not in loaded


def test_a_database_of_this_version_needs_no_migration_loaded(loaded: frozenset[str]) -> None:
    assert not {
        name for name in loaded if name.startswith("stadtherz.") and ".migrations.0" in name
    }
