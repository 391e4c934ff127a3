"""The door of the kit for those who run services; those who write one import `declaration`."""

from stadtherz.kit.reactors import consumers
from stadtherz.kit.registry import installed_service_apps, service, services
from stadtherz.kit.retention import also_keep, personal_tables, sweep
from stadtherz.kit.scaffold import new_service

__all__ = [
    "also_keep",
    "consumers",
    "installed_service_apps",
    "new_service",
    "personal_tables",
    "service",
    "services",
    "sweep",
]
