"""How far each owed message has come, as small steps that each end in a commit.

    queued ──claim──▶ queued (leased) ──mark_handing_over──▶ handing_over ──▶ sent
       ▲                  │ not handed over: back-off             │ nobody can know
       └──────────────────┘ or failed                             └──▶ uncertain

The step to `handing_over` decides between processes: it succeeds only for the holder of the lease.
When a process has died, its witness says whether the dot was on its way; if not, the message goes back
to the queue, else nobody repeats it without a person's word.
See docs/decisions/0007-one-mail-per-event.md.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from stadtherz.alerts.models import Channel, Delivery
from stadtherz.alerts.outbox.standing_in import stand_in, waits_too_long
from stadtherz.alerts.outbox.wake import wake
from stadtherz.alerts.outbox.witness import Fate, Witness, fate_of
from stadtherz.base.time import MINUTE, SECOND, Micros, now_us
from stadtherz.store.public import PreparedQuery, PreparedUpdate

Status = Delivery.Status

_FIRST_PAUSE = 5 * SECOND
_LONGEST_PAUSE = 15 * MINUTE
_PATIENCE = 5  # attempts before a server's final refusal is believed
# Longer with each attempt, so that two processes and a slow server cannot take turns for ever.
_LEASE = 10 * SECOND
# After it, nobody waits for news from a process on another machine any more. Well beyond the time a
# process waits for a server's answer (smtp.ANSWER_SECONDS).
_ABANDONED = 5 * MINUTE

_DIED = "The process ended before the server's answer came."
NO_SERVER = "No mail server is set (STADTHERZ_SMTP_URL)."
NO_GATEWAY = "No gateway is set for this way."


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to send one message; it lapses when `lease` is over or somebody else took it."""

    delivery: int
    lease: Micros


class LeaseLost(Exception):
    """Another process took the message over before the dot was sent."""


def claim(worker: str, channel: str = Channel.EMAIL) -> Claim | None:
    """Lease the next message of this channel that is due, the gravest first; None if there is none."""
    moment = now_us()
    for pk, attempts, due in _due(channel=channel, moment=moment, ahead=moment + MINUTE):
        lease = moment + _LEASE * (attempts + 1)
        if _lease(pk=pk, due=due, lease=lease, worker=worker, moment=moment):
            return Claim(pk, lease)
    return None


def mark_handing_over(claimed: Claim, message_id: str, gateway: str = "", parts: int = 0) -> None:
    """Record that the server is about to get the text; raises LeaseLost if it is not ours."""
    kept = _hand_over(
        pk=claimed.delivery,
        lease=claimed.lease,
        message_id=message_id,
        gateway=gateway,
        parts=parts,
        moment=now_us(),
    )
    if not kept:
        raise LeaseLost


def take_back(claimed: Claim) -> None:
    """The first gateway has not taken it: it is in our hands again, for the next one."""
    _held(claimed).update(status=Status.QUEUED, changed_at=now_us())


def mark_sent(claimed: Claim, message_id: str = "") -> None:
    more = {"message_id": message_id} if message_id else {}
    if not _finish(claimed, Status.SENT, "", **more) and message_id:
        Delivery.objects.filter(pk=claimed.delivery).update(message_id=message_id)


def mark_uncertain(claimed: Claim, reason: str) -> None:
    """Nobody can know, unless a receipt was quicker than what went wrong."""
    _finish(claimed, Status.UNCERTAIN, reason)
    believe_receipt(claimed.delivery)
    stand_in(claimed.delivery)


def believe_receipt(delivery: int) -> None:
    """What has arrived was sent, though nobody could know: staff need not decide about it."""
    unknown = Delivery.objects.filter(pk=delivery, status=Status.UNCERTAIN)
    unknown = unknown.filter(receipt=Delivery.Receipt.DELIVERED)
    unknown.update(status=Status.SENT, error="", changed_at=now_us())


def mark_failed(claimed: Claim, reason: str) -> None:
    """Given up; the person's next stand-in address gets the message instead, if there is one."""
    _finish(claimed, Status.FAILED, reason)
    stand_in(claimed.delivery)


