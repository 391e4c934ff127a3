"""kill -9 while batches and data arrays come in: groups are whole or not there, answers are true."""

import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from stadtherz.sensorthings.tests import bodies
from tests.product import Product, eventually

pytestmark = pytest.mark.process
_ROWS = 40


def _group(number: int) -> dict[str, Any]:
    """A Thing with a stream and one reading of it, in steps that belong together."""
    steps: list[tuple[str, str, Any]] = [
        ("t", "Things", bodies.thing(f"Group {number}", Locations=[bodies.location()])),
        ("d", "$t/Datastreams", bodies.datastream(f"Group {number}")),
        ("o", "$d/Observations", bodies.observation(number)),
        ("p", "$t/Locations", bodies.location(f"Group {number}")),
    ]
    return {
        "requests": [
            {"id": name, "method": "POST", "url": url, "body": body, "atomicityGroup": "g"}
            for name, url, body in steps
        ]
    }


class _Sender:
    """Sends until nobody answers, and remembers what was answered."""

    def __init__(self, product: Product, stream: int) -> None:
        token = {"Authorization": f"Bearer {product.facts['admin_token']}"}
        self._client = httpx.Client(base_url=f"{product.url}/sta/v1.1/", headers=token, timeout=30)
        self._stream = stream
        self.groups: list[int] = []
        self.arrays: list[int] = []
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            for number in range(1, 10_000):
                answer = self._client.post("$batch", json=_group(number)).json()
                assert {each["status"] for each in answer["responses"]} == {201}
                self.groups.append(number)
                sent = self._client.post("CreateObservations", json=rows(self._stream, number))
                assert sent.status_code == 201
                self.arrays.append(number)
        except httpx.TransportError:
            pass
        finally:
            self._client.close()


def rows(stream: int, number: int) -> list[dict[str, Any]]:
    minute = [f"2026-01-{number % 28 + 1:02}T{number // 28:02}:{n:02}:00Z" for n in range(_ROWS)]
    names = ["phenomenonTime", "result"]
    listed = [[time, number] for time in minute]
    return [{"Datastream": {"@iot.id": stream}, "components": names, "dataArray": listed}]


def test_nothing_is_half_there_and_nothing_is_lost(tmp_path: Path) -> None:
    product = Product(tmp_path / "city").start()
    try:
        api = product.api(product.facts["admin_token"])
        made = api.post("Things", json=bodies.station("Alone", results=())).json()
        stream = api.get(f"Things({made['@iot.id']})/Datastreams").json()["value"][0]["@iot.id"]
        sender = _Sender(product, stream)
        eventually(lambda: len(sender.arrays) >= 5, what="five groups and five arrays")
        product.kill()
        sender.thread.join()
        product.start()
        _check_groups(product, sender.groups)
        _check_arrays(product, stream, sender.arrays)
    finally:
        product.kill()


def _check_groups(product: Product, answered: list[int]) -> None:
    expand = "Locations,HistoricalLocations,Datastreams($expand=Observations)"
    query = f"Things?$filter=startswith(name,'Group')&$expand={expand}&$top=1000"
    found = product.api(product.facts["admin_token"]).get(query).json()["value"]
    numbers = {int(thing["name"].removeprefix("Group ")) for thing in found}
    assert set(answered) <= numbers <= {*answered, len(answered) + 1}
    for thing in found:
        (stream,) = thing["Datastreams"]
        assert [each["result"] for each in stream["Observations"]] == [
            int(thing["name"].removeprefix("Group "))
        ]
        assert [each["name"] for each in thing["Locations"]] == [thing["name"]]
        assert len(thing["HistoricalLocations"]) == 2


def _check_arrays(product: Product, stream: int, answered: list[int]) -> None:
    """Also what is sent once more is there once."""
    api = product.api(product.facts["admin_token"])
    count = f"Datastreams({stream})/Observations/$count"
    whole = int(api.get(count).text)
    assert whole in (len(answered) * _ROWS, (len(answered) + 1) * _ROWS)
    for number in range(1, len(answered) + 2):
        sent = api.post("CreateObservations?$upsert=phenomenonTime", json=rows(stream, number))
        assert sent.status_code in (200, 201)
    assert int(api.get(count).text) == (len(answered) + 1) * _ROWS
