"""Absolute addresses of entities, links and pages."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from stadtherz.sensorthings.language.formats import Format
from stadtherz.sensorthings.query import cursors
from stadtherz.sensorthings.standard.faces import V1_1, Face
from stadtherz.sensorthings.standard.schema import EntityType

_SAFE = "$(),;:/'*@!=."  # readable in a query string, and of no meaning to it
_KEY = re.compile(r"(?:(?:\.\./)*|/)(\w+)\((\d{1,18})\)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Urls:
    """`root` is the address of the service root of a face, without a trailing slash.

    `dataset` is the short name of the data set that it shows, if not everything.
    """

    root: str
    face: Face = V1_1
    dataset: str = ""

    @property
    def host(self) -> str:
        """Scheme and host."""
        parts = urlsplit(self.root)
        return f"{parts.scheme}://{parts.netloc}"

    def context(self, fragment: str = "", written: Format = Format.JSON) -> dict[str, str]:
        """What an answer says of itself, where the face knows contexts."""
        if not self.face.odata or written is Format.BARE:
            return {}
        return {"@context": f"{self.root}/$metadata" + (fragment and f"#{fragment}")}

    def entity_set(self, entity: EntityType) -> str:
        return f"{self.root}/{entity.plural}"

    def entity(self, entity: EntityType, key: int) -> str:
        return f"{self.root}/{entity.plural}({key})"

    def key(self, address: str, entity: EntityType) -> int | None:
        """The id of the entity of that type with this address, whole or below the root; else None."""
        below = address.removeprefix(self.root).removeprefix(urlsplit(self.root).path)
        found = _KEY.fullmatch(below)
        return int(found[2]) if found is not None and found[1] == entity.plural else None

    @staticmethod
    def page_after(
        path: str, texts: Iterable[tuple[str, str]], *, skip: int, token: str | None
    ) -> str:
        """The same options, going on at the token, or by counting where there is none."""
        return path + Urls.following(texts, skip=skip, token=token)

    @staticmethod
    def following(texts: Iterable[tuple[str, str]], *, skip: int, token: str | None) -> str:
        """What stands behind the path of such a page; other tokens may be written behind an empty one.

        Beside a token the number is for clients alone, some of which compare it with $top: they want
        no more than that, however many pages it takes.
        """
        options = [(name, text) for name, text in texts if name not in ("$skip", cursors.OPTION)]
        options.append(("$skip", str(skip)))
        if token is not None:
            options.append((cursors.OPTION, token))
        query = "&".join(f"{name}={quote(text, safe=_SAFE)}" for name, text in options)
        return f"?{query}"
