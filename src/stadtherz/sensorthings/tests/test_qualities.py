"""Doubtful readings, as the ingest pipeline flags them, can be told from the others."""

import pytest

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client

JUMP = {"code": "jump", "flags": ["jump", "clock"], "pass": False, "change": 199.0}


@pytest.fixture
def stream(api: Client) -> str:
    key = api.post("/Things", bodies.station("Mill")).key
    address = f"/Datastreams({api.get(f'/Things({key})/Datastreams').ids[0]})/Observations"
    for minute, quality in ((1, None), (2, JUMP), (3, {**JUMP, "code": "frozen"})):
        told = {"phenomenonTime": f"2031-01-01T00:0{minute}:00Z", "result": minute}
        api.post(address, told if quality is None else {**told, "resultQuality": quality})
    return address


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("resultQuality/code eq 'jump'", [2]),
        ("resultQuality/pass eq false", [2, 3]),
        ("resultQuality eq null and phenomenonTime gt 2031-01-01T00:00:00Z", [1]),
        ("resultQuality/change gt 100", [2, 3]),
    ],
)
def test_readings_are_found_by_their_flag(
    api: Client, stream: str, condition: str, found: list[int]
) -> None:
    told = api.get(f"{stream}?$filter={condition}&$orderby=phenomenonTime")
    assert [each["result"] for each in told.value] == found
