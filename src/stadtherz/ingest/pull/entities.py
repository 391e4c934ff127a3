"""Things with all that hangs on them: copied once, then changed when they change there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from stadtherz.base.errors import NotFound, StadtherzError
from stadtherz.ingest.pull.models import PulledEntity, PulledStream, PullSource
from stadtherz.ingest.pull.pages import id_of, key_in_path, pages, question
from stadtherz.ingest.pull.web import Json, Origin
from stadtherz.ingest.pull.words import Problem
from stadtherz.store.public import Entity, create, exclusive, update

_DESCRIBED = {"name": "name", "description": "description", "properties": "properties"}
_FIELDS: Mapping[Entity, Mapping[str, str]] = {
    "Thing": _DESCRIBED,
    "Location": {**_DESCRIBED, "encodingType": "encoding_type", "location": "location"},
    "Sensor": {**_DESCRIBED, "encodingType": "encoding_type", "metadata": "metadata"},
    "ObservedProperty": {**_DESCRIBED, "definition": "definition"},
    "Datastream": {
        **_DESCRIBED,
        "observationType": "observation_type",
        "unitOfMeasurement": "unit_of_measurement",
    },
}
_EXPANDED = "Sensor,ObservedProperty"


@dataclass(slots=True)
class Copies:
    """The entities of one source. `troubles` are those that could not be copied, with the reason."""

    source: PullSource
    origin: Origin
    troubles: list[tuple[Problem, dict[str, Any]]] = field(default_factory=list)

    def streams(self) -> Iterator[PulledStream]:
        """Bring all Things of the source into step, and give their datastreams as they come.

        Raises PullProblem.
        """
        first = question(
            "/Things",
            filter=self.source.things,
            expand="Locations",
            orderby="id asc",
            top="100",
        )
        for rows in pages(self.origin, first):
            for row in rows:
                yield from self._thing(row)

    def _thing(self, row: Json) -> Iterator[PulledStream]:
        outer = id_of(row, self.origin)
        try:
            locations = [self._copy("Location", each, {}) for each in _objects(row, "Locations")]
            thing = self._copy("Thing", row, {"locations": locations})
        except StadtherzError as problem:
            self._trouble("Thing", outer, problem)
            return
        first = question(
            f"/Things({key_in_path(outer)})/Datastreams",
            filter=self.source.datastreams,
            expand=_EXPANDED,
            orderby="id asc",
            top="100",
        )
        for rows in pages(self.origin, first):
            for each in rows:
                stream = self._stream(each, thing)
                if stream is not None:
                    yield stream

    def _stream(self, row: Json, thing: int) -> PulledStream | None:
        outer = id_of(row, self.origin)
        try:
            links = {
                "thing": thing,
                "sensor": self._copy("Sensor", _object(row, "Sensor"), {}),
                "observed_property": self._copy(
                    "ObservedProperty", _object(row, "ObservedProperty"), {}
                ),
            }
            key = self._copy("Datastream", row, links)
        except StadtherzError as problem:
            self._trouble("Datastream", outer, problem)
            return None
        wanted = {"outer": orjson.dumps(outer).decode()}
        stream, _ = PulledStream.objects.get_or_create(
            source=self.source, datastream_id=key, defaults=wanted
        )
        return stream

    def _copy(self, kind: Entity, row: Json, links: Mapping[str, Any]) -> int:
        """The id here. Raises Invalid for what cannot be kept."""
        values = {**self._values(kind, row), **links}
        outer = str(id_of(row, self.origin))
        known = PulledEntity.objects.filter(source=self.source, kind=kind, outer=outer).first()
        with exclusive():  # an entity and what it is called there, or neither
            key = self._changed(kind, known, values)
            if known is None or known.key != key:
                PulledEntity.objects.update_or_create(
                    source=self.source, kind=kind, outer=outer, defaults={"key": key}
                )
        return key

    def _changed(self, kind: Entity, known: PulledEntity | None, values: dict[str, Any]) -> int:
        visibility = self.source.visibility
        if known is not None:
            try:
                update(kind, known.key, values, visibility)
            except NotFound:  # somebody has deleted the copy
                pass
            else:
                return known.key
        owned = {"owner": self.source.owner_id, "access": self.source.access}
        return create(kind, {**values, **owned}, visibility)

    def _values(self, kind: Entity, row: Json) -> dict[str, Any]:
        """What is there, by the names of our fields; and where it is from."""
        values = {ours: row[theirs] for theirs, ours in _FIELDS[kind].items() if theirs in row}
        if values.get("description") is None:
            values["description"] = ""
        if kind in ("Thing", "Datastream") and isinstance(link := row.get("@iot.selfLink"), str):
            properties = values.get("properties")
            told = properties if isinstance(properties, dict) else {}
            values["properties"] = {"source": link, **told}
        return values

    def _trouble(self, kind: str, outer: object, problem: StadtherzError) -> None:
        what = f"{kind} {outer}"
        self.troubles.append((Problem.ENTITY, {"what": what[:100], "told": str(problem)[:300]}))


def _objects(row: Json, name: str) -> list[Json]:
    told = row.get(name) or []
    return [each for each in told if isinstance(each, dict)] if isinstance(told, list) else []


def _object(row: Json, name: str) -> Json:
    told = row.get(name)
    if not isinstance(told, dict):
        raise NotFound(name)
    return told
