"""What values are called for people: properties and units to choose from, in the active language."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from stadtherz.base import vocabulary
from stadtherz.ingest.library.proposals import observable

Text = str | Promise
_QUDT = "https://qudt.org/vocab/quantitykind/"

PROPERTIES: dict[str, Text] = {
    vocabulary.WATER_LEVEL.definition: _("Water level of a gauge"),
    vocabulary.WATER_TEMPERATURE.definition: _("Water temperature"),
    vocabulary.DISCHARGE.definition: _("Discharge of a river"),
    vocabulary.GROUNDWATER_DEPTH.definition: _("Depth of the groundwater"),
    f"{_QUDT}Temperature": _("Temperature"),
    f"{_QUDT}RelativeHumidity": _("Relative humidity"),
    f"{_QUDT}Pressure": _("Pressure"),
    f"{_QUDT}Height": _("Height or amount of rain"),
    f"{_QUDT}Speed": _("Speed"),
    f"{_QUDT}Angle": _("Direction"),
    f"{_QUDT}Illuminance": _("Brightness"),
    f"{_QUDT}Irradiance": _("Solar radiation"),
    f"{_QUDT}AmountOfSubstanceFraction": _("Share of a gas in the air"),
    f"{_QUDT}MassConcentration": _("Particulate matter"),
    f"{_QUDT}SoundPressureLevel": _("Noise level"),
    f"{_QUDT}VolumeFraction": _("Moisture of the soil"),
    f"{_QUDT}Distance": _("Distance"),
    f"{_QUDT}Conductivity": _("Conductivity"),
    f"{_QUDT}PH": _("pH value"),
    f"{_QUDT}Count": _("Count"),
    f"{_QUDT}Volume": _("Volume"),
    f"{_QUDT}VolumeFlowRate": _("Flow"),
    f"{_QUDT}Frequency": _("Frequency"),
    f"{_QUDT}PowerFactor": _("Power factor"),
    f"{_QUDT}Energy": _("Energy"),
    f"{_QUDT}Power": _("Power"),
    f"{_QUDT}ElectricCurrent": _("Electric current"),
    f"{_QUDT}Voltage": _("Voltage"),
    vocabulary.BATTERY.definition: _("Charge of the battery"),
}

UNITS = (
    "1", "%", "Cel", "mm", "cm", "m", "km", "m/s", "km/h", "deg", "hPa", "kPa", "bar", "lx", "[ppm]", "[ppb]",
    "ug/m3", "dB[SPL]", "L", "m3", "m3/s", "uS/cm", "[pH]", "kW.h", "W.h", "W", "kW", "A", "mA", "V", "mV",
    "s", "min", "h", "Hz", "[degF]", "K", "Pa", "mbar", "[in_i'Hg]", "[in_i]", "[mi_i]/h", "[kn_i]", "[ft_i]", "m3/h",
    "L/s", "L/min", "L/h", "W/m2", "mm/h", "[in_i]/h", "mg/m3", "mg/L", "[NTU]", "dS/m",
)  # fmt: skip

# What the library of device types calls values, which a person may rename.
_NAMES: dict[str, Text] = {
    "Battery level": _("Charge of the battery"),
    "Battery voltage": _("Voltage of the battery"),
    "Water temperature": _("Water temperature"),
    "Soil temperature": _("Temperature of the soil"),
    "Temperature": _("Temperature"),
    "Soil moisture": _("Moisture of the soil"),
    "Relative humidity": _("Relative humidity"),
    "Carbon dioxide": _("Carbon dioxide"),
    "Volatile organic compounds": _("Volatile organic compounds"),
    "Carbon monoxide": _("Carbon monoxide"),
    "Ammonia": _("Ammonia"),
    "Hydrogen sulfide": _("Hydrogen sulfide"),
    "Methane": _("Methane"),
    "Formaldehyde": _("Formaldehyde"),
    "Sulfur dioxide": _("Sulfur dioxide"),
    "Nitrogen dioxide": _("Nitrogen dioxide"),
    "Ozone": _("Ozone"),
    "Particulate matter PM2.5": _("Particulate matter PM2.5"),
    "Particulate matter PM10": _("Particulate matter PM10"),
    "Particulate matter PM1": _("Particulate matter PM1"),
    "Snow depth": _("Snow depth"),
    "Turbidity": _("Turbidity"),
    "Dissolved oxygen": _("Dissolved oxygen"),
    "Redox potential": _("Redox potential"),
    "Power factor": _("Power factor"),
    "Angle": _("Angle"),
    "Sound pressure level": _("Noise level"),
    "Level": _("Level"),
    "Distance": _("Distance"),
    "Pressure": _("Pressure"),
    "Precipitation": _("Precipitation"),
    "Rate of precipitation": _("Rate of precipitation"),
    "Wind direction": _("Wind direction"),
    "Wind speed": _("Wind speed"),
    "Illuminance": _("Brightness"),
    "Fill level": _("Fill level"),
    "Solar radiation": _("Solar radiation"),
    "UV index": _("UV index"),
    "Conductivity": _("Conductivity"),
    "pH": _("pH value"),
    "Count": _("Count"),
    "Energy": _("Energy"),
    "Power": _("Power"),
    "Voltage": _("Voltage"),
    "Electric current": _("Electric current"),
    "Volume": _("Volume"),
}


def symbol(ucum: str) -> str:
    """A unit as people write it; empty for a plain number."""
    return observable({"unit": ucum, "definition": "", "name": ""}).unit.symbol


def unit_choices(held: str) -> list[tuple[str, str]]:
    """Units to choose from, with the one that is held now."""
    codes = UNITS if held in UNITS or not held else (held, *UNITS)
    return [(code, symbol(code) or gettext("none (a plain number)")) for code in codes]


def property_choices(held: str) -> list[tuple[str, str]]:
    """Observed properties to choose from, with the one that is held now."""
    known = [(definition, str(text)) for definition, text in PROPERTIES.items()]
    if held in PROPERTIES or not held:
        return known
    return [(held, gettext("Something else")), *known]


def readable(proposal: Mapping[str, Any]) -> str:
    """A proposed value's name for people of this language."""
    name = str(proposal["name"])
    return str(_NAMES.get(name, name))
