"""How a gateway does: one that fails is left in peace for a while, and then tried with one message.

    fine ──fails──▶ rests ──its time is over──▶ one message tries it ──▶ fine, or rests for longer

It stands in the gateway's row, so every process and the next start know it: a gateway that swallows what
it is sent costs its time-out once, not once for each message of a flood.
"""

import logging
from collections.abc import Iterable

from django.db.models import F

from stadtherz.alerts.channels.outcomes import NotHandedOver
from stadtherz.alerts.models import Gateway
from stadtherz.base.time import MINUTE, SECOND, Micros, now_us

logger = logging.getLogger(__name__)

_FIRST_REST = 15 * SECOND
_LONGEST_REST = 10 * MINUTE


def rest_after(failures: int) -> Micros:
    """15 s, 30 s, 60 s ... at most 10 minutes.

    >>> [rest_after(times) // SECOND for times in (1, 2, 3, 9)]
    [15, 30, 60, 600]
    """
    return min(_FIRST_REST << min(failures - 1, 20), _LONGEST_REST)


def may_try(row: Gateway, moment: Micros) -> bool:
    """Whether it may be given a message now. After a failure it gets one, from one process."""
    if row.retry_at is None:
        return True
    if row.retry_at > moment:
        return False
    later = moment + rest_after(row.failures + 1)
    known = Gateway.objects.filter(pk=row.pk, retry_at=row.retry_at)
    if not known.update(retry_at=later):
        return False
    row.retry_at = later
    return True


def rests_until(rows: Iterable[Gateway], moment: Micros) -> Micros | None:
    """When the first of them may be tried again; None if one may be now, or there is none."""
    waiting = [row.retry_at for row in rows]
    if not waiting or any(at is None or at <= moment for at in waiting):
        return None
    return min(at for at in waiting if at is not None)


def note_failure(row: Gateway, reason: str, *, unreached: bool = False) -> None:
    """It has not taken a message, or has not answered. `unreached` if there was not even a line."""
    moment = now_us()
    if row.failing_since is None:
        row.failing_since = moment
        logger.error("the gateway %s does not take messages: %s", row.name, reason)
    row.failures += 1
    row.retry_at = moment + rest_after(row.failures)
    row.last_error = reason[:500]
    row.unreached = unreached
    Gateway.objects.filter(pk=row.pk).update(
        failing_since=row.failing_since,
        failures=F("failures") + 1,
        retry_at=row.retry_at,
        last_error=row.last_error,
        unreached=unreached,
    )


def note_refusal(row: Gateway, reason: str) -> None:
    """It refused this one message, which says nothing about the next."""
    Gateway.objects.filter(pk=row.pk).update(last_error=reason[:500])


def note_success(row: Gateway) -> None:
    """Once a minute is often enough where all goes well: each note costs a commit."""
    moment = now_us()
    healthy = not row.failures and row.failing_since is None and row.retry_at is None
    if healthy and not row.unreached and moment - (row.last_success or 0) < MINUTE:
        return
    row.failing_since = row.retry_at = None
    row.failures, row.unreached, row.last_success = 0, False, moment
    Gateway.objects.filter(pk=row.pk).update(
        last_success=moment, failing_since=None, failures=0, retry_at=None, unreached=False
    )


def note_outcome(row: Gateway, problem: NotHandedOver, reason: str) -> None:
    """Note that it has not taken a message, and whether that says anything about the next."""
    if problem.alone:
        note_refusal(row, reason)
    else:
        note_failure(row, reason, unreached=problem.unreached)


def note_line(row: Gateway, problem: NotHandedOver | None) -> None:
    """What a look at the line has shown, without a message. It heals only what was the line's fault."""
    if problem is not None:
        note_failure(row, str(problem), unreached=True)
    elif row.failing_since is not None and row.unreached:
        row.failing_since = row.retry_at = None
        row.failures, row.unreached = 0, False
        Gateway.objects.filter(pk=row.pk, unreached=True).update(
            failing_since=None, failures=0, retry_at=None, unreached=False
        )
