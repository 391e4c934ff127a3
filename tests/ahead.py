"""Starts the product with a clock that is ahead: `python ahead.py FILE VERB …`; FILE holds the seconds."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from stadtherz.base import time

_AHEAD = Path(sys.argv.pop(1))


def now() -> datetime:
    """The present instant and what the test has let pass."""
    return datetime.now(UTC) + timedelta(seconds=float(_AHEAD.read_text()))


time.now = now  # before anybody takes the name from there

from stadtherz.cli.main import main  # noqa: E402

main(prog_name="stadtherz")
