"""The map over HTTP."""

import gzip
from pathlib import Path

import pytest
from django.test import Client
from django.utils import translation
from pytest_django import Settings

FULL = "/tiles/14/8545/5595"
EMPTY = "/tiles/14/1/1"


def test_a_tile_is_sent_as_it_is_stored(city: Client) -> None:
    answer = city.get(FULL)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/vnd.mapbox-vector-tile"
    assert answer["Content-Encoding"] == "gzip"
    assert b"streets" in gzip.decompress(answer.content)


def test_a_reader_without_gzip_gets_it_unpacked(city: Client) -> None:
    plain = city.get(FULL, headers={"accept-encoding": "identity"})
    assert "Content-Encoding" not in plain
    assert plain.content == gzip.decompress(city.get(FULL).content)
    assert "Accept-Encoding" in plain["Vary"]


def test_an_empty_place_answers_with_nothing(city: Client) -> None:
    answer = city.get(EMPTY)
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize("path", ["/tiles/4/8/5", "/tiles/15/17000/11000", "/tiles/5/32/0"])
def test_zooms_and_tiles_that_do_not_exist_are_not_found(city: Client, path: str) -> None:
    assert city.get(path).status_code == 404


def test_a_tile_that_has_not_changed_is_not_sent_again(city: Client) -> None:
    etag = city.get(FULL)["ETag"]
    again = city.get(FULL, headers={"if-none-match": etag})
    assert (again.status_code, again.content) == (304, b"")


def test_the_address_from_the_info_may_be_kept_for_ever(city: Client) -> None:
    template = city.get("/tiles/info.json").json()["tiles"][0]
    path = template.replace("{z}/{x}/{y}", "14/8545/5595")
    assert "immutable" in city.get(path)["Cache-Control"]
    assert "immutable" not in city.get(FULL)["Cache-Control"]


def test_the_info_says_where_the_map_lies_and_whom_to_credit(city: Client) -> None:
    info = city.get("/tiles/info.json").json()
    west, south, east, north = info["bounds"]
    longitude, latitude, _zoom = info["center"]
    assert west < longitude < east
    assert south < latitude < north
    assert (info["minzoom"], info["maxzoom"]) == (5, 14)
    assert info["attribution"] == "© OpenStreetMap contributors"
    assert {"id": "streets", "fields": {}} in info["vector_layers"]


def test_a_city_without_a_map_says_how_to_get_one(data: Path, client: Client) -> None:
    with translation.override("en"):
        answer = client.get("/tiles/info.json")
    assert answer.status_code == 404
    assert "stadtherz basemap import" in answer.json()["message"]
    assert client.get(FULL).status_code == 404


def test_tiles_are_only_read(city: Client) -> None:
    assert city.post(FULL).status_code == 405
    assert city.head(FULL).status_code == 200


@pytest.mark.django_db
def test_through_the_whole_product_a_tile_is_public_and_leaves_no_cookie(
    settings: Settings, tmp_path: Path, town_tiles: Path
) -> None:
    settings.DATA = tmp_path
    (tmp_path / "basemap.pmtiles").write_bytes(town_tiles.read_bytes())
    answer = Client(headers={"accept-encoding": "gzip"}).get(FULL)
    assert answer.status_code == 200
    assert answer["Content-Encoding"] == "gzip"
    assert "public" in answer["Cache-Control"]
    assert not answer.cookies
    assert "Cookie" not in answer["Vary"]
