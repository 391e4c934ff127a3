"""What every test may rely on: a data folder of its own, and a test database in a moment."""

import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.documents import documents
from tests.rows import Rows, Shelf, emptied_by_a_flush, kept, put_back

os.environ.setdefault("STADTHERZ_DATA", tempfile.mkdtemp(prefix="stadtherz-test-"))
os.environ.setdefault("STADTHERZ_SECRET_KEY", "only-for-tests-" + "x" * 40)

# No test depends on how fast the machine happens to be.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")

pytest_collect_file = documents.pytest()

# The tables that have rows as soon as there are tables.
_FIRST_ROWS = {
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "django_content_type",
}


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """On SQLite, lay out the packaged empty database; migrations it lacks are applied on top.

    project/tests/test_template.py shows that it is what the migrations make.
    """
    from django.db import connections

    from stadtherz.project import template

    settings = connections["default"].settings_dict
    if not settings["ENGINE"].endswith("sqlite3"):
        return False
    database = Path(settings["TEST"]["NAME"])
    for leftover in database.parent.glob(f"{database.name}*"):
        leftover.unlink()
    database.parent.mkdir(parents=True, exist_ok=True)
    return template.install(database)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """This process will not lose power: its SQLite need not wait for the disk.

    Processes that tests start and kill do wait; they have the product's own settings.
    """
    from django.db import connections

    options = connections["default"].settings_dict["OPTIONS"]
    if "init_command" in options:
        options["init_command"] += "PRAGMA synchronous=OFF;"


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> None:
    """A password costs a moment instead of most of a second."""
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session", autouse=True)
def patient_browser(request: pytest.FixtureRequest) -> None:
    """A machine that is busy with other things may take longer than Playwright expects."""
    if any(item.get_closest_marker("browser") for item in request.session.items):
        from playwright.sync_api import expect

        expect.set_options(timeout=60_000)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """End the threads that still hold a connection before the test database goes."""
    yield
    from stadtherz.store.public import stop_writer
    from stadtherz.stream.public import stop_dispatcher

    stop_dispatcher()
    stop_writer()


@pytest.fixture(scope="session")
def shelf() -> Shelf:
    """What takes long to set up and is the same in many tests."""
    return Shelf()


@pytest.fixture(scope="session", autouse=True)
def quick_flush() -> None:
    """PostgreSQL empties tables as SQLite does: a TRUNCATE makes new files for hundreds of them."""
    from django.db.backends.postgresql.operations import DatabaseOperations

    def sql_flush(
        self: DatabaseOperations, style: object, tables: list[str], **_: object
    ) -> list[str]:
        return [f"DELETE FROM {self.quote_name(table)}" for table in tables]  # noqa: S608 - our own

    DatabaseOperations.sql_flush = sql_flush  # type: ignore[method-assign,assignment]


@pytest.fixture
def quiet_tail(transactional_db: None) -> Iterator[None]:
    """The thread that follows the log ends a moment after its last listener; the next log is another."""
    yield
    for thread in threading.enumerate():
        if thread.name == "stream-tail":
            thread.join(120)  # it takes a second, on a busy machine many


@pytest.fixture(scope="session", autouse=True)
def quick_first_rows() -> None:
    """What `post_migrate` makes in an empty database is put back after a flush, not made again.

    Content types, permissions and the groups of the roles: many small queries, and a fresh look for
    them was most of what a test with transactions of its own cost. So they keep their ids, too.
    """
    from django.core.management.commands import flush

    from stadtherz.store.writing.changes import forget_orphans

    make = flush.emit_post_migrate_signal
    made: list[Rows] = []

    def make_once(*arguments: object, **named: object) -> None:
        if made:
            forget_orphans()
            put_back(made[0])
            return
        make(*arguments, **named)
        made.append(kept(emptied_by_a_flush()))
        assert set(made[0]) == _FIRST_ROWS, f"a test still writes: {set(made[0]) ^ _FIRST_ROWS}"

    flush.emit_post_migrate_signal = make_once
