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
    return _("The %(water)s") % {"water": gauge.water_body}


def level(value: float) -> str:
    """Whole centimetres: nobody knows the water's height any better."""
    return formats.measure(value, "cm")


def stands(gauge: Named, value: float, trend: Trend | None) -> str:
    """Level and trend: "Die Lauter steht bei 94 cm und steigt." """
    words = _GROUNDWATER if gauge.kind == "groundwater" else _LEVEL
    text = words[None if trend is None else trend.direction]
    return _(text) % {"water": water(gauge), "level": level(value)}


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


def trend_text(trend: Trend | None) -> str:
    """The direction with its rate: "steigend, 12 cm in der Stunde"."""
    if trend is None:
        return _("not known yet")
    if trend.direction is Direction.STEADY:
        return _("steady")
    digits = 0 if abs(trend.rate) >= 1 else 1
    rate = formats.measure(abs(trend.rate), "cm", digits)
    text = _("rising, %(rate)s an hour") if trend.rate > 0 else _("falling, %(rate)s an hour")
    return text % {"rate": rate}


def time_of_day(moment: Micros) -> str:
    return pgettext("time of day", "%(time)s") % {"time": formats.clock(moment)}


def _is_today(moment: Micros) -> bool:
    return formats.local(moment).date() == localtime(now()).date()


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
