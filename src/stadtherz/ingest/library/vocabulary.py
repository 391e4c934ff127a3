"""The names and units of The Things Stack's normalized payloads.

Source: The Things Industries, device repository, payload schema.
"""

# Name as `proposals` knows it, and UCUM code.
VOCABULARY = {
    "battery": ("battery voltage", "V"),
    "temperature": ("temperature", "Cel"), "air.temperature": ("temperature", "Cel"), "leaf.temperature": ("leaf temperature", "Cel"),
    "air.relativeHumidity": ("humidity", "%"), "air.pressure": ("pressure", "hPa"), "air.co2": ("co2", "[ppm]"),
    "air.lightIntensity": ("illuminance", "lx"), "air.pm1_0": ("pm1", "ug/m3"), "air.pm2_5": ("pm2_5", "ug/m3"), "air.pm10": ("pm10", "ug/m3"),
    "air.tvoc": ("tvoc", "[ppb]"), "air.solarIrradiance": ("irradiance", "W/m2"), "air.iaqIndex": ("iaq index", "1"), "air.par": ("par", "umol/m2/s"),
    "soil.temperature": ("soil temperature", "Cel"), "soil.moisture": ("soil moisture", "%"), "soil.ec": ("ec", "dS/m"), "soil.pH": ("ph", "[pH]"),
    "soil.depth": ("soil depth", "cm"), "soil.n": ("soil nitrogen", "[ppm]"), "soil.p": ("soil phosphorus", "[ppm]"), "soil.k": ("soil potassium", "[ppm]"),
    "leaf.wetness": ("leaf wetness", "%"),
    "wind.speed": ("wind speed", "m/s"), "wind.direction": ("wind direction", "deg"),
    "rain.intensity": ("rain rate", "mm/h"), "rain.cumulative": ("rain", "mm"),
    "water.temperature.current": ("water temperature", "Cel"), "water.temperature.min": ("water temperature", "Cel"),
    "water.temperature.max": ("water temperature", "Cel"), "water.temperature.avg": ("water temperature", "Cel"),
    "water.level": ("water level", "m"), "water.ec": ("ec", "uS/cm"), "water.ph": ("ph", "[pH]"), "water.turbidity": ("turbidity", "[NTU]"),
    "water.dissolvedOxygen": ("dissolved oxygen", "mg/L"), "water.residualChlorine": ("residual chlorine", "mg/L"), "water.orp": ("redox potential", "mV"),
    "metering.water.total": ("volume", "L"), "metering.energy.total": ("energy", "W.h"),
    "tank.distance": ("distance", "m"), "tank.volume": ("volume", "L"), "pressure.gauge": ("pressure", "kPa"), "pressure.absolute": ("pressure", "kPa"),
    "pressure.differential": ("pressure", "Pa"), "power.voltage": ("voltage", "V"), "power.current": ("current", "A"), "power.active": ("power", "W"),
    "power.frequency": ("frequency", "Hz"), "analog.current": ("current", "mA"), "analog.voltage": ("voltage", "V"), "sound.level": ("sound", "dB[SPL]"),
    "tilt.angle": ("tilt", "deg"), "tilt.x": ("tilt x", "deg"), "tilt.y": ("tilt y", "deg"), "tilt.z": ("tilt z", "deg"),
    "people.in": ("people in", "1"), "people.out": ("people out", "1"), "people.present": ("people", "1"), "pulse.total": ("pulses", "1"),
    "pulse.count": ("pulses", "1"), "action.motion.count": ("motion count", "1"),
}  # fmt: skip


def unit_at(path: str) -> str:
    """The unit, UCUM, of a normalized value; empty for a path that the vocabulary does not have."""
    return VOCABULARY[path][1] if path in VOCABULARY else ""
