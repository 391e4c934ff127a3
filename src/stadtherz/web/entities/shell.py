"""What all pages about entities share: the way back, and that programs get something else here."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from stadtherz.sensorthings.public import EntityType
from stadtherz.web.entities import words
from stadtherz.web.entities.asking import Questions
from stadtherz.web.shell import Crumb, render


def show(request: HttpRequest, template: str, context: Mapping[str, Any]) -> HttpResponse:
    """The page; caches keep it apart from what programs get at the same address."""
    response = render(request, template, context)
    patch_vary_headers(response, ["Accept", "Authorization"])
    return response


def root_crumbs() -> list[Crumb]:
    return [Crumb(_("Data"), reverse("web:data"))]


def set_crumbs(questions: Questions) -> list[Crumb]:
    """To the interface, and where a set belongs to one entity, to that."""
    crumbs = [*root_crumbs(), _interface(questions)]
    before = questions.path.rpartition("/")[0]
    if before:
        subject = questions.inquiry.subject(before)
        if subject.entity is not None:
            crumbs.append(Crumb(words.names(subject.entity).one, questions.page(before)))
    return crumbs


def entity_crumbs(questions: Questions, entity: EntityType) -> list[Crumb]:
    """To the interface and to all of its kind."""
    everything = Crumb(words.names(entity).many, questions.page(f"/{entity.plural}"))
    return [*root_crumbs(), _interface(questions), everything]


def _interface(questions: Questions) -> Crumb:
    found = questions.dataset
    return Crumb(found.title if found else _("Interface"), questions.page())
