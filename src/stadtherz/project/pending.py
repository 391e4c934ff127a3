"""Whether the database has the form of this version, told by the names of migrations alone."""

import pkgutil
from collections.abc import Iterator
from importlib.util import find_spec

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

_PRIVATE = ("_", "~")  # no migrations, as Django has it


def up_to_date() -> bool:
    """Every migration there is has been run.

    Django would load them all to find out: some 290 modules, which stay to the end of the process.
    """
    recorder = MigrationRecorder(connections[DEFAULT_DB_ALIAS])
    return recorder.applied_migrations().keys() >= set(_there())


def _there() -> Iterator[tuple[str, str]]:
    for app in apps.get_app_configs():
        package, _chosen = MigrationLoader.migrations_module(app.label)
        spec = find_spec(package) if package else None
        places = spec.submodule_search_locations if spec else None
        for module in pkgutil.iter_modules(places or []):
            if not module.name.startswith(_PRIVATE):
                yield app.label, module.name
