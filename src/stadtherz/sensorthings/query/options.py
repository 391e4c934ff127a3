"""The query string, and the options nested in `$expand`, as a Query."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, Final
from urllib.parse import unquote_plus

from stadtherz.base.errors import Invalid, QuerySyntaxError, TooLarge
from stadtherz.sensorthings.language import formats
from stadtherz.sensorthings.language.apply import parse_apply
from stadtherz.sensorthings.language.formats import Format, Unsupported
from stadtherz.sensorthings.language.grammar import parse_filter, parse_orderby
from stadtherz.sensorthings.language.syntax import Apply, Expand, Query
from stadtherz.sensorthings.language.tokens import split_outside
from stadtherz.sensorthings.query import cursors

MAX_EXPAND_DEPTH = 5
MAX_EXPANDS = 20
MAX_SKIP = 2**53
MAX_QUERY = 16_000
_DISTINCT = "distinct:"
_SHORT = 500  # what is longer is read each time, so that what is remembered stays small

Pair = tuple[str, str, int]


_KNOWN_ELSEWHERE = frozenset({"$search", "$compute", "$levels", "$id"})


def parse_query(raw: str) -> Query:
    """The Query of a raw (percent-encoded) query string.

    Raises:
        QuerySyntaxError, Invalid: for text that cannot be read.
        Unsupported: for options that exist but are not offered.
        TooLarge: for text, nesting or numbers of expands over the limits.
    """
    if len(raw) > MAX_QUERY:
        raise TooLarge(f"the query is longer than {MAX_QUERY} characters")
    return _remembered(raw) if len(raw) <= _SHORT else _read(raw)


@lru_cache(maxsize=256)
def _remembered(raw: str) -> Query:
    """Clients ask the same again and again."""
    return _read(raw)


def _read(raw: str) -> Query:
    pairs: list[Pair] = []
    for item in raw.split("&"):
        name = name_of(item)
        if name.startswith("$") or name == "resultFormat":
            pairs.append((name, _decode(name, item.partition("=")[2]), 0))
    return _query(pairs, 0)


def name_of(item: str) -> str:
    """The name in one `name=value` of a raw query string; clients break long addresses into lines.

    >>> name_of("%20%20%24top=1")
    '$top'
    """
    return unquote_plus(item.partition("=")[0]).strip()


def as_spelt_here(raw: str) -> str:
    """The query string with the usual names of options.

    OData 4.01 (part 2 §5.1) lets clients write them in any case, and without the dollar sign.

    >>> as_spelt_here("Top=1&%24COUNT=true&other=2")
    '$top=1&$count=true&other=2'
    """
    return "&".join(map(_as_spelt_here, raw.split("&")))


def _as_spelt_here(item: str) -> str:
    name = _SPELT.get(name_of(item).removeprefix("$").lower())
    return item if name is None else name + item.removeprefix(item.partition("=")[0])


def _decode(name: str, value: str) -> str:
    try:
        return unquote_plus(value, errors="strict")
    except UnicodeDecodeError:
        raise Invalid(name, "is not UTF-8") from None


def _query(pairs: list[Pair], depth: int) -> Query:
    values: dict[str, Any] = {}
    for name, text, offset in pairs:
        key, parse = _parser_of(name)
        if key in values:
            raise Invalid(name, "is given twice")
        values[key] = parse(text, offset, depth)
    if any(name == "$select" and text.lstrip().startswith(_DISTINCT) for name, text, _ in pairs):
        values["distinct"] = True
    return Query(**values, texts=tuple((name, text) for name, text, _ in pairs))


def _parser_of(name: str) -> tuple[str, Callable[[str, int, int], Any]]:
    if name in _OPTIONS:
        return _OPTIONS[name]
    if name in _KNOWN_ELSEWHERE:
        raise Unsupported(f"{name} is not supported by this service")
    raise Invalid(name, "is no query option; known are " + ", ".join(sorted(_OPTIONS)))


def _number(name: str, text: str, offset: int) -> int:
    if not (text.isascii() and text.isdigit()):
        raise QuerySyntaxError(name, "must be a whole number from 0", offset)
    return min(int(text[:20]), MAX_SKIP)


def _boolean(text: str, offset: int, _depth: int) -> bool:
    if text not in ("true", "false"):
        raise QuerySyntaxError("$count", "must be true or false", offset)
    return text == "true"


def _place(text: str, offset: int, _depth: int) -> cursors.Place:
    try:
        return cursors.place(text)
    except ValueError as error:
        raise QuerySyntaxError(cursors.OPTION, str(error), offset) from None


def _select(text: str, offset: int, _depth: int) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.strip().removeprefix(_DISTINCT).split(","))
    if not all(names):
        raise QuerySyntaxError("$select", "a name is missing", offset)
    return names


def _apply(text: str, offset: int, depth: int) -> Apply:
    if depth:
        raise QuerySyntaxError("$apply", "belongs to the whole answer", offset)
    return parse_apply(text, offset)


def _format(name: str, text: str, offset: int, depth: int) -> Format:
    try:
        found = formats.named(text)
    except Invalid as error:
        raise QuerySyntaxError(name, error.reason, offset) from None
    if depth and found is not Format.JSON:
        raise QuerySyntaxError(name, "belongs to the whole answer", offset)
    return found


def _expand(text: str, offset: int, depth: int) -> tuple[Expand, ...]:
    if depth >= MAX_EXPAND_DEPTH:
        raise TooLarge(f"$expand is nested deeper than {MAX_EXPAND_DEPTH} levels")
    items = split_outside("$expand", text, ",", offset)
    if len(items) > MAX_EXPANDS:
        raise TooLarge(f"$expand names more than {MAX_EXPANDS} links")
    merged: dict[str, Expand] = {}
    for item, position in items:
        new = _expand_item(item, position, depth)
        merged[new.link] = _merge(merged[new.link], new) if new.link in merged else new
    return tuple(merged.values())


def _expand_item(item: str, offset: int, depth: int) -> Expand:
    path, parenthesis, inner = item.rstrip().partition("(")
    links = path.strip().split("/")
    if not all(links):
        raise QuerySyntaxError("$expand", "the name of a link is missing", offset)
    if depth + len(links) > MAX_EXPAND_DEPTH:
        raise TooLarge(f"$expand is nested deeper than {MAX_EXPAND_DEPTH} levels")
    query = Query()
    if parenthesis:
        if not inner.endswith(")"):
            raise QuerySyntaxError("$expand", "')' must end the options", offset + len(item))
        query = _nested(inner[:-1], offset + len(path) + 1, depth + len(links))
    expand = Expand(links[-1], query, offset)
    for link in reversed(links[:-1]):
        expand = Expand(link, _expanding(Query(), (expand,)), offset)
    return expand


def _expanding(query: Query, links: tuple[Expand, ...]) -> Query:
    """The query with these links, and told so, for the next link of a nested page repeats its options."""
    told = ("$expand", ",".join(map(_written, links)))
    return replace(
        query, expand=links, texts=(*_told_besides(query), told) if links else query.texts
    )


def _written(expand: Expand) -> str:
    options = ";".join(f"{name}={text}" for name, text in expand.query.texts)
    return f"{expand.link}({options})" if options else expand.link


def _told_besides(query: Query) -> tuple[tuple[str, str], ...]:
    """The options as written, without what is to be expanded."""
    return tuple((name, text) for name, text in query.texts if name != "$expand")


def _nested(text: str, offset: int, depth: int) -> Query:
    pairs: list[Pair] = []
    for piece, position in split_outside("$expand", text, ";", offset):
        if not piece.strip():
            continue
        name, equals, value = piece.partition("=")
        if not equals:
            raise QuerySyntaxError("$expand", "an option needs '=' and a value", position)
        pairs.append((name.strip(), value, position + len(name) + 1))
    return _query(pairs, depth)


def _merge(one: Expand, other: Expand) -> Expand:
    """`A/B,A/C` opens A once. Options for the same link may not be given twice."""
    if _told_besides(one.query) and _told_besides(other.query):
        raise QuerySyntaxError("$expand", f"{one.link!r} is expanded twice", other.position)
    base, added = (one, other) if _told_besides(one.query) else (other, one)
    links = {expand.link: expand for expand in base.query.expand}
    for expand in added.query.expand:
        known = links.get(expand.link)
        links[expand.link] = _merge(known, expand) if known else expand
    return Expand(one.link, _expanding(base.query, tuple(links.values())), one.position)


_OPTIONS: Final[dict[str, tuple[str, Callable[[str, int, int], Any]]]] = {
    "$filter": ("filter", lambda text, offset, _: parse_filter(text, offset=offset)),
    "$orderby": ("orderby", lambda text, offset, _: parse_orderby(text, offset=offset)),
    "$top": ("top", lambda text, offset, _: _number("$top", text, offset)),
    "$skip": ("skip", lambda text, offset, _: _number("$skip", text, offset)),
    cursors.OPTION: ("after", _place),
    "$count": ("count", _boolean),
    "$select": ("select", _select),
    "$expand": ("expand", _expand),
    "$apply": ("apply", _apply),
    **{
        name: ("format", partial(_format, name))
        for name in ("$format", "$resultFormat", "resultFormat")
    },
}

_SPELT: Final[dict[str, str]] = {
    name.removeprefix("$").lower(): name for name in _OPTIONS if name != "resultFormat"
}
