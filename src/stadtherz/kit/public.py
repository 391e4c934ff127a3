"""The door of the kit for those who run services; those who write one import `declaration`."""

from stadtherz.kit.reactors import consumers
from stadtherz.kit.registry import installed_service_apps, service, services
from stadtherz.kit.retention import also_keep, personal_tables, sweep

__all__ = [
    "also_keep",
    "consumers",
    "installed_service_apps",
    "personal_tables",
    "service",
    "services",
    "sweep",
]
