"""How a gauge stands, in plain sentences in the active language. A sentence comes before a number."""

from typing import Protocol

from django.utils.timezone import localtime
from django.utils.translation import get_language, gettext_noop, pgettext
from django.utils.translation import gettext as _

from stadtherz.base.time import Micros, now
from stadtherz.services.water.trend import Direction, Trend
from stadtherz.web.public import formats


class Named(Protocol):
    """What the sentences need to know of a gauge."""

    article: str
    water_body: str
    kind: str


def water(gauge: Named) -> str:
    """The water body as a sentence begins with it: "Die Lauter", "The Lauter"."""
    if get_language() == "de":
        return f"{gauge.article.capitalize()} {gauge.water_body}".strip()
    if gauge.kind == "groundwater":  # no name of a water, but a German word
        return _("The groundwater")
    return _("The %(water)s") % {"water": gauge.water_body}


def level(value: float) -> str:
    """Whole centimetres: nobody knows the water's height any better."""
    return formats.measure(value, "cm")


def stands(gauge: Named, value: float, trend: Trend | None) -> str:
    """Level and trend: "Die Lauter steht bei 94 cm und steigt." """
    text = _words(gauge, trend)
    return _(text) % {"water": water(gauge), "level": level(value)}


def _words(gauge: Named, trend: Trend | None) -> str:
    direction = None if trend is None else trend.direction
    if gauge.kind == "groundwater":
        return _GROUNDWATER[direction]
    if trend is not None and trend.fast:
        return _FAST[trend.direction]
    return _LEVEL[direction]


def reached(step: str, since: Micros | None) -> str:
    """Since when: "Die Stufe „Vorwarnung“ ist seit 14:20 Uhr erreicht." """
    if since is None:
        return _("The step “%(step)s” has been reached.") % {"step": step}
    values = {"step": step, "time": time_of_day(since), "day": formats.date(since)}
    if _is_today(since):
        return _("The step “%(step)s” was reached at %(time)s.") % values
    return _("The step “%(step)s” was reached on %(day)s at %(time)s.") % values


def silent(gauge: Named, value: float, at: Micros) -> str:
    """What is known when no readings come any more."""
    values = {"level": level(value), "when": formats.when(at), "water": water(gauge)}
    return _("No readings have come for a while. The last one was %(level)s (%(when)s).") % values


def never() -> str:
    return _("There are no readings yet.")


def normal(*, has_steps: bool) -> str:
    return _("No warning step has been reached.") if has_steps else ""


def trend_text(gauge: Named, trend: Trend | None) -> str:
    """The direction and what it came to: "steigt schnell, 40 cm in der letzten Stunde"."""
    text = direction_text(gauge, trend)
    if trend is None or not _is_worth_telling(trend):
        return text
    values = {"trend": text, "change": _change(gauge, trend.change or 0)}
    if gauge.kind == "groundwater":
        return _("%(trend)s, %(change)s in the last 24 hours") % values
    return _("%(trend)s, %(change)s in the last hour") % values


def direction_text(gauge: Named, trend: Trend | None) -> str:
    """The direction alone: "steigt schnell"."""
    if trend is None:
        return _("not known yet")
    match _of_the_water(gauge, trend):
        case Direction.RISING:
            return pgettext("trend", "rising fast") if trend.fast else pgettext("trend", "rising")
        case Direction.FALLING:
            return pgettext("trend", "falling fast") if trend.fast else pgettext("trend", "falling")
        case Direction.STEADY:
            return pgettext("trend", "hardly changing")


def _of_the_water(gauge: Named, trend: Trend) -> Direction:
    """Groundwater is measured down from the ground: a growing depth is a falling water table."""
    if gauge.kind != "groundwater" or trend.direction is Direction.STEADY:
        return trend.direction
    return Direction.FALLING if trend.direction is Direction.RISING else Direction.RISING


def _is_worth_telling(trend: Trend) -> bool:
    """Not where the water has just turned: "falling, 40 cm" would be the rise before."""
    if trend.change is None or trend.direction is Direction.STEADY:
        return False
    return trend.change * trend.rate > 0 and abs(trend.change) >= 0.1


def _change(gauge: Named, change: float) -> str:
    digits = 1 if abs(change) < 1 or gauge.kind == "groundwater" else 0
    return formats.measure(abs(change), "cm", digits)


def next_step(step: str, at: float, value: float) -> str:
    """How far the next step is: what those who live there want to know next."""
    values = {"step": step, "at": level(at), "missing": level(max(at - value, 0))}
    return _("The next step, “%(step)s”, begins at %(at)s: %(missing)s to go.") % values


def over_below(step: str, release: float) -> str:
    """When a step that holds is over."""
    return _("“%(step)s” is over as soon as the reading is below %(level)s.") % {
        "step": step,
        "level": level(release),
    }


def time_of_day(moment: Micros) -> str:
    return pgettext("time of day", "%(time)s") % {"time": formats.clock(moment)}


def _is_today(moment: Micros) -> bool:
    return formats.local(moment).date() == localtime(now()).date()


_FAST: dict[Direction, str] = {
    Direction.RISING: gettext_noop("%(water)s stands at %(level)s and is rising fast."),
    Direction.FALLING: gettext_noop("%(water)s stands at %(level)s and is falling fast."),
}
_LEVEL: dict[Direction | None, str] = {
    None: gettext_noop("%(water)s stands at %(level)s."),
    Direction.RISING: gettext_noop("%(water)s stands at %(level)s and is rising."),
    Direction.FALLING: gettext_noop("%(water)s stands at %(level)s and is falling."),
    Direction.STEADY: gettext_noop("%(water)s stands at %(level)s and hardly changes."),
}
# The sensor measures down from the ground: a growing depth is a falling water table.
_GROUNDWATER: dict[Direction | None, str] = {
    None: gettext_noop("%(water)s stands %(level)s below ground."),
    Direction.RISING: gettext_noop("%(water)s stands %(level)s below ground and is falling."),
    Direction.FALLING: gettext_noop("%(water)s stands %(level)s below ground and is rising."),
    Direction.STEADY: gettext_noop("%(water)s stands %(level)s below ground and hardly changes."),
}
