"""The tables of alerts, by what they are about.

`people`: whom to reach, when they sleep and who is on duty. `states`: what is wrong and what changed.
`outbox`: one message owed to one address. `rules`: what staff want to be told of. `citizens`: who has
subscribed. `shown`: what everybody has seen. Times of readings and of machines are microseconds since 1970.
"""

from stadtherz.alerts.models.citizens import Broadcast, Subscriber, Topic
from stadtherz.alerts.models.outbox import Delivery, Gateway, Lease, ServerKey
from stadtherz.alerts.models.people import (
    LANGUAGES,
    Address,
    Channel,
    Contact,
    ContactList,
    Roster,
    RosterMember,
    Shift,
)
from stadtherz.alerts.models.rules import (
    Category,
    Rule,
    RuleInput,
    RuleState,
    RuleStep,
    RuleVersion,
)
from stadtherz.alerts.models.shown import Shown
from stadtherz.alerts.models.states import Alert, AlertEvent, AlertNote, Chase, Drill, Pause

__all__ = [
    "LANGUAGES",
    "Address",
    "Alert",
    "AlertEvent",
    "AlertNote",
    "Broadcast",
    "Category",
    "Channel",
    "Chase",
    "Contact",
    "ContactList",
    "Delivery",
    "Drill",
    "Gateway",
    "Lease",
    "Pause",
    "Roster",
    "RosterMember",
    "Rule",
    "RuleInput",
    "RuleState",
    "RuleStep",
    "RuleVersion",
    "ServerKey",
    "Shift",
    "Shown",
    "Subscriber",
    "Topic",
]
