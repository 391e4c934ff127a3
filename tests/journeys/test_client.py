"""`stadtherz.client` as a program of others uses it: with a real server that goes away and comes back."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stadtherz.client import Away, City, NotAllowed, Refused, UnknownStream
from tests.product import SOURCE, Product, free_port

pytestmark = pytest.mark.process

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(number: int) -> datetime:
    return START + timedelta(minutes=number)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    product = Product(tmp_path_factory.mktemp("city")).start(free_port())
    yield product
    product.kill()


@pytest.fixture
def stream(product: Product, request: pytest.FixtureRequest) -> str:
    """A public datastream with an identifier of its owner's."""
    name = request.node.name
    thing = {
        "name": name,
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
                "name": f"Level of {name}",
                "description": "of the brook",
                "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Observation",
                "unitOfMeasurement": {
                    "name": "centimetre",
                    "symbol": "cm",
                    "definition": "ucum:cm",
                },
                "properties": {"externalId": name},
                "Sensor": {
                    "name": "Radar",
                    "description": "looks down",
                    "encodingType": "text/html",
                    "metadata": "https://example.org/radar",
                },
                "ObservedProperty": {
                    "name": "Water level",
                    "definition": f"https://example.org/{name}",
                    "description": "above zero",
                },
            }
        ],
    }
    token = product.facts["admin_token"]
    answer = product.client().post(
        "/sta/v1.1/Things", json=thing, headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 201, answer.text
    return str(name)


@pytest.fixture
def city(product: Product, tmp_path: Path) -> Iterator[City]:
    with City(product.url, product.facts["admin_token"], spool=tmp_path / "waiting") as city:
        yield city


def test_what_is_sent_is_read_again(city: City, stream: str) -> None:
    assert city.latest(stream) is None
    assert city.send(stream, 84.5)
    first = city.latest(stream)
    assert first is not None
    assert first.value == 84.5
    assert abs((datetime.now(UTC) - first.at).total_seconds()) < 300
    with city.batch() as batch:
        for number in range(1500):
            batch.send(f"Level of {stream}", number, at=at(number))
    assert batch.acknowledged
    assert len(city.readings(stream, until=at(9999))) == 1500  # more than a page
    assert city.readings(stream, since=at(7), limit=2) == [(at(7), 7), (at(8), 8)]
    assert city.unsent == 0


def test_the_same_again_is_kept_once_and_another_value_corrects(city: City, stream: str) -> None:
    for value in (1, 1, 2):
        assert city.send(stream, value, at=at(0))
    assert city.readings(stream) == [(at(0), 2)]


def test_what_is_wrong_is_said(product: Product, city: City, stream: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownStream, match="nowhere"):
        city.send("nowhere", 1)
    with pytest.raises(Refused, match="1 of 1"):
        city.send(999_999, 1)
    with pytest.raises(UnknownStream):
        city.latest(999_999)
    with City(product.url, "sh_wrong", spool=tmp_path / "strangers") as stranger:
        with pytest.raises(NotAllowed):
            stranger.send(stream, 1)
        assert city.unsent == stranger.unsent == 0
    with City(product.url, spool=tmp_path / "nobody") as nobody:
        assert nobody.readings(stream) == []


def test_what_the_server_was_away_for_goes_out_when_it_is_back(
    product: Product, city: City, stream: str, tmp_path: Path
) -> None:
    assert city.send(stream, 0, at=at(0))
    port = int(product.url.rpartition(":")[2])
    product.kill()
    for number in range(1, 5):
        assert city.send(stream, number, at=at(number)) is False
    with pytest.raises(Away):
        city.latest(stream)
    city.send("nowhere", 1, at=at(0))
    product.start(port)
    with City(product.url, product.facts["admin_token"], spool=tmp_path / "waiting") as again:
        assert again.unsent == 5
        assert again.send(stream, 5, at=at(5))
        assert again.readings(stream) == [(at(n), n) for n in range(6)]
        assert again.unsent == 0
    refused = (tmp_path / "waiting.refused").read_text(encoding="utf-8")
    assert refused.count('"nowhere"') == 1


SENDER = """
import sys
from datetime import UTC, datetime, timedelta
from stadtherz.client import City
url, token, spool, stream, first = sys.argv[1:]
with City(url, token, spool=spool) as city:
    for number in range(int(first), 60):
        city.send(stream, number, at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number))
        print(number, flush=True)
"""


def test_a_killed_sender_loses_and_repeats_nothing(
    product: Product, city: City, stream: str, tmp_path: Path
) -> None:
    first = 0
    for kill_after in (7, 19, None):
        arguments = (product.url, product.facts["admin_token"], str(tmp_path / "waiting"), stream)
        sender = subprocess.Popen(
            [sys.executable, "-c", SENDER, *arguments, str(first)],
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": str(SOURCE)},
        )
        assert sender.stdout is not None
        for line in sender.stdout:
            first = int(line) + 1
            if first == kill_after:
                sender.kill()
                break
        sender.wait()
        sender.stdout.close()
    assert city.readings(stream) == [(at(n), n) for n in range(60)]
