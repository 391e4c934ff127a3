"""The page about the interface itself: what there is, and what can be done with it."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse

from stadtherz.kit.declaration import Text
from stadtherz.sensorthings.public import EntityType
from stadtherz.web import formats
from stadtherz.web.entities import words
from stadtherz.web.entities.asking import Questions, address
from stadtherz.web.entities.shell import root_crumbs, show

_OTHER = {"1.1": "2.0", "2.0": "1.1"}


@dataclass(frozen=True, slots=True)
class Kind:
    """A set of the interface in people's words, and how many are in it."""

    title: Text
    name: str
    meaning: Text
    icon: str
    number: str
    url: str


def page(request: HttpRequest, questions: Questions) -> HttpResponse:
    other = _OTHER[questions.inquiry.version]
    context = {
        "version": questions.inquiry.version,
        "root": questions.inquiry.host + questions.inquiry.prefix,
        "prefix": questions.inquiry.prefix,
        "kinds": [_kind(entity, questions) for entity in questions.inquiry.types.values()],
        "other": other,
        "other_url": address(other, dataset=questions.inquiry.dataset),
        "dataset": questions.dataset,
        "machine": questions.machine(""),
        "geojson": questions.machine("/Things", written="GeoJSON"),
        "csv": questions.machine("/Datastreams", written="CSV"),
        "crumbs": root_crumbs(),
    }
    return show(request, "entities/root.html", context)


def _kind(entity: EntityType, questions: Questions) -> Kind:
    found = questions.ask(f"/{entity.plural}", top=0, count="true")
    number = questions.inquiry.count_of(found) if found else None
    known = words.names(entity)
    return Kind(
        title=known.many,
        name=entity.plural,
        meaning=known.meaning,
        icon=known.icon,
        number=formats.number(number),
        url=questions.page(f"/{entity.plural}"),
    )
