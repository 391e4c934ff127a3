"""Declarations with and without mistakes."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from stadtherz.base.vocabulary import WATER_LEVEL
from stadtherz.kit.declaration import Job, Maturity, Page, Permission, Reactor, Service


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("")


def nothing(*_: Any) -> None:
    return None


SOUND = Service(
    key="sound",
    name=_("Services"),  # a text of the kit that has a German translation
    summary=_("Services"),
    prefix="klang",
    icon="sensor",
    maturity=Maturity.OPERATION,
    observes=(WATER_LEVEL,),
    reactors=(Reactor(on=WATER_LEVEL, call=nothing),),
    jobs=(Job("look", every=timedelta(minutes=1), call=nothing),),
    pages=(
        Page("index", path="", view=page),
        Page("edit", path="edit/", view=page, permission="sound.edit"),
    ),
    permissions=(Permission("sound.edit", _("Services")),),
)


def broken(**changes: Any) -> Service:
    return replace(SOUND, **changes)
