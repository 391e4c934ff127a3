"""What the water service is, in one place."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from stadtherz.base import vocabulary
from stadtherz.kit.declaration import (
    AlertKind,
    Dataset,
    Demo,
    Job,
    Maturity,
    Page,
    Reactor,
    Service,
    Tiles,
)
from stadtherz.services.water import demo, gauges, jobs, pages, reactors, tiles


def _example() -> Mapping[str, str]:
    return {"slug": "lauterstrasse"}


def _view_sets() -> Sequence[Any]:
    from stadtherz.services.water import staff

    return staff.view_sets()


SERVICE = Service(
    key="water",
    name=_("Water levels"),
    summary=_("Levels of streams, rivers and groundwater, with warnings"),
    prefix="pegel",
    icon="water",
    maturity=Maturity.OPERATION,
    observes=(vocabulary.WATER_LEVEL, vocabulary.GROUNDWATER_DEPTH),
    reactors=(
        Reactor(on=vocabulary.WATER_LEVEL, call=reactors.on_level),
        Reactor(on=vocabulary.GROUNDWATER_DEPTH, call=reactors.on_level),
    ),
    jobs=(Job("silent gauges", every=timedelta(minutes=5), call=jobs.find_silent_gauges),),
    pages=(
        Page("index", path="", view=pages.index, menu=_("Water levels")),
        Page("gauge", path="<slug:slug>/", view=pages.gauge, example=_example),
        Page("download", path="<slug:slug>/daten.csv", view=pages.download, example=_example),
    ),
    alerts=(
        AlertKind(
            gauges.STEP_REACHED,
            _("Warning step reached"),
            category="Met",
            watched=gauges.with_steps,
        ),
    ),
    tiles=(Tiles("water.now", data=tiles.now),),
    datasets=(Dataset("water.levels", _("Readings of all gauges"), licence="dl-de/by-2-0"),),
    demo=Demo(demo.set_up),
    staff=_view_sets,
)
