"""Tasks, for those who do what they say."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from stadtherz.base.time import Micros
from stadtherz.store.models import Task, TaskingCapability


@dataclass(frozen=True, slots=True)
class TaskInfo:
    """What the Thing of a TaskingCapability was told, and when."""

    id: int
    capability: int
    created: Micros
    parameters: Any
    properties: Any


@dataclass(frozen=True, slots=True)
class CapabilityInfo:
    """What a Thing can be told; `parameters` describes it."""

    id: int
    owner: int
    parameters: Any


def tasking_capability(named: str, owner: int) -> CapabilityInfo | None:
    """An organisation's TaskingCapability by its id or its name; None also where several have the name."""
    rows = TaskingCapability.objects.filter(owner=owner)
    number = int(named) if named.isascii() and named.isdigit() and len(named) < 19 else None
    found = list(rows.filter(pk=number)) if number is not None else []
    found = found or list(rows.filter(name=named)[:2])
    if len(found) != 1:
        return None
    return CapabilityInfo(found[0].pk, found[0].owner_id, found[0].tasking_parameters)


def tasks_since(capabilities: Collection[int], since: Micros) -> Iterator[TaskInfo]:
    """The Tasks of these TaskingCapabilities from this moment on, in the order in which they were given."""
    rows = Task.objects.filter(tasking_capability__in=capabilities, creation_time__gte=since)
    return map(_info, rows.order_by("creation_time", "pk"))


def task(key: int) -> TaskInfo | None:
    """As it is now; None if it was deleted."""
    row = Task.objects.filter(pk=key).first()
    return None if row is None else _info(row)


def _info(row: Task) -> TaskInfo:
    return TaskInfo(
        id=row.pk,
        capability=row.tasking_capability_id,
        created=row.creation_time,
        parameters=row.tasking_parameters,
        properties=row.properties,
    )
