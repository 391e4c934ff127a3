"""Django's entry: keeps role groups in step and listens for changes of entities."""

from django.apps import AppConfig
from django.db.models.signals import post_delete, post_migrate, post_save
from django.utils.translation import gettext_lazy as _


class IdentityConfig(AppConfig):
    name = "stadtherz.identity"
    verbose_name = _("Identity")

    def ready(self) -> None:
        from stadtherz.identity import audit, groups
        from stadtherz.identity.models import Membership
        from stadtherz.store.public import entity_changed

        post_migrate.connect(groups.create_role_groups, sender=self)
        post_save.connect(groups.follow_membership, sender=Membership)
        post_delete.connect(groups.follow_membership, sender=Membership)
        entity_changed.connect(audit.follow_entity)
