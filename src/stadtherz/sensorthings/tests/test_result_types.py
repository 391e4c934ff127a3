"""Result types of version 2.0: kept as they are, made from version 1.1, and held against results."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stadtherz.base.errors import Invalid
from stadtherz.sensorthings.standard import result_types
from stadtherz.sensorthings.tests.client import Client, in_version_2

OM = "http://www.opengis.net/def/observationType/OGC-OM/2.0/"
LABELLED = {"label": "x", "definition": "ObservedProperties(1)"}
_NAMES = st.text(alphabet="abcXYZ_-", min_size=1, max_size=4).map("f".__add__)
_SIMPLE = st.one_of(
    st.sampled_from(["Count", "Boolean", "Category", "Text", "CountRange", "CategoryRange"]).map(
        lambda kind: {"type": kind, **LABELLED}
    ),
    st.sampled_from(["Quantity", "Time", "QuantityRange", "TimeRange"]).map(
        lambda kind: {"type": kind, **LABELLED, "uom": {"code": "s"}}
    ),
)


def _record(parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    fields = st.dictionaries(_NAMES, parts, min_size=1, max_size=3).map(
        lambda named: [{**part, "name": name} for name, part in named.items()]
    )
    return st.one_of(
        fields.map(lambda listed: {"type": "DataRecord", "fields": listed}),
        fields.map(lambda listed: {"type": "DataChoice", "items": listed}),
        parts.map(lambda part: {"type": "DataArray", "elementType": part}),
    )


COMPONENTS = st.recursive(_SIMPLE, _record, max_leaves=6)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
_WORDS = st.sampled_from(
    [
        "type",
        "label",
        "definition",
        "uom",
        "fields",
        "items",
        "elementType",
        "name",
        "code",
        "nilValues",
        "",
    ]
)
_VALUES = st.sampled_from(["Quantity", "DataRecord", "DataArray", "Count", "ObservedProperties(1)"])
_NEARLY = st.recursive(
    _VALUES | _JSON,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_WORDS, inner, max_size=5),
    max_leaves=12,
)


@given(COMPONENTS)
def test_a_component_comes_back_from_the_unit(component: dict[str, Any]) -> None:
    result_types.check(component, "resultType")
    unit = result_types.unit_of_measurement(component)
    kind = result_types.observation_type(component)
    assert result_types.shown(kind, unit, "ObservedProperties(1)", "other") == component
    assert result_types.said(kind, unit) == component
    assert set(result_types.definitions(component)) == {"ObservedProperties(1)"}


@given(COMPONENTS)
def test_definitions_follow_the_observed_property(component: dict[str, Any]) -> None:
    unit = result_types.unit_of_measurement(component)
    kind = result_types.observation_type(component)
    changed = result_types.shown(kind, unit, "ObservedProperties(2)", "x")
    assert set(result_types.definitions(changed)) == {"ObservedProperties(2)"}
    assert result_types.structure(changed) == result_types.structure(component)


@given(_NEARLY)
def test_whatever_is_sent_is_a_component_or_refused(sent: Any) -> None:
    try:
        result_types.check(sent, "resultType")
    except Invalid:
        return
    result_types.unit_of_measurement(sent)
    result_types.fits(sent, 5)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(sent=_NEARLY, result=_JSON)
def test_nothing_that_is_sent_breaks_the_server(api: Client, sent: Any, result: Any) -> None:
    speaks = in_version_2(api)
    stream = {
        "name": "x",
        "resultType": sent,
        "Sensor": {"name": "s"},
        "Observations": [{"result": result}],
    }
    reply = speaks.post("/Things", {"name": "x", "Datastreams": [stream], "properties": result})
    assert reply.status in (201, 400), reply.body


@pytest.mark.parametrize(
    ("kind", "unit", "expected"),
    [
        ("OM_Measurement", {"name": "Degree", "symbol": "°C", "definition": "https://x.example/C"},
         {"type": "Quantity",
          "uom": {"label": "Degree", "symbol": "°C", "href": "https://x.example/C", "code": "Cel"}}),
        ("OM_Measurement", {"name": None, "symbol": None, "definition": None},
         {"type": "Quantity", "uom": {"code": "1"}}),
        ("OM_Measurement", {"name": 5, "symbol": ["x"], "definition": {}},
         {"type": "Quantity", "uom": {"code": "1"}}),
        ("OM_CountObservation", {}, {"type": "Count"}),
        ("OM_TruthObservation", {}, {"type": "Boolean"}),
        ("OM_CategoryObservation", {"definition": "https://x.example/list"},
         {"type": "Category", "codeSpace": "https://x.example/list"}),
    ],
)  # fmt: skip
def test_result_types_are_made_from_version_1(
    kind: str, unit: dict[str, Any], expected: dict[str, Any]
) -> None:
    made = result_types.shown(OM + kind, unit, "ObservedProperties(1)", "Level")
    assert made == {"label": "Level", "definition": "ObservedProperties(1)", **expected}
    result_types.check(made, "resultType")


def test_what_version_1_leaves_open_may_be_anything() -> None:
    made = result_types.shown(OM + "OM_Observation", {}, "ObservedProperties(1)", "Level")
    result_types.check(made, "resultType")
    assert result_types.said(OM + "OM_Observation", {}) is None


@pytest.mark.parametrize(
    ("component", "fitting", "others"),
    [
        ({"type": "Quantity"}, [1, 2.5, "NaN", "-Infinity"], [True, "1", None, [1]]),
        ({"type": "Quantity", "nilValues": [{"reason": "x", "value": "none"}]}, ["none"], ["nix"]),
        ({"type": "Count"}, [1, 2.0], [2.5, True, "NaN"]),
        ({"type": "Boolean"}, [True, False], [0, "true"]),
        ({"type": "Text"}, ["", "x"], [1, None]),
        ({"type": "Time"}, ["2026-01-01T00:00:00Z", 5], [True, []]),
        ({"type": "QuantityRange"}, [[1, 2]], [[1], [1, 2, 3], [1, "x"], 5]),
        ({"type": "DataArray", "elementType": {"type": "Count"}}, [[], [1, 2]], [[1.5], 1]),
        ({"type": "DataChoice", "items": [{"type": "Count", "name": "n"}, {"type": "Text", "name": "t"}]},
         [{"n": 1}, {"t": "x"}], [{}, {"n": 1, "t": "x"}, {"n": "x"}, 1]),
        ({"type": "Geometry"}, [{"type": "Point", "coordinates": [1, 2]}], [{}, "POINT (1 2)"]),
    ],
)  # fmt: skip
def test_results_fit_or_do_not(
    component: dict[str, Any], fitting: list[Any], others: list[Any]
) -> None:
    assert [result for result in fitting if not result_types.fits(component, result)] == []
    assert [result for result in others if result_types.fits(component, result)] == []
