"""A town to try services in: two organisations, datastreams, readings and people of each role."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.test import Client

from stadtherz.base.time import Micros, Period, now_us
from stadtherz.base.vocabulary import Observable
from stadtherz.identity.public import User, create_organisation, create_user
from stadtherz.kit.declaration import Role
from stadtherz.kit.reactors import consumers
from stadtherz.store.public import NewStream, Reading, append, register_stream
from stadtherz.stream.public import drain, register, unregister


@dataclass(frozen=True, slots=True)
class Town:
    """Two organisations and whatever datastreams a test asks for."""

    organisation: int
    neighbour: int

    @classmethod
    def found(cls) -> "Town":
        return cls(
            organisation=create_organisation("stadt", "Stadt"),
            neighbour=create_organisation("nachbar", "Nachbarstadt"),
        )

    def datastream(
        self,
        observed: Observable,
        name: str = "Messstelle",
        *,
        access: str = "public",
        owner: int | None = None,
    ) -> int:
        """The id of a datastream of this name; made when it is asked for the first time."""
        return register_stream(
            NewStream(
                owner=self.organisation if owner is None else owner,
                thing_name=name,
                thing_description=name,
                location={"type": "Point", "coordinates": [7.77, 49.44]},
                sensor_name=f"Sensor {name}",
                sensor_description="made by a test",
                observed=observed,
                name=f"{name}: {observed.name}",
                description="made by a test",
                access=access,
            )
        )

    def measure(self, datastream: int, *values: Any, at: Micros | None = None) -> list[int]:
        """Keep readings a minute apart, the last at `at` (or now), and let reactors see them."""
        ids = self.keep(datastream, *values, at=at)
        react()
        return ids

    @staticmethod
    def keep(datastream: int, *values: Any, at: Micros | None = None) -> list[int]:
        """As `measure`, but nobody reacts yet."""
        last = now_us() if at is None else at
        times = range(last - (len(values) - 1) * 60_000_000, last + 1, 60_000_000)
        receipts = append(
            [
                Reading(datastream, Period(moment), value)
                for moment, value in zip(times, values, strict=True)
            ]
        )
        return [receipt.id for receipt in receipts]


def react() -> None:
    """Run every service's reactors to the end of the log."""
    with _registered():
        drain()


@contextmanager
def _registered() -> Iterator[None]:
    known = consumers()
    for consumer in known:
        register(consumer)
    try:
        yield
    finally:
        for consumer in known:
            unregister(consumer.name)


def person(role: Role, organisation: int) -> Client:
    """A browser in which somebody of this role is signed in.

    A citizen has an account and belongs nowhere; a stranger administers another organisation, which
    the caller names.
    """
    client = Client()
    if role != "anonymous":
        client.force_login(User.objects.get(pk=_account(role, organisation)))
    return client


def _account(role: Role, organisation: int) -> int:
    email, password = f"{role}-{organisation}@test.example", "correct horse battery"
    if role == "citizen":
        return create_user(email, password, name=role)
    member = "administrator" if role == "stranger" else role
    return create_user(email, password, name=role, organisation=organisation, role=member)
