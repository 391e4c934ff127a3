"""A whole set in one of the formats that are streamed."""

from collections.abc import Iterator
from dataclasses import dataclass

from stadtherz.base.time import Micros
from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings.answers import features, sheets
from stadtherz.sensorthings.answers.found import Parent
from stadtherz.sensorthings.answers.links import Urls
from stadtherz.sensorthings.answers.streams import Whole
from stadtherz.sensorthings.language.formats import Format
from stadtherz.sensorthings.language.syntax import Query
from stadtherz.sensorthings.query.plan import SetPlan, plan_set
from stadtherz.sensorthings.standard.schema import OBSERVATION, EntityType, Link
from stadtherz.store import public as store


@dataclass(frozen=True, slots=True)
class Export:
    """What to write, for whom: the set of a type, or the one behind a parent's link."""

    entity: EntityType
    query: Query
    parent: Parent | None
    link: Link | None
    visibility: Visibility
    urls: Urls
    now: Micros

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        name = f"{self.entity.plural}.{self.query.format.lower()}"
        return (("content-disposition", f'attachment; filename="{name}"'),)

    def pieces(self) -> Iterator[bytes]:
        """The document; what is wrong with the query is raised before the first piece."""
        match self.query.format:
            case Format.GEOJSON:
                query, places = features.with_places(self.entity, self.query)
                plan = plan_set(self.entity, query, now=self.now)
                return features.collection(self._whole(plan).entities(), places, self.urls)
            case Format.PARQUET:
                return store.as_parquet(self._whole(self._plan()).readings())
            case Format.ARROW:
                return store.as_arrow(self._whole(self._plan()).readings())
            case _:
                return self._sheet(self._plan())

    def _sheet(self, plan: SetPlan) -> Iterator[bytes]:
        if self.entity.is_a(OBSERVATION):
            parts = self._whole(plan).readings()
            return sheets.of_observations(parts, self.query.select, self.urls.face)
        return sheets.of_entities(self._whole(plan).entities(), plan, self.urls.face)

    def _plan(self) -> SetPlan:
        return plan_set(self.entity, self.query, now=self.now)

    def _whole(self, plan: SetPlan) -> Whole:
        return Whole(plan, self.parent, self.link, self.visibility, self.query.top)
