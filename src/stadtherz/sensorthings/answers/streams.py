"""Whole sets, one page in memory at a time, however large they are.

Pages follow each other as by next links: what is added or deleted meanwhile moves nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings.answers.fetch import Fetcher
from stadtherz.sensorthings.answers.found import Page, Parent
from stadtherz.sensorthings.query import cursors
from stadtherz.sensorthings.query.plan import SetPlan
from stadtherz.sensorthings.standard.schema import Link
from stadtherz.store.public import Columns

_READINGS = 10_000
_ENTITIES = 500


@dataclass(frozen=True, slots=True)
class Whole:
    """A set that is read to its end, or until there were `most`."""

    plan: SetPlan
    parent: Parent | None
    link: Link | None
    visibility: Visibility
    most: int | None

    def readings(self) -> Iterator[Columns]:
        """Observations in parts, with results in the words of the version."""
        for found in self._pages(Fetcher.observations, _READINGS):
            assert found.columns is not None, "they are readings"
            yield replace(found.columns, result=found.values["result"])

    def entities(self) -> Iterator[Page]:
        """Entities with what the plan expands, in parts."""
        yield from self._pages(Fetcher.page, _ENTITIES)

    def _pages(
        self, fetch: Callable[[Fetcher, SetPlan, Parent | None, Link | None], Page], size: int
    ) -> Iterator[Page]:
        plan, left = replace(self.plan, count=False), self.most
        while left is None or left > 0:
            plan = replace(plan, top=size if left is None else min(size, left))
            found = fetch(Fetcher(self.visibility), plan, self.parent, self.link)
            yield found
            if not found.more:
                return
            left = None if left is None else left - plan.top
            plan = _behind(plan, found.token)


def _behind(plan: SetPlan, token: str | None) -> SetPlan:
    """The next page; by counting where no place can be named."""
    if token is None:
        return replace(plan, skip=plan.skip + plan.top)
    return replace(plan, skip=0, after=cursors.place(token))
