"""The page about a set: its entities some at a time, with a search, and the way to all of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote_plus, urlencode

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from stadtherz.base.time import Micros
from stadtherz.kit.public import spellings
from stadtherz.sensorthings.public import EntityType
from stadtherz.web import formats
from stadtherz.web.entities import values, words
from stadtherz.web.entities.asking import Document, Questions
from stadtherz.web.entities.shell import set_crumbs, show

PAGE = 25
SEARCH = "q"
_LONGEST_SEARCH = 100
_MOST_WORDS = 5
_MOST_SPELLINGS = 16  # of all words together: a condition has its limits
_OWN = ("$filter", "$orderby", "$top", "$skip", "$skiptoken")
_NEWEST = "Observations($top=1;$orderby=phenomenonTime desc;$select=result,phenomenonTime)"
_EXPANDS = {
    "Thing": "Locations($top=3;$select=id,name)",
    "Datastream": f"Thing($select=id,name),{_NEWEST}",
    "Observation": "Datastream",
    "HistoricalLocation": "Thing($select=id,name),Locations($select=id,name)",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One entity: its name, a few words beside it, and what there is to say at the end of the line."""

    name: str
    url: str
    note: str = ""
    value: str = ""
    at: Micros | None = None
    measured: bool = False


def page(request: HttpRequest, questions: Questions, entity: EntityType) -> HttpResponse:
    """The page; `?q=` searches by name and description, other options are those of programs."""
    given = _given(questions.query)
    search = given.pop(SEARCH, "").strip()[:_LONGEST_SEARCH]
    named = entity.property("name") is not None
    condition = _condition(given.get("$filter", ""), search if named else "")
    options = {
        "filter": condition,
        "orderby": given.get("$orderby") or ("name" if named else _order(entity)),
        "top": given.get("$top") or PAGE,
        "skip": given.get("$skip", ""),
        "skiptoken": given.get("$skiptoken", ""),
        "expand": _expand(entity),
    }
    if not (entity.kind == "Observation" and condition):  # which may have to look at all of them
        options["count"] = "true"
    found = questions.ask(questions.path, **options) or {"value": []}
    number = questions.inquiry.count_of(found)
    context = {
        "names": words.names(entity),
        "sentence": _sentence(number, entity, search),
        "lines": [_line(entity, each, questions) for each in found["value"]],
        "columns": _columns(entity),
        "named": named,
        "search": search,
        "condition": given.get("$filter", ""),
        "next": _next(questions, found, search),
        "first": questions.page(questions.path, _first(given, search)) if _is_later(given) else "",
        "downloads": list(_downloads(questions, entity, condition)),
        "crumbs": set_crumbs(questions),
    }
    return show(request, "entities/set.html", context)


def _given(query: str) -> dict[str, str]:
    """The options of the address that the page follows, decoded; the first of each counts."""
    found: dict[str, str] = {}
    for item in query.split("&"):
        name, _equals, text = item.partition("=")
        name = unquote_plus(name)
        if name in _OWN or name == SEARCH:
            found.setdefault(name, unquote_plus(text))
    return found


