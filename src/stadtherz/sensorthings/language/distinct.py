"""`$select=distinct:a,b` (23-019 api/read/options/select_distinct): each combination of values once.

What is selected is read whole, in order, and told apart by the text that is shown of it; a page is cut
out of what is left. So next links count, and an order can only be one of selected values.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from stadtherz.base.errors import QuerySyntaxError
from stadtherz.sensorthings.language.grammar import parts_of
from stadtherz.sensorthings.language.syntax import Name, Node, Query

MOST = 100_000
"""So many entities are looked at; more are refused."""


@dataclass(frozen=True, slots=True)
class Distinct:
    """The page of combinations that is wanted, and whether all of them are counted."""

    top: int
    skip: int
    count: bool

    def page(self, texts: Iterable[bytes]) -> "Combinations":
        """The page out of the texts of all entities."""
        single = list(dict.fromkeys(texts))
        end = self.skip + self.top
        shown = single[self.skip : end]
        count = len(single) if self.count else None
        return Combinations(shown, count, end if len(single) > end and self.top else None)


@dataclass(frozen=True, slots=True)
class Combinations:
    """A page: `following` are those up to its end if there are more, `count` all there are if asked."""

    shown: list[bytes]
    count: int | None
    following: int | None


def check(query: Query, links: Iterable[str]) -> None:
    """Raise QuerySyntaxError for what has no sense beside distinct values."""
    selected = {tuple(name.split("/")) for name in query.select or ()}
    if named := selected & {(name,) for name in (*links, "@id", "@iot.selfLink")}:
        reason = f"distinct values are those of properties; {min(named)[0]!r} is none"
        raise QuerySyntaxError("$select", reason, 0)
    if query.expand:
        reason = "what is told once for several entities has no links"
        raise QuerySyntaxError("$expand", reason, query.expand[0].position)
    if query.after is not None:
        raise QuerySyntaxError("$skiptoken", "pages of distinct values are counted with $skip", 0)
    for term in query.orderby:
        for name in _names(term.by):
            if not any(name.path[: len(way)] == way for way in (*selected, ("*",))):
                reason = "distinct values are ordered by what is selected of them"
                raise QuerySyntaxError("$orderby", reason, name.position)


def _names(node: Node) -> Iterator[Name]:
    if isinstance(node, Name):
        yield node
    for part in parts_of(node):
        yield from _names(part)
