"""Watches over the gateways: looks whether they are there before they are needed, and tells of a dead one.

A city may have no flood for a year; that its gateway is gone must not be found out by the next one.
"""

from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from stadtherz.alerts.channels import smtp
from stadtherz.alerts.channels.outcomes import NotHandedOver
from stadtherz.alerts.models import Alert, Channel, Gateway
from stadtherz.alerts.outbox import health, lines
from stadtherz.alerts.outbox.by_mail import relays, server_of
from stadtherz.alerts.outbox.by_mqtt import broker_of
from stadtherz.alerts.outbox.by_sms import carrier_of
from stadtherz.alerts.states import change, current, withdraw
from stadtherz.alerts.values import Transition, Wording
from stadtherz.base.errors import Invalid
from stadtherz.base.time import MINUTE, Micros
from stadtherz.identity.public import organisations
from stadtherz.kit.declaration import Severity

KIND = "alerts.gateway"
PATIENCE = 3 * MINUTE
_LOOKS_APART = 5 * MINUTE


def check(now: Micros) -> None:
    """Look at the lines of gateways that nobody has looked at for a while; one process at a time."""
    relays()
    due = Q(checked_at=None) | Q(checked_at__lt=now - _LOOKS_APART) | Q(unreached=True)
    for row in Gateway.objects.filter(due, active=True):
        if row.kind == Gateway.Kind.SMPP and not lines.ours():
            continue  # whoever has the line looks at it
        known = Gateway.objects.filter(pk=row.pk, checked_at=row.checked_at)
        if known.update(checked_at=now):
            health.note_line(row, _fault(row))


def _fault(row: Gateway) -> NotHandedOver | None:
    try:
        _checking(row)()
    except NotHandedOver as problem:
        return problem
    except (Invalid, ValueError) as problem:
        return NotHandedOver(str(problem))
    return None


def _checking(row: Gateway) -> Callable[[], None]:
    if row.channel == Channel.EMAIL:
        server = server_of(row)
        return lambda: smtp.check(server)
    if row.channel == Channel.MQTT:
        return broker_of(row).check
    return carrier_of(row).check


# --- what those who look after the technology are told -----------------------------------------------


def look(now: Micros) -> None:
    """Open and close the alerts about gateways; safe to run twice and in several processes."""
    rows = {row.pk: row for row in Gateway.objects.filter(active=True).select_related("told")}
    known = {int(subject) for subject in _open().values_list("subject", flat=True)}
    for pk, row in rows.items():
        dead = row.failing_since is not None and now - row.failing_since >= PATIENCE
        if dead and pk not in known:
            _tell(row, now, over=False)
        elif row.failing_since is None and pk in known:
            _tell(row, now, over=True)
    for pk in known - rows.keys():
        withdraw(KIND, str(pk))


def _open() -> QuerySet[Alert]:
    return Alert.objects.filter(kind=KIND, cleared_at=None)


def _tell(row: Gateway, now: Micros, *, over: bool) -> None:
    """Through the one locked path: what another process has told is not told again."""
    owner = row.told.owner_id if row.told is not None else _first_organisation()
    if owner is None:
        return
    subject = str(row.pk)
    wording = _fine(row) if over else _dead(row)
    try:
        with transaction.atomic():
            if (current(KIND, subject) is not None) is over:
                change(
                    Transition(
                        kind=KIND,
                        subject=subject,
                        datastream=None,
                        before=1 if over else 0,
                        after=0 if over else 1,
                        step="",
                        severity=Severity.OK if over else Severity.WARNING,
                        title={} if over else _in_each_language(lambda: _("Gateway down")),
                        texts=_in_each_language(wording),
                        observation=None,
                        at=now,
                        recipients=row.told_id,
                        owner=owner,
                    )
                )
    except IntegrityError:  # another process opened it in this moment
        return


def _first_organisation() -> int | None:
    """Gateways belong to nobody; whoever was there first runs this city."""
    found: int | None = organisations().order_by("pk").values_list("pk", flat=True).first()
    return found


T = TypeVar("T")


def _in_each_language(told: Callable[[], T]) -> dict[str, T]:
    found = {}
    for code, _name in settings.LANGUAGES:
        with override(code):
            found[code] = told()
    return found


def _dead(row: Gateway) -> Callable[[], Wording]:
    def wording() -> Wording:
        name = {"name": row.name}
        return Wording(
            subject=_("Gateway down: %(name)s") % name,
            sentence=_(
                "The gateway %(name)s takes no messages. Warnings go by the other gateways and addresses, if there"
                " are any."
            )
            % name,
            facts=((_("What it said"), row.last_error or "–"),),
            link=reverse("gateway:index"),
        )

    return wording


def _fine(row: Gateway) -> Callable[[], Wording]:
    def wording() -> Wording:
        name = {"name": row.name}
        return Wording(
            subject=_("Gateway works again: %(name)s") % name,
            sentence=_("The gateway %(name)s takes messages again.") % name,
            facts=(),
            link=reverse("gateway:index"),
        )

    return wording
