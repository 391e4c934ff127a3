"""The rows of a set, page by page, as far as the links lead onwards."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from stadtherz.ingest.pull.web import Json, Origin
from stadtherz.ingest.pull.words import Problem, PullProblem

_MOST_PAGES = 20_000
_MOST_EMPTY = 3  # in a row; a server may leave out what the caller may not see


def question(path: str, **options: str) -> str:
    """A path with the options that are not empty."""
    told = "&".join(f"${name}={quote(text)}" for name, text in options.items() if text)
    return f"{path}?{told}"


def pages(origin: Origin, first: str) -> Iterator[list[Json]]:
    """Raises PullProblem, also if the links lead back or on without end."""
    link, seen, empty = first, set[str](), 0
    while link:
        if link in seen or len(seen) >= _MOST_PAGES or empty >= _MOST_EMPTY:
            raise PullProblem(Problem.LOOP, host=origin.host)
        seen.add(link)
        document = origin.get(link)
        rows = document.get("value")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise PullProblem(Problem.NOT_SENSORTHINGS, host=origin.host, told="value")
        empty = 0 if rows else empty + 1
        yield rows
        link = _text(document.get("@iot.nextLink"), origin)


def _text(told: Any, origin: Origin) -> str:
    if told is not None and not isinstance(told, str):
        raise PullProblem(Problem.NOT_SENSORTHINGS, host=origin.host, told="@iot.nextLink")
    return told or ""


def id_of(row: Json, origin: Origin) -> int | str:
    """The identifier of an entity, as its server writes it."""
    told = row.get("@iot.id")
    if isinstance(told, bool) or not isinstance(told, int | str) or told == "":
        raise PullProblem(Problem.NOT_SENSORTHINGS, host=origin.host, told="@iot.id")
    if len(str(told)) > 190:
        raise PullProblem(Problem.NOT_SENSORTHINGS, host=origin.host, told="@iot.id")
    return told


def key_in_path(told: int | str) -> str:
    """As it stands in an address: (17) or ('it''s')."""
    if isinstance(told, int):
        return str(told)
    quoted = told.replace("'", "''")
    return quote(f"'{quoted}'", safe="'")
