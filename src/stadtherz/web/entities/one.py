"""The page about one entity: its sentence, what is known of it, what belongs to it, its readings."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse

from stadtherz.base.errors import NotFound
from stadtherz.kit.declaration import Severity, Text
from stadtherz.sensorthings.public import EntityType
from stadtherz.web.entities import sentences, values, words
from stadtherz.web.entities.asking import Document, Questions
from stadtherz.web.entities.readings import ReadingRow, course, reading_row
from stadtherz.web.entities.shell import entity_crumbs, show
from stadtherz.web.shell import Place

_MOST_LINKED = 10
_READINGS = 20
_UNITS = ("unitOfMeasurement", "unitOfMeasurements", "resultType")
_NEWEST = "$top=1;$orderby=phenomenonTime desc;$select=result,phenomenonTime"


@dataclass(frozen=True, slots=True)
class Related:
    """One entity that belongs to this one, by name, with its newest reading if it is a series."""

    name: str
    url: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """What a link leads to: the first few, how many in all, and where the others are."""

    title: Text
    icon: str
    many: bool
    entries: list[Related]
    number: int
    url: str

    @property
    def more(self) -> bool:
        return self.number > len(self.entries)


def page(request: HttpRequest, questions: Questions, entity: EntityType) -> HttpResponse:
    """The page; NotFound where a link leads nowhere."""
    document = questions.ask(questions.path, expand=",".join(_expands(entity, questions)))
    if document is None:
        raise NotFound(entity.name)
    key = questions.inquiry.id_of(document)
    readings = _readings(entity, key, document, questions)
    groups = sorted(_groups(entity, document, questions), key=lambda group: group.icon != "chart")
    counts = {
        link.name: questions.inquiry.count_of(document, link.name) or 0
        for link in entity.links
        if link.many
    }
    newest = readings[0] if readings else None
    title = words.called(document) or f"{words.names(entity).one} {key}"
    context = {
        "title": title,
        "names": words.names(entity),
        "key": key,
        "sentence": sentences.of(entity, document, counts, newest),
        "description": words.described(document),
        "rows": values.rows(entity, document),
        "groups": [group for group in groups if group.many],
        "belongs": [group for group in groups if not group.many],
        "readings": readings,
        "has_readings": entity.link("Observations") is not None,
        "readings_url": questions.page(f"/{entity.plural}({key})/Observations"),
        "chart": _chart(entity, key, document, newest),
        "places": list(_places(entity, document, questions, newest)),
        "downloads": list(_downloads(entity, key, questions)),
        "canonical": questions.page(f"/{entity.plural}({key})"),
        "streams": [key] if entity.kind == "Datastream" else [],
        "crumbs": entity_crumbs(questions, entity),
    }
    return show(request, "entities/one.html", context)


# --- what is asked -------------------------------------------------------------------------------


def _expands(entity: EntityType, questions: Questions) -> Iterator[str]:
    for link in entity.links:
        behind = questions.type_of(link)
        if behind.kind == "Observation":
            continue
        if behind.kind == "Datastream" and link.many:
            yield f"{link.name}($count=true;$top={_MOST_LINKED};$orderby=name;{_series(behind)})"
        elif behind.kind == "Datastream":
            thing = "$expand=Thing($expand=Locations)"
            yield f"{link.name}({thing})" if entity.kind == "Observation" else link.name
        elif behind.kind == "Thing" and entity.kind == "Datastream":
            yield f"{link.name}($expand=Locations)"
        elif link.many:
            yield f"{link.name}($count=true;$top={_MOST_LINKED})"
        else:
            yield link.name


def _series(entity: EntityType) -> str:
    unit = ",".join(name for name in _UNITS if entity.property(name))
    return f"$select=id,name,{unit};$expand=Observations({_NEWEST})"


# --- what is shown -------------------------------------------------------------------------------


def _groups(entity: EntityType, document: Document, questions: Questions) -> Iterator[Group]:
    own = f"/{entity.plural}({questions.inquiry.id_of(document)})"
    for link in entity.links:
        held = document.get(link.name)
        if not held or link.name == "Observations":
            continue
        listed = held if isinstance(held, list) else [held]
        number = questions.inquiry.count_of(document, link.name) or len(listed)
        behind = questions.type_of(link)
        entries = [_related(behind, each, questions) for each in listed]
        url = questions.page(f"{own}/{link.name}")
        title, icon = words.link_label(link), words.names(behind).icon
        yield Group(title, icon, link.many, entries, number, url)


def _related(entity: EntityType, document: Document, questions: Questions) -> Related:
    url = questions.entity_page(entity, document)
    time = document.get("time") or document.get("creationTime")
    name = words.called(document) or values.period(time) or str(entity.name)
    newest = next(iter(document.get("Observations") or []), None)
    note = "" if newest is None else values.result(newest["result"], values.unit_of(document))
    return Related(str(name), url, note)


def _readings(
    entity: EntityType, key: int, document: Document, questions: Questions
) -> list[ReadingRow]:
    """The newest readings; of an object of observation those of several series."""
    if entity.link("Observations") is None:
        return []
    several = "" if entity.kind == "Datastream" else ",".join(_of_series(questions))
    found = questions.ask(
        f"/{entity.plural}({key})/Observations",
        top=_READINGS,
        orderby="phenomenonTime desc",
        expand=several,
    )
    return [_row(each, document, questions) for each in (found or {}).get("value", [])]


def _row(reading: Document, around: Document, questions: Questions) -> ReadingRow:
    observation, series = questions.kind("Observation"), values.series_of(reading)
    assert observation is not None
    url = questions.entity_page(observation, reading)
    if not series:
        return reading_row(reading, values.unit_of(around), url)
    name = next(name for name in _of_series(questions) if reading.get(name) is series)
    series_url = questions.entity_page(questions.inquiry.types[name], series)
    return reading_row(reading, values.unit_of(series), url, words.called(series), series_url)


def _of_series(questions: Questions) -> list[str]:
    """The links of an Observation to what it is a reading of; both lead to types of their names."""
    observation = questions.kind("Observation")
    assert observation is not None
    found = (link for link in observation.links if questions.type_of(link).kind == "Datastream")
    return [link.name for link in found]


def _chart(entity: EntityType, key: int, document: Document, newest: ReadingRow | None) -> Any:
    if entity.kind != "Datastream" or newest is None or newest.at is None:
        return None
    return course(key, words.called(document), values.unit_of(document), newest.at)


# --- where it is ---------------------------------------------------------------------------------


def _places(
    entity: EntityType, document: Document, questions: Questions, newest: ReadingRow | None
) -> Iterator[Place]:
    """A pin for each place; with what was measured there, or else with its name."""
    location = questions.kind("Location")
    assert location is not None
    for held in _located(entity, document):
        where = held.get("location") or held.get("feature")
        middle = values.position(where)
        if middle is None:
            continue
        kind = entity if held is document else location
        measured = _measured(entity, document, newest)
        yield Place(
            name=str(held.get("name") if measured else words.names(kind).one),
            position=middle,
            icon="place",
            value=measured or str(held.get("name")),
            state=Severity.INFO,
            state_text=values.place(where),
            url=questions.entity_page(kind, held),
        )


def _measured(entity: EntityType, document: Document, newest: ReadingRow | None) -> str:
    if entity.kind == "Observation":
        series = values.series_of(document)
        return values.result(document.get("result"), values.unit_of(series))
    return newest.result if newest and entity.kind == "Datastream" else ""


def _located(entity: EntityType, document: Document) -> Iterable[Document]:
    """The documents that say where the entity is."""
    match entity.kind:
        case "Location" | "FeatureOfInterest":
            return [document]
        case "Datastream":
            return (document.get("Thing") or {}).get("Locations") or []
        case "Observation":
            series = values.series_of(document)
            return (series.get("Thing") or {}).get("Locations") or []
    return document.get("Locations") or []


# --- for machines --------------------------------------------------------------------------------


def _downloads(entity: EntityType, key: int, questions: Questions) -> Iterator[tuple[str, str]]:
    """Name of a format and where it is found."""
    own = f"/{entity.plural}({key})"
    yield "JSON", questions.machine(own)
    if entity.kind in ("Thing", "Location", "FeatureOfInterest", "Datastream"):
        yield (
            "GeoJSON",
            questions.machine(f"/{entity.plural}", f"$filter=id%20eq%20{key}", "GeoJSON"),
        )
    if entity.link("Observations") is not None:
        order = "$orderby=phenomenonTime%20desc"
        yield "CSV", questions.machine(f"{own}/Observations", order, "CSV")
