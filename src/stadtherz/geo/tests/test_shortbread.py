"""Which tags draw what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.geo import shortbread
from stadtherz.geo.shortbread import DEEPEST, Drawn

# The source layers @versatiles/style 6 reads, apart from those a city map leaves out.
LAYERS = {
    "addresses", "aerialways", "boundaries", "bridges", "buildings", "dam_lines", "dam_polygons",
    "ferries", "land", "pier_lines", "pier_polygons", "place_labels", "pois", "public_transport",
    "sites", "street_labels", "street_labels_points", "street_polygons", "streets",
    "streets_polygons_labels", "water_lines", "water_lines_labels", "water_polygons",
    "water_polygons_labels",
}  # fmt: skip

VALUES = ["yes", "no", "forest", "water", "river", "primary", "motorway_link", "station", "pier",
          "rail", "city", "park", "school", "administrative", "4", "-1", "dam", "", "Wörth"]  # fmt: skip
OTHER_KEYS = ["name", "name:de", "area", "tunnel", "bridge", "oneway", "admin_level", "capital"]
TAGS = st.dictionaries(
    st.sampled_from([*shortbread.KEYS, *OTHER_KEYS, "population", "ref", "service"]),
    st.sampled_from(VALUES) | st.text("ab07-ü", max_size=5),
)


def layers(drawn: list[Drawn]) -> set[str]:
    return {each.layer for each in drawn}


def only(drawn: list[Drawn], layer: str) -> Drawn:
    (found,) = [each for each in drawn if each.layer == layer]
    return found


@given(TAGS, st.floats(min_value=0, max_value=1e12))
def test_every_drawing_belongs_to_the_schema(tags: dict[str, str], size: float) -> None:
    drawn = [
        *shortbread.of_node(tags), *shortbread.of_way(tags), *shortbread.of_area(tags, size)
    ]  # fmt: skip
    assert layers(drawn) <= LAYERS
    for each in drawn:
        assert 0 <= each.zoom <= DEEPEST
        assert all(isinstance(value, str | int | float) for value in each.attributes.values())


@given(TAGS)
def test_what_draws_anything_has_a_key_the_reader_lets_pass(tags: dict[str, str]) -> None:
    known = {key: value for key, value in tags.items() if key not in shortbread.KEYS}
    assert not shortbread.of_node(known)
    assert not shortbread.of_way(known)
    assert not shortbread.of_area(known, 1.0)


def test_a_street_shows_its_kind_its_direction_and_its_name() -> None:
    drawn = shortbread.of_way({"highway": "primary", "oneway": "yes", "name": "Lange Straße"})
    assert only(drawn, "streets").attributes == {"kind": "primary", "oneway": True}
    assert only(drawn, "street_labels").attributes["name"] == "Lange Straße"


def test_a_slip_road_is_a_link_and_waits_for_its_junction() -> None:
    street = only(shortbread.of_way({"highway": "motorway_link"}), "streets")
    assert street.attributes == {"kind": "motorway", "link": True}
    assert street.zoom == 12


def test_a_brook_in_a_culvert_is_in_a_tunnel() -> None:
    drawn = shortbread.of_way({"waterway": "stream", "tunnel": "culvert"})
    assert only(drawn, "water_lines").attributes == {"kind": "stream", "tunnel": True}


@pytest.mark.parametrize("tag", ["tunnel", "bridge"])
def test_no_means_no(tag: str) -> None:
    street = only(shortbread.of_way({"highway": "path", tag: "no"}), "streets")
    assert tag not in street.attributes


def test_a_siding_says_that_it_is_one() -> None:
    track = only(shortbread.of_way({"railway": "rail", "service": "yard"}), "streets")
    assert track.attributes == {"kind": "rail", "rail": True, "service": "yard"}


def test_the_larger_the_lake_the_earlier_it_shows() -> None:
    sizes = [1e3, 2e4, 2e5, 2e6, 2e7, 2e8]
    zooms = [
        only(shortbread.of_area({"natural": "water"}, s), "water_polygons").zoom for s in sizes
    ]
    assert zooms == [14, 12, 10, 8, 6, 4]


def test_the_name_of_a_lake_stands_at_a_label_point() -> None:
    drawn = shortbread.of_area({"natural": "water", "name": "Blechhammer"}, 5e4)
    label = only(drawn, "water_polygons_labels")
    assert label.shape == "label point"
    assert label.attributes == {"kind": "water", "way_area": 50_000, "name": "Blechhammer"}


def test_other_languages_are_kept_only_where_they_differ() -> None:
    tags = {"place": "city", "name": "Genève", "name:de": "Genf", "name:en": "Genève"}
    place = only(shortbread.of_node(tags), "place_labels")
    assert place.attributes == {"kind": "city", "name": "Genève", "name_de": "Genf"}


def test_a_state_capital_is_named_as_one() -> None:
    tags = {"place": "city", "capital": "4", "name": "Mainz", "population": "220000"}
    place = only(shortbread.of_node(tags), "place_labels")
    assert place.attributes["kind"] == "state_capital"
    assert place.attributes["population"] == 220_000


def test_a_school_is_a_site_a_building_and_a_point_of_interest() -> None:
    drawn = shortbread.of_area({"amenity": "school", "building": "yes", "name": "Pestalozzi"}, 1.0)
    assert layers(drawn) == {"sites", "buildings", "pois"}


def test_benches_and_nameless_shops_would_hide_what_people_look_for() -> None:
    assert not shortbread.of_node({"amenity": "bench", "name": "Ruhebank"})
    assert not shortbread.of_node({"shop": "bakery"})


def test_a_square_is_an_area_and_a_street_around_a_block_is_not() -> None:
    square = {"highway": "pedestrian", "area": "yes", "name": "Markt"}
    assert layers(shortbread.of_area(square, 1.0)) == {"street_polygons", "streets_polygons_labels"}
    assert not shortbread.of_way(square)
    assert not shortbread.of_area({"highway": "pedestrian"}, 1.0)


@pytest.mark.parametrize(("level", "shown"), [("2", True), ("4", True), ("8", False)])
def test_only_borders_of_countries_and_states_are_drawn(level: str, *, shown: bool) -> None:
    drawn = shortbread.of_way({"boundary": "administrative", "admin_level": level})
    assert bool(drawn) is shown
