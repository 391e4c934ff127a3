"""A public event is told to all who subscribed to it: noted at once, spread over them in portions.

The note is written in the transaction of the event. Spreading 10,000 deliveries there would hold up
everybody who writes; so each portion is a transaction of its own, which moves the note's mark.

Where a warning is taken back, those who have been told of it hear that, in words that say nothing of it.
"""

from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import formats
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import override

from stadtherz.alerts.citizens.subscribing import THING
from stadtherz.alerts.models import (
    LANGUAGES,
    Alert,
    AlertEvent,
    Broadcast,
    Delivery,
    Subscriber,
)
from stadtherz.alerts.outbox.wake import wake
from stadtherz.alerts.people.calling import urgency
from stadtherz.base.time import Micros, from_us, now_us
from stadtherz.base.visibility import ANONYMOUS
from stadtherz.kit.declaration import Severity
from stadtherz.store.public import PreparedQuery, streams_visible_to

PORTION = 1_000
WITHDRAWN_KIND = "alerts.warning_withdrawn"
Change = AlertEvent.Change
Status = Delivery.Status
_NEWS = (Change.RAISED, Change.ESCALATED, Change.LOWERED, Change.CLEARED)
_PERHAPS_READ = (Status.SENT, Status.HANDING_OVER, Status.UNCERTAIN)


def announce(event: AlertEvent) -> None:
    """Note, in the caller's transaction, that this event concerns the public; others are left alone."""
    alert = event.alert
    if not alert.public or alert.drill or event.muted or event.change not in _NEWS:
        return
    if alert.datastream_id in streams_visible_to(ANONYMOUS):
        Broadcast.objects.create(event=event)
        transaction.on_commit(wake)


def is_to_spread() -> bool:
    return bool(_any())


_any = PreparedQuery(lambda: Broadcast.objects.order_by().values_list("pk")[:1])


def spread(channel: str) -> int:
    """Owe subscribers what concerns them; says how many. Safe in several processes at once.

    It makes way between two portions for those who have to act and wait for a message on this channel.
    """
    owed = 0
    while is_to_spread() and not _duty_waits(channel):
        portion = _spread_portion()
        if portion is None:
            break
        owed += portion
    return owed


def _duty_waits(channel: str) -> bool:
    """Whether a message to somebody who has not subscribed, but is called, could go now."""
    return Delivery.objects.filter(
        channel=channel,
        status=Delivery.Status.QUEUED,
        next_attempt__lte=now_us(),
        subscriber=None,
    ).exists()


def _spread_portion() -> int | None:
    """One portion of the oldest note; None if there is none."""
    with transaction.atomic():
        note = Broadcast.objects.select_for_update(skip_locked=True).order_by("pk").first()
        if note is None:
            return None
        concerned = _concerned(note.event).filter(pk__gt=note.after).order_by("pk")
        portion = list(concerned.values_list("pk", "channel")[:PORTION])
        _owe(note.event, portion)
        if len(portion) < PORTION:
            note.delete()
        else:
            Broadcast.objects.filter(pk=note.pk).update(after=portion[-1][0])
    return len(portion)


def _concerned(event: AlertEvent) -> QuerySet[Subscriber]:
    """Confirmed subscribers of everything or of the Thing; who was told of the worst is told of its end."""
    alert: Alert = event.alert
    known = AlertEvent.objects.filter(alert=alert, pk__lte=event.pk).values_list(
        "severity", flat=True
    )
    gravest = max(map(urgency, known), default=urgency(event.severity))
    least = [severity for severity in Severity if urgency(severity) <= gravest]
    place = Q(topics__kind="")
    if alert.datastream is not None:
        place |= Q(topics__kind=THING, topics__subject=str(alert.datastream.thing_id))
    wanted = Subscriber.objects.filter(place, confirmed_at__isnull=False, topics__least__in=least)
    return wanted.distinct()


def _owe(event: AlertEvent, subscribers: list[tuple[int, str]]) -> None:
    """`subscribers` with their channels."""
    moment = now_us()
    Delivery.objects.bulk_create(
        (
            Delivery(
                event=event,
                subscriber_id=key,
                channel=channel,
                # Those who have to act go first.
                urgency=max(urgency(event.severity) - 1, 0),
                next_attempt=moment,
                owed_at=moment,
                changed_at=moment,
            )
            for key, channel in subscribers
        ),
        ignore_conflicts=True,
    )
    transaction.on_commit(wake)


# --- taken back ----------------------------------------------------------------------------------


def take_back(alert: int, *, since: Micros) -> None:
    """Whoever has been told of this alert since then hears that it no longer holds; what waits is not sent.

    In the caller's transaction, because what says who was told may be deleted in it. It is told as an alert
    of its own, which is over at once: nothing of the other may be read any more.
    """
    Broadcast.objects.filter(event__alert=alert).delete()
    own = Delivery.objects.filter(event__alert=alert, subscriber__isnull=False, owed_at__gte=since)
    own.filter(status=Status.QUEUED).update(status=Status.SKIPPED, changed_at=now_us())
    told = own.filter(status__in=_PERHAPS_READ)
    know_its_end = told.filter(event__change=Change.CLEARED).values("subscriber")
    wait = told.exclude(subscriber__in=know_its_end).order_by("subscriber")
    concerned = list(wait.values_list("subscriber", "channel").distinct())
    if concerned:
        began = told.order_by("event").values_list("event__recorded_at", flat=True)[0]
        _owe(_notice(alert, began), concerned)


def about(alert: Alert) -> int:
    """The number of the alert that it is about: its own, or that of the warning it takes back."""
    return int(alert.subject) if alert.kind == WITHDRAWN_KIND else alert.pk


def _notice(alert: int, began: Micros) -> AlertEvent:
    """Where somebody was told, the alert is still there, in this transaction at least."""
    now = now_us()
    notice = Alert.objects.create(
        kind=WITHDRAWN_KIND,
        subject=str(alert),
        owner_id=Alert.objects.values_list("owner", flat=True).get(pk=alert),
        rank=0,
        severity=Severity.OK,
        title={},
        opened_at=now,
        changed_at=now,
        cleared_at=now,
    )
    return AlertEvent.objects.create(
        alert=notice,
        change=Change.CLEARED,
        rank_before=0,
        rank=0,
        severity=Severity.OK,
        cause=f"withdrawn:{now}",
        at=now,
        recorded_at=now,
        texts=_words_of_withdrawal(began),
    )


def _words_of_withdrawal(began: Micros) -> dict[str, dict[str, Any]]:
    """Which warning it was is said by its time alone."""
    told = {}
    for language, _name in LANGUAGES:
        with override(language):
            local = localtime(from_us(began))
            when = f"{formats.date_format(local)}, {formats.time_format(local)}"
            told[language] = {
                "subject": _("Warning withdrawn"),
                "sentence": _(
                    "The warning of %(when)s no longer holds; whether things are back to normal is not known."
                )
                % {"when": when},
                "facts": [],
                "link": reverse("web:warnings"),
            }
    return told
