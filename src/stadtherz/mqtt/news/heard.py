"""What may be heard under a topic: entities and readings of the standard, or a board of the city's own."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings import public as sensorthings
from stadtherz.sensorthings.public import Subscription
from stadtherz.store.public import Columns


class Heard(Protocol):
    """A topic that has been understood. What is said of it is what the one with the rights may see.

    `stream` is the Datastream whose readings concern it, with `every` those of each may. `single`: one
    thing, which is told only when it has changed. `costly`: the database is asked for this topic alone.
    `typed`: each message says whether something was created, updated or deleted.
    """

    @property
    def topic(self) -> str: ...
    @property
    def stream(self) -> int | None: ...
    @property
    def every(self) -> bool: ...
    @property
    def observations(self) -> bool: ...
    @property
    def single(self) -> bool: ...
    @property
    def costly(self) -> bool: ...
    @property
    def typed(self) -> bool: ...

    def newest(self, visibility: Visibility) -> list[bytes]:
        """What who has just come gets at once."""

    def of_readings(self, columns: Columns, visibility: Visibility) -> list[bytes]:
        """What new readings mean for it."""

    def of_changes(
        self, changed: Mapping[str, Collection[int]], visibility: Visibility
    ) -> list[bytes]:
        """What was announced means for it."""

    def of_going(self, kind: str, keys: Collection[int], visibility: Visibility) -> list[bytes]:
        """What it means for it that something is about to be deleted."""


@dataclass(frozen=True, slots=True)
class Entities:
    """A topic of SensorThings."""

    subscription: Subscription

    @property
    def topic(self) -> str:
        return self.subscription.topic

    @property
    def stream(self) -> int | None:
        return self.subscription.stream

    @property
    def every(self) -> bool:
        return self.subscription.every

    @property
    def observations(self) -> bool:
        return self.subscription.observations

    @property
    def single(self) -> bool:
        return self.subscription.route.last.single

    @property
    def costly(self) -> bool:
        return self.subscription.costly

    @property
    def typed(self) -> bool:
        """Version 2.0 says it (23-019, pub_sub); version 1.1 has no word for it."""
        return self.subscription.where.urls.face.odata

    def newest(self, visibility: Visibility) -> list[bytes]:
        found = sensorthings.newest(self.subscription, visibility)
        return [] if found is None else [found]

    def of_readings(self, columns: Columns, visibility: Visibility) -> list[bytes]:
        if self.observations:
            return sensorthings.of_readings(self.subscription, columns, visibility)
        found = sensorthings.present(self.subscription, visibility)
        return [] if found is None else [found]

    def of_changes(
        self, changed: Mapping[str, Collection[int]], visibility: Visibility
    ) -> list[bytes]:
        return sensorthings.of_changes(self.subscription, changed, visibility)

    def of_going(self, kind: str, keys: Collection[int], visibility: Visibility) -> list[bytes]:
        return sensorthings.of_going(self.subscription, kind, keys, visibility)
