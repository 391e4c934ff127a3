"""Hands messages over to networks by HTTP, for devices whose uplinks come by a webhook.

The same queue and the same care as for brokers (`handing`): what may have gone out is not sent again by itself.
"""

import logging
from collections.abc import Callable

import orjson
from django.conf import settings
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext

from stadtherz.base.errors import Invalid
from stadtherz.base.time import now_us
from stadtherz.ingest.devices.messages import unpack
from stadtherz.ingest.downlinks import calls, handing, states
from stadtherz.ingest.downlinks.calls import Reached
from stadtherz.ingest.downlinks.handing import Fate
from stadtherz.ingest.downlinks.models import Downlink, DownlinkServer
from stadtherz.ingest.downlinks.states import State
from stadtherz.ingest.health.models import DeviceMessages
from stadtherz.ingest.models import Device
from stadtherz.ingest.pull.web import Answered, Origin, Uncertain
from stadtherz.ingest.pull.words import Problem, PullProblem
from stadtherz.ingest.pull.words import sentence as problem_sentence
from stadtherz.ingest.trust import vault
from stadtherz.stream.public import Rounds

logger = logging.getLogger(__name__)

_LOOK_S = 2.0
_AT_ONCE = 20
_PACKS = 5  # of a device's messages are looked through for its name
_TRY_LATER = frozenset({408, 425, 429, 503})
_LONGEST_TOLD = 150


def server_of(device: Device) -> DownlinkServer | None:
    """The server by which this device can be told something, if no broker does."""
    rows = DownlinkServer.objects.filter(owner=device.owner_id, network=device.network, active=True)
    return rows.order_by("pk").first()


def is_reached(device: Device) -> bool:
    """Whether a server is there that knows the device."""
    server = server_of(device)
    return server is not None and (device.network != "tts" or bool(names_of(device)))


def names_of(device: Device) -> tuple[str, str] | None:
    """What The Things Stack calls the application and the device: its last messages tell."""
    for row in DeviceMessages.objects.filter(device=device).order_by("-last_at")[:_PACKS]:
        for message in reversed(unpack(bytes(row.packed))):
            try:
                ids = orjson.loads(message.body)["end_device_ids"]
                return str(ids["application_ids"]["application_id"]), str(ids["device_id"])
            except (orjson.JSONDecodeError, KeyError, TypeError):
                continue
    return None


def hand_over(stopping: Callable[[], bool] = lambda: False) -> None:
    """One round: each server gets what waits for its devices, in the order in which it was asked for."""
    handing.settle_interrupted(None, older_than=3 * handing.ABANDONED)
    for server in DownlinkServer.objects.filter(active=True).order_by("pk"):
        waiting = Downlink.objects.filter(
            state=State.QUEUED,
            device__owner=server.owner_id,
            device__network=server.network,
            device__way__isnull=True,
        )
        for row in _of(server, waiting):
            if stopping() or not _one(server, row):
                break


def _of(server: DownlinkServer, waiting: "QuerySet[Downlink]") -> list[Downlink]:
    """Of several servers of a network the first one counts."""
    rows = waiting.select_related("device").order_by("created_at", "pk")[:_AT_ONCE]
    return [row for row in rows if server_of(row.device) == server]


def _one(server: DownlinkServer, row: Downlink) -> bool:
    """Whether to go on with this server."""
    if row.created_at < now_us() - handing.OLDEST:
        handing.change(row, State.QUEUED, State.FAILED, states.TOO_OLD)
        return True
    names = names_of(row.device) if server.network == "tts" else ("", "")
    try:
        key = vault.opened(server.secret)
    except Invalid:
        _problem(server, "secret", {})
        return False
    if names is None:  # its messages have been forgotten: the next one brings the way back
        return True
    to = Reached(server.network, server.application or names[0], server.webhook, names[1], key)
    if not handing.begin(row, None):
        return True
    return _post(server, row, to)


