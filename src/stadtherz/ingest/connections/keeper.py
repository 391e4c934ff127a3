"""Looks after all connections: starts, stops and renews their clients, and writes down how they are.

One thread for the process. Every other second it reads the records, so a change by another process is
noticed soon, one by this process at once.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import close_old_connections, connections, transaction
from django.db.models.signals import post_delete, post_save

from stadtherz.base.time import Micros, now_us
from stadtherz.ingest.connections import leases, topics
from stadtherz.ingest.connections.intake import Source
from stadtherz.ingest.connections.leases import Holder
from stadtherz.ingest.connections.models import Connection, ConnectionClient
from stadtherz.ingest.downlinks.models import Downlink
from stadtherz.store.public import exclusive

if TYPE_CHECKING:
    from stadtherz.ingest.connections.session import Order, Session, Status

logger = logging.getLogger(__name__)

_EVERY_S = 2.0
_END_S = 12.0  # a little longer than the store's patience

Key = tuple[int, int]  # connection and number of the client


@dataclass(slots=True)
class _Kept:
    """A client that this process is, and what the database knows of it."""

    row: int
    session: "Session"
    renewed: Micros
    told: "Status"


class Keeper:
    """`start` and `stop` in the life of the process; `round` is what it does again and again."""

    def __init__(self) -> None:
        self._kept: dict[Key, _Kept] = {}
        self._holder: Holder | None = None
        self._bell = threading.Event()
        self._ending = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self._thread is None:
            self._ending = False
            self._thread = threading.Thread(target=self._run, name="connections", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Let every client finish what it has in hand and leave its broker."""
        if self._thread is not None:
            self._ending = True
            self._bell.set()
            self._thread.join(_END_S + 5)
            self._thread = None

    def wake(self) -> None:
        self._bell.set()

    def ring(self) -> None:
        """Something waits for a device: whoever can hand it over looks at once."""
        for kept in list(self._kept.values()):
            kept.session.ring()

    def _run(self) -> None:
        while not self._ending:
            try:
                close_old_connections()
                self.round()
            except Exception:  # the worker loop: the next round may go well
                logger.exception("connections cannot be looked after; trying again")
            self._bell.wait(_EVERY_S)
            self._bell.clear()
        try:
            self._leave()
        except Exception:
            logger.exception("connections could not be given back")
        connections.close_all()

    def round(self) -> None:
        wanted = _wanted()
        self._dismiss(wanted)
        if wanted or self._kept:
            with exclusive():
                self._renew()
                self._tell()
            self._appoint(wanted)

    def _dismiss(self, wanted: Mapping[Key, "Order"]) -> None:
        """Stop those whose record has changed or is switched off, and remove those that have ended."""
        for key, kept in list(self._kept.items()):
            order = wanted.get(key)
            if order != kept.session.order:
                kept.session.ask_to_stop(forget=order is None and _is_deleted(key))
            if kept.session.ended:
                self._end(key, kept)

    def _end(self, key: Key, kept: _Kept) -> None:
        del self._kept[key]
        with exclusive():
            _write(kept)
            self._me.give_back(kept.row)

    def _renew(self) -> None:
        now = now_us()
        for kept in self._kept.values():
            if abs(now - kept.renewed) >= leases.RENEWED:
                if self._me.renew(kept.row, now):
                    kept.renewed = now
                else:
                    kept.session.ask_to_stop()  # another process is this client now

    def _tell(self) -> None:
        for kept in self._kept.values():
            if kept.session.status is not kept.told:
                _write(kept)

    def _appoint(self, wanted: Mapping[Key, "Order"]) -> None:
        """Become a client that nobody is. One of each connection a round: others may want some, too."""
        taken: set[int] = set()
        rows = _rows(wanted)
        for key, order in wanted.items():
            connection = key[0]
            if key in self._kept or connection in taken:
                continue
            with exclusive():
                mine = self._me.take(rows[key], now_us())
            if mine:
                taken.add(connection)
                self._kept[key] = _started(rows[key], order, self.wake)

    @property
    def _me(self) -> Holder:
        if self._holder is None:
            folder = Path(settings.DATA) / "connections"
            self._holder = Holder(folder)
            leases.forget_the_dead(folder)
        return self._holder

    def _leave(self) -> None:
        for kept in self._kept.values():
            kept.session.ask_to_stop()
        for kept in self._kept.values():
            kept.session.join(_END_S)
        for key, kept in list(self._kept.items()):
            self._end(key, kept)
        if self._holder is not None:
            self._holder.close()
            self._holder = None


def _wanted() -> dict[Key, "Order"]:
    return {
        (row.pk, number): _order(row, number)
        for row in Connection.objects.filter(active=True)
        for number in range(row.clients)
    }


def _order(row: Connection, number: int) -> "Order":
    from stadtherz.ingest.connections.session import Order  # noqa: PLC0415 - brings paho

    return Order(
        connection=row.pk,
        clients=row.clients,
        source=Source(name=row.name, owner=row.owner_id, network=row.network, form=row.form),
        host=row.host,
        port=row.port,
        tls=row.tls,
        ca=row.ca,
        user_name=row.user_name,
        secret=row.secret,
        client_id=f"{row.client_id}-{number}" if number else row.client_id,
        subscription=topics.subscription(row.topic, row.group),
    )


def _is_deleted(key: Key) -> bool:
    """Whether nobody will come back as this client: a connection switched off may come back."""
    connection, number = key
    return not Connection.objects.filter(pk=connection, clients__gt=number).exists()


def _rows(wanted: Mapping[Key, "Order"]) -> dict[Key, ConnectionClient]:
    found = ConnectionClient.objects.filter(connection__in={key[0] for key in wanted})
    rows = {(row.connection_id, row.number): row for row in found}
    for key in wanted.keys() - rows.keys():
        connection, number = key
        rows[key], _made = ConnectionClient.objects.get_or_create(
            connection_id=connection, number=number
        )
    return rows


def _started(row: ConnectionClient, order: "Order", news: Callable[[], None]) -> _Kept:
    from stadtherz.ingest.connections.session import Session, Status  # noqa: PLC0415

    status = Status(
        last_message=row.last_message,
        messages=row.messages,
        problem=row.problem,
        facts=row.facts,
        problem_at=row.problem_at,
        subscribed=row.subscribed,
    )
    session = Session(order, status, news)
    session.start()
    return _Kept(row.pk, session, renewed=now_us(), told=Status())


def _write(kept: _Kept) -> None:
    news = kept.session.status
    ConnectionClient.objects.filter(pk=kept.row).update(**asdict(news))
    kept.told = news


_keeper = Keeper()
start_connections = _keeper.start
stop_connections = _keeper.stop


def _ring(**_signal: Any) -> None:
    transaction.on_commit(_keeper.ring)


post_save.connect(_ring, sender=Downlink, dispatch_uid="ingest-downlinks")


def _wake(**_signal: Any) -> None:
    transaction.on_commit(_keeper.wake)


for _signal in (post_save, post_delete):
    _signal.connect(_wake, sender=Connection, dispatch_uid=f"ingest-connections-{id(_signal)}")
