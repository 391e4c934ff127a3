"""`any` and `all` over a list that JSON holds (OData 4.01 part 2 §5.1.1.13), beside links to many."""

from collections.abc import Callable

import pytest

from stadtherz.sensorthings.tests.bodies import thing
from stadtherz.sensorthings.tests.client import Client
from tests.rows import Shelf

LISTS: dict[str, object] = {
    "colours": ["red", "Red.5", 'a"b\\'],
    "numbers": [1, 2.5, -3, True],
    "mixed": [None, "7", ["red"], {"name": "red", "n": 7}],
    "parts": [{"name": "pump", "n": 1}, {"name": "valve"}],
    "empty": [],
    "text": "red",
    "none": None,
}
EVERY = list(LISTS)


@pytest.fixture
def shelves(api: Client, shelf: Shelf) -> Client:
    """One Thing for each of LISTS, which is its `properties/held`."""
    shelf.fetch("lists", lambda: _post(api))
    return api


def _post(api: Client) -> None:
    for name, held in LISTS.items():
        assert api.post("/Things", thing(name, properties={"held": held})).status == 201


def but(*names: str) -> list[str]:
    return [name for name in EVERY if name not in names]


@pytest.fixture
def names(shelves: Client) -> Callable[[str], list[str]]:
    return lambda condition: [
        found["name"] for found in shelves.get(f"/Things?$filter={condition}").value
    ]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("held/any()", ["colours", "numbers", "mixed", "parts"]),
        ("held/any(t:t eq 'red')", ["colours"]),
        ("held/any(t: t eq 'a\"b\\')", ["colours"]),
        ("held/any(t:t ne 'red')", ["colours", "numbers", "mixed", "parts"]),
        ("held/any(t:t eq 2.5)", ["numbers"]),
        ("held/any(t:t eq -3)", ["numbers"]),
        ("held/any(t:-3 eq t)", ["numbers"]),
        ("held/any(t:t lt 1)", ["numbers"]),
        ("held/any(t:t ge 2.5)", ["numbers"]),
        ("held/any(t:t eq '7')", ["mixed"]),
        ("held/any(t:t eq '1')", ["numbers"]),
        ("held/any(t:t eq true)", ["numbers"]),
        ("held/any(t:t)", ["numbers"]),
        ("held/any(t:t eq null)", ["mixed"]),
        ("held/any(t:t gt null)", []),
        ("held/any(t:t gt 'p')", ["colours"]),
        ("held/any(t:t in ('x','red'))", ["colours"]),
        ("held/any(t:t eq 1 or t eq 'red')", ["colours", "numbers"]),
        ("held/any(t:t gt 1 and t lt 2)", []),
        ("held/any(t:contains(t,'d.'))", ["colours"]),
        ("held/any(t:contains(t,'ed'))", ["colours"]),
        ("held/any(t:contains(t,'.*'))", []),
        ("held/any(t:endswith(t,'d.5'))", ["colours"]),
        ("held/any(t:endswith(t,'\\'))", ["colours"]),
        ("held/any(t:endswith(t,'..'))", []),
        ("held/any(t:startswith(t,'Red'))", ["colours"]),
        ("held/any(t:not startswith(t,'R'))", ["colours", "mixed"]),
        ("held/any(t:not (t eq 'red'))", ["colours", "numbers", "mixed", "parts"]),
        ("held/any(t:t/name eq 'pump')", ["parts"]),
        ("held/any(t:t/name eq 'valve' and t/n eq null)", ["parts"]),
        ("held/any(t:t/name eq 'pump' and t/n eq null)", []),
        ("held/any(t:t/n ge 1)", ["mixed", "parts"]),
        ("held/any(t:t eq 'red') eq false", but("colours")),
        ("held/all(t:t ne 'red')", but("colours")),
        ("held/all(t:t/name ne null)", ["parts", "empty", "text", "none"]),
        ("held/all(t:not (t eq 5 and t eq 6))", EVERY),
        ("held/1/any(t:t eq 'red')", []),
        ("held/2/any(t:t eq 'red')", ["mixed"]),
    ],
)
def test_items_of_a_list(
    names: Callable[[str], list[str]], condition: str, expected: list[str]
) -> None:
    assert names(f"properties/{condition}") == expected


def test_a_list_may_be_held_by_what_is_behind_a_link(city: Client) -> None:
    for condition in (
        "Thing/properties/tags/any(t:t eq 'Alsenz')",
        "Thing/Datastreams/any(d:d/Thing/properties/tags/any(t:t eq 'Alsenz'))",
    ):
        found = city.get(f"/Datastreams?$filter={condition}").value
        assert [each["name"] for each in found] == ["Alsenz level"]


def test_a_list_among_the_parameters_of_observations(api: Client, city: Client) -> None:
    first, *others = city.get("/Observations").ids
    body = {"parameters": {"flags": ["doubtful"]}}
    assert api.patch(f"/Observations({first})", body).status == 200
    assert city.get("/Observations?$filter=parameters/flags/any(f:f eq 'doubtful')").ids == [first]
    none = city.get("/Observations?$filter=not parameters/flags/any(f:f eq 'doubtful')").ids
    assert none == others


@pytest.mark.parametrize(
    "condition",
    [
        "properties/tags/any(t:length(t) eq 1)",
        "properties/tags/any(t:t eq name)",
        "properties/tags/any(t:name eq 'x')",
        "properties/tags/any(t:t/a eq t/b)",
        "name/any(n:n eq 'x')",
    ],
)
def test_what_cannot_be_asked_of_items_is_refused(city: Client, condition: str) -> None:
    reply = city.get(f"/Things?$filter={condition}")
    assert (reply.status, "(at position 0)" in reply.message) == (400, True)
