"""Mistakes in declarations, told by `stadtherz check` as sentences with the way out.

Every rule is a function from one service (or all) to findings; none raises. What only a running page
can show is the contract suite's business (`testing`).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from django.core.checks import CheckMessage, Error, Warning
from django.utils.functional import Promise
from django.utils.translation import override

from stadtherz.kit import registry
from stadtherz.kit.declaration import Maturity, Service, Text


def check_services(**_: Any) -> list[CheckMessage]:
    """Django's system check over everything the registry found."""
    known = registry.load()
    found: list[CheckMessage] = [
        Error(f"{problem.service}: {problem.text}", hint=problem.hint or None, id="kit.E001")
        for problem in known.problems
    ]
    found += check_together(known.services)
    for service in known.services:
        found += check_service(service)
        found += check_templates(service, Path(str(files(registry.app_of(service)))))
    return found


def check_together(services: Sequence[Service]) -> list[CheckMessage]:
    """What two services must not share."""
    return [
        *_twice("key", (s.key for s in services), "kit.E002"),
        *_twice("prefix", (s.prefix for s in services), "kit.E003"),
    ]


def check_service(service: Service) -> list[CheckMessage]:
    """Everything a declaration shows by itself."""
    return [
        *_pages(service),
        *_permissions(service),
        *_reactors(service),
        *_namespaces(service),
        *_translations(service),
    ]


def check_templates(service: Service, folder: Path) -> list[CheckMessage]:
    """Templates stand below the service's key, or they would hide somebody else's."""
    root = folder / "templates"
    strays = (
        sorted(p.name for p in root.iterdir() if p.name != service.key) if root.is_dir() else []
    )
    return [
        _error(
            service,
            f"templates/{name} lies outside its namespace.",
            f"Move it into templates/{service.key}/.",
            "kit.E008",
        )
        for name in strays
    ]


def _pages(service: Service) -> Iterator[CheckMessage]:
    declared = {permission.key for permission in service.permissions}
    for page in service.pages:
        if not page.name.isidentifier():
            yield _error(
                service,
                f"the page at {page.path!r} has no usable name.",
                "A page is linked by its name: letters, digits, underscores.",
                "kit.E004",
            )
        if page.permission is not None and page.permission not in declared:
            yield _error(
                service,
                f"page {page.name!r} wants the undeclared permission {page.permission!r}.",
                "Add a Permission to `permissions`.",
                "kit.E005",
            )
    yield from _twice(f"page name in {service.key}", (p.name for p in service.pages), "kit.E004")


def _permissions(service: Service) -> Iterator[CheckMessage]:
    for permission in service.permissions:
        app, dot, name = permission.key.partition(".")
        if app != service.key or not dot or not name.isidentifier():
            yield _error(
                service,
                f"the permission {permission.key!r} is not of the form {service.key}.name.",
                f"Call it {service.key}.{name or app}.",
                "kit.E005",
            )


def _reactors(service: Service) -> Iterator[CheckMessage]:
    for reactor in service.reactors:
        if reactor.on not in service.observes:
            yield _error(
                service,
                f"a reactor waits for {reactor.on.key!r}, which the service does not observe.",
                "Add it to `observes`.",
                "kit.E006",
            )


def _namespaces(service: Service) -> Iterator[CheckMessage]:
    """Keys that others read begin with the service's own."""
    keys = [
        *(alert.key for alert in service.alerts),
        *(tiles.key for tiles in service.tiles),
        *(dataset.key for dataset in service.datasets),
    ]
    for key in keys:
        if not key.startswith(f"{service.key}."):
            yield _error(
                service,
                f"the key {key!r} does not begin with {service.key!r} and a dot.",
                f"Call it {service.key}.{key.rpartition('.')[2]}.",
                "kit.E007",
            )
    yield from _twice(f"key in {service.key}", keys, "kit.E007")
    yield from _twice(f"job in {service.key}", (job.name for job in service.jobs), "kit.E007")


def _translations(service: Service) -> Iterator[CheckMessage]:
    if service.maturity is Maturity.TRIAL:
        return
    for text in texts(service):
        if not isinstance(text, Promise):
            yield _error(
                service,
                f"the text {str(text)!r} cannot be translated.",
                "Wrap it in gettext_lazy.",
                "kit.E009",
            )
        elif in_language("de", text) == in_language("en", text):
            yield Warning(
                f"{service.key}: the text {str(text)!r} has no German translation.",
                hint="Add it to locale/de/LC_MESSAGES/django.po and compile it.",
                id="kit.W010",
            )


def texts(service: Service) -> Iterator[Text]:
    """Every text of a declaration that people read."""
    yield service.name
    yield service.summary
    yield from (page.menu for page in service.pages if page.menu is not None)
    yield from (permission.name for permission in service.permissions)
    yield from (alert.name for alert in service.alerts)
    yield from (dataset.name for dataset in service.datasets)
    yield from (line.why for line in service.retention)


def in_language(code: str, text: Text) -> str:
    with override(code):
        return str(text)


def _twice(what: str, values: Iterable[str], code: str) -> Iterator[CheckMessage]:
    for value, number in Counter(values).items():
        if number > 1:
            yield Error(f"The {what} {value!r} is used {number} times.", id=code)


def _error(service: Service, text: str, hint: str, code: str) -> CheckMessage:
    return Error(f"{service.key}: {text}", hint=hint, id=code)
