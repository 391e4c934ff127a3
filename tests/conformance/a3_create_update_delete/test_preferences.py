"""RFC 7240: a client that knows what it sent can do without seeing it again."""

from typing import Any

import pytest

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client, in_version_2

_LITTLE = {"prefer": "return=minimal"}


@pytest.mark.parametrize(
    "prefer", ["return=minimal", 'Return="minimal"', "wait=5, return=minimal; x=y"]
)
def test_a_minimal_answer_to_a_creation_is_the_address(api: Client, prefer: str) -> None:
    created = api.post("/Things", bodies.thing(), prefer=prefer)
    assert (created.status, created.body) == (201, b"")
    assert created.headers["preference-applied"] == "return=minimal"
    assert api.get(created.headers["location"]).json["name"] == "Gauge"


def test_a_minimal_answer_to_a_change_is_the_new_tag(city: Client) -> None:
    address = f"/Things({city.get('/Things').ids[0]})"
    for method, body in (("patch", {"name": "New"}), ("put", bodies.thing("Newer"))):
        reply = getattr(city, method)(address, body, **_LITTLE)
        assert (reply.status, reply.body) == (204, b"")
        assert reply.headers["etag"] == city.get(address).headers["etag"]
    assert city.get(address).json["name"] == "Newer"


def test_what_is_the_habit_anyway_is_told_if_it_was_preferred(api: Client) -> None:
    whole = "return=representation"
    created = api.post("/Things", bodies.thing(), prefer=whole)
    assert (created.json["name"], created.headers["preference-applied"]) == ("Gauge", whole)
    little = in_version_2(api).post("/Things", {"name": "Mast"}, **_LITTLE)
    assert (little.body, little.headers["preference-applied"]) == (b"", _LITTLE["prefer"])


@pytest.mark.parametrize("prefer", ["return=all", "return", "minimal", "", "=,;", "x"])
def test_others_see_what_they_have_made(api: Client, prefer: str) -> None:
    created = api.post("/Things", bodies.thing(), prefer=prefer)
    assert (created.status, created.json["name"]) == (201, "Gauge")
    assert "preference-applied" not in created.headers


def test_requests_of_a_batch_have_preferences_of_their_own(api: Client) -> None:
    def ask(number: str, **more: Any) -> dict[str, Any]:
        return {"id": number, "method": "POST", "url": "Things", "body": bodies.thing(), **more}

    requests = [ask("1", headers={"Prefer": "return=minimal"}), ask("2")]
    first, second = api.post("/$batch", {"requests": requests}).json["responses"]
    assert (first["status"], "body" in first, "body" in second) == (201, False, True)
    assert first["location"].endswith(f"({api.get('/Things').ids[0]})")
