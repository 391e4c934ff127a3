"""Query text as tokens. One compiled pattern; every token knows where it stands."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from stadtherz.base.errors import QuerySyntaxError

_OFFSET = r"(?:[Zz]|[+\- ]\d\d:?\d\d)?"  # a blank is a plus sign that was not percent-encoded
_TIME = rf"\d{{4}}-\d\d-\d\d[Tt]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?{_OFFSET}"
_LASTING = r"P[\dDTHMS.]+"
_PATTERN = re.compile(
    rf"""
    (?P<space>\s+)
  | (?P<prefixed>(?i:geography|geometry|duration|datetimeoffset|datetime|date|timeofday|time)'(?:[^']|'')*')
  | (?P<text>'(?:[^']|'')*')
  | (?P<period>{_TIME}/(?:{_TIME}|{_LASTING})|{_LASTING}/{_TIME})
  | (?P<time>{_TIME})
  | (?P<date>\d{{4}}-\d\d-\d\d)
  | (?P<clock>\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?![\w.:]))
  | (?P<number>\+?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.]))
  | (?P<name>[^\W\d][\w.:\-]*(?:/(?:\$count|[\w@.:\-]+)|\[\d+\])*|@iot\.id|id)
  | (?P<minus>-)
  | (?P<open>\()
  | (?P<close>\))
  | (?P<comma>,)
  | (?P<colon>:)
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    position: int


END = "end"


def tokenize(option: str, text: str, offset: int = 0) -> Iterator[Token]:
    """The tokens of `text`, closed by one of kind END.

    Raises:
        QuerySyntaxError: at the first character that starts no token.
    """
    position = 0
    while position < len(text):
        match = _PATTERN.match(text, position)
        if match is None:
            raise QuerySyntaxError(option, _why(text[position]), offset + position)
        kind = str(match.lastgroup)
        if kind != "space":
            yield Token(kind, match.group(), offset + position)
        position = match.end()
    yield Token(END, "", offset + len(text))


def _why(character: str) -> str:
    if character == "'":
        return "this quote is never closed"
    return f"{character!r} cannot stand here"


@lru_cache(maxsize=1024)
def unquote_text(token: str) -> str:
    """The inside of `'it''s'` or `prefix'...'`."""
    return token[token.index("'") + 1 : -1].replace("''", "'")


def split_outside(option: str, text: str, separator: str, offset: int = 0) -> list[tuple[str, int]]:
    """`text` cut at `separator` where it stands outside quotes and parentheses, with positions.

    Raises:
        QuerySyntaxError: for a quote or parenthesis without its partner.
    """
    parts: list[tuple[str, int]] = []
    depth, start, quote = 0, 0, -1
    for index, character in enumerate(text):
        if character == "'":
            quote = index if quote < 0 else -1
        elif quote >= 0:
            continue
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
            if depth < 0:
                raise QuerySyntaxError(option, "')' closes nothing", offset + index)
        elif character == separator and depth == 0:
            parts.append((text[start:index], offset + start))
            start = index + 1
    if quote >= 0:
        raise QuerySyntaxError(option, "this quote is never closed", offset + quote)
    if depth:
        raise QuerySyntaxError(option, "a ')' is missing", offset + len(text))
    return [*parts, (text[start:], offset + start)]
