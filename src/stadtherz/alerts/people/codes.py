"""The short number of an alert, which people answer by SMS."""

import secrets
from collections.abc import Iterator

from django.db import IntegrityError, transaction
from django.db.models import Q

from stadtherz.alerts.models import Alert
from stadtherz.base.time import DAY, now_us

_TRIES = 50
_RANDOM = secrets.SystemRandom()


def open_with_code(alert: Alert) -> None:
    """Save a new alert under a number that no open alert has, and none had until yesterday.

    Numbers are drawn: two processes rarely want the same one, and if they do the database lets one of
    them win and the other draws again.
    """
    for code in _free_codes():
        alert.code = code
        try:
            with transaction.atomic():
                alert.save(force_insert=True)
            return
        except IntegrityError:
            if _open(alert) or not Alert.objects.filter(code=code, cleared_at=None).exists():
                raise  # it was not the number
    raise IntegrityError("no free number for the alert was found")


def _open(alert: Alert) -> bool:
    known = Alert.objects.filter(kind=alert.kind, subject=alert.subject, cleared_at=None)
    return known.exists()


def _free_codes() -> Iterator[int]:
    """Two digits as long as there are free ones, then three, four and five."""
    for number in range(_TRIES):
        digits = min(2 + number // 12, 5)
        drawn = _RANDOM.sample(range(10 ** (digits - 1), 10**digits), 12)
        recent = Q(cleared_at=None) | Q(cleared_at__gt=now_us() - DAY)
        taken = set(Alert.objects.filter(recent, code__in=drawn).values_list("code", flat=True))
        yield from [code for code in drawn if code not in taken][:1]
