"""Where published messages go: readings to the store, documents to the ingest pipeline, the rest to
SensorThings. Nothing is acknowledged before it is on disk.

Plain Observations are read on the event loop and handed to the store's writer together, for everything
that one turn of the loop brought. What asks the database has threads of its own.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from stadtherz.base.errors import Forbidden, NotFound, StadtherzError
from stadtherz.base.time import now_us
from stadtherz.base.visibility import Scope
from stadtherz.ingest.public import NETWORKS, Delivered, Delivery, deliver, form_query
from stadtherz.mqtt.arrivals.answers import Answered, answered
from stadtherz.mqtt.arrivals.arrival import AGAIN, Arrival
from stadtherz.mqtt.arrivals.turns import Turns
from stadtherz.mqtt.models import KeptMessage
from stadtherz.mqtt.wire import outcomes
from stadtherz.mqtt.wire.reasons import Reason
from stadtherz.sensorthings.public import (
    REQUESTS,
    VERSIONS,
    Publication,
    check_may_publish,
    create,
    is_topic,
    offered,
)
from stadtherz.store.public import (
    Kept,
    Offer,
    Threads,
    exclusive,
    features_for,
    known_by,
    streams,
    submit_offers,
)

if TYPE_CHECKING:
    from stadtherz.mqtt.clients.conversation import Conversation

log = logging.getLogger(__name__)

INGEST = "ingest"
_MOST_WAITING = 5_000
_MOST_AT_ONCE = 1_000  # deliveries in one commit
_PATIENCE_S = 30.0

Offered = tuple[Arrival, Offer]
Settle = Callable[[Arrival, Reason, str], None]
_SUCCESS = (Reason.SUCCESS, "")


@dataclass(slots=True)
class Intake:
    """`settle` is called on the loop with what became of each arrival; `busy` for one that is to be
    sent again; `answer` with the answer to each request. `waiters` read no more until there is room.
    """

    root: str
    settle: Settle
    busy: Callable[[Arrival], None]
    answer: Callable[[Answered], None]
    waiters: "set[Conversation]" = field(default_factory=set)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    _offers: list[Offered] = field(default_factory=list)
    _turns: Turns = field(default_factory=Turns)
    _proven: set[int] = field(default_factory=set)  # Datastreams whose last offer was kept
    _deliveries: list[Arrival] = field(default_factory=list)
    _delivering: bool = False
    _waiting: int = 0
    _work: Threads = field(default_factory=lambda: Threads("mqtt-create"))
    _asks: Threads = field(default_factory=lambda: Threads("mqtt-request", 2))
    _ingest: Threads = field(default_factory=lambda: Threads("mqtt-ingest"))
    _quiet: Threads = field(default_factory=lambda: Threads("mqtt-refused"))

    @property
    def full(self) -> bool:
        return self._waiting >= _MOST_WAITING

    def stop(self) -> None:
        """Finish what is under way."""
        for lane in (self._work, self._asks, self._ingest, self._quiet):
            lane.stop()

    def put(self, arrival: Arrival) -> None:
        self._waiting += 1
        try:
            self._route(arrival)
        except StadtherzError as error:
            self._settle(arrival, *outcomes.of_publishing(error))

    def _route(self, arrival: Arrival) -> None:
        if arrival.topic == REQUESTS:
            self._in_thread(self._asks, arrival, self._request)
        elif is_topic(arrival.topic):
            self._put_sensorthings(arrival)
        elif arrival.topic.startswith(f"{INGEST}/"):
            self._put_ingest(arrival)
        else:
            known = ", ".join(f"{each}/" for each in (*VERSIONS, INGEST))
            raise NotFound(f"a topic outside {known}")

    def _settle(self, arrival: Arrival, reason: Reason, text: str) -> None:
        self._waiting -= 1
        self.settle(arrival, reason, text)

    def _failed(self, arrival: Arrival, error: BaseException) -> None:
        if not isinstance(error, Exception) or outcomes.is_passing(error):
            log.warning("A message could not be kept just now: %s", error)
            self._waiting -= 1
            self.busy(arrival)
        else:
            self._settle(arrival, *outcomes.of_publishing(error))

    def _relax(self) -> None:
        """Those who were told to wait may go on, as far as there is room."""
        if self._waiting < _MOST_WAITING // 2:
            for conversation in tuple(self.waiters):
                conversation.relax()

    # --- SensorThings ----------------------------------------------------------------------------

    def _put_sensorthings(self, arrival: Arrival) -> None:
        check_may_publish(arrival.visibility)
        found = None if arrival.again else offered(_publication(arrival), self.root)
        if self._turns.is_due(arrival, found):
            self._go(arrival, found)

    def _go(self, arrival: Arrival, found: Offer | None) -> None:
        if found is None:
            self._slowly(arrival)
            return
        if not self._offers:
            self._loop.call_soon(self._hand_in)
        self._offers.append((arrival, found))

    def _slowly(self, arrival: Arrival) -> None:
        self._hand_in()  # what came before it
        self._turns.begin([arrival])
        self._in_thread(self._work, arrival, self._create, lambda: self._slow_ended([arrival]))

    def _slow_ended(self, arrivals: Sequence[Arrival]) -> None:
        """Those behind them on the quick way may go on."""
        for arrival, found in self._turns.end(arrivals):
            self._go(arrival, found)

    def _hand_in(self) -> None:
        offers, self._offers = self._offers, []
        if not offers:
            return
        # They may be declined, and then take the slow way: until that is known nobody overtakes them.
        unproven = [each for each, offer in offers if offer.datastream not in self._proven]
        self._turns.begin(unproven)

        def come_back(outcome: Future[list[Kept | None]]) -> None:
            with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
                self._loop.call_soon_threadsafe(self._kept, offers, unproven, outcome)

        submit_offers([offer for _, offer in offers]).add_done_callback(come_back)

    def _kept(
        self, offers: list[Offered], unproven: list[Arrival], outcome: Future[list[Kept | None]]
    ) -> None:
        declined = self._told_kept(offers, outcome)
        if declined:
            self._turns.begin([arrival for arrival, _ in declined])
            self._submit(self._work, lambda: _with_places(declined), partial(self._tried, declined))
        self._slow_ended(unproven)
        self._relax()

    def _tried(self, offers: list[Offered], outcome: Future[list[Kept | None]]) -> None:
        """What is declined again hears why on the way of a POST."""
        for arrival, _ in self._told_kept(offers, outcome):
            self._slowly(arrival)
        self._slow_ended([arrival for arrival, _ in offers])
        self._relax()

    def _told_kept(
        self, offers: list[Offered], outcome: Future[list[Kept | None]]
    ) -> list[Offered]:
        """Settle what was kept or failed, and give what was declined."""
        error = outcome.exception()
        if error is not None:
            for arrival, _ in offers:
                self._failed(arrival, error)
            return []
        declined = []
        for offered_one, kept in zip(offers, outcome.result(), strict=True):
            arrival, offer = offered_one
            if kept is None:
                self._proven.discard(offer.datastream)
                declined.append(offered_one)
            else:
                self._proven.add(offer.datastream)
                self._settle(arrival, *_SUCCESS)
        return declined

    def _create(self, arrival: Arrival) -> tuple[Reason, str]:
        """In a thread: whatever is not a plain Observation, or may have been kept before a crash."""
        publication = _publication(arrival)
        offer = offered(publication, self.root)
        if arrival.again and _is_kept(arrival, offer):
            return _SUCCESS
        if offer is not None and submit_offers([offer]).result(_PATIENCE_S) != [None]:
            return _SUCCESS
        with exclusive():
            if publication.key is not None:
                KeptMessage.objects.create(key=publication.key, at=arrival.received)
            create(publication, self.root)
        return _SUCCESS

    def _request(self, arrival: Arrival) -> tuple[Reason, str]:
        """In a thread: the answer comes to the client before the acknowledgement."""
        found = answered(arrival, self.root)
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.answer, found)
        return _SUCCESS

    def _in_thread(
        self,
        lane: Threads,
        arrival: Arrival,
        work: Callable[[Arrival], tuple[Reason, str]],
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        def done(future: Future[tuple[Reason, str]]) -> None:
            error = future.exception()
            if error is None:
                self._settle(arrival, *future.result())
            else:
                self._failed(arrival, error)
            ended()
            self._relax()

        self._submit(lane, lambda: work(arrival), done)

    def _submit(
        self, lane: Threads, run: Callable[[], Any], done: Callable[[Future[Any]], None]
    ) -> None:
        def come_back(future: Future[Any]) -> None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(done, future)

        with suppress(RuntimeError):  # we are ending: without an acknowledgement it comes again
            lane.submit(run).add_done_callback(come_back)

    # --- networks' documents ---------------------------------------------------------------------

    def _put_ingest(self, arrival: Arrival) -> None:
        if arrival.topic.split("/")[1] not in NETWORKS:
            known = ", ".join(f"{INGEST}/{network}" for network in NETWORKS)
            raise NotFound(f"a topic outside {known}")
        if not arrival.visibility.allows(Scope.INGEST):
            raise Forbidden("this token may not send measurements; it needs the scope ingest")
        self._deliveries.append(arrival)
        if not self._delivering:
            self._delivering = True
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        group = self._deliveries[:_MOST_AT_ONCE]
        del self._deliveries[:_MOST_AT_ONCE]

        def run() -> list[Delivered]:
            return deliver([_delivery(arrival) for arrival in group])

        def done(future: Future[list[Delivered]]) -> None:
            self._delivering = bool(self._deliveries)
            if self._delivering:
                self._deliver()
            self._delivered(group, future)
            self._relax()

        self._submit(self._ingest, run, done)

    def _delivered(self, group: Sequence[Arrival], future: Future[list[Delivered]]) -> None:
        error = future.exception()
        if error is not None:
            for arrival in group:
                self._failed(arrival, error)
            return
        for arrival, delivered in zip(group, future.result(), strict=True):
            self._told(arrival, delivered)

    def _told(self, arrival: Arrival, delivered: Delivered) -> None:
        """A refused document is acknowledged once it is kept: staff can run it again."""
        if delivered.keep is None:
            self._settle(arrival, *_SUCCESS)
            return
        keep, detail = delivered.keep, str(delivered.answer.body.get("detail", ""))

        def work(_arrival: Arrival) -> tuple[Reason, str]:
            keep()
            return Reason.PAYLOAD_FORMAT_INVALID, f"kept in the refused list: {detail}"

        self._in_thread(self._quiet, arrival, work)


def _with_places(offers: list[Offered]) -> list[Kept | None]:
    """A second try, after the first readings of Datastreams have got their feature of interest.

    Once there is one, nobody has to wait for it again. Asks the database.
    """
    wanted = {offer.datastream for _, offer in offers}
    infos = streams(wanted)
    may_write = {
        offer.datastream
        for _, offer in offers
        if (info := infos.get(offer.datastream)) and offer.visibility.may_write(info.owner)
    }
    features_for(may_write)
    return submit_offers([offer for _, offer in offers]).result(_PATIENCE_S)


def _is_kept(arrival: Arrival, offer: Offer | None) -> bool:
    """Whether the message was kept when it came for the first time."""
    keys = list(arrival.earlier_keys())
    if offer is not None and known_by(offer.datastream, keys) is not None:
        return True
    return KeptMessage.objects.filter(key__in=keys).exists()


def _publication(arrival: Arrival) -> Publication:
    return Publication(
        arrival.topic, arrival.payload, arrival.visibility, arrival.received, arrival.key
    )


def _delivery(arrival: Arrival) -> Delivery:
    """A network's topic goes on behind ours, and ends with the event where it tells one.

    Behind ingest/json/ stands the message form, then the topic that the form knows.
    """
    levels = arrival.topic.split("/")
    query = f"event={levels[-1]}" if len(levels) > 3 and levels[-2] == "event" else ""
    if levels[1] == "json":
        query = form_query("".join(levels[2:3]), "/".join(levels[3:]))
    return Delivery(levels[1], arrival.payload, query, arrival.received, arrival.visibility)


def forget_old() -> None:
    """Remove what no message is compared with any more."""
    KeptMessage.objects.filter(at__lt=now_us() - 2 * AGAIN).delete()
