"""Observed properties the product knows, each with the URI that clients compare."""

from dataclasses import dataclass

from stadtherz.base.units import (
    CENTIMETRE,
    CUBIC_METRE_PER_SECOND,
    DEGREE_CELSIUS,
    PERCENT,
    Unit,
)


@dataclass(frozen=True, slots=True)
class Observable:
    """An observed property: `definition` is its identity, `name` and `description` are English."""

    key: str
    name: str
    description: str
    definition: str
    unit: Unit


WATER_LEVEL = Observable(
    "water_level",
    "Water level",
    "Height of the water surface above the gauge's zero point",
    "http://vocab.nerc.ac.uk/standard_name/water_surface_height_above_reference_datum/",
    CENTIMETRE,
)
GROUNDWATER_DEPTH = Observable(
    "groundwater_depth",
    "Groundwater depth",
    "Depth of the groundwater surface below the ground",
    "https://qudt.org/vocab/quantitykind/Depth",
    CENTIMETRE,
)
DISCHARGE = Observable(
    "discharge",
    "Discharge",
    "Volume of water passing the gauge in a second",
    "http://vocab.nerc.ac.uk/standard_name/water_volume_transport_in_river_channel/",
    CUBIC_METRE_PER_SECOND,
)
WATER_TEMPERATURE = Observable(
    "water_temperature",
    "Water temperature",
    "Temperature of the water at the gauge",
    "http://vocab.nerc.ac.uk/standard_name/water_temperature/",
    DEGREE_CELSIUS,
)
BATTERY = Observable(
    "battery",
    "Battery level",
    "Remaining charge of a device's battery",
    "https://qudt.org/vocab/quantitykind/StateOfCharge",
    PERCENT,
)

KNOWN: dict[str, Observable] = {
    o.definition: o for o in (WATER_LEVEL, GROUNDWATER_DEPTH, DISCHARGE, WATER_TEMPERATURE, BATTERY)
}
