"""Small checked expressions: where in a message something stands.

A path as in `ingest.decode` (`meta.serial`, `values[0].at`), `topic:2` for the second level of the
topic (`topic:-1` for the last), `query:station` for a parameter of the address, or constant text in
quotes. ` + ` puts several together: `"counter-" + topic:2`. Where a list of readings stands may also be
told by `table:` with a path (`arranged`), or by `senml:`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from stadtherz.ingest.forms.arranged import TABLE
from stadtherz.ingest.forms.senml import SENML
from stadtherz.ingest.values import decode
from stadtherz.ingest.values.decode import MISSING

LONGEST = 200
MOST_PARTS = 8
_JOINED = " + "
_TEXT = re.compile(r'"([^"]{1,100})"')
_TOPIC = re.compile(r"topic:(-?[1-9]\d?)", re.ASCII)
_QUERY = re.compile(r"query:([^\s\"+]{1,100})")


@dataclass(frozen=True, slots=True)
class Message:
    """What an expression looks into."""

    content: Any
    topic: Sequence[str] = ()
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Text:
    text: str

    def value(self, _message: Message) -> Any:
        return self.text


@dataclass(frozen=True, slots=True)
class Topic:
    """A level of the topic, counted from 1, or from -1 at its end."""

    level: int

    def value(self, message: Message) -> Any:
        place = self.level - 1 if self.level > 0 else self.level
        levels = message.topic
        return levels[place] if -len(levels) <= place < len(levels) else MISSING


@dataclass(frozen=True, slots=True)
class Query:
    name: str

    def value(self, message: Message) -> Any:
        return message.query.get(self.name, MISSING)


@dataclass(frozen=True, slots=True)
class Content:
    path: str

    def value(self, message: Message) -> Any:
        return decode.value(self.path, decoded=message.content, payload=b"")


Part = Text | Topic | Query | Content


@dataclass(frozen=True, slots=True)
class Expression:
    written: str
    parts: tuple[Part, ...]

    def value(self, message: Message) -> Any:
        """What stands there, or MISSING; of several parts their texts in a row."""
        found = [part.value(message) for part in self.parts]
        if len(found) == 1:
            return found[0]
        texts = [as_text(each) for each in found]
        return MISSING if None in texts else "".join(text for text in texts if text is not None)


@lru_cache(maxsize=1024)
def parse(written: str) -> Expression:
    """The expression; raises ValueError with what cannot be read."""
    if len(written) > LONGEST:
        raise ValueError(f"an expression has at most {LONGEST} characters")
    pieces = _pieces(written)
    if len(pieces) > MOST_PARTS:
        raise ValueError(f"an expression puts at most {MOST_PARTS} parts together")
    return Expression(written, tuple(_part(piece.strip()) for piece in pieces))


@lru_cache(maxsize=1024)
def parse_readings(written: str) -> Expression:
    """As `parse`, of what leads to a list of readings."""
    if len(written) <= LONGEST and written.startswith(TABLE):
        path = written.removeprefix(TABLE)
        if path and not isinstance(decode.parse(path), decode.Path):
            raise ValueError(f"{path!r} is no way to a table")
        return Expression(written, ())
    return Expression(written, ()) if written == SENML else parse(written)


def _pieces(written: str) -> list[str]:
    """Cut at ` + `, except between quotes."""
    pieces = [""]
    for piece in written.split(_JOINED):
        if pieces[-1].count('"') % 2:
            pieces[-1] += _JOINED + piece
        else:
            pieces.append(piece)
    return pieces[1:]


def _part(text: str) -> Part:
    if match := _TEXT.fullmatch(text):
        return Text(match[1])
    if text.startswith("topic:"):
        return Topic(int(_match(_TOPIC, text, "topic:2")[1]))
    if text.startswith("query:"):
        return Query(_match(_QUERY, text, "query:station")[1])
    if text.startswith((TABLE, SENML)):
        raise ValueError(f"{text!r} is where a list of readings stands; name a field")
    if isinstance(decode.parse(text), decode.ByteSpec) or text.startswith(decode.RADIO):
        raise ValueError(f"{text!r} is for the bytes and the radio of LoRaWAN; name a field")
    return Content(text)


def _match(shape: re.Pattern[str], text: str, example: str) -> re.Match[str]:
    match = shape.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not like {example}")
    return match


def as_text(value: Any) -> str | None:
    """A text or whole number as text; None for everything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else None
    return str(value)
