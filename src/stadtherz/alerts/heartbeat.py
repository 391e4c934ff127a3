"""A sign of life to a watcher outside, only while the chain from a reading to a message lives.

If this city, its machine or its line is gone, nothing here can say so: somebody else has to miss it. The
form is that of healthchecks.io and its kin: the address itself means "alive", `/fail` below it "in
trouble", with the reasons as text.
"""

import logging
import urllib.error
import urllib.request
from collections.abc import Iterator

from django.conf import settings

from stadtherz.alerts import signs
from stadtherz.alerts.models import Delivery
from stadtherz.alerts.outbox.by_mail import in_use
from stadtherz.base.time import MINUTE, SECOND, Micros
from stadtherz.stream.public import unread

logger = logging.getLogger(__name__)

_SECONDS = 10
_PATIENCE = 3 * MINUTE
# The reading that each consumer has before it, and since when: where that is long, nothing moves.
_behind: dict[str, tuple[int, Micros]] = {}


def beat(now: Micros) -> None:
    """Tell the watcher; what it answers, or that it does not, changes nothing here."""
    url: str = settings.STADTHERZ["heartbeat"]
    if not url:
        return
    found = list(troubles(now))
    request = urllib.request.Request(  # noqa: S310 - the operator's own address
        url.rstrip("/") + "/fail" if found else url,
        data="\n".join(found).encode(),
        headers={"User-Agent": "Stadtherz", "Content-Type": "text/plain; charset=utf-8"},
    )
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS):  # noqa: S310
            pass
    except (OSError, ValueError) as problem:
        logger.warning("the heartbeat was not taken: %s", problem)


def troubles(now: Micros) -> Iterator[str]:
    """Plain sentences about what in the chain does not move; none if all is well."""
    yield from _readings_behind(now)
    waiting = Delivery.objects.filter(
        status=Delivery.Status.QUEUED, urgency__gte=2, next_attempt__lt=now - _PATIENCE
    ).count()
    if waiting:
        yield f"{waiting} urgent messages have been due for more than three minutes."
    for channel in _dead_ways(now):
        yield f"No gateway for {channel} takes messages."
    for thread in signs.missing(_PATIENCE / SECOND):
        yield f"The thread “{thread}” has stood still for more than three minutes."


def _dead_ways(now: Micros) -> Iterator[str]:
    """Channels of which every gateway fails. One that is dead beside another has an alert of its own."""
    since: dict[str, list[Micros | None]] = {}
    for row in in_use():
        since.setdefault(row.channel, []).append(row.failing_since)
    for channel, failing in sorted(since.items()):
        if all(at is not None and at < now - _PATIENCE for at in failing):
            yield channel


def _readings_behind(now: Micros) -> Iterator[str]:
    """Consumers that have had the same reading before them for too long."""
    waiting = unread()
    for name in list(_behind):
        if name not in waiting:
            del _behind[name]
    for name, place in waiting.items():
        known, since = _behind.get(name, (place, now))
        if known != place:
            since = now
        _behind[name] = (place, since)
        if now - since > _PATIENCE:
            yield f"{name} has not judged new readings for more than three minutes."
