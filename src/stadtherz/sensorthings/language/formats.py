"""How a set can be written: `$resultFormat`, and `$format` as OData knows it."""

import re
from enum import StrEnum

from stadtherz.base.errors import Invalid


class Unsupported(Exception):
    """What the standard or its neighbours know and this server does not offer."""


class Format(StrEnum):
    """The names under which clients know them; large and small letters are the same."""

    JSON = "JSON"
    MINIMAL = "application/json;metadata=minimal"
    BARE = "application/json;metadata=none"
    DATA_ARRAY = "dataArray"
    CSV = "CSV"
    GEOJSON = "GeoJSON"
    PARQUET = "Parquet"
    ARROW = "Arrow"

    @property
    def json(self) -> bool:
        """Whether it is a page of entities, with more or less control information."""
        return self in (Format.JSON, Format.MINIMAL, Format.BARE)

    @property
    def addresses(self) -> bool:
        """Whether entities and links have theirs."""
        return self not in (Format.MINIMAL, Format.BARE)

    @property
    def streamed(self) -> bool:
        """Whether the whole set is written, however large, and not a page of it."""
        return self in _MEDIA

    @property
    def media(self) -> str:
        """The media type of a streamed one."""
        return _MEDIA[self]


_MEDIA = {
    Format.CSV: "text/csv; charset=utf-8; header=present",
    Format.GEOJSON: "application/geo+json",
    Format.PARQUET: "application/vnd.apache.parquet",
    Format.ARROW: "application/vnd.apache.arrow.stream",
}
_NAMES = {
    **{name.lower(): name for name in Format},
    **{media.partition(";")[0]: name for name, media in _MEDIA.items()},
    "application/json": Format.JSON,
    "application/json;metadata=full": Format.JSON,
}
_WEIGHT = r"[01](\.\d{0,3})?"
_OF_OBSERVATIONS = frozenset({Format.DATA_ARRAY, Format.PARQUET, Format.ARROW})
_WITH_EXPANDS = frozenset({Format.JSON, Format.MINIMAL, Format.BARE, Format.GEOJSON})
_WHOLE = frozenset({Format.PARQUET, Format.ARROW})


def named(text: str) -> Format:
    """The format of that name or media type.

    Raises:
        Invalid: if there is none of that name.
    """
    text = text.replace("geo json", "geo+json")  # a plus sign that was not percent-encoded
    plain = text.replace(" ", "").lower().replace(";odata.metadata=", ";metadata=")
    found = _NAMES.get(plain)  # OData 4.01 part 1 §8.2.1: the prefix is optional
    if found is None:
        known = ", ".join(name for name in Format if name.addresses)
        raise Invalid("$resultFormat", f"{text[:60]!r} is not offered; there are {known}")
    return found


def asked_for(query: str, accept: str) -> str:
    """The query with the level of metadata that the header Accept prefers, unless it says a format.

    >>> asked_for("$top=1", "application/json;odata.metadata=none, */*;q=0.1")
    '$top=1&$format=application/json;metadata=none'
    """
    if "metadata=" not in accept or "format=" in query.lower():
        return query
    _, best = max(map(_weighed, accept.split(",")), key=lambda found: found[0])
    if best.addresses:
        return query
    return "&".join(filter(None, (query, f"$format={best}")))


def _weighed(text: str) -> tuple[float, Format]:
    """One of the media types in Accept with its weight (RFC 9110 §12.5.1), none if it is not JSON."""
    media, *rest = (part.strip().lower() for part in text.split(";"))
    level = (part.removeprefix("odata.") for part in rest if "metadata=" in part)
    found = _NAMES.get(";".join([media, *level]))
    weight = next((part[2:] for part in rest if part.startswith("q=")), "1")
    if found is None or not found.json or re.fullmatch(_WEIGHT, weight) is None:
        return 0, Format.JSON
    return (float(weight), found) if float(weight) else (0, Format.JSON)


def check(
    asked: Format, *, observations: bool, expands: bool, selects: bool, entities: bool
) -> None:
    """Raise Invalid where the format cannot show what is asked for."""
    if not asked.json and not entities:
        raise Invalid("$resultFormat", f"{asked} is only for sets of entities")
    if asked in _OF_OBSERVATIONS and not observations:
        raise Invalid("$resultFormat", f"{asked} is only for sets of Observations")
    if expands and asked not in _WITH_EXPANDS:
        raise Invalid("$resultFormat", f"{asked} has no place for what $expand asks for")
    if selects and asked in _WHOLE:
        raise Invalid("$resultFormat", f"{asked} always holds all columns; leave out $select")
