"""Standard names in the reader's language: quantities and units, as devices and catalogues write them.

Programs compare what is stored, so nothing here changes that. Only names of a standard are translated,
however they are spelled ("RelativeHumidity", "relative_humidity"): a name that people gave stays theirs.
"""

import re
from collections.abc import Mapping
from functools import cache

from django.conf import settings
from django.utils.translation import get_language, gettext, gettext_noop, override

_QUANTITIES = (
    gettext_noop("Water level"),
    gettext_noop("Groundwater depth"),
    gettext_noop("Discharge"),
    gettext_noop("Water temperature"),
    gettext_noop("Battery level"),
    gettext_noop("State of charge"),
    gettext_noop("Temperature"),
    gettext_noop("Air temperature"),
    gettext_noop("Soil temperature"),
    gettext_noop("Dew point temperature"),
    gettext_noop("Relative humidity"),
    gettext_noop("Humidity"),
    gettext_noop("Pressure"),
    gettext_noop("Air pressure"),
    gettext_noop("Atmospheric pressure"),
    gettext_noop("Height"),
    gettext_noop("Depth"),
    gettext_noop("Length"),
    gettext_noop("Distance"),
    gettext_noop("Area"),
    gettext_noop("Volume"),
    gettext_noop("Mass"),
    gettext_noop("Speed"),
    gettext_noop("Wind speed"),
    gettext_noop("Wind direction"),
    gettext_noop("Angle"),
    gettext_noop("Precipitation"),
    gettext_noop("Rainfall"),
    gettext_noop("Illuminance"),
    gettext_noop("Irradiance"),
    gettext_noop("Amount of substance fraction"),
    gettext_noop("Mass concentration"),
    gettext_noop("Volume fraction"),
    gettext_noop("Carbon dioxide"),
    gettext_noop("Nitrogen dioxide"),
    gettext_noop("Ozone"),
    gettext_noop("Particulate matter"),
    gettext_noop("Sound pressure level"),
    gettext_noop("Soil moisture"),
    gettext_noop("Conductivity"),
    gettext_noop("pH"),
    gettext_noop("Count"),
    gettext_noop("Time"),
    gettext_noop("Frequency"),
    gettext_noop("Energy"),
    gettext_noop("Power"),
    gettext_noop("Electric current"),
    gettext_noop("Voltage"),
)

# What the product itself stores beside those names.
_TEXTS = (
    gettext_noop("Height of the water surface above the gauge's zero point"),
    gettext_noop("Depth of the groundwater surface below the ground"),
    gettext_noop("Volume of water passing the gauge in a second"),
    gettext_noop("Temperature of the water at the gauge"),
    gettext_noop("Remaining charge of a device's battery"),
    gettext_noop("Measuring point of the demonstration. It plays a recording of another place."),
    gettext_noop("Recording"),
    gettext_noop("Plays what an instrument has measured at another place."),
)

_UNITS = (
    gettext_noop("centimetre"),
    gettext_noop("metre"),
    gettext_noop("millimetre"),
    gettext_noop("cubic metre per second"),
    gettext_noop("degree Celsius"),
    gettext_noop("percent"),
)


_NAMES = (*_QUANTITIES, *_UNITS)
_ALL = (*_NAMES, *_TEXTS)
_SHORTEST = 3  # letters of a word that is worth looking up
_LONG = 5


def _key(name: str) -> str:
    """One spelling for all: small letters and digits alone."""
    return re.sub(r"[\W_]+", "", name).casefold()


@cache
def _known(names: tuple[str, ...]) -> Mapping[str, Mapping[str, str]]:
    """What each of the names is called in every language, by how it may be written in any."""
    found: dict[str, Mapping[str, str]] = {}
    for name in names:
        called: dict[str, str] = {}
        for code, _language in settings.LANGUAGES:
            with override(code):
                called[code] = gettext(name)
        for written in (name, *called.values()):
            found.setdefault(_key(written), called)
    return found


def in_words(text: str) -> str:
    """A stored name, unit or description in the active language, if it is a known standard one.

    >>> in_words("RelativeHumidity"), in_words("Pegel an der Mühle")
    ('Relative humidity', 'Pegel an der Mühle')
    """
    called = _known(_ALL).get(_key(text))
    return called.get(get_language() or "de", text) if called else text


def series_in_words(name: str) -> str:
    """A name such as the product gives to a series, a place and a quantity with a colon between, with the
    quantity in the active language. A name that people gave stays.

    >>> series_in_words("Pegel an der Mühle: Wasserstand"), series_in_words("Wasserstand")
    ('Pegel an der Mühle: Water level', 'Wasserstand')
    """
    place, *parts = name.split(": ")
    return ": ".join((place, *map(in_words, parts)))


def spellings(word: str, most: int = 8) -> tuple[str, ...]:
    """What to look for in stored names where somebody looks for `word`: itself, and what quantities and
    units of such a name are called in other languages. In small letters, at most so many.

    >>> spellings("Bodenfeuchte")
    ('bodenfeuchte', 'soil moisture', 'soilmoisture', 'soil_moisture')
    """
    asked = word.strip().lower()
    found = [asked]
    for name in _called_like(asked) if len(asked) >= _SHORTEST else ():
        for form in (name, name.replace(" ", ""), name.replace(" ", "_")):
            if not any(each in form for each in found):  # which finds this one, too
                found.append(form)
    return tuple(found[:most])


def _called_like(asked: str) -> list[str]:
    """All names of what has such a name in any language, the shortest first."""
    same = ({name.lower() for name in called.values()} for called in _known(_NAMES).values())
    found = {name for names in same if any(_fits(asked, name) for name in names) for name in names}
    return sorted(found, key=lambda name: (len(name), name))


def _fits(asked: str, name: str) -> bool:
    """A short word only where a word begins: wind is no part of Geschwindigkeit."""
    return asked in name if len(asked) >= _LONG else f" {asked}" in f" {name}"
