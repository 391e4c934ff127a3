"""Django's entry: says how long personal data of alerts is kept."""

from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.db.models.signals import pre_delete
from django.utils.translation import gettext_lazy as _

from stadtherz.kit.declaration import Keep
from stadtherz.kit.retention import also_keep

if TYPE_CHECKING:
    from stadtherz.alerts.models import AlertNote, Contact, Delivery, Drill, Pause, Subscriber


class AlertsConfig(AppConfig):
    name = "stadtherz.alerts"
    verbose_name = _("Alerts")

    def ready(self) -> None:
        from stadtherz.alerts import news  # noqa: F401 - its receivers
        from stadtherz.alerts.models import Contact
        from stadtherz.alerts.people.forgetting import forget_contact
        from stadtherz.alerts.publishing import board
        from stadtherz.alerts.rules.changes import watch_changes
        from stadtherz.mqtt.public import open_board

        watch_changes()
        open_board(board())
        pre_delete.connect(forget_contact, sender=Contact, dispatch_uid="alerts.forget")

        also_keep(
            Keep(_deliveries, months=24, why=_("Proof that those responsible were told.")),
            Keep(_notes, months=24, by="at", why=_("Proof of who did what with an alert.")),
            Keep(_drills, months=24, by="at", why=_("Proof that the chain was tried.")),
            Keep(_pauses, months=24, by="ends", why=_("Proof of when nobody was told, and why.")),
            Keep(
                _subscribers,
                months=None,
                why=_("An address is needed until its owner unsubscribes; then it is deleted."),
            ),
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


def _notes() -> "type[AlertNote]":
    from stadtherz.alerts.models import AlertNote

    return AlertNote


def _drills() -> "type[Drill]":
    from stadtherz.alerts.models import Drill

    return Drill


def _pauses() -> "type[Pause]":
    from stadtherz.alerts.models import Pause

    return Pause


def _subscribers() -> "type[Subscriber]":
    from stadtherz.alerts.models import Subscriber

    return Subscriber
