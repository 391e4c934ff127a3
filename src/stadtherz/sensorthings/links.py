"""Absolute addresses of entities, links and pages."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from stadtherz.sensorthings import cursors
from stadtherz.sensorthings.schema import EntityType

_SAFE = "$(),;:/'*@!=."  # readable in a query string, and of no meaning to it


@dataclass(frozen=True, slots=True)
class Urls:
    """`root` is the address of the service root without a trailing slash."""

    root: str

    def entity_set(self, entity: EntityType) -> str:
        return f"{self.root}/{entity.plural}"

    def entity(self, entity: EntityType, key: int) -> str:
        return f"{self.root}/{entity.plural}({key})"

    def page_after(
        self, path: str, texts: Iterable[tuple[str, str]], *, skip: int = 0, token: str | None
    ) -> str:
        """The same options, going on at the token, or by counting where there is none."""
        replaced = ("$skip",) if token is None else ("$skip", cursors.OPTION)
        options = [(name, text) for name, text in texts if name not in replaced]
        options.append(("$skip", str(skip)) if token is None else (cursors.OPTION, token))
        query = "&".join(f"{name}={quote(text, safe=_SAFE)}" for name, text in options)
        return f"{path}?{query}"
