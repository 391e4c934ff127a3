"""What the results of Datastreams are, as the store keeps it: looked up for those who read and those who write."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from stadtherz.sensorthings.query import sql
from stadtherz.sensorthings.query.execute import loaded, rows
from stadtherz.sensorthings.standard import result_types
from stadtherz.sensorthings.standard.result_types import Component
from stadtherz.sensorthings.standard.schema import RESULT_TYPE


@dataclass(frozen=True, slots=True)
class Results:
    """What the results of a Datastream are: None where nobody has said.

    `types` are those of their parts, if there are several; such results are kept as arrays.
    """

    component: Component | None
    types: tuple[Any, ...] | None
    arrays: frozenset[str]
    own: bool  # whether it is a result type that was sent

    @property
    def names(self) -> list[str] | None:
        """By which version 2.0 names the parts, unless it shows arrays, too."""
        if self.types is None or self.component is None:
            return None
        if not self.own or "DataRecord" in self.arrays:
            return None
        return [field["name"] for field in self.component["fields"]]


def results_of(streams: Collection[int]) -> dict[int, Results]:
    """Of each of these Datastreams."""
    return {key: _results(*row) for key, *row in rows(sql.kinds_of_results(streams))}


def _results(kind: str, unit: Any, types: Any, encoding: Any) -> Results:
    document, types, encoding = (loaded(each) for each in (unit, types, encoding))
    component = component_of(kind, document)
    if types is not None:
        component = result_types.said_of_parts(types, document)
    own = isinstance(document, dict) and RESULT_TYPE in document
    listed = None if types is None else tuple(types)
    return Results(component, listed, result_types.arrays(encoding), own)


def component_of(kind: str, unit: Any) -> Component | None:
    """What an observation type and a unit, as stored, say together; None where they say nothing."""
    return result_types.said(kind, unit) if isinstance(unit, dict) else None
