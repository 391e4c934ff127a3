"""The line above every public page while a public warning is in force."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from django.db import DatabaseError
from django.http import HttpRequest

from stadtherz.alerts.public import public_warnings
from stadtherz.base.visibility import ANONYMOUS
from stadtherz.kit.declaration import Severity
from stadtherz.web.warnings.telling import Told, tell


@dataclass(frozen=True, slots=True)
class Banner:
    """The worst warning, and how many there are besides. `key` changes when there is news to tell."""

    worst: Told
    others: int
    key: str

    @property
    def severity(self) -> Severity:
        return self.worst.severity


def context(request: HttpRequest) -> dict[str, Callable[[], Banner | None]]:
    """The context processor: asked by a template only where it is shown, and only once a page."""

    @cache
    def banner() -> Banner | None:
        try:
            found = public_warnings(getattr(request, "visibility", ANONYMOUS))
        except DatabaseError:  # a page that says so must not fail once more
            return None
        told = tell(found)
        if not told:
            return None
        key = ".".join(sorted(f"{each.id}-{each.severity}" for each in told))
        return Banner(told[0], len(told) - 1, key)

    return {"warning_banner": banner}
