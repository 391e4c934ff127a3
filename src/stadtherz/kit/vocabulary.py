"""Standard names in the reader's language: quantities and units, as devices and catalogues write them.

Programs compare what is stored, so nothing here changes that. Only names of a standard are translated,
however they are spelled ("RelativeHumidity", "relative_humidity"): a name that people gave stays theirs.
"""

import re

from django.utils.translation import gettext, gettext_noop

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
)

_UNITS = (
    gettext_noop("centimetre"),
    gettext_noop("metre"),
    gettext_noop("millimetre"),
    gettext_noop("cubic metre per second"),
    gettext_noop("degree Celsius"),
    gettext_noop("percent"),
)


def _key(name: str) -> str:
    """One spelling for all: small letters and digits alone."""
    return re.sub(r"[\W_]+", "", name).casefold()


_BY_KEY = {_key(name): name for name in (*_QUANTITIES, *_UNITS)} | {text: text for text in _TEXTS}


def in_words(text: str) -> str:
    """A stored name, unit or description in the active language, if it is a known standard one.

    >>> in_words("RelativeHumidity"), in_words("Pegel an der Mühle")
    ('Relative humidity', 'Pegel an der Mühle')
    """
    known = _BY_KEY.get(text) or _BY_KEY.get(_key(text))
    return gettext(known) if known else text