def put_back(claimed: Claim, reason: str, *, permanent: bool, wait_at_least: Micros = 0) -> None:
    """The server does not have it: try again later, or give up after its final refusals."""
    attempts: int = Delivery.objects.values_list("attempts", flat=True).get(pk=claimed.delivery)
    if permanent and attempts >= _PATIENCE:
        mark_failed(claimed, reason)
        return
    moment = now_us()
    _held(claimed).update(
        status=Status.QUEUED,
        next_attempt=moment + max(pause(attempts), wait_at_least),
        worker="",
        error=reason,
        changed_at=moment,
    )
    stand_in(claimed.delivery)


def wait(claimed: Claim, reason: str, until: Micros | None) -> None:
    """No gateway may be tried at present: that is no attempt, and it waits until one may be."""
    moment = now_us()
    _held(claimed).update(
        status=Status.QUEUED,
        attempts=F("attempts") - 1,
        next_attempt=max(until or 0, moment + SECOND),
        worker="",
        error=reason,
        changed_at=moment,
    )
    stand_in(claimed.delivery)


def pause(attempts: int) -> Micros:
    """How long to wait after so many attempts: 5 s, 10 s, 20 s ... at most 15 minutes."""
    return min(_FIRST_PAUSE << min(attempts - 1, 20), _LONGEST_PAUSE)


def send_again(delivery: int) -> bool:
    """A person wants it repeated; True if it was in a state where that makes sense."""
    moment = now_us()
    again = Delivery.objects.filter(
        pk=delivery, status__in=[Status.UNCERTAIN, Status.FAILED]
    ).update(status=Status.QUEUED, attempts=0, next_attempt=moment, error="", changed_at=moment)
    wake()
    return bool(again)


def settle(folder: Path, witness: Witness) -> bool:
    """Take over what other processes, now dead, had in their hands; `folder` holds the witnesses.

    And what this one was handing over when it could not write down how that ended: its one thread hands
    over nothing while it asks this. True if a dead one has left something.
    """
    found_dead = False
    for delivery in _all_in_hand():
        if delivery.worker != witness.name:
            fate = fate_of(folder, delivery.worker, delivery.pk)
            found_dead |= fate in (Fate.SENT, Fate.NOT_SENT)
            _settle(delivery, fate)
        elif delivery.status == Status.HANDING_OVER:
            _settle(delivery, Fate.SENT if witness.last == delivery.pk else Fate.NOT_SENT)
    return found_dead


def has_in_hand(worker: str) -> bool:
    """Whether a message stands under the name of this process."""
    return _in_hand().filter(worker=worker).exists()


def _in_hand() -> QuerySet[Delivery]:
    rows = Delivery.objects.filter(worker__gt="")
    return rows.filter(status__in=[Status.QUEUED, Status.HANDING_OVER])


def _settle(delivery: Delivery, known: Fate) -> None:
    """Change the row only if it still is as we have read it."""
    row = Delivery.objects.filter(
        pk=delivery.pk, status=delivery.status, worker=delivery.worker
    ).filter(next_attempt=delivery.next_attempt)
    moment = now_us()
    handing_over = delivery.status == Status.HANDING_OVER
    if known is Fate.ALIVE:
        return
    if known is Fate.UNKNOWN and moment - delivery.changed_at < _ABANDONED:
        return
    if handing_over and known is not Fate.NOT_SENT:
        if row.update(status=Status.UNCERTAIN, worker="", error=_DIED, changed_at=moment):
            believe_receipt(delivery.pk)
            stand_in(delivery.pk)
    else:  # the server never saw the end of it
        row.update(status=Status.QUEUED, worker="", next_attempt=moment, changed_at=moment)


def are_queued(channel: str) -> bool:
    """Whether anything wants to be sent on this way, now or later."""
    return bool(_any_queued(channel=channel))


def explain_missing_server(channel: str) -> None:
    """Tell staff why nothing moves."""
    explain(channel, NO_SERVER if channel == Channel.EMAIL else NO_GATEWAY)


def explain(channel: str, reason: str) -> None:
    """Why nothing moves on this way; what has waited for too long goes another way."""
    waiting = Delivery.objects.filter(channel=channel, status=Status.QUEUED, error="")
    waiting.update(error=reason)
    lead_around(channel)


