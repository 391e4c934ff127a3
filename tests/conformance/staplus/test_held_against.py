"""Observations held against what several of have them in common: Campaigns, groups, and their Thing."""

from typing import Any

import pytest

from stadtherz.base.visibility import ANONYMOUS
from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client
from stadtherz.store.models import Campaign, Datastream, Location, ObservationGroup
from stadtherz.store.public import seal

SPRING, SUMMER, WINTER = (f"2026-0{month}-01T00:00:00Z" for month in (3, 6, 9))


@pytest.fixture
def brook(api: Client) -> Client:
    """Readings 1 in January, 2 in April and 3 in July at Brook; 4 in July at Pond, where nobody looks.

    Campaigns begin at Brook in spring, summer and winter, one at no time; one of Pond in winter. The
    groups Brook (of 1, 4) and Flood (of 3, 4) hold readings.
    """
    months = ("2026-01-15T00:00:00Z", "2026-04-15T00:00:00Z", "2026-07-15T00:00:00Z")
    readings = [bodies.observation(r, time) for r, time in enumerate(months, start=1)]
    held = {"Brook": readings, "Pond": [bodies.observation(4, months[2])]}
    streams, named = {}, {}
    for name, values in held.items():
        stream = bodies.datastream(f"{name} level", Observations=values)
        places = [bodies.location(f"{name} bank"), bodies.location(name)]
        thing = bodies.thing(name, Datastreams=[stream], Locations=places[: 1 + (name == "Brook")])
        key = api.post("/Things", thing).key
        (streams[name],) = api.get(f"/Things({key})/Datastreams").ids
    for each in api.get("/Observations").value:
        named[each["result"]] = {"@iot.id": each["@iot.id"]}
    starts = {"spring": SPRING, "summer": SUMMER, "winter": WINTER, "ever": None}
    for name, start in starts.items():
        of_brook = {"Datastreams": [{"@iot.id": streams["Brook"]}], "startTime": start}
        assert api.post("/Campaigns", bodies.campaign(name, **of_brook)).status == 201
    of_pond = {"Datastreams": [{"@iot.id": streams["Pond"]}], "startTime": WINTER}
    assert api.post("/Campaigns", bodies.campaign("frost", **of_pond)).status == 201
    for name, numbers in (("Brook", (1, 4)), ("Flood", (3, 4))):
        members = [named[number] for number in numbers]
        group = bodies.observation_group(name, Observations=members, endTime=SUMMER)
        assert api.post("/ObservationGroups", group).status == 201
    return api


def found(client: Client, address: str) -> list[Any]:
    values = client.get(address).value
    return sorted(each["name"] if "name" in each else each["result"] for each in values)


CAMPAIGNS = [
    ("Datastreams/Observations/phenomenonTime gt startTime", ["spring", "summer"]),
    ("startTime lt Datastreams/Observations/phenomenonTime", ["spring", "summer"]),
    ("Datastreams/Observations/phenomenonTime lt startTime", ["frost", "spring", "summer", "winter"]),
    # as everywhere, that there is one of which it does not hold; that there is none says any
    ("not (Datastreams/Observations/phenomenonTime gt startTime)",
     ["ever", "frost", "spring", "summer", "winter"]),
    # one reading must fit both, for one Datastream
    ("Datastreams/Observations/phenomenonTime gt startTime and Datastreams/Observations/result eq 2",
     ["spring"]),
    ("Datastreams/Observations/phenomenonTime gt startTime and Datastreams/name eq 'Pond level'", []),
    ("Datastreams/Observations/phenomenonTime gt startTime or name eq 'ever'",
     ["ever", "spring", "summer"]),
    # any and all
    ("Datastreams/any(d:d/Observations/any(o:o/phenomenonTime gt startTime))", ["spring", "summer"]),
    ("Datastreams/any(d:d/Observations/any(o:o/phenomenonTime gt startTime and o/result lt 3))", ["spring"]),
    ("Datastreams/all(d:d/Observations/any(o:o/phenomenonTime gt startTime))", ["spring", "summer"]),
    ("Datastreams/all(d:d/Observations/all(o:o/phenomenonTime lt startTime))", ["frost", "winter"]),
    ("not Datastreams/any(d:d/Observations/any(o:o/phenomenonTime gt startTime))", ["ever", "frost", "winter"]),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "names"), CAMPAIGNS)
