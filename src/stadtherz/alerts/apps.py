"""Django's entry: says how long personal data of alerts is kept."""

from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from stadtherz.kit.declaration import Keep
from stadtherz.kit.retention import also_keep

if TYPE_CHECKING:
    from stadtherz.alerts.models import Contact, Delivery


class AlertsConfig(AppConfig):
    name = "stadtherz.alerts"
    verbose_name = _("Alerts")

    def ready(self) -> None:
        also_keep(
            Keep(_deliveries, months=24, why=_("Proof that those responsible were told.")),
            Keep(
                _contacts,
                months=None,
                why=_("Contacts are needed until staff or the person removes them."),
            ),
        )


def _deliveries() -> "type[Delivery]":
    from stadtherz.alerts.models import Delivery

    return Delivery


def _contacts() -> "type[Contact]":
    from stadtherz.alerts.models import Contact

    return Contact
