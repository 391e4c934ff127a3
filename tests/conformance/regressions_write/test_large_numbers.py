"""Whole numbers that a double cannot hold (RFC 7493 §2.2): kept as they are, or refused with the way out."""

import re

import pytest

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client

_EXACT = [2**53 - 1, 2**53, 2**53 + 2, 2**63, -(2**53), -(2**63)]
_OTHERS = [2**53 + 1, 2**63 - 1, 2**64 - 1, -(2**53) - 1, -(2**63) + 1]


@pytest.fixture
def stream(api: Client) -> str:
    assert api.post("/Things", bodies.station(results=())).status == 201
    return f"/Datastreams({api.get('/Datastreams').ids[0]})/Observations"


@pytest.mark.parametrize("number", _EXACT)
def test_a_result_that_is_a_double_is_kept(api: Client, stream: str, number: int) -> None:
    assert api.request("POST", stream, b'{"result": %d}' % number).status == 201
    assert [int(each["result"]) for each in api.get(stream).value] == [number]
    assert len(api.get(f"{stream}?$filter=result eq {number}").value) == 1


@pytest.mark.parametrize("number", _OTHERS)
def test_a_result_that_would_be_another_is_refused(api: Client, stream: str, number: int) -> None:
    answer = api.request("POST", stream, b'{"result": %d}' % number)
    assert (answer.status, "text" in answer.json["message"]) == (400, True)
    array = b'[{"Datastream":{"@iot.id":%d},"components":["result"],"dataArray":[[%d]]}]'
    key = int(re.findall(r"\d+", stream)[0])
    answer = api.request("POST", "/CreateObservations", array % (key, number))
    assert answer.status == 400 or "error" in answer.body.decode()
    assert api.get(stream).value == []
    assert api.request("POST", stream, b'{"result": "%d"}' % number).status == 201
    assert [each["result"] for each in api.get(stream).value] == [str(number)]
    assert len(api.get(f"{stream}?$filter=result eq '{number}'").value) == 1


@pytest.mark.parametrize("number", _EXACT + _OTHERS)
def test_within_documents_64_bits_are_kept(api: Client, stream: str, number: int) -> None:
    body = b'{"result": {"n": %d}, "parameters": {"n": %d}}' % (number, number)
    assert api.request("POST", stream, body).status == 201
    found = api.get(stream).value[0]
    assert (found["result"], found["parameters"]) == ({"n": number}, {"n": number})
    body = b'{"name": "a", "description": "b", "properties": {"n": %d}}' % number
    made = api.request("POST", "/Things", body)
    assert made.json["properties"] == {"n": number}
    assert api.get(made.headers["location"]).json["properties"] == {"n": number}


@pytest.mark.parametrize("number", [n for n in _OTHERS if n < 2**63])
@pytest.mark.parametrize("operator", ["eq", "ne", "gt", "le"])
def test_a_filter_does_not_take_a_neighbour_for_the_number(
    api: Client, stream: str, number: int, operator: str
) -> None:
    for path in (
        f"{stream}?$filter=result {operator} {number}",
        f"/Things?$filter=properties/n {operator} {number}",
    ):
        answer = api.get(path)
        assert (answer.status, repr(float(number)) in answer.json["message"]) == (400, True)
