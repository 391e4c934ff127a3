"""Units are converted by known figures, once, and what does not fit is refused at the field."""

import subprocess
import sys
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.base.errors import Invalid
from stadtherz.ingest.library.proposals import proposal
from stadtherz.ingest.library.setting_up import set_up_datastreams
from stadtherz.ingest.models import Device, DeviceField, DeviceType
from stadtherz.ingest.public import NewField, register_device
from stadtherz.ingest.tests.factories import EUI, Town, deliver, plan_of, results, tts
from stadtherz.ingest.values.units import (
    Conversion,
    Inconvertible,
    Obstacle,
    code_of,
    conversion,
)
from stadtherz.store.models import Datastream

# value, unit, the same in another unit. Sources: SI brochure 9 (°C, bar, L, min), NIST SP 811 B.8
# (inch, foot, gallon, psi, mile, °F), UCUM 2.1 tables 1 to 5 (ppm, %).
KNOWN = [
    (1234.0, "mm", 123.4, "cm"),
    (1.0, "[in_i]", 25.4, "mm"),
    (1.0, "[ft_i]", 0.3048, "m"),
    (212.0, "[degF]", 100.0, "Cel"),
    (29.92, "[in_i'Hg]", 1013.20453696, "hPa"),
    (10.0, "[mi_i]/h", 4.4704, "m/s"),
    (-40.0, "[degF]", -40.0, "Cel"),
    (0.0, "K", -273.15, "Cel"),
    (20.0, "Cel", 293.15, "K"),
    (50.0, "%", 0.5, "1"),
    (0.42, "1", 42.0, "%"),
    (3600.0, "mV", 3.6, "V"),
    (1.0, "g/m3", 1e6, "ug/m3"),
    (1.0, "mg/L", 1.0, "g/m3"),
    (1.01325, "bar", 1013.25, "hPa"),
    (1.0, "[psi]", 68.94757293168361, "hPa"),
    (36.0, "km/h", 10.0, "m/s"),
    (1.0, "[mi_i]/h", 0.44704, "m/s"),
    (1000.0, "L/min", 60.0, "m3/h"),
    (1.0, "[gal_us]", 3.785411784, "L"),
    (1.0, "kW.h", 3.6e6, "J"),
    (1.0, "mS/cm", 1000.0, "uS/cm"),
    (10000.0, "[ppm]", 1.0, "%"),
    (180.0, "deg", 3.141592653589793, "rad"),
]


@pytest.mark.parametrize(("value", "source", "result", "target"), KNOWN)
def test_a_known_figure_is_met(value: float, source: str, result: float, target: str) -> None:
    found = conversion(source, target)
    assert value * found.factor + found.offset == pytest.approx(result, rel=1e-14, abs=1e-12)