def _condition(given: str, search: str) -> str:
    if not search:
        return given
    words = search.split()[:_MOST_WORDS]
    searched = " and ".join(_holds(word, _MOST_SPELLINGS // len(words)) for word in words)
    return f"({given}) and {searched}" if given else searched


def _holds(word: str, most: int) -> str:
    """That the name or the description has this word, in whichever language it is written there."""
    quoted = [each.replace("'", "''") for each in spellings(word, most)]
    parts = [f"contains(tolower({n}),'{each}')" for each in quoted for n in ("name", "description")]
    return f"({' or '.join(parts)})"


def _order(entity: EntityType) -> str:
    return "phenomenonTime desc" if entity.kind == "Observation" else "time desc"


# --- words ---------------------------------------------------------------------------------------


def _sentence(number: int | None, entity: EntityType, search: str) -> str:
    if number is None:
        return str(words.names(entity).meaning)
    shown = formats.number(number)
    if search:
        text = ngettext(
            "One entry matches “%(search)s”.", "%(number)s entries match “%(search)s”.", number
        )
        return text % {"number": shown, "search": search}
    text = ngettext("One entry.", "%(number)s entries.", number) % {"number": shown}
    return f"{words.names(entity).meaning}. {text}" if words.names(entity).meaning else text


def _columns(entity: EntityType) -> tuple[Any, str]:
    """The heads of the two columns."""
    match entity.kind:
        case "Datastream":
            return words.names(entity).one, _("Newest reading")
        case "Observation":
            return _("Time of measurement"), _("Result")
        case "Thing":
            return words.names(entity).one, _("Place")
        case "HistoricalLocation":
            return _("Since"), _("Place")
    return words.names(entity).one, _("No.")


def _expand(entity: EntityType) -> str:
    expand = _EXPANDS.get(entity.kind, "")
    combined = entity.kind == "Observation" and entity.link("MultiDatastream") is not None
    return f"{expand},MultiDatastream" if combined else expand


# --- lines ---------------------------------------------------------------------------------------


def _line(entity: EntityType, document: Document, questions: Questions) -> Line:
    url = questions.entity_page(entity, document)
    match entity.kind:
        case "Datastream":
            return _series(document, url)
        case "Observation":
            series = values.series_of(document)
            told = values.result(document.get("result"), values.unit_of(series))
            when = values.period(document.get("phenomenonTime"))
            return Line(when, url, words.called(series), told, measured=True)
        case "HistoricalLocation":
            thing = str((document.get("Thing") or {}).get("name") or "")
            return Line(values.period(document.get("time")), url, thing, _names_of(document))
    key = questions.inquiry.id_of(document)
    name = words.called(document) or f"{words.names(entity).one} {key}"
    note = words.described(document)
    at_end = _names_of(document) if entity.kind == "Thing" else str(key)
    return Line(name, url, note, at_end)


def _series(document: Document, url: str) -> Line:
    newest = next(iter(document.get("Observations") or []), None)
    thing = str((document.get("Thing") or {}).get("name") or "")
    if newest is None:
        return Line(words.called(document), url, thing, formats.NO_VALUE)
    told = values.result(newest.get("result"), values.unit_of(document))
    at = values.start_of(newest.get("phenomenonTime"))
    return Line(words.called(document), url, thing, told, at, measured=True)


def _names_of(document: Document) -> str:
    return ", ".join(str(place.get("name")) for place in document.get("Locations") or [])


# --- other pages ---------------------------------------------------------------------------------


def _is_later(given: dict[str, str]) -> bool:
    return bool(given.get("$skip") or given.get("$skiptoken"))


def _first(given: dict[str, str], search: str) -> str:
    kept = {name: text for name, text in given.items() if name not in ("$skip", "$skiptoken")}
    return _written(kept, search)


def _next(questions: Questions, found: Document, search: str) -> str:
    """The next page, with what was searched for and not the condition that became of it."""
    query = questions.inquiry.next_of(found).partition("?")[2]
    if not query:
        return ""
    place = {n: t for n, t in _given(query).items() if n in ("$skip", "$skiptoken")}
    kept = {
        n: t for n, t in _given(questions.query).items() if n in ("$filter", "$orderby", "$top")
    }
    return questions.page(questions.path, _written({**kept, **place}, search))


def _written(options: dict[str, str], search: str) -> str:
    searched = {SEARCH: search} if search else {}
    return urlencode({**searched, **options}, safe="$(),/", quote_via=quote)


def _downloads(
    questions: Questions, entity: EntityType, condition: str
) -> Iterator[tuple[str, str]]:
    """The whole set as far as it was searched, for programs."""
    query = f"$filter={quote(condition, safe='(),/')}" if condition else ""
    yield "JSON", questions.machine(questions.path, query)
    yield "CSV", questions.machine(questions.path, query, "CSV")
    yield "GeoJSON", questions.machine(questions.path, query, "GeoJSON")
