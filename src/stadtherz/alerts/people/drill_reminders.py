"""The monthly word to staff: these lists have had no test alarm for a month."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import Q
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from stadtherz.alerts.models import ContactList
from stadtherz.alerts.people.drills import lists_without_drill
from stadtherz.base.time import DAY, now_us
from stadtherz.identity.public import Membership, Role, User

logger = logging.getLogger(__name__)

_AGAIN = 31 * DAY


def remind_of_drills() -> None:
    """Write to the editors and administrators of each organisation, once a month. Safe to run twice."""
    moment = now_us()
    due: dict[int, list[ContactList]] = defaultdict(list)
    not_asked = Q(drill_asked_at=None) | Q(drill_asked_at__lte=moment - _AGAIN)
    for each in lists_without_drill(moment).filter(not_asked):
        # Only one process changes it from what both have read: that one writes.
        mine = ContactList.objects.filter(pk=each.pk, drill_asked_at=each.drill_asked_at)
        if mine.update(drill_asked_at=moment) and not _is_new(each):
            due[each.owner_id].append(each)
    for owner, lists in due.items():
        _write(owner, lists)


def _is_new(listed: ContactList) -> bool:
    """Never tried and seen here for the first time: its month begins now."""
    return listed.drill_asked_at is None and listed.last_drill is None  # type: ignore[attr-defined]


def _write(owner: int, lists: Sequence[ContactList]) -> None:
    roles = (Role.EDITOR, Role.ADMINISTRATOR)
    staff = Membership.objects.filter(organisation=owner, role__in=roles, user__is_active=True)
    for member in staff.select_related("user"):
        try:
            _send(member.user, lists)
        except (OSError, SMTPException):
            logger.exception("the reminder of test alarms was not sent to user %s", member.user_id)


def _send(user: User, lists: Sequence[ContactList]) -> None:
    with override(user.language or settings.LANGUAGE_CODE):
        names = "\n".join(f"- {each.name}" for each in lists)
        told = _(
            "These contact lists have had no test alarm for a month:\n\n%(names)s\n\n"
            "A test alarm shows whether a warning would reach everybody. Open a list and press "
            "“Start a test alarm”:\n%(url)s\n"
        ) % {"names": names, "url": _url()}
        send_mail(_("Time for a test alarm"), told, settings.DEFAULT_FROM_EMAIL, [user.email])


def _url() -> str:
    try:
        path = reverse("contactlist:index")
    except NoReverseMatch:  # without the back office
        path = "/"
    return f"{settings.STADTHERZ['public_url']}{path}"
