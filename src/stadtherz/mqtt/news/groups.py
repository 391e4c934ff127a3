"""Who receives what: subscribers to one topic with one view of the data are one group.

What is new is put into words once for a group, by the feed's thread; the loop hands it to its members.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from stadtherz.base.visibility import Visibility
from stadtherz.mqtt.clients.messages import Place
from stadtherz.mqtt.clients.session import Session
from stadtherz.mqtt.news.heard import Heard
from stadtherz.store.public import Columns


class Membership(NamedTuple):
    """`identifier` of the subscription, if the client gave it one; what lies before `since` is not
    new to it.
    """

    qos: int
    identifier: int
    since: Place


Members = dict[Session, Membership]


@dataclass(slots=True, eq=False)
class Group:
    """`told`: the single thing as it was last sent, so that nothing is sent that has not changed."""

    heard: Heard
    visibility: Visibility
    members: Members = field(default_factory=dict)
    told: bytes | None = None

    @property
    def topic(self) -> str:
        return self.heard.topic

    def newest(self) -> list[bytes]:
        """The last value, for those who have just come. Asks the database."""
        found = self.heard.newest(self.visibility)
        if self.heard.single:
            self.told = next(iter(found), None)
        return found

    def of_readings(self, columns: Columns) -> list[bytes]:
        """What new readings mean for the group. Asks the database."""
        return self._if_changed(self.heard.of_readings(columns, self.visibility))

    def of_changes(self, changed: Mapping[str, Collection[int]]) -> list[bytes]:
        """What changed entities mean for the group. Asks the database."""
        return self._if_changed(self.heard.of_changes(changed, self.visibility))

    def of_going(self, kind: str, key: int) -> list[bytes]:
        """What it means for the group that this is about to be deleted. Asks the database."""
        return self.heard.of_going(kind, [key], self.visibility)

    def _if_changed(self, found: list[bytes]) -> list[bytes]:
        if not self.heard.single or not found:
            return found
        if found[0] == self.told:
            return []
        self.told = found[0]
        return found


def by_stream(columns: Columns) -> dict[int, Columns]:
    """The readings of each datastream, in their order."""
    order = np.argsort(columns.datastream, kind="stable")
    ordered = columns.datastream[order]
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]).tolist()
    if len(first) == 1:
        return {int(ordered[0]): columns}
    edges = pairwise([*first, len(order)])
    return {int(ordered[begin]): _part(columns, order[begin:end]) for begin, end in edges}


def _part(columns: Columns, places: Any) -> Columns:
    return Columns(**{f.name: _at(getattr(columns, f.name), places) for f in fields(columns)})


def _at(values: Any, places: Any) -> Any:
    if values is None or isinstance(values, np.ndarray):
        return None if values is None else values[places]
    return [values[place] for place in places.tolist()]
