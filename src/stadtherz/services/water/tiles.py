"""The figures water puts on the start page: one for each gauge the reader may see."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext as _

from stadtherz.base.visibility import Visibility
from stadtherz.kit.declaration import Severity, Step, Tile
from stadtherz.services.water.gauges import Situation, situations
from stadtherz.services.water.models import Gauge
from stadtherz.web.public import formats

_MOST = 12  # the start page is no list; the page of gauges has them all
_WEIGHT = (Severity.DANGER, Severity.WARNING, Severity.INFO, Severity.OK, Severity.UNKNOWN)


def now(visibility: Visibility) -> Sequence[Tile]:
    """The most serious gauges, at most twelve."""
    ordered = sorted(situations(visibility), key=lambda s: _WEIGHT.index(s.severity))
    return [_tile(situation) for situation in ordered[:_MOST]]


def chart_steps(situation: Situation) -> tuple[Step, ...]:
    """The warning steps as lines across a chart."""
    return tuple(
        Step(name=step.name, value=step.level, severity=Severity(step.severity))
        for step in situation.steps
    )


def icon(gauge: Gauge) -> str:
    return "groundwater" if is_groundwater(gauge) else "water"


def is_groundwater(gauge: Gauge) -> bool:
    return gauge.kind == Gauge.Kind.GROUNDWATER


def _tile(situation: Situation) -> Tile:
    gauge = situation.gauge
    unusual = situation.severity in (Severity.WARNING, Severity.DANGER)
    return Tile(
        key=f"water.{gauge.slug}",
        title=gauge.name,
        icon=icon(gauge),
        value=formats.number(situation.value),
        unit="" if situation.value is None else "cm",
        state=situation.severity,
        state_text=situation.state_text,
        place=_("Depth below ground") if is_groundwater(gauge) else gauge.water_body,
        url=reverse("water:gauge", kwargs={"slug": gauge.slug}),
        updated=situation.at,
        spark=[value for _at, value in situation.recent],
        streams=(situation.stream.id,),
        position=situation.stream.position,
        sentence=situation.sentence if unusual else "",
        steps=chart_steps(situation),
    )
