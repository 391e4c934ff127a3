"""SensorThings Tasks as messages to devices (OGC 17-079r1).

A device whose codec encodes, and to which a way is known, gets an Actuator and a TaskingCapability. What the
store keeps as a Task of it goes into the same queue as what staff send, once; what becomes of it is written
back to the Task, in its properties. The face that took the Task and this package know nothing of each other.
"""

import logging
import threading
from typing import Any

import orjson
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import translation

from stadtherz.base.errors import Conflict, Invalid, NotFound, StadtherzError
from stadtherz.base.time import DAY, Micros, iso, now_us
from stadtherz.base.visibility import AccessLevel, Scope, Visibility
from stadtherz.ingest.devices.decoding import known_codec
from stadtherz.ingest.downlinks import describing, handing, servers, states
from stadtherz.ingest.downlinks.asking import Worked, keep, withdraw, work_out
from stadtherz.ingest.downlinks.models import (
    DeviceTasks,
    DownlinkServer,
    DownlinkWay,
    TaskedDownlink,
)
from stadtherz.ingest.downlinks.states import State
from stadtherz.ingest.models import Codec, Device
from stadtherz.store.public import (
    TaskInfo,
    create,
    entity_changed,
    exclusive,
    task,
    tasks_since,
    update,
)
from stadtherz.stream.public import Rounds

logger = logging.getLogger(__name__)

_LOOK_S = 2.0
_BACK: Micros = 2 * DAY  # older Tasks are left alone; those older than a day are not sent any more
_OPEN: Micros = 4 * DAY
_AT_ONCE = 50


_SERVERS = DownlinkServer.objects.filter(
    owner=OuterRef("owner"), network=OuterRef("network"), active=True
)


def work_is_possible(device: Device) -> bool:
    return DownlinkWay.objects.filter(device=device).exists() or servers.is_reached(device)


def offer() -> None:
    """Say of each device that can be told something what that is, the first time that it can."""
    ready = Device.objects.filter(tasks__isnull=True, active=True).filter(
        Q(way__isnull=False) | Exists(_SERVERS)
    )
    for device in ready.select_related("device_type")[:_AT_ONCE]:
        kind = device.device_type
        codec = known_codec(device.codec_id or (kind.codec_id if kind else None))
        if codec is None or codec.kind != Codec.Kind.JAVASCRIPT:
            continue
        if describing.encodes(codec.encoder or codec.text) and work_is_possible(device):
            _offer(device)


def _offer(device: Device) -> None:
    field = device.fields.select_related("datastream__thing").order_by("pk").first()
    if field is None:
        return
    thing = field.datastream.thing
    if thing.owner_id != device.owner_id:  # its owner could tell another's device what to do
        return
    visibility = _as_owner(device.owner_id)
    described = {"owner": device.owner_id, "access": AccessLevel.ORGANISATION.value}
    with exclusive():
        if DeviceTasks.objects.filter(device=device).exists():
            return
        actuator = create(
            "Actuator",
            {
                "name": f"{device.name} ({device.dev_eui})",
                "description": str(device.device_type or device.name),
                "encoding_type": "text/plain",
                "metadata": f"{device.network} {device.dev_eui}",
                **described,
            },
            visibility,
        )
        capability = create(
            "TaskingCapability",
            {
                "name": f"Messages to {device.name}",
                "description": "Each Task is sent to the device as a downlink.",
                "tasking_parameters": describing.RAW,
                "thing": thing.pk,
                "actuator": actuator,
                **described,
            },
            visibility,
        )
        DeviceTasks.objects.create(device=device, capability=capability)


def _as_owner(owner: int) -> Visibility:
    own = frozenset({owner})
    return Visibility(
        actor="downlinks",
        organisations=own,
        writes=own,
        scopes=frozenset({Scope.READ, Scope.WRITE}),
        home=owner,
    )


def take() -> None:
    """Put what new Tasks say into the queue of their devices, in the order in which they were given."""
    rows = DeviceTasks.objects.select_related("device", "device__device_type")
    devices = {row.capability: row.device for row in rows}
    since = now_us() - _BACK
    known = set(TaskedDownlink.objects.filter(open_until__gte=since).values_list("task", flat=True))
    fresh = (each for each in tasks_since(list(devices), since) if each.id not in known)
    for each, _ in zip(fresh, range(_AT_ONCE), strict=False):
        _take(each, devices[each.capability])


