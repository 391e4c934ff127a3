"""What the store needs to hear from Django."""

from typing import Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_delete, post_migrate

from stadtherz.sql.public import install_on_connect


class StoreConfig(AppConfig):
    name = "stadtherz.store"
    label = "store"

    def ready(self) -> None:
        from stadtherz.store.database import queue_up
        from stadtherz.store.entities.datasets import follow_sharing

        connection_created.connect(install_on_connect, dispatch_uid="stadtherz.sql")
        connection_created.connect(queue_up, dispatch_uid="stadtherz.store.turns")
        for model in ("Datastream", "FeatureOfInterest"):
            post_delete.connect(_forget_readings, sender=self.get_model(model))
        follow_sharing()
        post_migrate.connect(_forget_orphans, sender=self, dispatch_uid="stadtherz.store")


def _forget_readings(instance: Any, **_: Any) -> None:
    """Readings have no model, so no cascade of Django's reaches them."""
    from stadtherz.store.database import moving
    from stadtherz.store.entities.revival import leave
    from stadtherz.store.models import Datastream
    from stadtherz.store.writing.changes import delete_of

    if not isinstance(instance, Datastream):
        delete_of(instance)
        return
    with moving():
        leave(instance.pk)
        delete_of(instance)


def _forget_orphans(**_: Any) -> None:
    """`flush` empties the tables of models only; without datastreams no reading may remain."""
    from stadtherz.store.writing.changes import forget_orphans

    forget_orphans()
