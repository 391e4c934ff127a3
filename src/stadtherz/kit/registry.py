"""Which services are installed and switched on.

A service is found in three ways, all without a line of ours being changed: as a folder of
`stadtherz.services` with a `service.py`, as an entry point of the group `stadtherz.services`, or as a
dotted path "package.module:SERVICE" in STADTHERZ_SERVICES. That variable also chooses: a comma-separated
list of keys and paths; unset means every service found, empty means none.

Mistakes are collected, never raised: a broken service must not take the city down with it, and
`checks` tells about it in a sentence. `installed_service_apps` runs while settings load, so it looks
at names only; `services` imports the declarations once Django's models are ready.
"""

import importlib
import os
import pkgutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec

from stadtherz.kit.declaration import Service

GROUP = "stadtherz.services"
VARIABLE = "STADTHERZ_SERVICES"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a service's declaration lives: `module:attribute`, and the key it is chosen by."""

    key: str
    module: str
    attribute: str

    @property
    def app(self) -> str:
        """The Django app: the package that holds the declaring module."""
        return self.module.rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with the set-up of a service, as a sentence, and the way out."""

    service: str
    text: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Registry:
    """The declarations of the services switched on, and what could not be read."""

    services: tuple[Service, ...]
    problems: tuple[Problem, ...]


def services() -> tuple[Service, ...]:
    """The declarations of the services switched on; needs Django's app registry to be ready."""
    return load().services


def service(key: str) -> Service | None:
    return next((s for s in services() if s.key == key), None)


def installed_service_apps() -> list[str]:
    """The app modules of the services switched on, for INSTALLED_APPS; imports none of them.

    A package that is not there is left out here and told by `load`.
    """
    return [source.app for source in _chosen()[0] if _is_there(source.app)]


def _is_there(package: str) -> bool:
    try:
        return bool(package) and find_spec(package) is not None
    except ModuleNotFoundError:  # not even the package around it
        return False


@cache
def load() -> Registry:
    """All declarations and all problems; read once a process."""
    sources, problems = _chosen()
    found: list[Service] = []
    for source in sources:
        declared = _import(source)
        if isinstance(declared, Service):
            found.append(declared)
        else:
            problems.append(declared)
    return Registry(tuple(found), tuple(problems))


def app_of(service: Service) -> str:
    """The Django app a declared service came from."""
    sources = _chosen()[0]
    return next(s.app for s in sources if _import(s) is service)


def _import(source: Source) -> Service | Problem:
    try:
        declared = getattr(importlib.import_module(source.module), source.attribute)
    except (ImportError, AttributeError) as error:
        return Problem(source.key, f"The declaration cannot be imported: {error}")
    if isinstance(declared, Service):
        return declared
    return Problem(
        source.key,
        f"{source.module}:{source.attribute} is a {type(declared).__name__}, not a Service.",
    )


def _chosen() -> tuple[list[Source], list[Problem]]:
    available = {source.key: source for source in _available()}
    wanted = os.environ.get(VARIABLE)
    if wanted is None:
        return list(available.values()), []
    sources: dict[str, Source] = {}
    problems: list[Problem] = []
    for entry in filter(None, (part.strip() for part in wanted.split(","))):
        source = _from_path(entry) if ":" in entry else available.get(entry)
        if source is None:
            known = ", ".join(sorted(available)) or "none"
            problems.append(
                Problem(entry, f"{VARIABLE} names an unknown service.", f"Known are: {known}.")
            )
        else:
            sources.setdefault(source.module, source)
    return list(sources.values()), problems


def _available() -> Iterator[Source]:
    """Built-in folders first; an entry point with the same key is the same service."""
    seen: set[str] = set()
    for source in (*_folders(), *_entry_points()):
        if source.key not in seen:
            seen.add(source.key)
            yield source


def _folders() -> Iterator[Source]:
    package = importlib.import_module("stadtherz.services")
    for found in pkgutil.iter_modules(package.__path__):
        if found.ispkg and _declares(package.__path__, found.name):
            yield Source(found.name, f"stadtherz.services.{found.name}.service", "SERVICE")


def _declares(roots: Sequence[str], name: str) -> bool:
    return any(m.name == "service" for m in pkgutil.iter_modules([f"{r}/{name}" for r in roots]))


def _entry_points() -> Iterator[Source]:
    for point in entry_points(group=GROUP):
        yield Source(point.name, point.module, point.attr)


def _from_path(path: str) -> Source:
    module, _, attribute = path.partition(":")
    return Source(path, module, attribute)
