"""What makers' codecs give, in the shapes that they publish: what staff are proposed to keep of it."""

from typing import Any

import pytest

from stadtherz.ingest.library.values_in import values_of
from stadtherz.ingest.models import Network
from stadtherz.ingest.onboarding.models import Draft
from stadtherz.ingest.onboarding.values import proposed
from stadtherz.ingest.quality.plausibility import Fault, Implausible, Rule, check

# name: what a codec gives, the values that are proposed (property, unit in which they come)
GIVEN: dict[str, tuple[dict[str, Any], dict[str, tuple[str, str]]]] = {
    "Decentlab: value and unit in an object": (
        {"protocol_version": 2, "device_id": 1000,
         "solar_radiation": {"displayName": "Solar radiation", "value": 120, "unit": "W⋅m⁻²"},
         "wind_speed": {"displayName": "Wind speed", "value": 1.2, "unit": "m⋅s⁻¹"},
         "soil_moisture_at_depth_0": {"displayName": "Soil moisture", "value": 0.23, "unit": "m³⋅m⁻³"},
         "volumetric_flow_rate": {"displayName": "Flow", "value": 1.2, "unit": "L⋅min⁻¹"},
         "battery_voltage": {"displayName": "Battery voltage", "value": 3.6, "unit": "V"}},
        {"solar_radiation.value": ("Solar radiation", "W/m2"), "wind_speed.value": ("Wind speed", "m/s"),
         "soil_moisture_at_depth_0.value": ("Soil moisture", "1"),
         "volumetric_flow_rate.value": ("Volumetric flow rate", "L/min"),
         "battery_voltage.value": ("Battery voltage", "V")}),
    "The Things Network, normalized: objects say of what": (
        {"air": {"temperature": 21.4}, "soil": {"temperature": 3.4, "moisture": 12},
         "wind": {"speed": 1, "direction": 120}, "rain": {"intensity": 0.1}, "water": {"leak": False},
         "action": {"motion": {"detected": True}, "contactState": "open"},
         "position": {"latitude": 48.1, "longitude": 10.5}},
        {"air.temperature": ("Temperature", "Cel"), "soil.temperature": ("Soil temperature", "Cel"),
         "soil.moisture": ("Soil moisture", "%"), "wind.speed": ("Wind speed", "m/s"),
         "wind.direction": ("Wind direction", "deg"), "rain.intensity": ("Rate of precipitation", "mm/h"),
         "water.leak": ("Leak", "1"), "action.motion.detected": ("Motion detected", "1"),
         "action.contactState": ("Contact State", "1")}),
    "Milesight: entries of a log are of another time": (
        {"distance": 1250, "parking": "occupied",
         "history": [{"timestamp": 1_795_867_198, "distance": 1240}]},
        {"distance": ("Distance", "mm"), "parking": ("Parking", "1")}),
    "Dragino: flags and texts": (
        {"Bat": 3.6, "Distance": "1250 mm", "TempC_DS18B20": "3.40", "Interrupt_flag": 0, "TDC_flag": "NO",
         "Sensor_flag": 1, "Mod": 0, "1": [1, 2]},
        {"Bat": ("Battery voltage", "V"), "Distance": ("Distance", "mm"), "TempC_DS18B20": ("Temperature", "Cel")}),
    "Adeunis: values under a unit": (
        {"type": "0x57", "status": {"frameCounter": 1, "lowBattery": False},
         "temperatures": [{"id": 0, "unit": "°C", "values": [21.4, 21.3]}]},
        {"temperatures[0].values[0]": ("Temperature", "Cel"), "temperatures[0].values[1]": ("Temperature", "Cel")}),
    "TagoIO: a list of variables": (
        {"parsed": [{"variable": "level", "value": 21, "unit": "cm"}, {"variable": "battery", "value": 3.6, "unit": "V"}]},
        {"parsed[variable=level].value": ("Level", "cm"), "parsed[variable=battery].value": ("Battery voltage", "V")}),
    "SenseCAP: a quantity without a known number": (
        {"messages": [{"measurementId": "4191", "measurementValue": 3.4, "type": "Peak Wind Gust"}]},
        {"messages[measurementId=4191].measurementValue": ("Wind speed", "m/s")}),
    "Elvaco: a unit beside": (
        {"energy": 123.4, "energy_unit": "MWh", "fw_temp": 60.1},
        {"energy": ("Energy", "MW.h"), "fw_temp": ("Temperature", "Cel")}),
    "B Meters: alarms and a log": (
        {"value": 12074, "reverseFlow": 134, "alarm": {"burst": False, "lowBattery": False}, "temperature": 20.5,
         "log": [{"value": 1978, "date": "2026-06-01T08:00:00.000Z"}]},
        {"value": ("Value", "1"), "reverseFlow": ("Reverse Flow", "1"), "alarm.burst": ("Alarm burst", "1"),
         "temperature": ("Temperature", "Cel")}),
    "Browan, SenseCAP: units in brackets, and settings": (
        {"co2_ppm": 524, "co2threshold": 0, "co2calibration": 0, "messages": [[{"Battery(%)": 90, "measureInterval": 3600}]]},
        {"co2_ppm": ("Carbon dioxide", "[ppm]"), "messages[0][0].Battery(%)": ("Battery level", "%")}),
    "A tracker": (
        {"latitudeDeg": 48.1, "longitudeDeg": 10.5, "headingDeg": 12, "inTrip": True, "batV": 4.1, "hdop": 1, "sats": 5},
        {"batV": ("Battery voltage", "V")}),
}  # fmt: skip


@pytest.mark.parametrize("name", GIVEN)
def test_what_a_codec_gives_is_proposed_with_its_units(name: str) -> None:
    given, wanted = GIVEN[name]
    found = {
        each.proposal.path: (each.proposal.name, each.proposal.unit)
        for each in values_of(given)
        if each.likely
    }
    assert found == wanted


def test_a_share_is_kept_in_percent() -> None:
    (found,) = proposed(Draft(network=Network.TTS), {"relativeHumidity": 0.54})
    assert (found.source, found.unit, found.wanted) == ("1", "%", True)


@pytest.mark.parametrize(
    ("raw", "stored"),
    [(True, 1), (False, 0), ("Occupied", 1), ("free", 0), ("geschlossen", 0), ("north", None), ("none", None), ("threshold_alarm", 1), ("Alarm release", 0), ("not detected", 0), ("no_leak", 0)],
)  # fmt: skip
def test_a_state_is_counted_where_plain_numbers_are_expected(
    raw: Any, stored: float | None
) -> None:
    found = check(raw, Rule(expects="1"))
    assert (found == stored) if stored is not None else isinstance(found, Implausible)
    assert check(raw, Rule(expects="cm")) == Implausible(Fault.NOT_A_NUMBER, str(raw))
