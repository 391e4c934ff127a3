"""Resource paths (18-088 §9.2) as segments: syntax only, no names are looked up."""

import re
from urllib.parse import unquote

from stadtherz.base.errors import Invalid, NotFound, TooLarge
from stadtherz.sensorthings.language.syntax import Resource, Segment

MAX_SEGMENTS = 20
_NAMED = re.compile(r"\s*(?:id|@iot\.id|@id)\s*=", re.ASCII)
_WITH_KEY = re.compile(r"(?P<name>\w+)\((?P<key>[^()]*)\)", re.ASCII)
MAX_KEY = 2**63 - 1


def parse_path(raw: str) -> Resource:
    """The Resource of a raw path below the service root; a trailing slash does not matter.

    >>> parse_path("/Things(1)/name/$value").suffix
    '$value'
    """
    parts = [unquote(part) for part in raw.strip("/").split("/") if part]
    if len(parts) > MAX_SEGMENTS:
        raise TooLarge(f"the path has more than {MAX_SEGMENTS} segments")
    suffix = parts.pop() if parts and parts[-1] in ("$count", "$ref", "$value") else ""
    if suffix and not parts:
        raise Invalid("path", f"{suffix} needs something before it")
    segments = tuple(_segment(part) for part in parts)
    return Resource(segments, suffix)  # type: ignore[arg-type]  # popped only if one of them


def _segment(text: str) -> Segment:
    match = _WITH_KEY.fullmatch(text)
    if match is None:
        return Segment(text)
    return Segment(match["name"], _key(match["key"]))


def _key(text: str) -> int:
    """Keys are whole numbers; a quoted one is a key nobody has, not a mistake in the path.

    OData lets the key be named, too: `Things(id=1)` (4.01 part 2 §4.3.1).
    """
    text = _NAMED.sub("", text, count=1).strip()
    if not text or (text.startswith("'") != text.endswith("'")):
        raise Invalid("path", f"({text}) is not a key")
    digits = text.removeprefix("-")
    whole = digits.isascii() and digits.isdigit() and len(digits) < 20
    if not whole or int(digits) > MAX_KEY:
        raise NotFound(f"an entity with the id {text[:60]}")
    return int(text)
