from typing import Any

import pytest

from stadtherz.base.errors import Invalid, TooLarge
from stadtherz.base.time import SECOND
from stadtherz.sensorthings.standard.schema import DATASTREAM, LOCATION, OBSERVATION, SENSOR, THING
from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.writing.bodies import MAX_DEPTH, Body, load, read_body


def test_values_are_kept_by_column() -> None:
    body = read_body(DATASTREAM, bodies.datastream(observedArea=None), "create")
    assert body.values["unit_of_measurement"] == bodies.UNIT
    assert body.values["observed_area"] is None
    assert "properties" not in body.values


def test_times_become_microseconds() -> None:
    sent = {"result": 1, "phenomenonTime": "1970-01-01T00:00:01Z/1970-01-01T01:00:02+01:00",
            "resultTime": "1970-01-01T00:00:03Z"}  # fmt: skip
    values = read_body(OBSERVATION, sent, "create").values
    assert (values["phenomenon_start"], values["phenomenon_end"]) == (SECOND, 2 * SECOND)
    assert values["result_time"] == 3 * SECOND


def test_links_are_references_or_bodies() -> None:
    sent = bodies.thing(Locations=[{"@iot.id": 3}, {"@iot.id": "4"}, bodies.location()])
    one, other, inner = read_body(THING, sent, "create").links["Locations"]
    assert (one, other) == (3, 4)
    assert isinstance(inner, Body)
    assert inner.entity is LOCATION
    assert read_body(THING, sent, "create").nested
    assert not read_body(THING, bodies.thing(Locations=[{"@iot.id": 3}]), "create").nested


def test_a_patch_needs_nothing_and_a_replacement_empties_the_rest() -> None:
    assert read_body(THING, {}, "patch") == Body(THING, {})
    assert read_body(THING, bodies.thing(), "replace").values["properties"] is None


def test_derived_properties_are_not_read() -> None:
    sent = bodies.datastream(phenomenonTime="nonsense", resultTime=5)
    assert read_body(DATASTREAM, sent, "create").values.keys().isdisjoint({"phenomenon_start"})


def test_metadata_may_be_any_json_but_null() -> None:
    for metadata in ("text", {"a": 1}, [1], 5, False):
        assert (
            read_body(SENSOR, bodies.sensor(metadata=metadata), "create").values["metadata"]
            == metadata
        )
    with pytest.raises(Invalid, match="metadata"):
        read_body(SENSOR, bodies.sensor(metadata=None), "create")


def test_places_in_other_encodings_are_not_checked() -> None:
    sent = bodies.location(encodingType="application/vnd.example", location={"room": 5})
    assert read_body(LOCATION, sent, "create").values["location"] == {"room": 5}


@pytest.mark.parametrize("key", [None, True, -1, 1.5, "x", "", [], 2**63, "9" * 30])
def test_references_to_no_possible_id_are_refused(key: Any) -> None:
    with pytest.raises(Invalid, match="Locations"):
        read_body(THING, bodies.thing(Locations=[{"@iot.id": key}]), "create")


def test_too_many_levels_are_too_large() -> None:
    sent: dict[str, Any] = bodies.thing()
    for _ in range(MAX_DEPTH):
        sent = bodies.thing(Locations=[bodies.location(Things=[sent])])
    with pytest.raises(TooLarge):
        read_body(THING, sent, "create")


@pytest.mark.parametrize("raw", [b"", b" ", b"{", b"\xff\xfe", b"[1,]", b'{"a": Infinity}'])
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    with pytest.raises(Invalid, match="body"):
        load(raw)