def _post(server: DownlinkServer, row: Downlink, to: Reached) -> bool:
    call = calls.call(to, handing.content_of(row), now_us())
    origin = Origin(server.url, private=settings.PULL_PRIVATE)
    try:
        answer = origin.post(call.path, call.body, call.headers)
    except Uncertain as problem:
        _problem(server, problem.problem, problem.facts)
        return handing.record(row, Fate.PERHAPS)
    except PullProblem as problem:
        _problem(server, problem.problem, problem.facts)
        return handing.record(row, Fate.NOT_SENT)
    finally:
        origin.close()
    return _settled(server, row, answer)


def _settled(server: DownlinkServer, row: Downlink, answer: Answered) -> bool:
    told = calls.complaint(server.network, answer.body)
    if 200 <= answer.status < 300 and not told:
        _problem(server, "", {})
        if (key := calls.key_told(server.network, answer.body)) is not None:
            Downlink.objects.filter(pk=row.pk).update(key=key)
        return handing.record(row, Fate.TAKEN)
    if answer.status in _TRY_LATER:
        _problem(server, "busy", {"host": origin_of(server), "told": f"HTTP {answer.status}"})
        return handing.record(row, Fate.NOT_SENT)
    if answer.status >= 500:
        return handing.record(row, Fate.PERHAPS)
    said = " ".join(filter(None, (f"HTTP {answer.status}", told or answer.said[:_LONGEST_TOLD])))
    if answer.status in (401, 403):
        _problem(server, "credentials", {"host": origin_of(server)})
    handing.change(row, State.HANDING_OVER, State.FAILED, states.NETWORK, {"told": said})
    return True


def origin_of(server: DownlinkServer) -> str:
    return Origin(server.url).host


def _problem(server: DownlinkServer, problem: str, facts: dict[str, object]) -> None:
    if problem or server.problem:
        news = {"problem": problem, "facts": facts, "problem_at": now_us() if problem else None}
        DownlinkServer.objects.filter(pk=server.pk).update(**news)


def sentence_of(server: DownlinkServer) -> str:
    """What went wrong last, in the active language; empty if nothing did."""
    if server.problem == Problem.CREDENTIALS:
        told = gettext(
            "{host} does not accept the key. Check it, and whether it may write downlinks."
        )
        return told.format(host=origin_of(server))
    if server.problem == Problem.SECRET:
        return gettext(
            "The key cannot be read any more, because the city’s secret key has changed. Enter it again."
        )
    return problem_sentence(server.problem, server.facts)


def devices_of(server: DownlinkServer) -> int:
    """How many devices could be told something by it."""
    rows = Device.objects.filter(owner=server.owner_id, network=server.network, active=True)
    return rows.filter(way__isnull=True).count()


def waiting_of(server: DownlinkServer) -> int:
    """How many messages wait for it."""
    rows = Downlink.objects.filter(state=State.QUEUED, device__way__isnull=True)
    return rows.filter(device__owner=server.owner_id, device__network=server.network).count()


class _Servers:
    """The thread of this process; rows are taken one by one, so several processes may look."""

    def __init__(self) -> None:
        self._rounds: Rounds | None = None

    def start(self) -> None:
        if self._rounds is None:
            self._rounds = Rounds(
                "downlinks",
                self._one,
                logger,
                away="messages to devices cannot be looked for",
                broken="messages to devices cannot be handed over; trying again",
            )
            self._rounds.start()

    def stop(self) -> None:
        if self._rounds is not None:
            rounds, self._rounds = self._rounds, None
            rounds.stop()

    def _one(self) -> None:
        rounds = self._rounds
        if rounds is None:
            return
        rounds.pause(_LOOK_S)
        if not rounds.ending and DownlinkServer.objects.filter(active=True).exists():
            with translation.override("en"):
                hand_over(lambda: rounds.ending)


_servers = _Servers()
start_servers = _servers.start
stop_servers = _servers.stop