@given(st.sampled_from(KNOWN), st.floats(-1e6, 1e6))
def test_there_and_back_is_the_same_value(row: tuple[float, str, float, str], value: float) -> None:
    there, back = conversion(row[1], row[3]), conversion(row[3], row[1])
    again = (value * there.factor + there.offset) * back.factor + back.offset
    assert again == pytest.approx(value, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize(
    ("source", "target", "obstacle"),
    [
        ("mm", "Cel", Obstacle.OTHER_KIND),
        ("ug/m3", "[ppm]", Obstacle.OTHER_KIND),
        ("dB[SPL]", "Pa", Obstacle.NOT_LINEAR),
        ("Pa", "dB[SPL]", Obstacle.NOT_LINEAR),
        ("dB", "1", Obstacle.NOT_LINEAR),
        ("furlong", "m", Obstacle.UNKNOWN),
        ("", "m", Obstacle.UNKNOWN),
        ("mm", "", Obstacle.UNKNOWN),
        ("10*999999999", "1", Obstacle.UNKNOWN),
        ("km999.km999.km999", "m", Obstacle.OTHER_KIND),
    ],
)
def test_what_cannot_become_the_other_says_why(
    source: str, target: str, obstacle: Obstacle
) -> None:
    with pytest.raises(Inconvertible) as caught:
        conversion(source, target)
    assert caught.value.obstacle is obstacle


@given(st.text(max_size=12))
def test_any_text_gets_an_answer(text: str) -> None:
    with suppress(Inconvertible):
        assert isinstance(conversion(text, "m"), Conversion)


def test_the_same_unit_needs_no_tables() -> None:
    program = (
        "import sys; from stadtherz.ingest.values.units import conversion;"
        "conversion('furlong', 'furlong'); sys.exit('pint' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize(
    ("unit", "code"),
    [
        ({"definition": "ucum:Cel", "symbol": "x"}, "Cel"),
        ({"definition": "http://qudt.org/vocab/unit/DEG_C", "symbol": "°C"}, "Cel"),
        ({"symbol": "cm"}, "cm"),
        ({"symbol": None}, ""),
        (None, ""),
    ],
)
def test_a_datastreams_unit_is_known_by_definition_or_symbol(unit: dict, code: str) -> None:
    assert code_of(unit) == code


def set_level(**changes: object) -> None:
    field = DeviceField.objects.get(path="level_cm")
    for name, value in changes.items():
        setattr(field, name, value)
    field.save()


def test_a_value_in_millimetres_becomes_centimetres(town: Town) -> None:
    set_level(unit="mm")
    deliver(town, tts(1, level_cm=1234))
    assert results(town.level) == [pytest.approx(123.4)]


def test_the_unit_is_converted_before_factor_and_offset_and_the_range_is_of_the_result(
    town: Town,
) -> None:
    set_level(unit="mm", factor=-1, offset=400, minimum=0, maximum=300)
    deliver(town, tts(1, level_cm=3000))  # a distance of 300 cm, 400 cm above the zero point
    assert results(town.level) == [pytest.approx(100)]
    refused = plan_of(town, tts(2, level_cm=500)).refusal
    assert refused is not None
    assert refused.facts["problems"][0]["value"] == pytest.approx(350)


def test_a_unit_of_another_kind_is_refused_at_the_field(town: Town) -> None:
    field = NewField("level_mm", town.level, unit="Cel")
    with pytest.raises(Invalid) as caught:
        register_device(town.organisation, "tts", EUI[:-1] + "9", "Other", fields=[field])
    assert caught.value.field == "unit"


def set_unit_of_datastream(stream: int, code: str) -> None:
    row = Datastream.objects.get(pk=stream)
    row.unit_of_measurement = {"name": code, "symbol": code, "definition": f"ucum:{code}"}
    row.save()


def test_when_the_datastreams_unit_changes_values_follow_it(town: Town) -> None:
    set_level(unit="mm", maximum=None)
    set_unit_of_datastream(town.level, "m")
    deliver(town, tts(1, level_cm=1234))
    assert results(town.level) == [pytest.approx(1.234)]


def test_when_it_becomes_another_kind_nothing_wrong_is_stored(town: Town) -> None:
    set_level(unit="mm")
    set_unit_of_datastream(town.level, "Cel")
    plan = deliver(town, tts(1, level_cm=1234, discharge=2))
    assert plan.refusal is not None
    assert (plan.refusal.reason, plan.refusal.facts["field"]) == ("unit_unfit", "level_cm")
    assert (results(town.level), results(town.discharge)) == ([], [2])


def test_a_proposal_in_the_makers_unit_is_converted_into_the_propertys(town: Town) -> None:
    known = proposal("water_temperature_fahrenheit", "water_temperature_fahrenheit", 68.0).told()
    kind = DeviceType.objects.create(
        owner_id=town.organisation, key="mill/t", vendor="Mill", name="T", proposals=[known]
    )
    device = Device.objects.get(pk=town.device)
    device.device_type = kind
    device.save()
    set_up_datastreams(device)
    field = DeviceField.objects.get(path="water_temperature_fahrenheit")
    assert code_of(field.datastream.unit_of_measurement) == "Cel"
    deliver(town, tts(1, water_temperature_fahrenheit=68.0))
    assert results(field.datastream_id) == [pytest.approx(20)]
