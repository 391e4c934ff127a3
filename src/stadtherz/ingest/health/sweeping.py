"""Forgets what has been kept long enough."""

from django.db import transaction

from stadtherz.base.time import DAY, HOUR, Micros, now_us
from stadtherz.ingest.devices import messages
from stadtherz.ingest.health.models import DeviceDay, DeviceMessages
from stadtherz.ingest.health.writing import STAYS_OPEN

DAYS_KEPT = 730  # two winters show what a battery does
EVERY: Micros = HOUR

_last: list[Micros] = []


def sweep() -> None:
    """Delete old messages and days, and the counters of days to which nothing can be added any more.

    Running it twice changes nothing.
    """
    now = now_us()
    with transaction.atomic():
        DeviceMessages.objects.filter(last_at__lt=messages.oldest_kept()).delete()
        DeviceDay.objects.filter(day__lt=now - DAYS_KEPT * DAY).delete()
        closed = DeviceDay.objects.filter(day__lt=now - STAYS_OPEN - 2 * DAY)
        closed.exclude(heard=b"").update(heard=b"")


def sweep_at_times() -> None:
    """`sweep`, unless this process did so within the hour."""
    now = now_us()
    if _last and 0 <= now - _last[-1] < EVERY:
        return
    _last[:] = [now]
    sweep()
