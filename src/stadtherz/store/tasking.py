"""Tasks, for those who do what they say."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from stadtherz.base.time import Micros
from stadtherz.store.models import Task


@dataclass(frozen=True, slots=True)
class TaskInfo:
    """What the Thing of a TaskingCapability was told, and when."""

    id: int
    capability: int
    created: Micros
    parameters: Any
    properties: Any


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
