"""The thread that sends what is owed, and what one round of it does."""

import logging
import re
import threading
from email.errors import MessageError
from email.message import EmailMessage
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import close_old_connections, connections

from stadtherz.alerts.channels.mail import ascii_address, compose
from stadtherz.alerts.channels.post import PostOffice, post_office
from stadtherz.alerts.channels.smtp import NotHandedOver, PerhapsHandedOver, hand_over
from stadtherz.alerts.citizens.telling import spread
from stadtherz.alerts.models import AlertEvent, Delivery
from stadtherz.alerts.outbox import deliveries
from stadtherz.alerts.outbox.deliveries import Claim, LeaseLost
from stadtherz.alerts.outbox.readers import Reader, reader_of
from stadtherz.alerts.outbox.wake import wait, wake
from stadtherz.alerts.outbox.witness import Witness, forget_the_dead
from stadtherz.base.time import SECOND, now, now_us

logger = logging.getLogger(__name__)

_LONGEST_SLEEP = 5.0  # another process may owe something without ringing our bell


class _Worker:
    """The one sending thread of this process."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self._thread is not None:
            return
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name="delivery", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._thread is None:
            return
        self._stop.set()
        wake()
        # A server that is slow to answer must not hold up the end; stopping here is like a crash.
        self._thread.join(timeout=10)
        self._thread = None

    def _run(self) -> None:
        witness: Witness | None = None
        while not self._stop.is_set():
            try:
                close_old_connections()
                witness = witness or Witness(_folder())
                _send_due(witness, self._stop)
                pause = _sleep()
            except Exception:  # the worker loop: nothing may end the sending of warnings
                logger.exception("sending failed; trying again")
                pause = _LONGEST_SLEEP
            if not self._stop.is_set():
                wait(pause)
        if witness is not None:
            witness.close()
        connections.close_all()


_worker = _Worker()
start_delivery = _worker.start
stop_delivery = _worker.stop


def send_due() -> int:
    """Send every message that is due now, in this thread; says how many were tried."""
    witness = Witness(_folder())
    try:
        return _send_due(witness, threading.Event())
    finally:
        witness.close()


def _send_due(witness: Witness, stop: threading.Event) -> int:
    deliveries.settle_abandoned(_folder(), witness.name)
    deliveries.settle_interrupted(witness)
    forget_the_dead(_folder())
    post = post_office()
    if post is None:
        deliveries.explain_missing_server()
        return 0
    spread()
    tried = 0
    while not stop.is_set() and (claimed := deliveries.claim(witness.name)) is not None:
        _send(post, claimed, witness)
        tried += 1
    return tried


def _folder() -> Path:
    return Path(settings.DATA) / "delivery"


def _send(post: PostOffice, claimed: Claim, witness: Witness) -> None:
    delivery = Delivery.objects.select_related("event", "contact", "address", "subscriber").get(
        pk=claimed.delivery
    )
    reader = reader_of(delivery)
    if isinstance(reader, str):
        deliveries.mark_failed(claimed, reader)
    elif (letter := _written(delivery.event, reader, post)) is None:
        deliveries.mark_failed(claimed, "The message cannot be written; see the log.")
    else:
        _hand_over(post, claimed, witness, *letter)


def _written(
    event: AlertEvent, reader: Reader, post: PostOffice
) -> tuple[EmailMessage, str] | None:
    """The message and its recipient; None if that fails, which trying again would not change."""
    try:
        return compose(event, reader, post, date=now()), ascii_address(reader.address)
    except (ValueError, LookupError, MessageError):  # UnicodeError is a ValueError
        logger.exception("the message of event %s to reader %s is broken", event.pk, reader.key)
        return None


def _hand_over(
    post: PostOffice, claimed: Claim, witness: Witness, message: EmailMessage, recipient: str
) -> None:
    try:
        hand_over(
            post.server,
            message,
            sender=post.sender,
            recipient=recipient,
            before_text=partial(deliveries.mark_handing_over, claimed, message["Message-ID"]),
            before_dot=partial(witness.dot_goes_next, claimed.delivery),
        )
    except NotHandedOver as reason:
        deliveries.put_back(claimed, _nameless(reason, recipient), permanent=reason.permanent)
    except PerhapsHandedOver as reason:
        deliveries.mark_uncertain(claimed, _nameless(reason, recipient))
    except LeaseLost:
        logger.info("delivery %s was taken over by another process", claimed.delivery)
    else:
        deliveries.mark_sent(claimed)


def _nameless(reason: Exception, recipient: str) -> str:
    """What went wrong, without the address that servers like to repeat: it outlives the contact."""
    return re.sub(re.escape(recipient), "…", str(reason), flags=re.IGNORECASE)


def _sleep() -> float:
    """Seconds until the next message is due, at most a few."""
    due = deliveries.next_due()
    if due is None:
        return _LONGEST_SLEEP
    return min(max((due - now_us()) / SECOND, 0.05), _LONGEST_SLEEP)
