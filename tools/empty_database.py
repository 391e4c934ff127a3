"""Writes src/stadtherz/project/empty.sql.gz again: the dump that a new city starts from.

Run it after adding a migration:  .venv/bin/python tools/empty_database.py
"""

import gzip
import os
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src"
TARGET = SOURCE / "stadtherz" / "project" / "empty.sql.gz"
# Moments that differ from run to run say nothing; one fixed day keeps the dump the same.
_FIXED = "2026-01-01 00:00:00"


def main() -> None:
    """Migrate an empty database and write its dump."""
    with tempfile.TemporaryDirectory() as folder:
        database = migrated(Path(folder))
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("UPDATE django_migrations SET applied = ?", (_FIXED,))
            connection.commit()
            text = "\n".join(connection.iterdump()) + "\n"
    with TARGET.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(text.encode())
    print(
        f"{TARGET.relative_to(SOURCE.parent)}: {len(text)} characters, {TARGET.stat().st_size} bytes"
    )


def migrated(folder: Path) -> Path:
    """A database in `folder` to which every migration has been applied."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "stadtherz.project.settings",
        "STADTHERZ_DATA": str(folder),
        "STADTHERZ_ENGINE": "",
    }
    os.environ.pop("STADTHERZ_SERVICES", None)  # every service, whatever the caller switched off
    sys.path.insert(0, str(SOURCE))
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections

    call_command("migrate", verbosity=0, skip_checks=True)
    connections.close_all()
    return folder / "stadtherz.sqlite3"


if __name__ == "__main__":
    main()
