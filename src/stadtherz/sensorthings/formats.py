"""How a set can be written: `$resultFormat`, and `$format` as OData knows it."""

from enum import StrEnum

from stadtherz.base.errors import Invalid


class Unsupported(Exception):
    """What the standard or its neighbours know and this server does not offer."""


class Format(StrEnum):
    """The names under which clients know them; large and small letters are the same."""

    JSON = "JSON"
    DATA_ARRAY = "dataArray"


_NAMES = {name.lower(): name for name in Format} | {"application/json": Format.JSON}


def named(text: str) -> Format:
    """The format of that name or media type.

    Raises:
        Unsupported: if it is not offered.
    """
    found = _NAMES.get(text.strip().lower())
    if found is None:
        known = ", ".join(Format)
        raise Unsupported(f"the format {text[:60]!r} is not offered; there are {known}")
    return found


def check(asked: Format, *, observations: bool, expands: bool, entities: bool) -> None:
    """Raise Invalid where the format cannot show what is asked for."""
    if asked is Format.JSON:
        return
    if not (observations and entities):
        raise Invalid("$resultFormat", f"{asked} is only for sets of Observations")
    if expands:
        raise Invalid("$resultFormat", f"{asked} has no place for what $expand asks for")
