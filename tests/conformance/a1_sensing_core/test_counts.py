"""`/$count` of any set: OData 4.01 part 2 §4.8, which 18-088 leaves open."""

import pytest

from stadtherz.sensorthings.tests.bodies import station
from stadtherz.sensorthings.tests.client import Client
from tests.conformance.sensing import SENSING


@pytest.mark.parametrize("name", SENSING)
def test_a_count_is_the_number_alone(city: Client, name: str) -> None:
    expected = city.get(f"/{name}?$count=true").json["@iot.count"]
    reply = city.get(f"/{name}/$count")
    assert (reply.status, int(reply.body)) == (200, expected)
    assert reply.content_type.startswith("text/plain")
    assert expected > 0


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("Observations/$count?$filter=result gt 2", 4),
        ("Things/$count?$filter=Datastreams/Observations/result eq 20", 1),
        ("Things/$count?$filter=name eq 'nobody'", 0),
        ("Things/$count?$top=1&$skip=2&$orderby=name", 3),
    ],
)
def test_a_count_keeps_to_the_filter_and_to_no_page(city: Client, path: str, number: int) -> None:
    assert city.get(f"/{path}").body == str(number).encode()


def test_what_is_behind_a_link_is_counted(city: Client) -> None:
    thing, stream = city.get("/Things").ids[0], city.get("/Datastreams").ids[0]
    assert city.get(f"/Things({thing})/Datastreams/$count").body == b"1"
    assert city.get(f"/Datastreams({stream})/Observations/$count?$filter=result lt 4").body == b"2"
    assert city.get(f"/Things({thing})/Datastreams({stream})/Observations/$count").body == b"3"
    assert city.get("/Things(999999)/Datastreams/$count").status == 404


@pytest.mark.parametrize(
    "path", ["$count", "Things(1)/$count", "Things(1)/name/$count", "Datastreams(1)/Thing/$count"]
)
def test_what_is_no_set_is_not_counted(city: Client, path: str) -> None:
    assert city.get(f"/{path}").status == 400


def test_nobody_counts_what_they_may_not_see(city: Client, visitor: Client, town: int) -> None:
    from stadtherz.sensorthings.tests.client import operator
    from stadtherz.store.public import update

    city.post("/Things", station("Secret"))
    (key,) = city.get("/Things?$filter=name eq 'Secret'").ids
    update("Thing", key, {"access": "organisation"}, operator(town))
    for name, number in (("Things", 3), ("Datastreams", 3), ("Observations", 9)):
        assert int(visitor.get(f"/{name}/$count").body) == number
        assert int(city.get(f"/{name}/$count").body) > number
