"""Keeps the ways by which gateways tell us something: lines to SMS centres, and folders of modems.

They are there also when nothing is sent, since people answer when they want.
"""

import logging
import threading

from django.db import close_old_connections, connections

from stadtherz.alerts import signs
from stadtherz.alerts.channels.heard import Unknown
from stadtherz.alerts.channels.smpp import Smpp
from stadtherz.alerts.channels.spool import Spool, take_away
from stadtherz.alerts.models import Channel, Delivery, Gateway
from stadtherz.alerts.outbox import lines
from stadtherz.alerts.outbox.by_sms import carrier_of
from stadtherz.alerts.outbox.hearing import hears
from stadtherz.base.errors import Invalid
from stadtherz.base.time import DAY, now_us

logger = logging.getLogger(__name__)

_PAUSE = 2.0


class Listener:
    """The one listening thread of this process."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self._thread is None:
            self._stop.clear()
            self._thread = threading.Thread(target=self._run, name="gateways heard", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        if self._thread is not None:
            self._stop.set()
            self._thread.join(timeout=10)
            self._thread = None
        lines.end_all()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                close_old_connections()
                listen()
            except Exception:  # nothing may end it: people answer by it
                logger.exception("listening to gateways failed; trying again")
            signs.alive("gateways heard")
            self._stop.wait(_PAUSE)
        signs.ended("gateways heard")
        connections.close_all()


listener = Listener()


def listen() -> None:
    """One round: keep up the lines, and look through the folders."""
    rows = list(Gateway.objects.filter(channel=Channel.SMS, active=True))
    centres = [row.pk for row in rows if row.kind == Gateway.Kind.SMPP]
    lines.only(centres)
    for row in rows:
        try:
            _listen_to(row)
        except (Invalid, ValueError):  # whoever sends says so
            continue
        except Exception:  # the others are to be heard
            logger.exception("listening to the gateway %s failed", row.name)


def _listen_to(row: Gateway) -> None:
    carrier = carrier_of(row)
    if isinstance(carrier, Smpp) and lines.ours():
        carrier.session()
        carrier.hearing()
    elif isinstance(carrier, Spool):
        _look_through(row, carrier)


def _look_through(row: Gateway, spool: Spool) -> None:
    hear = hears(row.name, spool.answer)
    with spool.alone() as alone:  # another process that reads it would answer, too
        for came in spool.came() if alone else ():
            after = hear(came.incoming)
            take_away(came)
            if after is not None:
                after()
    for receipt in [*spool.withdrawn(), *filter(None, map(spool.receipt, _open(row)))]:
        try:
            hear(receipt)
        except Unknown:  # a trial, or an answer
            continue


def _open(row: Gateway) -> list[str]:
    """The ids of messages of which the modem has not told yet what became of them."""
    sent = Delivery.objects.filter(
        gateway=row.name, status=Delivery.Status.SENT, receipt=Delivery.Receipt.NONE
    )
    recent = sent.filter(changed_at__gte=now_us() - DAY)
    return list(recent.values_list("message_id", flat=True)[:1000])
