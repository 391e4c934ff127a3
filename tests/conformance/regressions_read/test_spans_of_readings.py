"""Times of readings held against those of what they belong to: start and end are of one and the same reading."""

from typing import Any

import pytest

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client

HOURS = ["01:00", "02:00", "03:00", "05:00"]


def span(start: int, end: int) -> str:
    return "/".join(f"2026-01-01T{HOURS[at]}:00Z" for at in (start, end))


@pytest.fixture
def rain(land: Client) -> Client:
    """What was collected: Two from one to two and from two to five, Whole once from one to five, None never."""
    held = {"Two": [span(0, 1), span(1, 3)], "Whole": [span(0, 3)], "None": []}
    for name, times in held.items():
        readings = [bodies.observation(1, time) for time in times]
        stream = bodies.datastream(name, Observations=readings)
        assert (
            land.post(
                "/Things", bodies.thing(name, Datastreams=[stream], Locations=[bodies.location()])
            ).status
            == 201
        )
    return land


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("Observations/phenomenonTime eq phenomenonTime", ["Whole"]),
        ("Observations/phenomenonTime ne phenomenonTime", ["Two"]),
        ("phenomenonTime eq Observations/phenomenonTime", ["Whole"]),
        ("Observations/phenomenonTime eq phenomenonTime and name ne 'x'", ["Whole"]),
        ("Observations/phenomenonTime eq phenomenonTime or name eq 'None'", ["None", "Whole"]),
        ("Observations/phenomenonTime lt phenomenonTime", []),
        ("overlaps(Observations/phenomenonTime,phenomenonTime)", ["Two", "Whole"]),
        ("during(Observations/phenomenonTime,phenomenonTime)", ["Two", "Whole"]),
        # who has no readings fulfils what it fulfils without them
        ("(Observations/result gt id or name ne 'x') and (Observations/result lt id or name ne 'y')",
         ["None", "Two", "Whole"]),
        ("(Observations/result gt id or name eq 'None') and (Observations/result lt id or name eq 'None')",
         ["None"]),
    ],
)  # fmt: skip
def test_both_ends_are_of_one_reading(rain: Client, condition: str, names: list[Any]) -> None:
    found = rain.get(f"/Datastreams?$filter={condition}&$orderby=name")
    assert [each["name"] for each in found.value] == names, found.body
