"""From the append log to the reactors that services declare: one durable consumer per service.

A consumer's handler runs in the transaction that moves its cursor, so what reactors write to the
database happens exactly once, and a service that fails holds up nobody but itself.
"""

from dataclasses import fields, replace
from functools import partial
from typing import Any

import numpy as np

from stadtherz.kit.declaration import Service
from stadtherz.kit.registry import services
from stadtherz.store.public import Columns, LogSlice, streams_observing
from stadtherz.stream.public import Consumer


def consumers() -> list[Consumer]:
    """One consumer for each service that has reactors, named `service:<key>`."""
    return [_consumer(service) for service in services() if service.reactors]


def _consumer(service: Service) -> Consumer:
    return Consumer(
        name=f"service:{service.key}",
        handle=partial(_dispatch, service),
        streams=partial(_streams, service),
    )


def _streams(service: Service) -> frozenset[int]:
    """The datastreams that any reactor of the service wants; asked anew for each slice."""
    return streams_observing(reactor.on.definition for reactor in service.reactors)


def _dispatch(service: Service, piece: LogSlice) -> None:
    came = frozenset(piece.columns.datastream.tolist())
    definitions = {reactor.on.definition for reactor in service.reactors}
    whole = len(definitions) == 1  # then all that came are wanted
    wanted = {each: came if whole else came & streams_observing([each]) for each in definitions}
    for reactor in service.reactors:
        own = take(piece.columns, wanted[reactor.on.definition])
        if len(own):
            reactor.call(own)


def take(columns: Columns, streams: frozenset[int]) -> Columns:
    """The readings of these datastreams, in the same order."""
    chosen = np.isin(columns.datastream, np.fromiter(streams, np.int64, len(streams)))
    if chosen.all():
        return columns
    parts = {field.name: getattr(columns, field.name) for field in fields(columns)}
    return replace(columns, **{name: _pick(part, chosen) for name, part in parts.items()})


def _pick(part: Any, chosen: Any) -> Any:
    if isinstance(part, np.ndarray) or part is None:
        return part if part is None else part[chosen]
    return [value for value, keep in zip(part, chosen, strict=True) if keep]
