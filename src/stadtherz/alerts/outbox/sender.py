"""The threads that send what is owed, one for each way, and what one round of them does.

A slow SMS gateway holds up no mail: each lane has its own thread, its own witness and its own bell.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.db import close_old_connections, connections

from stadtherz.alerts import signs
from stadtherz.alerts.citizens.telling import is_to_spread, spread
from stadtherz.alerts.models import Channel, Delivery
from stadtherz.alerts.outbox import deliveries
from stadtherz.alerts.outbox.by_mail import MailLane, mail_lane
from stadtherz.alerts.outbox.by_mqtt import mqtt_lane
from stadtherz.alerts.outbox.by_push import push_lane
from stadtherz.alerts.outbox.by_sms import sms_lane
from stadtherz.alerts.outbox.by_task import task_lane
from stadtherz.alerts.outbox.by_webhook import webhook_lane
from stadtherz.alerts.outbox.deliveries import Claim
from stadtherz.alerts.outbox.lines import StandsBy
from stadtherz.alerts.outbox.listening import listener
from stadtherz.alerts.outbox.readers import Reader, reader_of
from stadtherz.alerts.outbox.standing_in import look_for_receipts
from stadtherz.alerts.outbox.wake import wait, wake
from stadtherz.alerts.outbox.ways import RESTS
from stadtherz.alerts.outbox.witness import Witness, forget_the_dead
from stadtherz.base.hurry import hurry
from stadtherz.base.time import SECOND, Micros, now_us
from stadtherz.store.public import PreparedQuery

logger = logging.getLogger(__name__)

_BREATH = 0.05  # seconds
_LONGEST_SLEEP = 5.0  # another process may owe something without ringing our bell


class Lane(Protocol):
    """A way out that is there."""

    def send(
        self, delivery: Delivery, reader: Reader, claimed: Claim, witness: Witness
    ) -> None: ...

    def rests_until(self) -> Micros | None:
        """When it is tried again, if none of its gateways takes anything now."""


# What opens the lane of each channel; it gives None where nothing is set for it.
LANES: dict[str, Callable[[], Lane | None]] = {
    Channel.EMAIL: mail_lane,
    Channel.SMS: sms_lane,
    Channel.PUSH: push_lane,
    Channel.WEBHOOK: webhook_lane,
    Channel.MQTT: mqtt_lane,
    Channel.TASK: task_lane,
}
_OF_CITIZENS = frozenset({Channel.EMAIL, Channel.PUSH})


class _Worker:
    """The one sending thread of this process for a channel."""

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self._thread is not None:
            return
        self._stop.clear()
        name = f"delivery {self._channel}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
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
                witness = witness or _new_witness()
                tried = _send_due(self._channel, witness, self._stop)
                pause = _sleep(self._channel, idle=not tried)
            except Exception:  # the worker loop: nothing may end the sending of warnings
                logger.exception("sending failed; trying again")
                pause = _LONGEST_SLEEP
            signs.alive(f"delivery {self._channel}")
            if not self._stop.is_set():
                wait(pause, self._channel)
        signs.ended(f"delivery {self._channel}")
        if witness is not None:
            witness.close()
        connections.close_all()


_workers = [_Worker(channel) for channel in LANES]


def start_delivery() -> None:
    """Start the threads, if they do not run yet."""
    for worker in _workers:
        worker.start()
    listener.start()


def stop_delivery() -> None:
    """Stop sending first: while the lines stand, what is being handed over gets its answer."""
    for worker in _workers:
        worker.stop()
    listener.stop()


def send_due() -> int:
    """Send every message that is due now, in this thread; says how many were tried."""
    witness = _new_witness()
    try:
        return sum(_send_due(channel, witness, threading.Event()) for channel in LANES)
    finally:
        witness.close()


def _send_due(channel: str, witness: Witness, stop: threading.Event) -> int:
    with hurry():
        if deliveries.settle(_folder(), witness):
            forget_the_dead(_folder(), deliveries.has_in_hand)
        busy = _has_work(channel)
    tried = _send_what_waits(channel, witness, stop) if busy else 0
    look_for_receipts(channel)  # which may ask a gateway: that is no hurry
    return tried


def _send_what_waits(channel: str, witness: Witness, stop: threading.Event) -> int:
    try:
        with hurry():
            lane = LANES[channel]()
    except StandsBy:
        deliveries.lead_around(channel)  # whoever has the line may be stuck
        return 0
    if lane is None:
        deliveries.explain_missing_server(channel)
        return 0
    if channel in _OF_CITIZENS:
        spread(channel)
    try:
        tried, more = _send_all(channel, lane, witness, stop)
    finally:
        if isinstance(lane, MailLane):
            lane.hang_up()
    if more and not stop.is_set():
        deliveries.explain(channel, RESTS)
    return tried


def _has_work(channel: str) -> bool:
    """A bell rings for all lanes: those with nothing to send need not look at their gateways."""
    return deliveries.are_queued(channel) or (channel in _OF_CITIZENS and is_to_spread())


def _send_all(
    channel: str, lane: Lane, witness: Witness, stop: threading.Event
) -> tuple[int, bool]:
    """How many were tried, and whether the gateways rest before all was."""
    tried = 0
    while not stop.is_set() and lane.rests_until() is None:
        with hurry():  # until it is handed over
            claimed = deliveries.claim(witness.name, channel)
            if claimed is None:
                return tried, False
            _send(lane, claimed, witness)
        signs.alive(f"delivery {channel}")
        tried += 1
    return tried, True


def _folder() -> Path:
    return Path(settings.DATA) / "delivery"


def _new_witness() -> Witness:
    """Whoever begins clears away what those who died with nothing in their hands have left."""
    forget_the_dead(_folder(), deliveries.has_in_hand)
    return Witness(_folder())


def _send(lane: Lane, claimed: Claim, witness: Witness) -> None:
    delivery = next(iter(_with_reader(pk=claimed.delivery)), None)
    if delivery is None:  # deleted with its alert
        return
    reader = reader_of(delivery)
    if isinstance(reader, str):
        deliveries.mark_failed(claimed, reader)
    else:
        lane.send(delivery, reader, claimed, witness)


_with_reader = PreparedQuery(
    lambda pk: Delivery.objects.select_related(
        "event__alert", "contact", "address", "subscriber"
    ).filter(pk=pk)
)


def _sleep(channel: str, *, idle: bool) -> float:
    """Seconds until the next message is due, at most a few; what is due and does not go is no hurry."""
    due = deliveries.next_due(channel)
    if due is None:
        spreads = channel in _OF_CITIZENS and is_to_spread()
        return _BREATH if spreads else _LONGEST_SLEEP
    return min(max((due - now_us()) / SECOND, 1.0 if idle else _BREATH), _LONGEST_SLEEP)
