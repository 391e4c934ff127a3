"""One Observation of version 1.1 as JSON from what its sender has given, as a GET will show it.

`render` writes many at once, from columns; what that takes to begin would be most of a single post.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from stadtherz.base.time import Micros, iso
from stadtherz.sensorthings.answers.links import Urls
from stadtherz.sensorthings.query.readings import shown_result
from stadtherz.sensorthings.standard.schema import DATASTREAM, EntityType, Link, Shape, target

Values = dict[str, Any]
_PLAIN = DATASTREAM.only  # what is sent to MultiDatastreams goes another way
ALIKE = (str, bool, type(None))
"""What leaves any database as it came; documents may have the order of their members changed."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Knows which members an Observation has, in their order: (name, silent, columns, how to show)."""

    members: tuple[tuple[str, bool, tuple[str, ...], Callable[..., Any]], ...]
    links: tuple[str, ...]

    @classmethod
    def of(cls, entity: EntityType) -> "Writer":
        return cls(
            tuple((p.name, p.silent, p.columns, _SHOWN[p.shape]) for p in entity.properties),
            tuple(link.name for link in entity.links if _shown(link)),
        )

    def write(self, address: str, key: int, values: Values, urls: Urls) -> bytes:
        """The document. The values are as `exact` wants them."""
        document: dict[str, Any] = {urls.face.address: address, urls.face.id: key}
        for name, silent, columns, show in self.members:
            value = show(*[values.get(column) for column in columns])
            if value is not None or not silent:
                document[name] = value
        for name in self.links:
            document[urls.face.navigation_link(name)] = f"{address}/{name}"
        return orjson.dumps(document)


def _shown(link: Link) -> bool:
    return not link.quiet and target(link).only in (None, _PLAIN)


def exact(values: Values) -> bool:
    """Whether these values are shown as they came."""
    notes = (values.get("result_quality"), values.get("parameters"))
    result = values.get("result")
    return isinstance(result, int | float | str | None) and all(isinstance(n, ALIKE) for n in notes)


def _json(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return shown_result(float(value))
    return value


def _instant(us: Micros | None) -> str | None:
    """With milliseconds also where they are zero."""
    if us is None:
        return None
    text = iso(us)
    return text if "." in text else f"{text[:-1]}.000Z"


def _period(start: Micros | None, end: Micros | None) -> str | None:
    return _instant(start) if end is None else f"{_instant(start)}/{_instant(end)}"


_SHOWN: dict[Shape, Callable[..., Any]] = {
    Shape.TIME: _instant,
    Shape.PERIOD: _period,
    Shape.JSON: _json,
}
