"""Open pages are told that something about alerts has changed, after it is committed.

Two bells: `STAFF` rings with every change, `PUBLIC` only with those of public warnings, so that
nobody outside hears by the ringing that something is going on inside.
"""

from typing import Any

from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver

from stadtherz.alerts.models import Alert, AlertNote
from stadtherz.stream.public import ring

STAFF = "alerts"
PUBLIC = "warnings"


@receiver(post_save, sender=Alert, dispatch_uid="alerts-news-alert")
def _alert_changed(instance: Alert, **_signal: Any) -> None:
    tell(public=instance.public and not instance.drill)


@receiver(post_save, sender=AlertNote, dispatch_uid="alerts-news-note")
def _note_written(**_signal: Any) -> None:
    tell(public=False)


def tell(*, public: bool) -> None:
    """Ring once this transaction is committed."""
    transaction.on_commit(lambda: ring(STAFF))
    if public:
        transaction.on_commit(lambda: ring(PUBLIC))
