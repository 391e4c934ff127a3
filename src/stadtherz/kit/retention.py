"""Deletes what has been kept long enough: the lines `Keep` of all services, and of the rings below.

A service says in its declaration how long a table with personal data keeps a row. Packages that are
no service say it with `also_keep` when Django starts.
"""

import logging
from datetime import timedelta
from itertools import chain
from typing import Any

from django.db import models, transaction

from stadtherz.base.time import now, to_us
from stadtherz.kit.declaration import Keep
from stadtherz.kit.registry import services

logger = logging.getLogger(__name__)

_DAYS_A_MONTH = 30.44
_more: list[Keep] = []


def also_keep(*lines: Keep) -> None:
    """Add lines of a package that is no service."""
    _more.extend(line for line in lines if line not in _more)


def lines() -> list[Keep]:
    """Every line in force."""
    return [*chain.from_iterable(service.retention for service in services()), *_more]


def personal_tables() -> frozenset[type[models.Model]]:
    """The tables whose rows are about people: each has a line that says how long it keeps them."""
    return frozenset(line.model() for line in lines())


def sweep() -> None:
    """Delete every row whose time is over; running it twice changes nothing."""
    for line in lines():
        if line.months is not None:
            _sweep_table(line.model(), line.by, line.months)


def _sweep_table(model: type[models.Model], by: str, months: int) -> None:
    limit = now() - timedelta(days=round(months * _DAYS_A_MONTH))
    field = model._meta.get_field(by)
    oldest: Any = limit if isinstance(field, models.DateTimeField) else to_us(limit)
    with transaction.atomic():
        _total, deleted = model._default_manager.filter(**{f"{by}__lt": oldest}).delete()
    if deleted:
        logger.info("retention: deleted %s", deleted)
