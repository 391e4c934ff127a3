"""A public event is told to all who subscribed to it: noted at once, spread over them in portions.

The note is written in the transaction of the event. Spreading 10,000 deliveries there would hold up
everybody who writes; so each portion is a transaction of its own, which moves the note's mark.
"""

from django.db import transaction
from django.db.models import Q, QuerySet

from stadtherz.alerts.citizens.subscribing import THING
from stadtherz.alerts.models import Alert, AlertEvent, Broadcast, Delivery, Subscriber
from stadtherz.alerts.outbox.wake import wake
from stadtherz.alerts.people.calling import urgency
from stadtherz.base.time import now_us
from stadtherz.base.visibility import ANONYMOUS
from stadtherz.kit.declaration import Severity
from stadtherz.store.public import PreparedQuery, streams_visible_to

PORTION = 1_000
Change = AlertEvent.Change
_NEWS = (Change.RAISED, Change.ESCALATED, Change.LOWERED, Change.CLEARED)


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
