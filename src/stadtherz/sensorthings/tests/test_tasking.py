"""Parameters of Tasks held against descriptions in SWE Common, of version 2.0 and 3.0."""

from typing import Any

import pytest

from stadtherz.base.errors import Invalid
from stadtherz.sensorthings.standard.tasking import check_description, check_values


def record(**field: Any) -> dict[str, Any]:
    return {"type": "DataRecord", "field": [{"name": "a", **field}]}


_POINT = [{"type": "Quantity", "name": "x"}, {"type": "Quantity", "name": "y"}]
_ROUTE = {"type": "DataArray", "elementType": {"type": "Vector", "coordinates": _POINT}}
_INTERVALS = {"intervals": [[0, 10], [20, "INF"]]}
_DAY = {"interval": ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]}
_SIZES = [{"type": "Count", "name": "n"}, {"type": "Text", "name": "word"}]

FITTING = [
    (record(type="Boolean"), True),
    (record(type="Count"), 3),
    (record(type="Count"), 3.0),
    (record(type="Quantity", constraint=_INTERVALS), 1e9),
    (record(type="Quantity", constraint={"value": [1.5], "interval": [[3, 4]]}), 1.5),
    (record(type="Quantity", nilValues=[{"reason": "x", "value": "off"}]), "off"),
    (record(type="Time", constraint=_DAY), "2026-01-01T13:00:00+01:00"),
    (record(type="Time", uom={"code": "s"}, constraint={"interval": [0, 60]}), 30),
    (record(type="TimeRange"), ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]),
    (record(type="QuantityRange", constraint={"interval": [0, 5]}), [1, 2]),
    (record(**_ROUTE), [[1, 2], {"x": 3, "y": 4}]),
    (record(type="DataRecord", fields=[]), {}),
    (record(type="DataChoice", item=_SIZES), {"n": 3}),
    (record(type="Matrix", elementType={"type": "Count"}), [1, 2]),
    (record(type="Geometry"), {"type": "Point", "coordinates": [1, 2]}),
    (record(type="CategoryRange"), ["b", "a"]),
]


@pytest.mark.parametrize(("description", "value"), FITTING)
def test_what_a_description_allows(description: dict[str, Any], value: Any) -> None:
    check_description(description, "p")
    check_values(description, {"a": value})


NOT_FITTING = [
    (record(type="Boolean"), 1, "true or false"),
    (record(type="Count"), 3.5, "a whole number"),
    (record(type="Count"), True, "a number"),
    (record(type="Quantity", constraint=_INTERVALS), 15, "from 0 to 10 or from 20 to INF"),
    (record(type="Text", constraint={"pattern": "[a-z]+"}), "A", r"of the form \[a-z\]\+"),
    (record(type="Time"), "noon", "a time such as"),
    (record(type="Time"), 5, "a text"),
    (record(type="Time", constraint=_DAY), "2026-02-01T00:00:00Z", "from 2026"),
    (record(type="Time", uom={"code": "s"}), "2026-01-01T00:00:00Z", "a number"),
    (record(type="QuantityRange"), [2, 1], "the smaller one first"),
    (record(type="QuantityRange"), 1, "a list of two"),
    (record(type="QuantityRange", constraint={"interval": [0, 5]}), [1, 9], "from 0 to 5"),
    (record(**_ROUTE), [[1, 2], [1]], "an object with a value for each"),
    (record(**_ROUTE), [[1, "2"]], "a number"),
    (record(type="DataChoice", item=_SIZES), {"n": 3, "word": "a"}, "one of n, word"),
    (record(type="DataChoice", item=_SIZES), {}, "one of n, word"),
    (record(type="DataRecord", field=_SIZES), {"n": 3}, "is missing"),
    (record(type="Geometry"), "here", "a GeoJSON geometry"),
]


@pytest.mark.parametrize(("description", "value", "complaint"), NOT_FITTING)
def test_what_it_does_not(description: dict[str, Any], value: Any, complaint: str) -> None:
    check_description(description, "p")
    with pytest.raises(Invalid, match=complaint):
        check_values(description, {"a": value})


def test_complaints_say_where() -> None:
    description = record(**_ROUTE)
    with pytest.raises(Invalid) as refused:
        check_values(description, {"a": [[1, 2], [3, None]]})
    assert refused.value.field == "taskingParameters/a/1/y"


def test_descriptions_do_not_go_on_forever() -> None:
    deep: dict[str, Any] = {"type": "Count"}
    for _ in range(20):
        deep = {"type": "DataArray", "elementType": deep}
    with pytest.raises(Invalid):
        check_description(record(**deep), "p")
