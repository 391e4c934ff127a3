"""What one machine alone may do, of all that share a database.

A row says whose it is and until when, by the clock of the database, so that of the machines' own clocks
none counts. Whoever has it renews it all the time and gives it up before it lapses: then two never think
that they have it, unless one of them stood still in between.
"""

import time
import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from django.db import Error
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from stadtherz.alerts.models import Lease

LASTS = timedelta(seconds=12)
_RENEWED, _SURE = 3.0, 8.0  # seconds after it was renewed
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class MachineLease:
    """The lease of that name; `predecessor` is who had it before and is known to be gone."""

    def __init__(self, name: str, predecessor: str = "") -> None:
        self.holder = uuid.uuid4().hex
        self._name = name
        self._before = predecessor
        self._renewed: float | None = None

    @property
    def sure(self) -> bool:
        """Whether nobody else can have it yet."""
        return self._age() < _SURE

    def ours(self) -> bool:
        """Whether it is ours; it is taken if it is nobody's."""
        if self._age() < _RENEWED:
            return True
        asked = time.monotonic()
        try:
            taken = self._take()
        except Error:  # the database is away: for others, too
            return self.sure
        self._renewed = asked if taken else None
        return taken

    def release(self) -> None:
        """Let others have it at once."""
        if self._renewed is not None:
            self._renewed = None
            with suppress(Error):
                self._row().filter(holder=self.holder).update(holder="", until=_NEVER)

    def _take(self) -> bool:
        free = Q(holder=self.holder) | Q(until__lt=Now())
        if self._before:
            free |= Q(holder=self._before)
        if not self._row().exists():
            Lease.objects.bulk_create([Lease(name=self._name, until=_NEVER)], ignore_conflicts=True)
        return bool(self._row().filter(free).update(holder=self.holder, until=Now() + LASTS))

    def _row(self) -> QuerySet[Lease]:
        return Lease.objects.filter(name=self._name)

    def _age(self) -> float:
        return float("inf") if self._renewed is None else time.monotonic() - self._renewed
