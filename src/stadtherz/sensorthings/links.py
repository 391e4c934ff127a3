"""Absolute addresses of entities, links and pages."""

from dataclasses import dataclass
from urllib.parse import quote

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

    def page_after(self, path: str, texts: tuple[tuple[str, str], ...], *, skip: int) -> str:
        """The same options with another `$skip`."""
        options = [(name, text) for name, text in texts if name != "$skip"]
        options.append(("$skip", str(skip)))
        query = "&".join(f"{name}={quote(text, safe=_SAFE)}" for name, text in options)
        return f"{path}?{query}"
