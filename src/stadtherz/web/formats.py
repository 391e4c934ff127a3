"""Numbers, times and ages as people read them, in the active language and the city's time zone."""

import math
from datetime import datetime, tzinfo
from decimal import localcontext

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, format_timedelta
from babel.numbers import format_decimal
from django.utils.timezone import get_current_timezone, localtime
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from stadtherz.base.time import SECOND, Micros, from_us, now, now_us

NO_VALUE = "–"
_DIGITS_OF_THE_LARGEST_FLOAT = 320
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"


def locale() -> Locale:
    """The active language as Babel knows it; German where it knows none."""
    try:
        return Locale.parse(get_language() or "de", sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("de")


def number(value: float | None, digits: int = 0) -> str:
    """A rounded number with the language's separators; a dash where there is none.

    >>> from django.utils.translation import override
    >>> with override("de"):
    ...     number(1234.56, 1)
    '1.234,6'
    """
    if value is None or not math.isfinite(value):
        return NO_VALUE
    # Adding zero turns the -0.0 that rounding leaves behind into a plain 0.
    rounded = round(value, digits) + 0.0
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    with localcontext(prec=_DIGITS_OF_THE_LARGEST_FLOAT):
        text = str(format_decimal(rounded, format=pattern, locale=locale()))
    return text.replace("-", "−")


def measure(value: float | None, unit: str, digits: int = 0) -> str:
    """A number with its unit, kept on one line."""
    text = number(value, digits)
    if not unit or text == NO_VALUE:
        return text
    return f"{text}{NO_BREAK_SPACE}{unit}"


def age(moment: Micros | None) -> str:
    """How long ago something was: "vor 2 Minuten"."""
    if moment is None:
        return _("never")
    seconds = (now_us() - moment) / SECOND
    if seconds < 60:
        return _("just now")
    return format_timedelta(
        -int(seconds), granularity="minute", threshold=1.2, add_direction=True, locale=locale()
    )


def local(moment: Micros) -> datetime:
    """The instant on the city's clock."""
    return localtime(from_us(moment))


def clock(moment: Micros) -> str:
    """The time of day: "14:05"."""
    return format_time(local(moment), "HH:mm", locale=locale())


def day(moment: Micros) -> str:
    """The date in short words: "21. Nov."."""
    pattern = "d. MMM" if locale().language == "de" else "d MMM"
    return format_date(local(moment).date(), pattern, locale=locale())


def date(moment: Micros) -> str:
    """The full date: "21. November 2026"."""
    pattern = "d. MMMM y" if locale().language == "de" else "d MMMM y"
    return format_date(local(moment).date(), pattern, locale=locale())


def when(moment: Micros | None) -> str:
    """Date and time in full: "21. November 2026, 14:05 Uhr"; only the time if it is today."""
    if moment is None:
        return _("never")
    # Translators: a time of day; German adds "Uhr".
    time = pgettext("time of day", "%(time)s") % {"time": clock(moment)}
    if local(moment).date() == localtime(now()).date():
        return _("today, %(time)s") % {"time": time}
    return f"{date(moment)}, {time}"


def zone() -> tzinfo:
    return get_current_timezone()


def zone_name(moment: Micros) -> str:
    """The abbreviation on the city's clock at that time: MEZ and MESZ are what Germans read."""
    name = local(moment).tzname() or ""
    if locale().language == "de":
        return {"CET": "MEZ", "CEST": "MESZ"}.get(name, name)
    return name
