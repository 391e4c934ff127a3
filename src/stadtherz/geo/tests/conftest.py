"""Fixtures of the map: a hand-made town (`town.osm`), and its tiles, built once."""

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from stadtherz.geo.public import import_basemap

# A lake, a brook in a culvert, a street, a house, a stop, a place, and a way cut off at the edge.
TOWN = Path(__file__).parent / "town.osm"


def silent(words: str, fraction: float) -> None:
    """A progress nobody watches."""


@pytest.fixture
def town() -> Path:
    return TOWN


@pytest.fixture(scope="session")
def town_tiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The town's tiles; skipped where the extra `basemap` is not installed."""
    pytest.importorskip("osmium", reason="needs the extra: pip install '.[basemap]'")
    target = tmp_path_factory.mktemp("town") / "basemap.pmtiles"
    import_basemap(TOWN, target, silent)
    return target


@pytest.fixture
def data(settings: Settings, tmp_path: Path) -> Path:
    """An empty data folder of the running city, reached without middleware."""
    settings.DATA = tmp_path
    settings.ROOT_URLCONF = "stadtherz.geo.urls"
    settings.MIDDLEWARE = []
    return tmp_path


@pytest.fixture
def city(data: Path, town_tiles: Path) -> Client:
    """A reader of a city that has the town as its base map."""
    (data / "basemap.pmtiles").write_bytes(town_tiles.read_bytes())
    return Client(headers={"accept-encoding": "gzip"})
