"""The door of alerts: services change states here, and those responsible are told.

    with transaction.atomic():                       # a reactor already runs in one
        state = current("water.step_reached", "7")   # locked
        change(Transition("water.step_reached", "7", before=0, after=2, ...))

`change` owes each person on the list one message; the thread behind `start_delivery` sends it, by
all that SMTP allows exactly once (docs/decisions/0007-one-mail-per-event.md).
"""

from stadtherz.alerts.models import Alert, AlertEvent, Contact, ContactList, Delivery
from stadtherz.alerts.outbox.deliveries import send_again
from stadtherz.alerts.outbox.sender import send_due, start_delivery, stop_delivery
from stadtherz.alerts.people.contacts import add_contact, add_contact_list
from stadtherz.alerts.states import change, current, open_alerts, withdraw
from stadtherz.alerts.values import State, Transition, Wording

__all__ = [
    "Alert",
    "AlertEvent",
    "Contact",
    "ContactList",
    "Delivery",
    "State",
    "Transition",
    "Wording",
    "add_contact",
    "add_contact_list",
    "change",
    "current",
    "open_alerts",
    "send_again",
    "send_due",
    "start_delivery",
    "stop_delivery",
    "withdraw",
]
