"""From bytes to a JSON document, within limits of size and depth."""

from typing import Any

import orjson

from stadtherz.base.errors import Invalid

LARGEST = 256 * 1024
DEEPEST = 32


def parse(body: bytes) -> Any:
    """The JSON document; raises Invalid where it is none or nested too deeply."""
    if body[:100].lstrip().startswith(b"<"):
        raise Invalid("document", "is XML, not JSON; choose JSON where the network sends it from")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as problem:
        raise Invalid("document", f"is not JSON: {problem}") from problem
    if body.count(b"{") + body.count(b"[") <= DEEPEST:  # as most; what stands in texts only adds
        return document
    level: list[Any] = [document]
    for _ in range(DEEPEST):
        level = [child for holder in level for child in _children(holder)]
        if not level:
            return document
    raise Invalid("document", f"is nested more than {DEEPEST} levels deep")


def _children(holder: Any) -> list[Any]:
    if isinstance(holder, dict):
        return list(holder.values())
    return holder if isinstance(holder, list) else []
