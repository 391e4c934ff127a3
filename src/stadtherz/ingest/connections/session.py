"""A client of a broker that stays: connects, has what comes stored, acknowledges, comes back."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import close_old_connections, connections

from stadtherz.base.errors import Invalid
from stadtherz.base.time import Micros, now_us
from stadtherz.ingest.connections import intake, words
from stadtherz.ingest.connections.backoff import Backoff
from stadtherz.ingest.connections.inbox import Inbox, Message
from stadtherz.ingest.connections.intake import Source
from stadtherz.ingest.connections.link import V5, V311, Address, Broken, Link
from stadtherz.ingest.connections.ways import Ways
from stadtherz.ingest.connections.words import Problem
from stadtherz.ingest.downlinks import handing
from stadtherz.ingest.trust import vault

logger = logging.getLogger(__name__)

_AT_ONCE = 1_000  # messages in one commit
_LOOK_S = 5.0


@dataclass(frozen=True, slots=True)
class Order:
    """What a session is to do; a changed record makes another one."""

    connection: int
    clients: int
    source: Source
    host: str
    port: int
    tls: bool
    ca: str
    user_name: str
    secret: str = field(repr=False)
    client_id: str
    subscription: str

    def address(self) -> Address:
        """Raises Broken if the password cannot be read."""
        try:
            password = vault.opened(self.secret)
        except Invalid as problem:
            raise Broken(Problem.SECRET) from problem
        return Address(
            host=self.host,
            port=self.port,
            tls=self.tls,
            ca=self.ca,
            user_name=self.user_name,
            password=password,
            client_id=self.client_id,
            subscription=self.subscription,
        )


@dataclass(frozen=True, slots=True)
class Status:
    """How it is doing, for people; times in microseconds."""

    state: str = words.WAITING
    connected_at: Micros | None = None
    last_message: Micros | None = None
    messages: int = 0
    problem: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    problem_at: Micros | None = None
    subscribed: str = ""


class Session:
    """One thread, beside paho's own; only it writes `status`. It calls `news` when that matters."""

    def __init__(self, order: Order, status: Status, news: Callable[[], None]) -> None:
        self.order = order
        self.status = status
        self._news = news
        self._inbox = Inbox()
        self._stopping = threading.Event()
        self._forget = False
        self._ways = Ways(order.connection)
        self._version = V311 if order.source.network == "tts" else V5
        self._thread = threading.Thread(
            target=self._run, name=f"connection {order.source.name}", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def ask_to_stop(self, *, forget: bool = False) -> None:
        """It ends soon, after what it has in hand; `forget`: and never comes back."""
        self._forget = forget
        self._stopping.set()
        self._inbox.ring()

    def ring(self) -> None:
        """There may be something to hand over."""
        self._inbox.ring()

    @property
    def ended(self) -> bool:
        return not self._thread.is_alive()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def _run(self) -> None:
        backoff = Backoff()
        try:
            while not self._stopping.is_set():
                began = time.monotonic()
                why = self._linked()
                backoff.held(time.monotonic() - began)
                if why is not None:
                    self._stopping.wait(backoff.next(why))
        finally:
            connections.close_all()
            self._news()

    def _linked(self) -> Problem | None:
        """One link from beginning to end: why it ended, None if it was asked to."""
        try:
            link = Link(self.order.address(), self._version, self._inbox)
            link.open(self.status.subscribed)
        except Broken as why:
            return self._failed(why)
        except Exception as problem:  # whatever a broker does, the next try may go well
            logger.exception("the connection %s does not start", self.order.source.name)
            return self._failed(Broken(Problem.UNEXPECTED, {"told": type(problem).__name__}))
        self._say(state=words.CONNECTED, connected_at=now_us(), subscribed=self.order.subscription)
        self._settle_downlinks()
        end = self._serve(link)
        link.close(forget=self._forget)
        self._store(self._rest())  # what came in quality 0 comes only once
        return None if end is None else self._failed(end)

    def _failed(self, why: Broken) -> Problem:
        if why.other_version:
            self._version = V5 if self._version == V311 else V311
        logger.warning("connection %s: %s", self.order.source.name, why.problem.value)
        self._trouble(why.problem, why.facts)
        self._say(state=words.FAILED)
        return why.problem  # and not the error, whose traceback holds paho's socket

    def _serve(self, link: Link) -> Broken | None:
        looked = time.monotonic()
        while not self._stopping.is_set():
            messages = self._inbox.take(_AT_ONCE, _LOOK_S)
            if messages:
                self._store(messages)
            elif link.ended is not None:
                return link.ended
            if not messages or time.monotonic() - looked >= _LOOK_S:
                self._hand_over(link)
                looked = time.monotonic()
        return None

    def _settle_downlinks(self) -> None:
        """Those that an earlier process, or link, was handing over. Another client may be at one."""
        older_than = 0 if self.order.clients == 1 else handing.ABANDONED
        self._quietly(handing.settle_interrupted, self.order.connection, older_than=older_than)

    def _hand_over(self, link: Link) -> None:
        self._quietly(handing.settle_interrupted, self.order.connection)
        network = self.order.source.network
        self._quietly(handing.hand_over_due, self.order.connection, network, link.publish)

    def _quietly(self, work: Callable[..., None], *args: Any, **options: Any) -> None:
        """What must not hold up measurements; what fails is tried again."""
        try:
            close_old_connections()
            work(*args, **options)
        except Exception:
            logger.exception("downlinks of %s have to wait", self.order.source.name)

    def _rest(self) -> list[Message]:
        return self._inbox.take(_AT_ONCE * 10, 0)

    def _store(self, messages: list[Message]) -> None:
        """Until they are on disk, and acknowledged; or until the end, and then they come again."""
        if not messages:
            return
        backoff = Backoff()
        while not self._stored(messages):
            if self._stopping.wait(backoff.next(Problem.STORE)):
                return
        for message in messages:
            message.acknowledge()
        self._quietly(self._ways.learn, self.order.source, messages)
        told = self.status
        self._say(last_message=messages[-1].received, messages=told.messages + len(messages))
        if told.problem == Problem.STORE:
            self._say(problem="", facts={})

    def _stored(self, messages: list[Message]) -> bool:
        try:
            intake.keep(self.order.source, messages)
        except intake.PASSING as problem:
            logger.warning("messages of a broker cannot be stored now: %s", type(problem).__name__)
            self._trouble(Problem.STORE, {})
            return False
        except Exception as problem:
            logger.exception("messages of a broker cannot be stored now")
            self._trouble(Problem.UNEXPECTED, {"told": type(problem).__name__})
            return False
        return True

    def _trouble(self, problem: Problem, facts: dict[str, Any]) -> None:
        self._say(problem=problem.value, facts=facts, problem_at=now_us())

    def _say(self, **news: Any) -> None:
        before, self.status = self.status, replace(self.status, **news)
        if (before.state, before.problem) != (self.status.state, self.status.problem):
            self._news()
