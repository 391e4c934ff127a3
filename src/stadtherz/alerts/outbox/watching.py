"""Watches over the gateways: looks whether they are there before they are needed, and tells of a dead one.

A city may have no flood for a year; that its gateway is gone must not be found out by the next one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from stadtherz.alerts.channels import smtp
from stadtherz.alerts.channels.outcomes import NotHandedOver
from stadtherz.alerts.channels.sms import MOST_PARTS
from stadtherz.alerts.models import Alert, Channel, Delivery, Gateway
from stadtherz.alerts.outbox import health, lines
from stadtherz.alerts.outbox.budget import SPENT, midnight, spent_since
from stadtherz.alerts.outbox.by_mail import in_use, relays, server_of
from stadtherz.alerts.outbox.by_mqtt import broker_of
from stadtherz.alerts.outbox.by_sms import carrier_of
from stadtherz.alerts.states import change, current, withdraw
from stadtherz.alerts.values import Transition, Wording
from stadtherz.base.errors import Invalid
from stadtherz.base.time import MINUTE, Micros
from stadtherz.identity.public import organisations
from stadtherz.kit.declaration import Severity

KIND = "alerts.gateway"
LIMIT_KIND = "alerts.gateway_limit"
PATIENCE = 3 * MINUTE
_LOOKS_APART = 5 * MINUTE


def check(now: Micros) -> None:
    """Look at the lines of gateways that nobody has looked at for a while; one process at a time."""
    relays()
    due = Q(checked_at=None) | Q(checked_at__lt=now - _LOOKS_APART) | Q(unreached=True)
    for row in in_use().filter(due):
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
    rows = {row.pk: row for row in in_use().select_related("told")}
    for concern in (_DOWN, _LIMIT):
        _compare(concern, rows, now)


@dataclass(frozen=True, slots=True)
class Concern:
    """What may be wrong with a gateway: None from `is_so` if that cannot be said yet."""

    kind: str
    is_so: Callable[[Gateway, Micros], bool | None]
    title: Callable[[], str]
    begins: Callable[[Gateway], Wording]
    ends: Callable[[Gateway], Wording]


def _compare(concern: Concern, rows: Mapping[int, Gateway], now: Micros) -> None:
    known = {int(subject) for subject in _open(concern.kind).values_list("subject", flat=True)}
    for pk, row in rows.items():
        found = concern.is_so(row, now)
        if found is not None and found is not (pk in known):
            _tell(concern, row, now, over=not found)
    for pk in known - rows.keys():
        withdraw(concern.kind, str(pk))


def _open(kind: str) -> QuerySet[Alert]:
    return Alert.objects.filter(kind=kind, cleared_at=None)


def _is_down(row: Gateway, now: Micros) -> bool | None:
    if row.failing_since is None:
        return False
    return True if now - row.failing_since >= PATIENCE else None


def _is_at_its_limit(row: Gateway, now: Micros) -> bool:
    """Nothing but danger is sent by it today, or something already waits for tomorrow."""
    if row.parts_a_day is None:
        return False
    spent = spent_since(row, midnight(now))
    if spent >= row.parts_a_day or spent + MOST_PARTS <= row.parts_a_day:
        return spent >= row.parts_a_day
    held = Delivery.objects.filter(status=Delivery.Status.QUEUED, channel=row.channel, error=SPENT)
    return held.exists()


def _tell(concern: Concern, row: Gateway, now: Micros, *, over: bool) -> None:
    """Through the one locked path: what another process has told is not told again."""
    owner = row.told.owner_id if row.told is not None else _first_organisation()
    if owner is None:
        return
    subject = str(row.pk)
    wording = concern.ends if over else concern.begins
    try:
        with transaction.atomic():
            if (current(concern.kind, subject) is not None) is over:
                change(
                    Transition(
                        kind=concern.kind,
                        subject=subject,
                        datastream=None,
                        before=1 if over else 0,
                        after=0 if over else 1,
                        step="",
                        severity=Severity.OK if over else Severity.WARNING,
                        title={} if over else _in_each_language(concern.title),
                        texts=_in_each_language(lambda: wording(row)),
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


def _dead(row: Gateway) -> Wording:
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


def _fine(row: Gateway) -> Wording:
    name = {"name": row.name}
    return Wording(
        subject=_("Gateway works again: %(name)s") % name,
        sentence=_("The gateway %(name)s takes messages again.") % name,
        facts=(),
        link=reverse("gateway:index"),
    )


def _spent_up(row: Gateway) -> Wording:
    name = {"name": row.name}
    return Wording(
        subject=_("Day's limit of SMS reached: %(name)s") % name,
        sentence=_(
            "The gateway %(name)s has sent as many SMS today as it may. Danger is still sent; everything else goes"
            " by other gateways and addresses, or waits until tomorrow."
        )
        % name,
        facts=((_("Parts of SMS a day"), str(row.parts_a_day or "–")),),
        link=reverse("gateway:index"),
    )


def _free_again(row: Gateway) -> Wording:
    name = {"name": row.name}
    return Wording(
        subject=_("All SMS are sent again: %(name)s") % name,
        sentence=_("The gateway %(name)s may send all kinds of messages again.") % name,
        facts=(),
        link=reverse("gateway:index"),
    )


_DOWN = Concern(KIND, _is_down, lambda: _("Gateway down"), _dead, _fine)
_LIMIT = Concern(
    LIMIT_KIND, _is_at_its_limit, lambda: _("Day's limit of SMS reached"), _spent_up, _free_again
)
