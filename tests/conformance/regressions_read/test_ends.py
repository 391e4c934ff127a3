"""Values of readings to which a link to one leads, as the ends of Relations do."""

import pytest

from stadtherz.base.visibility import ANONYMOUS
from stadtherz.sensorthings.tests.client import Client
from stadtherz.store.models import Datastream


@pytest.fixture
def related(atlas: Client) -> Client:
    """1 is before 2.5, 20 after 2.5, "high" beside 1; a last one leads from -3 out of this service."""
    by_result = {
        str(each["result"]): each["@iot.id"]
        for each in atlas.get("/Observations?$orderby=id desc").value
    }

    def relate(role: str, subject: str, **end: object) -> None:
        body = {"role": role, "Subject": {"@iot.id": by_result[subject]}, **end}
        assert atlas.post("/Relations", body).status == 201

    relate("before", "1", Object={"@iot.id": by_result["2.5"]})
    relate("after", "20", Object={"@iot.id": by_result["2.5"]})
    relate("beside", "high", Object={"@iot.id": by_result["1"]})
    relate("out", "-3", externalResource="https://example.org")
    return atlas


def roles(client: Client, options: str) -> list[str]:
    return [each["role"] for each in client.get(f"/Relations?$select=role&{options}").value]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("Subject/result gt Object/result", ["after"]),
        ("not (Subject/result lt Object/result)", ["after", "beside", "out"]),
        ("Subject/phenomenonTime ne Object/phenomenonTime", ["before", "beside", "out"]),
        ("Subject/Datastream/name eq Object/Datastream/name", ["before"]),
        ("Subject/Datastream/Thing/id eq Object/Datastream/Thing/id", ["before", "after"]),
        ("Subject/parameters/by eq 'Ann' and Object/result gt Subject/result", ["before"]),
        ("Object/result eq null", ["out"]),
        ("Subject/result add Object/result gt 20", ["after"]),
    ],
)
def test_both_ends_are_held_against_each_other(
    related: Client, condition: str, expected: list[str]
) -> None:
    assert roles(related, f"$orderby=id&$filter={condition}") == expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("Subject/result", ["out", "before", "after", "beside"]),
        ("Object/result,id desc", ["out", "beside", "after", "before"]),
        ("round(Object/result) desc,Subject/result", ["before", "after", "beside", "out"]),
        ("Subject/Datastream/name desc,id", ["before", "after", "out", "beside"]),
    ],
)
def test_relations_are_ordered_by_their_ends_over_pages(
    related: Client, order: str, expected: list[str]
) -> None:
    found, address = [], f"/Relations?$top=1&$select=role&$orderby={order}"
    while address:
        reply = related.get(address)
        found += [each["role"] for each in reply.value]
        address = reply.json.get("@iot.nextLink", "")
    assert found == expected


def test_nobody_learns_of_ends_that_they_may_not_see(related: Client) -> None:
    Datastream.objects.filter(name="Weir heat").update(access="organisation")
    condition = "$filter=Subject/result gt Object/result"
    assert (roles(related, condition), roles(Client(ANONYMOUS), condition)) == (["after"], [])


@pytest.mark.parametrize(
    "query",
    [
        "$filter=Datastreams/Observations/result gt MultiDatastreams/Observations/result",
        "$filter=contains(Datastreams/Observations/result,MultiDatastreams/Observations/result)",
    ],
)
def test_two_sets_of_readings_are_not_held_against_each_other(atlas: Client, query: str) -> None:
    reply = atlas.get(f"/Things?{query}")
    assert (reply.status, "two sets" in reply.message) == (400, True)
