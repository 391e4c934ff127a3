"""Django's entry: checks of the declarations, and permissions after each migration."""

from django.apps import AppConfig, apps
from django.core.checks import register
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class KitConfig(AppConfig):
    name = "stadtherz.kit"
    verbose_name = _("Services")

    def ready(self) -> None:
        from stadtherz.kit import checks, permissions

        register(checks.check_services)
        # Django tells only apps with models; permissions belong to the roles' groups anyway.
        identity = apps.get_app_config("identity")
        post_migrate.connect(permissions.sync_permissions, sender=identity)
