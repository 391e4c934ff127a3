"""From one URL to Django's database settings: SQLite in the data folder, or PostgreSQL."""

from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from stadtherz.base.errors import Invalid

# WAL lets readers and the one writer work side by side; FULL makes a commit survive a power cut.
# FAST wipes what is deleted within a page, but does not write pages that become free as a whole.
_SQLITE_SETUP = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=8000;"
    "PRAGMA cache_size=-32000; PRAGMA temp_store=MEMORY; PRAGMA secure_delete=FAST;"
)


def database_settings(url: str, data: Path) -> dict[str, Any]:
    """Settings for `url`: empty (SQLite in `data`), sqlite:///path or postgresql://user:pw@host/db."""
    if not url or url == "sqlite":
        return _sqlite(data / "stadtherz.sqlite3")
    parts = _parts(url)
    if parts.scheme == "sqlite":
        return _sqlite(Path(unquote(parts.path)))
    if parts.scheme in ("postgres", "postgresql"):
        return {
            "ENGINE": "stadtherz.store.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(parts.hostname or ""),
            "PORT": str(parts.port or ""),
            "CONN_MAX_AGE": None,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": dict(parse_qsl(parts.query)),
        }
    raise _unusable()


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # read only now, and only then checked
    except ValueError as problem:
        raise _unusable() from problem
    return parts


def _unusable() -> Invalid:
    return Invalid(
        "STADTHERZ_ENGINE", "must be sqlite:///path or postgresql://user:password@host:port/name"
    )


def _sqlite(path: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        # Tests use a file too: threads and processes must meet the same database.
        "TEST": {"NAME": str(path.with_name("test.sqlite3"))},
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": 30,
            "transaction_mode": "IMMEDIATE",
            "init_command": _SQLITE_SETUP,
        },
    }
