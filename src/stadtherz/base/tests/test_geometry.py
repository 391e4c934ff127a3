from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.base.errors import Invalid
from stadtherz.base.geometry import centre, check_geometry

POINT = {"type": "Point", "coordinates": [7.77, 49.44]}
SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]]}


@pytest.mark.parametrize(
    "geometry",
    [
        POINT,
        {"type": "Point", "coordinates": [7.77, 49.44, 250.0]},
        {"type": "LineString", "coordinates": [[0, 0], [1, 1]]},
        {"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"]]},
        {"type": "GeometryCollection", "geometries": [POINT, SQUARE]},
    ],
)
def test_geojson_geometries_are_taken_as_they_are(geometry: dict[str, Any]) -> None:
    assert check_geometry(geometry) == geometry


def test_a_feature_stands_for_its_geometry() -> None:
    assert check_geometry({"type": "Feature", "geometry": POINT, "properties": {}}) == POINT


@pytest.mark.parametrize(
    ("geometry", "reason"),
    [
        ("POINT(1 2)", "GeoJSON object"),
        ({"type": "Circle"}, "not a GeoJSON geometry type"),
        ({"type": "Point", "coordinates": [49.44]}, "longitude, latitude"),
        ({"type": "Point", "coordinates": ["7", "49"]}, "longitude, latitude"),
        ({"type": "Point", "coordinates": [49.44, 107.7]}, "longitude comes first"),
        ({"type": "Point", "coordinates": [float("nan"), 1]}, "finite"),
        ({"type": "LineString", "coordinates": [[0, 0]]}, "at least 2"),
        (
            {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]},
            "end where it starts",
        ),
        ({"type": "GeometryCollection"}, "list of geometries"),
    ],
)
def test_what_is_wrong_is_said(geometry: object, reason: str) -> None:
    with pytest.raises(Invalid, match=reason) as caught:
        check_geometry(geometry, field="feature")
    assert caught.value.field == "feature"


@given(
    st.recursive(
        st.none() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["type", "coordinates", "geometries"]), inner)
        ),
    )
)
def test_nothing_but_invalid_is_raised(value: object) -> None:
    with suppress(Invalid):
        assert check_geometry(value) == value


def test_the_centre_is_the_middle_of_the_bounding_box() -> None:
    assert centre(SQUARE) == (1, 1)
    assert centre({"type": "GeometryCollection", "geometries": []}) is None
