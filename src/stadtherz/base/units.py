"""Units by UCUM code, with the symbol people read."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of measurement as SensorThings writes it (18-088 §8.2.4)."""

    ucum: str
    name: str
    symbol: str

    @property
    def definition(self) -> str:
        return f"ucum:{self.ucum}"


CENTIMETRE = Unit("cm", "centimetre", "cm")
CUBIC_METRE_PER_SECOND = Unit("m3/s", "cubic metre per second", "m³/s")
DEGREE_CELSIUS = Unit("Cel", "degree Celsius", "°C")
PERCENT = Unit("%", "percent", "%")
