"""A new SQLite database in a moment: from a dump of an empty, fully migrated one.

Running some 170 migrations takes a quarter of a minute, most of it for tables that are built and
rebuilt; a city that starts should not wait for that. `tools/empty_database.py` writes the dump, and a
test compares it with what the migrations make. Whatever a later version or another package's
service adds is migrated as usual after it.
"""

import gzip
import sqlite3
from contextlib import closing
from importlib import resources
from pathlib import Path

DUMP = "empty.sql.gz"


def dump() -> str:
    """The SQL text that makes an empty city's database."""
    return gzip.decompress((resources.files(__package__) / DUMP).read_bytes()).decode()


def install(database: Path) -> bool:
    """Make `database` from the dump unless it is there already; True if it was made.

    The file appears whole or not at all, so an interrupted first start can simply be repeated.
    """
    if database.exists():
        return False
    draft = database.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with closing(sqlite3.connect(draft)) as connection:
        connection.executescript(dump())
    draft.replace(database)
    return True
