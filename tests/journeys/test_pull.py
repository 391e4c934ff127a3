"""A city pulls another one, and either is killed in the middle: the same measurements at the end, none twice."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.product import Product, free_port

pytestmark = pytest.mark.process

STREAMS, READINGS = 6, 2500


@pytest.fixture
def outer(tmp_path: Path) -> Iterator[Product]:
    product = Product(tmp_path / "outer").start(free_port())
    _fill(product)
    yield product
    product.kill()


@pytest.fixture
def city(tmp_path: Path) -> Iterator[Product]:
    product = Product(tmp_path / "city", environment={"STADTHERZ_PULL_PRIVATE": "1"}).start(
        free_port()
    )
    yield product
    product.kill()


def _fill(product: Product) -> None:
    auth = {"Authorization": f"Bearer {product.facts['admin_token']}"}
    post = product.client().post
    thing = {
        "name": "Outer thing",
        "description": "at the bridge",
        "Locations": [
            {
                "name": "Bridge",
                "description": "over the brook",
                "encodingType": "application/geo+json",
                "location": {"type": "Point", "coordinates": [10.55, 48.17]},
            }
        ],
        "Datastreams": [
            {
                "name": f"Level {number}",
                "description": "of the brook",
                "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
                "unitOfMeasurement": {
                    "name": "centimetre",
                    "symbol": "cm",
                    "definition": "ucum:cm",
                },
                "Sensor": {
                    "name": "Radar",
                    "description": "looks down",
                    "encodingType": "text/html",
                    "metadata": "https://example.org/radar",
                },
                "ObservedProperty": {
                    "name": "Outer level",
                    "definition": "https://example.org/level",
                    "description": "above zero",
                },
            }
            for number in range(STREAMS)
        ],
    }
    answer = post("/sta/v1.1/Things", json=thing, headers=auth)
    assert answer.status_code == 201, answer.text
    for key in _streams(product):
        _send(product, key, range(READINGS))


def _streams(product: Product) -> list[int]:
    url = "/sta/v1.1/Datastreams?$filter=ObservedProperty/name eq 'Outer level'&$orderby=name"
    return [each["@iot.id"] for each in product.client().get(url).json()["value"]]


def _send(product: Product, key: int, numbers: range) -> None:
    rows = [[f"2026-01-{1 + n // 1440:02}T{n // 60 % 24:02}:{n % 60:02}:00Z", n] for n in numbers]
    body = [
        {
            "Datastream": {"@iot.id": key},
            "components": ["phenomenonTime", "result"],
            "dataArray": rows,
        }
    ]
    auth = {"Authorization": f"Bearer {product.facts['admin_token']}"}
    answer = product.client().post("/sta/v1.1/CreateObservations", json=body, headers=auth)
    assert answer.status_code == 201, answer.text


def _held(product: Product) -> list[list[Any]]:
    """Results of each datastream."""
    held = []
    for key in _streams(product):
        path: str | None = (
            f"/sta/v1.1/Datastreams({key})/Observations?$select=result&$orderby=phenomenonTime"
            "&$top=1000"
        )
        results: list[Any] = []
        while path:
            page = product.client().get(path).json()
            results += [each["result"] for each in page["value"]]
            path = page.get("@iot.nextLink")
        held.append(results)
    return held


def _told(city: Product) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(city.run("pull", "list", "--json"))
    return told


def _in_the_middle(city: Product) -> "subprocess.Popen[str]":
    """A `pull run` that has stored its first page, and not yet its last."""
    arguments = ("pull", "run", "Outer", "--organisation", "kaiserslautern")
    process = subprocess.Popen(
        [*city.command(), *arguments, "--data", str(city.data)],
        env=city.full_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert "so far" in process.stderr.readline()
    return process


def _end(process: "subprocess.Popen[str]") -> None:
    assert process.stderr is not None
    process.stderr.close()
    process.wait()


def test_whoever_is_killed_in_the_middle_all_is_there_once(outer: Product, city: Product) -> None:
    arguments = ("--organisation", "kaiserslautern", "--name", "Outer", "--every", "1")
    filters = ("--things", "name eq 'Outer thing'")
    city.kill()  # so that its background has not fetched everything before
    city.run("pull", "add", f"{outer.url}/sta/v1.1", *arguments, *filters)
    killed = _in_the_middle(city)
    killed.kill()
    _end(killed)
    city.start(int(city.url.rpartition(":")[2]))
    assert 0 < sum(len(each) for each in _held(city)) < STREAMS * READINGS
    outer.kill()
    failed = city.attempt("pull", "run", "Outer", "--organisation", "kaiserslautern")
    assert failed.returncode == 1
    assert "does not answer" in _told(city)["problem"]
    outer.start(int(outer.url.rpartition(":")[2]))
    for key in _streams(outer):
        _send(outer, key, range(READINGS, READINGS + 10))
    for _ in range(2):
        city.run("pull", "run", "Outer", "--organisation", "kaiserslautern")
    assert _held(city) == [list(range(READINGS + 10))] * STREAMS
    told = _told(city)
    assert (told["datastreams"], told["measurements"]) == (STREAMS, STREAMS * (READINGS + 10))
    assert told["problem"] == ""
