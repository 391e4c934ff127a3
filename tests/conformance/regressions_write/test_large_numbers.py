"""Whole numbers that a double cannot hold (RFC 7493 §2.2): kept as they are, or refused with the way out."""

import operator as python_operator
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
    for path in ("result", "result/n", "parameters/n"):
        answer = api.get(f"{stream}?$filter={path} {operator} {number}")
        assert (answer.status, repr(float(number)) in answer.json["message"]) == (400, True)


_AROUND = [n + d for n in (2**53, 2**62, -(2**53), 0) for d in range(-2, 3)] + [0.5, 2.5, 1e20]


@pytest.fixture
def numbered(api: Client) -> Client:
    """Things with all of these numbers, in another order than theirs."""
    for number in sorted(_AROUND, key=str):
        body = bodies.thing(name=str(number), properties={"n": number})
        assert api.post("/Things", body).status == 201
    return api


@pytest.mark.parametrize("operator", ["eq", "ne", "gt", "ge", "lt", "le"])
def test_numbers_of_entities_are_compared_exactly(numbered: Client, operator: str) -> None:
    compared = getattr(python_operator, operator)
    for number in _AROUND:
        expected = {n for n in _AROUND if compared(n, number)}
        condition = f"properties/n {operator} {number}".replace("+", "")
        for each in (condition, f"not (not ({condition}))"):
            found = numbered.get(f"/Things?$filter={each}&$top=100").value
            assert {thing["properties"]["n"] for thing in found} == expected, each


def test_numbers_of_entities_are_sorted_exactly_over_all_pages(numbered: Client) -> None:
    for direction in ("asc", "desc"):
        address, seen = f"/Things?$orderby=properties/n {direction}&$top=3", []
        while address:
            page = numbered.get(address).json
            seen += [thing["properties"]["n"] for thing in page["value"]]
            address = page.get("@iot.nextLink", "")
        assert seen == sorted(_AROUND, reverse=direction == "desc")


def test_a_text_of_digits_is_the_number_it_names(numbered: Client) -> None:
    found = numbered.get(f"/Things?$filter=properties/n eq '{2**53 + 1}'").value
    assert [thing["properties"]["n"] for thing in found] == [2**53 + 1]
    between = f"/Things?$filter=properties/n in ({2**53 + 1},{2**62 + 1})&$orderby=properties/n"
    assert [t["properties"]["n"] for t in numbered.get(between).value] == [2**53 + 1, 2**62 + 1]


def test_what_64_bits_with_a_sign_do_not_hold_is_refused(numbered: Client) -> None:
    answer = numbered.get(f"/Things?$filter=properties/n eq {2**63 + 1}")
    assert (answer.status, "exactly" in answer.message, answer.json["position"]) == (400, True, 13)


def test_pages_go_on_behind_a_number_beyond_the_sign(api: Client) -> None:
    for number in (2**63 + 4096, 2**64 - 4096, 5):
        api.post("/Things", bodies.thing(properties={"n": number}))
    address, seen = "/Things?$orderby=properties/n&$top=1", []
    while address:
        page = api.get(address).json
        seen += [thing["properties"]["n"] for thing in page["value"]]
        address = page.get("@iot.nextLink", "")
    assert seen == [5, 2**63 + 4096, 2**64 - 4096]
