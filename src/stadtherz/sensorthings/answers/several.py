"""Results of several parts as they are read: what they observe, and how each version shows them.

Datastreams and MultiDatastreams of version 1.1 are rows of one table, and so are their Observations. A
result of several parts is kept as an array, which version 2.0 may show by the names of its fields.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np
import orjson

from stadtherz.sensorthings.answers.found import Page
from stadtherz.sensorthings.query import sql
from stadtherz.sensorthings.query.execute import rows
from stadtherz.sensorthings.query.results import results_of
from stadtherz.sensorthings.query.tables import Reader
from stadtherz.sensorthings.standard import result_types
from stadtherz.sensorthings.standard.schema import (
    DATASTREAM,
    OBSERVATION,
    OBSERVED_PROPERTY,
    RESULT_TYPE,
    EntityType,
    Link,
    target,
)

Names = dict[int, list[str]]


def observed_by(
    streams: Collection[int], reader: Reader
) -> dict[int, list[tuple[int, str | None]]]:
    """The ObservedProperties of each, in order, with names where the reader may see them."""
    found: dict[int, list[tuple[int, str | None]]] = {key: [] for key in streams}
    if streams:
        for stream, key, name in rows(sql.observed_with_names(streams, reader)):
            found[stream].append((key, name))
    return found


def result_type(
    row: Sequence[Any], plural: str, observed: Sequence[tuple[int, str | None]]
) -> result_types.Component:
    """From the columns of a result type: that which was sent, or one that says what version 1.1 says.

    `plural` is the name of the set of ObservedProperties; `observed` those of results of several parts.
    """
    kind, unit, types, units, first, name = row
    document = orjson.loads(unit)
    if types is None:
        return result_types.shown(kind, document, f"{plural}({first})", name)
    references = [f"{plural}({key})" for key, _ in observed]
    kept = document.get(RESULT_TYPE)
    if kept is not None:
        return result_types.record_of(kept, references)
    named = [(reference, name) for reference, (_, name) in zip(references, observed, strict=True)]
    return result_types.record(orjson.loads(types), orjson.loads(units), named, name)


def result_types_of(reader: Reader, *, several: bool = False) -> dict[int, result_types.Component]:
    """The result type of each Datastream that the reader may see, or of those alone with several parts."""
    found = rows(sql.told_of_results(reader, several=several))
    records = [key for key, _, _, types, *_ in found if types is not None]
    observed = observed_by(records, reader)
    plural = OBSERVED_PROPERTY.plural
    return {key: result_type(row, plural, observed.get(key, ())) for key, *row in found}


def names_of_parts(reader: Reader) -> dict[int, list[str]]:
    """What the parts of results are called, of the Datastreams with several that the reader may see."""
    types = result_types_of(reader, several=True)
    return {key: [part["name"] for part in result_types.parts(each)] for key, each in types.items()}


def of_several_parts(streams: Iterable[int]) -> frozenset[int]:
    """Those of the Datastreams whose results have several parts."""
    asked = sorted(set(streams))
    return frozenset(row[0] for row in rows(sql.of_several_parts(asked))) if asked else frozenset()


def names_of(entity: EntityType, streams: Iterable[int]) -> Names:
    """By which names the parts of results are shown; without those that are shown as they are kept."""
    prop = entity.property("result")
    asked = sorted(set(streams))
    if prop is None or not prop.checked or not asked:
        return {}
    return {key: names for key, kind in results_of(asked).items() if (names := kind.names)}


def complete(page: Page, reader: Reader) -> None:
    """Add to Datastreams what those with results of several parts observe, where it is shown.

    Of Observations tell which belong to such ones, and show their results in the words of the version.
    """
    entity = page.plan.entity
    if entity.is_a(DATASTREAM) and any(link.follows for link in entity.links):
        types, ids = page.values.get("data_types"), page.ids
        if types is not None and any(each is not None for each in types):
            several = [key for key, each in zip(ids, types, strict=True) if each is not None]
            found = observed_by(several, reader)
            page.values["observed"] = [found.get(key, ()) for key in ids]
    if entity.is_a(OBSERVATION):
        complete_readings(page)


def complete_readings(page: Page) -> None:
    """As `complete`, for Observations."""
    results = page.values["result"]
    if isinstance(results, np.ndarray) and results.dtype != object:
        return
    listed = [isinstance(each, list) for each in results]
    if not any(listed):
        return
    streams = [int(key) for key in page.values["datastream"]]
    asked = {key for key, is_list in zip(streams, listed, strict=True) if is_list}
    held = of_several_parts(asked)
    page.values["several"] = [key in held for key in streams]
    if names := names_of(page.plan.entity, held):
        shown = np.empty(len(streams), object)
        for place, (key, result) in enumerate(zip(streams, results, strict=True)):
            own = names.get(key)
            shown[place] = result if own is None else result_types.as_object(own, result)
        page.values["result"] = shown


def leads(page: Page, link: Link) -> Sequence[bool]:
    """Which entities have something behind the link, as far as the kind of their results says it."""
    only = target(link).only
    if only is None or not page.plan.entity.is_a(OBSERVATION):
        return (True,)
    held = page.values.get("several")
    return (not only[1],) if held is None else [each == only[1] for each in held]
