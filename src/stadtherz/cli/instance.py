"""One running city: its data folder, its database, and the options that choose them."""

import functools
import gc
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from stadtherz.base.errors import StadtherzError

DEFAULT_DATA = Path("stadtherz-data")


def choose(data: Path, engine: str | None = None) -> None:
    """Point settings at an instance. Must come before anything of Django is loaded."""
    os.umask(0o077)  # measurements may be public, but passwords' digests lie in the same file
    data.mkdir(parents=True, exist_ok=True)
    os.environ["DJANGO_SETTINGS_MODULE"] = "stadtherz.project.settings"
    os.environ["STADTHERZ_DATA"] = str(data.resolve())
    if engine:
        os.environ["STADTHERZ_ENGINE"] = engine


def load() -> None:
    """Load Django with the chosen instance; from here on its settings are fixed."""
    import django
    from django.utils import translation

    try:
        with _no_search_for_garbage():
            django.setup()
    except StadtherzError as problem:  # a setting that cannot be used
        raise click.ClickException(str(problem)) from problem
    translation.activate("en")  # the command line speaks one language, whatever the pages speak


@contextmanager
def _no_search_for_garbage() -> Iterator[None]:
    """What is loaded stays: to look through it again and again was a quarter of every start."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def data_folder() -> Path:
    """The chosen instance's folder."""
    return Path(os.environ["STADTHERZ_DATA"])


def migrate() -> bool:
    """Bring the database to this version's form; True if anything had to be done."""
    from django.core.management import call_command
    from django.db import connections

    from stadtherz.project import template
    from stadtherz.project.pending import up_to_date

    settings = connections["default"].settings_dict
    made = settings["ENGINE"].endswith("sqlite3") and template.install(Path(settings["NAME"]))
    if up_to_date():
        return made
    call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
    return True


def require_initialised() -> None:
    """Refuse to work on a database that is not set up, and name the way out."""
    from django.db import connections

    settings = connections["default"].settings_dict
    # Asking SQLite about a file that is not there would make an empty one.
    missing = settings["ENGINE"].endswith("sqlite3") and not Path(settings["NAME"]).exists()
    if missing or "store_organisation" not in connections["default"].introspection.table_names():
        data = data_folder()
        raise click.ClickException(
            f"There is no city in {data} yet. Set one up with: stadtherz init --data {data}"
        )


@contextmanager
def _explained(data: Path) -> Iterator[None]:
    """What an operator can do something about is said in a sentence, without a traceback."""
    from django.db import OperationalError

    try:
        yield
    except StadtherzError as problem:
        raise click.ClickException(str(problem)) from problem
    except (OperationalError, sqlite3.OperationalError) as problem:
        raise click.ClickException(
            f"The database does not work: {str(problem).strip()}\n"
            f"Check --engine (STADTHERZ_ENGINE), and whether {data} can be written and has space left."
        ) from problem
    except OSError as problem:
        raise click.ClickException(
            f"{problem.filename or data}: {problem.strerror}. The data folder must be writable and "
            "have space left; choose another one with --data"
        ) from problem


def instance_options(command: Callable[..., None]) -> Callable[..., None]:
    """The two options of every verb; the command calls `load` when its settings are complete."""

    @click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        default=DEFAULT_DATA,
        envvar="STADTHERZ_DATA",
        show_default=True,
        help="The folder that holds everything of this city.",
    )
    @click.option(
        "--engine",
        envvar="STADTHERZ_ENGINE",
        help="Database, for example postgresql://user:password@host/name. Default: SQLite in the data folder.",
    )
    @functools.wraps(command)
    def with_instance(*, data: Path, engine: str | None, **options: Any) -> None:
        with _explained(data):
            choose(data, engine)
            command(**options)

    return with_instance
