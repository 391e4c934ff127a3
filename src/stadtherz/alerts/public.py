"""The door of alerts: services change states here, and those responsible are told.

    with transaction.atomic():                       # a reactor already runs in one
        state = current("water.step_reached", "7")   # locked
        change(Transition("water.step_reached", "7", before=0, after=2, ...))

`change` owes each person on the list one message; the thread behind `start_delivery` sends it, by
all that SMTP allows exactly once (docs/decisions/0007-one-mail-per-event.md). Who is called, reminded
and asked next is decided in `people`; staff, links and SMS come in by `acknowledge` and its neighbours.
"""

from stadtherz.alerts.channels.kinds import Setting as GatewaySetting
from stadtherz.alerts.citizens import public as citizens
from stadtherz.alerts.citizens.public import Wish
from stadtherz.alerts.citizens.telling import WITHDRAWN_KIND
from stadtherz.alerts.clock import start_clock, stop_clock
from stadtherz.alerts.models import (
    Address,
    Alert,
    AlertEvent,
    AlertNote,
    Category,
    Channel,
    Contact,
    ContactList,
    Delivery,
    Drill,
    Gateway,
    Pause,
    Roster,
    RosterMember,
    Rule,
    RuleInput,
    RuleState,
    RuleStep,
    Shift,
)
from stadtherz.alerts.news import PUBLIC as PUBLIC_NEWS
from stadtherz.alerts.news import STAFF as STAFF_NEWS
from stadtherz.alerts.outbox.by_mail import relays as mail_relays
from stadtherz.alerts.outbox.deliveries import send_again
from stadtherz.alerts.outbox.doors import door_of, gateway_of
from stadtherz.alerts.outbox.gateways import ALL_KINDS as GATEWAY_KINDS
from stadtherz.alerts.outbox.gateways import (
    add_gateway,
    channel_of,
    check_settings,
    inbound_token,
    keep_secret,
    remove_gateway,
    spent_today,
    try_gateway,
)
from stadtherz.alerts.outbox.pushing import public_key as push_key
from stadtherz.alerts.outbox.receipts import note_receipt_soon
from stadtherz.alerts.outbox.sender import send_due, start_delivery, stop_delivery
from stadtherz.alerts.people.answers import by_sms
from stadtherz.alerts.people.contacts import add_contact, add_contact_list, new_webhook_secret
from stadtherz.alerts.people.course import Stage, Turn, calendar, course
from stadtherz.alerts.people.devices import (
    DeviceOwner,
    add_device,
    device_link,
    device_link_of,
    device_owner,
    remove_device,
    try_device,
)
from stadtherz.alerts.people.drill_reminders import remind_of_drills
from stadtherz.alerts.people.drills import (
    end_drill,
    lists_without_drill,
    result,
    start_drill,
)
from stadtherz.alerts.people.forgetting import forget_old_names
from stadtherz.alerts.people.links import Question, answer, link_for, question
from stadtherz.alerts.people.notes import (
    Outcome,
    Taken,
    acknowledge,
    awaits,
    close,
    comment,
    judge,
    note_edit,
)
from stadtherz.alerts.people.pauses import end_pause, note_beginning, pause, silencing
from stadtherz.alerts.people.reach import Person, Unreached, Why, unreached, with_reach
from stadtherz.alerts.rules.engine import consumer as rules_consumer
from stadtherz.alerts.rules.known import ranked_steps
from stadtherz.alerts.rules.mistakes import mistakes
from stadtherz.alerts.rules.preview import Change, Preview, preview
from stadtherz.alerts.rules.specimens import Specimen, specimens
from stadtherz.alerts.shown import KEPT as WITHDRAWALS_KEPT
from stadtherz.alerts.shown import Withdrawn, as_shown
from stadtherz.alerts.shown import withdrawn as withdrawn_warnings
from stadtherz.alerts.states import change, current, open_alerts, withdraw
from stadtherz.alerts.values import State, Transition, Wording
from stadtherz.alerts.warnings import PublicWarning, WarningChange, public_warnings

__all__ = [
    "GATEWAY_KINDS",
    "PUBLIC_NEWS",
    "STAFF_NEWS",
    "WITHDRAWALS_KEPT",
    "WITHDRAWN_KIND",
    "Address",
    "Alert",
    "AlertEvent",
    "AlertNote",
    "Category",
    "Change",
    "Channel",
    "Contact",
    "ContactList",
    "Delivery",
    "DeviceOwner",
    "Drill",
    "Gateway",
    "GatewaySetting",
    "Outcome",
    "Pause",
    "Person",
    "Preview",
    "PublicWarning",
    "Question",
    "Roster",
    "RosterMember",
    "Rule",
    "RuleInput",
    "RuleState",
    "RuleStep",
    "Shift",
    "Specimen",
    "Stage",
    "State",
    "Taken",
    "Transition",
    "Turn",
    "Unreached",
    "WarningChange",
    "Why",
    "Wish",
    "Withdrawn",
    "Wording",
    "acknowledge",
    "add_contact",
    "add_contact_list",
    "add_device",
    "add_gateway",
    "answer",
    "as_shown",
    "awaits",
    "by_sms",
    "calendar",
    "change",
    "channel_of",
    "check_settings",
    "citizens",
    "close",
    "comment",
    "course",
    "current",
    "device_link",
    "device_link_of",
    "device_owner",
    "door_of",
    "end_drill",
    "end_pause",
    "forget_old_names",
    "gateway_of",
    "inbound_token",
    "judge",
    "keep_secret",
    "link_for",
    "lists_without_drill",
    "mail_relays",
    "mistakes",
    "new_webhook_secret",
    "note_beginning",
    "note_edit",
    "note_receipt_soon",
    "open_alerts",
    "pause",
    "preview",
    "public_warnings",
    "push_key",
    "question",
    "ranked_steps",
    "remind_of_drills",
    "remove_device",
    "remove_gateway",
    "result",
    "rules_consumer",
    "send_again",
    "send_due",
    "silencing",
    "specimens",
    "spent_today",
    "start_clock",
    "start_delivery",
    "start_drill",
    "stop_clock",
    "stop_delivery",
    "try_device",
    "try_gateway",
    "unreached",
    "with_reach",
    "withdraw",
    "withdrawn_warnings",
]
