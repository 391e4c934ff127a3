"""Reading tiles, also while the file is replaced."""

import gzip
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from stadtherz.base.errors import Invalid, NotFound
from stadtherz.geo.demo_map import DEMO_BASEMAP
from stadtherz.geo.tiles import Tileset, open_tiles


def write_tiles(path: Path, tiles: dict[tuple[int, int, int], bytes]) -> None:
    """A PMTiles file of these tiles, put in place by renaming."""
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        writer = Writer(file)
        for place in sorted(tiles, key=lambda place: zxy_to_tileid(*place)):
            writer.write_tile(zxy_to_tileid(*place), tiles[place])
        header = {"tile_type": TileType.MVT, "tile_compression": Compression.NONE}
        writer.finalize(header, {"attribution": "© a test"})
    part.replace(path)


def test_each_tile_comes_back_as_it_was_written(tmp_path: Path) -> None:
    written = {(7, x, y): f"{x}/{y}".encode() for x in range(20) for y in range(20)}
    write_tiles(tmp_path / "map.pmtiles", written)
    tiles = Tileset(tmp_path / "map.pmtiles")
    assert {place: tiles.tile(*place) for place in written} == written
    assert tiles.tile(7, 100, 100) is None


def test_many_tiles_are_found_through_leaf_directories(tmp_path: Path) -> None:
    written = {(8, x, y): f"{x * y}".encode() for x in range(150) for y in range(150)}
    write_tiles(tmp_path / "map.pmtiles", written)
    tiles = Tileset(tmp_path / "map.pmtiles")
    assert all(tiles.tile(*place) == content for place, content in written.items())


def test_a_new_file_in_the_same_place_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "map.pmtiles"
    write_tiles(path, {(0, 0, 0): b"old"})
    old = open_tiles(path)
    write_tiles(path, {(0, 0, 0): b"new"})
    assert open_tiles(path).tile(0, 0, 0) == b"new"
    assert old.tile(0, 0, 0) == b"old"  # who is still reading it finishes in peace
    assert open_tiles(path).about.version != old.about.version


def test_an_unchanged_file_is_opened_once(tmp_path: Path) -> None:
    write_tiles(tmp_path / "map.pmtiles", {(0, 0, 0): b"a"})
    with ThreadPoolExecutor(8) as pool:
        opened = set(pool.map(lambda _: open_tiles(tmp_path / "map.pmtiles"), range(40)))
    assert len(opened) == 1


def test_threads_read_the_same_tiles(tmp_path: Path) -> None:
    tiles = Tileset(DEMO_BASEMAP)
    places = [(14, x, y) for x in range(8542, 8549) for y in range(5592, 5598)]
    alone = [tiles.tile(*place) for place in places]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda place: Tileset(DEMO_BASEMAP).tile(*place), places * 3))
    assert together == alone * 3
    assert any(alone)


def test_tiles_of_the_demo_city_are_packed() -> None:
    tiles = Tileset(DEMO_BASEMAP)
    packed = tiles.tile(14, 8545, 5595)
    assert tiles.gzipped
    assert packed is not None
    assert len(gzip.decompress(packed)) > len(packed)


@pytest.mark.parametrize(
    "content", [b"", b"PMTi", b"no tiles at all" * 50, b"PMTiles\x02" + b"\0" * 200]
)
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "map.pmtiles").write_bytes(content)
    with pytest.raises(Invalid, match="not a PMTiles file"):
        Tileset(tmp_path / "map.pmtiles")


def test_no_file_is_no_map(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        open_tiles(tmp_path / "map.pmtiles")