def test_campaigns_by_when_they_were_measured_for(
    brook: Client, condition: str, names: list[str]
) -> None:
    assert found(brook, f"/Campaigns?$filter={condition}") == names
    assert int(brook.get(f"/Campaigns/$count?$filter={condition}").body) == len(names)


OBSERVATIONS = [
    ("ObservationGroups/name eq Datastream/Thing/name", [1]),
    ("Datastream/Thing/name eq ObservationGroups/name and result gt 1", []),
    ("ObservationGroups/name ne Datastream/Thing/name", [2, 3, 4]),
    ("not (ObservationGroups/name eq Datastream/Thing/name)", [2, 3, 4]),
    ("ObservationGroups/name ne Datastream/Thing/name and ObservationGroups/name eq 'Brook'", [4]),
    ("ObservationGroups/endTime lt phenomenonTime", [3, 4]),
    ("ObservationGroups/any(g:g/name eq Datastream/Thing/name)", [1]),
    ("not ObservationGroups/any(g:g/name eq Datastream/Thing/name)", [2, 3, 4]),
    ("ObservationGroups/all(g:g/name eq Datastream/Thing/name)", [1, 2]),
    ("ObservationGroups/any(g:g/name ne Datastream/Thing/name) and "
     "ObservationGroups/any(g:g/name eq 'Brook')", [4]),
    ("Datastream/Thing/Locations/name eq ObservationGroups/name", [1]),
    ("Datastream/Thing/Locations/any(l:ObservationGroups/any(g:g/name eq l/name))", [1]),
    ("Datastream/Campaigns/startTime gt phenomenonTime", [1, 2, 3, 4]),
    ("Datastream/Campaigns/any(c:c/startTime lt phenomenonTime)", [2, 3]),
    ("Datastream/Campaigns/any(c:c/startTime lt phenomenonTime and c/name eq 'summer')", [3]),
    ("Datastream/Campaigns/all(c:c/startTime gt phenomenonTime)", [4]),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "results"), OBSERVATIONS)
@pytest.mark.parametrize("sealed", [False, True])
def test_observations_by_what_several_have_in_common(
    brook: Client, condition: str, results: list[int], *, sealed: bool
) -> None:
    if sealed:
        seal()
    assert found(brook, f"/Observations?$filter={condition}") == results


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("Observations/phenomenonTime gt endTime", ["Brook", "Flood"]),
        ("Observations/phenomenonTime gt endTime and Observations/result eq 3", ["Flood"]),
        ("Observations/phenomenonTime lt endTime", ["Brook"]),
        ("Observations/Datastream/Thing/name eq name", ["Brook"]),
        ("Observations/any(o:o/Datastream/Thing/name eq name and o/result eq 4)", []),
        ("Observations/all(o:o/phenomenonTime gt endTime)", ["Flood"]),
    ],
)
def test_groups_by_what_is_in_them(brook: Client, condition: str, names: list[str]) -> None:
    assert found(brook, f"/ObservationGroups?$filter={condition}") == names


def test_nobody_learns_by_comparing_what_they_may_not_see(brook: Client) -> None:
    visitor = Client(ANONYMOUS)
    measured = "/Campaigns?$filter=Datastreams/Observations/phenomenonTime gt startTime"
    grouped = "/Observations?$filter=ObservationGroups/name eq Datastream/Thing/name"
    placed = "/Observations?$filter=Datastream/Thing/Locations/name eq ObservationGroups/name"
    assert found(visitor, measured) == ["spring", "summer"]
    Campaign.objects.filter(name="summer").update(access="organisation")
    assert found(visitor, measured) == ["spring"]
    assert (found(visitor, grouped), found(visitor, placed)) == ([1], [1])
    Location.objects.filter(name="Brook").update(access="organisation")
    assert (found(visitor, grouped), found(visitor, placed)) == ([1], [])
    ObservationGroup.objects.filter(name="Brook").update(access="organisation")
    assert found(visitor, grouped) == []
    assert found(visitor, "/Observations?$filter=ObservationGroups/any(g:g/name ne 'x')") == [3, 4]
    Datastream.objects.filter(name="Brook level").update(access="organisation")
    assert found(visitor, measured) == []
    assert found(brook, measured) == ["spring", "summer"]
