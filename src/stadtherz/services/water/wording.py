"""A change of step told to those responsible: subject, sentence and facts, in each language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from stadtherz.alerts.public import Wording
from stadtherz.base.time import Micros
from stadtherz.services.water import sentence
from stadtherz.services.water.levels import Decision
from stadtherz.services.water.models import Gauge, WarningStep
from stadtherz.services.water.trend import Trend
from stadtherz.web.public import formats


@dataclass(frozen=True, slots=True)
class Occasion:
    """What happened at a gauge: which change, at which level and when."""

    gauge: Gauge
    steps: Sequence[WarningStep]  # ascending
    decision: Decision
    value: float
    at: Micros
    trend: Trend | None

    @property
    def before(self) -> WarningStep | None:
        return _step(self.steps, self.decision.before)

    @property
    def after(self) -> WarningStep | None:
        return _step(self.steps, self.decision.after)


def texts(occasion: Occasion) -> dict[str, Wording]:
    """The occasion's wording by language code."""
    return {code: _in_language(code, occasion) for code, _name in settings.LANGUAGES}


def titles(step: WarningStep | None) -> Mapping[str, str]:
    """The name of the state by language code."""
    if step is None:
        return {}
    return {"de": step.name_de, "en": step.name_en}


def _in_language(code: str, occasion: Occasion) -> Wording:
    with override(code):
        return Wording(
            subject=_subject(occasion),
            sentence=_sentence(occasion),
            facts=tuple(_facts(occasion)),
            link=reverse("water:gauge", kwargs={"slug": occasion.gauge.slug}),
        )


def _subject(occasion: Occasion) -> str:
    values = _values(occasion)
    if occasion.after is None:
        return _("All clear: %(gauge)s at %(level)s") % values
    if occasion.decision.after > occasion.decision.before:
        return _("%(after)s: %(gauge)s at %(level)s") % values
    return _("%(before)s over, %(after)s still holds: %(gauge)s at %(level)s") % values


def _sentence(occasion: Occasion) -> str:
    values = _values(occasion)
    if occasion.after is None and occasion.before is None:  # staff have deleted the step
        news = sentence.normal(has_steps=True)
    elif occasion.after is None:
        news = _("The step “%(before)s” is over; no warning step holds any more.")
    elif occasion.decision.after > occasion.decision.before:
        news = _("The step “%(after)s” was reached at %(time)s.")
    else:
        news = _("The step “%(before)s” is over, the step “%(after)s” still holds.")
    stands = sentence.stands(occasion.gauge, occasion.value, occasion.trend)
    return f"{stands} {news % values}"


def _values(occasion: Occasion) -> dict[str, str]:
    return {
        "gauge": occasion.gauge.name,
        "level": sentence.level(occasion.value),
        "before": occasion.before.name if occasion.before else "",
        "after": occasion.after.name if occasion.after else "",
        "time": sentence.time_of_day(occasion.at),
    }


def _facts(occasion: Occasion) -> list[tuple[str, str]]:
    facts = [
        (_("Gauge"), f"{occasion.gauge.name} ({occasion.gauge.water_body})"),
        (_("Water level"), sentence.level(occasion.value)),
        (_("Time"), f"{formats.date(occasion.at)}, {sentence.time_of_day(occasion.at)}"),
        (_("Trend"), sentence.trend_text(occasion.gauge, occasion.trend)),
    ]
    if occasion.gauge.meaning:
        facts.append((_("What this means"), occasion.gauge.meaning))
    if occasion.gauge.origin:
        facts.append((_("Recording"), occasion.gauge.origin))
    return facts


def _step(steps: Sequence[WarningStep], rank: int) -> WarningStep | None:
    return steps[rank - 1] if 0 < rank <= len(steps) else None
