"""A town with a public and a hidden gauge, a neighbour with another, and people with tokens."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from stadtherz.base.visibility import Scope, Visibility
from stadtherz.base.vocabulary import WATER_LEVEL
from stadtherz.ingest.public import NewField, register_device, stop
from stadtherz.mqtt.tests.talk import People
from stadtherz.store.public import (
    NewStream,
    Selection,
    create_organisation,
    register_stream,
    select,
    stop_writer,
)

OWN, STRANGE, NETWORK, READER = "own", "strange", "network", "reader"
"""Passwords: the town's token that writes, the neighbour's, one for documents, one that reads."""

GAUGE = "70B3D57ED0060001"


@dataclass(frozen=True)
class Town:
    owner: int
    neighbour: int
    level: int
    hidden: int
    theirs: int
    people: People

    def results(self, stream: int) -> list[object]:
        """What is stored of a datastream, in the order of arrival."""
        found = select(Selection(streams=frozenset({stream})))
        return [result for _, result in sorted(zip(found.id, found.result, strict=True))]


def gauge(owner: int, name: str, access: str = "public") -> int:
    return register_stream(
        NewStream(
            owner=owner,
            thing_name=name,
            thing_description="A gauge",
            location={"type": "Point", "coordinates": [7.7, 49.4]},
            sensor_name=f"Sensor {name}",
            sensor_description="Ultrasound",
            observed=WATER_LEVEL,
            name=f"{name}: level",
            description="Water level",
            access=access,
        )
    )


def token(owner: int, name: str, *scopes: Scope) -> Visibility:
    own = frozenset({owner})
    reads = bool({Scope.READ, Scope.WRITE} & set(scopes))
    return Visibility(
        actor=f"token:{name}",
        organisations=own if reads else frozenset(),
        writes=own if Scope.WRITE in scopes else frozenset(),
        scopes=frozenset({*scopes, Scope.READ}),
        home=owner,
    )


@pytest.fixture
def town(transactional_db: None) -> Iterator[Town]:
    owner, neighbour = create_organisation("own", "Own"), create_organisation("other", "Other")
    level = gauge(owner, "Lauter")
    register_device(owner, "tts", GAUGE, "Lauter", fields=[NewField("level_cm", level)])
    people = People(
        {
            OWN: token(owner, OWN, Scope.READ, Scope.WRITE),
            STRANGE: token(neighbour, STRANGE, Scope.READ, Scope.WRITE),
            NETWORK: token(owner, NETWORK, Scope.INGEST),
            READER: token(owner, READER, Scope.READ),
        }
    )
    hidden = gauge(owner, "Depot", "organisation")
    yield Town(owner, neighbour, level, hidden, gauge(neighbour, "Glan"), people)
    stop()
    stop_writer()