def _take(told: TaskInfo, device: Device) -> None:
    try:
        if told.created < now_us() - handing.OLDEST:
            raise Invalid("task", states.sentence(states.TOO_OLD, {}))
        worked, confirmed = _worked(told, device)
    except Invalid as problem:
        _note(told, problem=f"{problem.field}: {problem.reason}")
    except (Conflict, StadtherzError):
        return  # no way to it just now, too much waits, no codec worker: the next look may go well
    else:
        _note(told, device, worked, confirmed=confirmed)


def _worked(told: TaskInfo, device: Device) -> tuple[Worked, bool]:
    parameters = told.parameters
    if not isinstance(parameters, dict):
        raise Invalid("taskingParameters", "must be an object")
    if describing.is_raw(parameters):
        port = parameters.get(describing.PORT)
        worked = work_out(
            device, parameters[describing.BYTES], port if isinstance(port, int) else None
        )
        return worked, parameters.get(describing.CONFIRMED) is True
    return work_out(device, orjson.dumps(parameters).decode(), None), False


def _note(
    told: TaskInfo,
    device: Device | None = None,
    worked: Worked | None = None,
    *,
    confirmed: bool = False,
    problem: str = "",
) -> None:
    """The note and the message, or neither: two processes may have seen the same Task."""
    with exclusive():
        if task(told.id) is None:  # deleted meanwhile
            return
        try:
            with transaction.atomic():
                row = TaskedDownlink.objects.create(
                    task=told.id, problem=problem[:500], open_until=now_us() + _OPEN
                )
        except IntegrityError:
            return
        if device is not None and worked is not None:
            row.downlink = keep(
                device, worked, actor=f"task:{told.id}", confirmed=confirmed, asked_at=told.created
            )
            row.save(update_fields=["downlink"])


def reflect() -> None:
    """Write to each Task what has become of its message since the last look; a deleted one is withdrawn."""
    rows = TaskedDownlink.objects.filter(open_until__gte=now_us()).select_related(
        "downlink", "downlink__device"
    )
    for row in rows.order_by("pk"):
        down = row.downlink
        if down is not None and down.state == State.QUEUED and task(row.task) is None:
            try:
                withdraw(down)
            except NotFound:
                continue  # it was handed over in this moment
        state = State(down.state) if down is not None else State.FAILED
        if row.told != state:
            _reflect(row, state)


def _reflect(row: TaskedDownlink, state: State) -> None:
    down = row.downlink
    with exclusive():
        told = {
            "state": state.value,
            "description": str(state.label),
            "time": iso(down.changed_at if down is not None else now_us()),
            "problem": row.problem or (down.sentence if down is not None else ""),
        }
        held = task(row.task)
        capability = None
        if held is not None:
            capability = DeviceTasks.objects.filter(capability=held.capability).first()
        if held is not None and capability is not None:
            before = held.properties if isinstance(held.properties, dict) else {}
            values: dict[str, Any] = {
                "properties": {**before, "downlink": {k: v for k, v in told.items() if v}}
            }
            update("Task", held.id, values, _as_owner(capability.device.owner_id))
        TaskedDownlink.objects.filter(pk=row.pk).update(told=state)


def look() -> None:
    """One round of all three; Tasks are programs' reading, so they speak English."""
    with translation.override("en"):
        offer()
        if DeviceTasks.objects.exists():
            take()
            reflect()


class _Tasks:
    """The thread of this process; several processes may look, `exclusive` and the notes keep them apart."""

    def __init__(self) -> None:
        self._bell = threading.Event()
        self._rounds: Rounds | None = None

    def start(self) -> None:
        if self._rounds is None:
            self._rounds = Rounds(
                "tasks",
                self._one,
                logger,
                away="tasks cannot be looked for",
                broken="tasks cannot be looked for; trying again",
            )
            self._rounds.start()

    def stop(self) -> None:
        if self._rounds is not None:
            rounds, self._rounds = self._rounds, None
            self._bell.set()
            rounds.stop()

    def _one(self) -> None:
        self._bell.wait(_LOOK_S)
        self._bell.clear()
        if self._rounds is not None and not self._rounds.ending:
            look()

    def hear(self, *, entity: str, **_news: Any) -> None:
        if entity == "Task":
            transaction.on_commit(self._bell.set)


_tasks = _Tasks()
start_tasks = _tasks.start
stop_tasks = _tasks.stop


def _hear(entity: str = "", **news: Any) -> None:
    _tasks.hear(entity=entity, **news)


entity_changed.connect(_hear, dispatch_uid="ingest-tasks")
