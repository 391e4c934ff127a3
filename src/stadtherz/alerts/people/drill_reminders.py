"""The monthly word to staff: these lists have had no test alarm for a month.

It goes by the outbox as every other message: kept until a mail server has taken it, and among the
messages that staff can look through. What it is about is an alert that is over at once.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from stadtherz.alerts.models import LANGUAGES, Alert, AlertEvent, Channel, ContactList, Delivery
from stadtherz.alerts.outbox.wake import wake
from stadtherz.alerts.people.calling import urgency
from stadtherz.alerts.people.drills import lists_without_drill
from stadtherz.alerts.people.events import record
from stadtherz.base.time import DAY, Micros, now_us
from stadtherz.identity.public import Membership, Role
from stadtherz.kit.declaration import Severity

KIND = "alerts.drill_due"
_AGAIN = 31 * DAY


def remind_of_drills() -> None:
    """Owe the editors and administrators of each organisation a word, once a month. Safe to run twice."""
    moment = now_us()
    with transaction.atomic():
        for owner, lists in _due(moment).items():
            _owe(owner, lists, moment)


def _due(moment: Micros) -> Mapping[int, Sequence[ContactList]]:
    due: dict[int, list[ContactList]] = defaultdict(list)
    not_asked = Q(drill_asked_at=None) | Q(drill_asked_at__lte=moment - _AGAIN)
    for each in lists_without_drill(moment).filter(not_asked).order_by("pk"):
        # Only one process changes it from what both have read: that one writes.
        mine = ContactList.objects.filter(pk=each.pk, drill_asked_at=each.drill_asked_at)
        if mine.update(drill_asked_at=moment) and not _is_new(each):
            due[each.owner_id].append(each)
    return due


def _is_new(listed: ContactList) -> bool:
    """Never tried and seen here for the first time: its month begins now."""
    return listed.drill_asked_at is None and listed.last_drill is None  # type: ignore[attr-defined]


def _owe(owner: int, lists: Sequence[ContactList], moment: Micros) -> None:
    staff = list(_staff(owner))
    if not staff:
        return
    alert = Alert.objects.create(
        kind=KIND,
        subject=f"{owner}:{moment}",
        owner_id=owner,
        rank=0,
        severity=Severity.INFO,
        title={},
        opened_at=moment,
        changed_at=moment,
        cleared_at=moment,
        drill=True,  # neither citizens nor statistics know of it
    )
    event = record(alert, AlertEvent.Change.REMINDED, "drill_due", _texts(lists), at=moment)
    Delivery.objects.bulk_create(
        Delivery(
            event=event,
            user_id=user,
            channel=Channel.EMAIL,
            urgency=urgency(Severity.INFO),
            next_attempt=moment,
            owed_at=moment,
            changed_at=moment,
        )
        for user in staff
    )
    transaction.on_commit(wake)


def _staff(owner: int) -> Iterable[int]:
    roles = (Role.EDITOR, Role.ADMINISTRATOR)
    found = Membership.objects.filter(organisation=owner, role__in=roles, user__is_active=True)
    return found.order_by("user__email").values_list("user", flat=True).distinct()


def _texts(lists: Sequence[ContactList]) -> dict[str, dict[str, Any]]:
    told: dict[str, dict[str, Any]] = {}
    for language, _name in LANGUAGES:
        with override(language):
            told[language] = {
                "subject": _("Time for a test alarm"),
                "sentence": _(
                    "These contact lists have had no test alarm for a month. A test alarm shows whether a "
                    "warning would reach everybody. Open a list and press “Start a test alarm”."
                ),
                "facts": [[_("Contact list"), each.name] for each in lists],
                "link": _page(),
            }
    return told


def _page() -> str:
    try:
        return reverse("contactlist:index")
    except NoReverseMatch:  # without the back office
        return "/"