def lead_around(channel: str) -> None:
    """What has waited for too long goes another way."""
    for pk in waits_too_long(channel):
        stand_in(pk)


def next_due(channel: str = Channel.EMAIL) -> Micros | None:
    """When the next waiting message wants to be sent."""
    return next(iter(_first_due(channel=channel)), None)


def _waiting(channel: str) -> QuerySet[Delivery]:
    """Messages that may go next: of one alert a person reads the beginning before the end."""
    earlier = Delivery.objects.filter(
        Q(address=OuterRef("address")) | Q(subscriber=OuterRef("subscriber")),
        event__alert=OuterRef("event__alert"),
        pk__lt=OuterRef("pk"),
        status=Status.QUEUED,
    )
    return Delivery.objects.filter(~Exists(earlier), status=Status.QUEUED, channel=channel)


def _held(claimed: Claim) -> QuerySet[Delivery]:
    """The row if it is still in our hands: leased and waiting, or being handed over."""
    return _holding(claimed.delivery, claimed.lease)


def _holding(pk: int, lease: Micros) -> QuerySet[Delivery]:
    return Delivery.objects.filter(
        pk=pk,
        next_attempt=lease,
        status__in=[Status.QUEUED, Status.HANDING_OVER, Status.UNCERTAIN],
    )


def _finish(claimed: Claim, status: Status, error: str, **more: str) -> bool:
    """Whether it still was in our hands."""
    moment = now_us()
    if more:
        ended = {"status": status, "worker": "", "error": error, "changed_at": moment, **more}
        return bool(_held(claimed).update(**ended))
    return bool(
        _end(
            pk=claimed.delivery,
            lease=claimed.lease,
            status=status.value,
            error=error,
            moment=moment,
        )
    )


def nameless(reason: Exception, recipient: str) -> str:
    """What went wrong, without the address that servers like to repeat: it outlives the contact."""
    # Providers repeat a telephone number without its plus.
    known = re.escape(recipient.removeprefix("+"))
    return re.sub(rf"\+?{known}", "…", str(reason), flags=re.IGNORECASE)


# --- what is asked and written for every message -------------------------------------------------


def _next_ones(
    channel: str, moment: Micros, ahead: Micros
) -> QuerySet[Delivery, tuple[int, int, int]]:
    """Their time has come, or they were written by a clock that has been set back since."""
    due = _waiting(channel).filter(Q(next_attempt__lte=moment) | Q(changed_at__gt=ahead))
    ordered = due.order_by("-urgency", "next_attempt", "pk")
    return ordered.values_list("pk", "attempts", "next_attempt")[:5]


_due = PreparedQuery(_next_ones)
_first_due = PreparedQuery(
    lambda channel: (
        _waiting(channel).order_by("next_attempt").values_list("next_attempt", flat=True)[:1]
    )
)
_any_queued = PreparedQuery(
    lambda channel: (
        Delivery.objects.filter(channel=channel, status=Status.QUEUED)
        .order_by()
        .values_list("pk")[:1]
    )
)
_all_in_hand = PreparedQuery(lambda: _in_hand().order_by("worker"))  # as their index has it

_lease = PreparedUpdate(
    lambda pk, due, lease, worker, moment: (
        Delivery.objects.filter(pk=pk, status=Status.QUEUED, next_attempt=due),
        {
            "next_attempt": lease,
            "attempts": F("attempts") + 1,
            "worker": worker,
            "changed_at": moment,
        },
    )
)
_hand_over = PreparedUpdate(
    lambda pk, lease, message_id, gateway, parts, moment: (
        Delivery.objects.filter(pk=pk, status=Status.QUEUED, next_attempt=lease),
        {
            "status": Status.HANDING_OVER,
            "message_id": message_id,
            "gateway": gateway,
            "parts": parts,
            "error": "",
            "changed_at": moment,
        },
    )
)
_end = PreparedUpdate(
    lambda pk, lease, status, error, moment: (
        _holding(pk, lease),
        {"status": status, "worker": "", "error": error, "changed_at": moment},
    )
)
