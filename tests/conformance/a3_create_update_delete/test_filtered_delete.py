"""DELETE of a set with `$filter`, as 23-019 and other servers have it."""

import pytest

from stadtherz.base.visibility import AccessLevel
from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client, member, operator
from stadtherz.sensorthings.writing import filtered
from stadtherz.store.public import create_organisation, update
from tests.conformance.sensing import SENSING


@pytest.mark.parametrize("name", SENSING)
def test_what_the_filter_finds_goes_and_nothing_else(city: Client, name: str) -> None:
    key, *others = city.get(f"/{name}").ids
    assert city.delete(f"/{name}?$filter=id eq {key}").status == 200
    assert city.get(f"/{name}").ids == others


@pytest.mark.parametrize(
    ("path", "left"),
    [
        ("Observations?$filter=result gt 2", ["Alsenz level", "100% Glan_x level", "Lauter level"]),
        ("Observations?$filter=Datastream/name eq 'Lauter level'", ["Alsenz level", "100% Glan_x level"]),
        ("Things?$filter=Datastreams/Observations/result eq 20", ["Lauter level", "100% Glan_x level"]),
        ("Datastreams?$filter=startswith(name, 'L') or startswith(name, 'A')", ["100% Glan_x level"]),
    ],
)  # fmt: skip
def test_filters_look_through_links(city: Client, path: str, left: list[str]) -> None:
    kept = set(city.get("/Observations").ids) - _found(city, path)
    assert city.delete(f"/{path}").status == 200
    assert _found(city, path) == set()
    streams = city.get("/Observations?$expand=Datastream").value
    assert {o["Datastream"]["name"] for o in streams} == set(left)
    if path.startswith("Observations"):
        assert set(city.get("/Observations").ids) == kept


def _found(city: Client, path: str) -> set[int]:
    return set(city.get(f"/{path}").ids)


def test_only_what_is_behind_the_link_goes(city: Client) -> None:
    first, second, _ = city.get("/Datastreams").ids
    assert city.delete(f"/Datastreams({first})/Observations?$filter=id gt 0").status == 200
    assert city.get(f"/Datastreams({first})/Observations").ids == []
    assert len(city.get(f"/Datastreams({second})/Observations").ids) == 3
    assert city.delete("/Things(999999)/Datastreams?$filter=id gt 0").status == 404


def test_a_filter_that_finds_nothing_is_no_failure(city: Client) -> None:
    for name in SENSING:
        assert city.delete(f"/{name}?$filter=id lt 0").status == 200
        assert city.get(f"/{name}").value


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("?$top=1", 400),
        ("?$filter=name eq 'Lauter'&$top=1", 400),
        ("?$filter=name eq", 400),
        ("?$filter=color eq 'red'", 400),
    ],
)
def test_nobody_empties_a_set_by_a_slip(city: Client, query: str, status: int) -> None:
    assert city.delete(f"/Things{query}").status == status
    assert len(city.get("/Things").value) == 3


def test_more_than_one_transaction_can_take_is_refused(
    city: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filtered, "MAX_ENTITIES", 2)
    monkeypatch.setattr(filtered, "MAX_READINGS", 5)
    monkeypatch.setattr(filtered, "_SLICE", 2)
    for name, number in (("Things", 3), ("Observations", 9)):
        assert city.delete(f"/{name}?$filter=id gt 0").status == 413
        assert len(city.get(f"/{name}").value) == number
    assert city.delete("/Observations?$filter=result gt 2").status == 200
    assert len(city.get("/Observations").value) == 5


def test_what_may_not_be_deleted_keeps_all_the_rest(city: Client, town: int) -> None:
    others = Client(member(create_organisation("others", "Others")))
    place = city.get("/Locations").ids[0]
    guest = {**bodies.station("Guest"), "Locations": [{"@iot.id": place}]}
    assert others.post("/Things", guest).status == 201
    before = [city.get(f"/{name}").value for name in SENSING]
    assert city.delete("/Things?$filter=id gt 0").status == 403
    assert city.delete("/Observations?$filter=id gt 0").status == 403
    assert city.delete("/Locations?$filter=id gt 0").status in (403, 409)
    assert [city.get(f"/{name}").value for name in SENSING] == before


def test_what_may_not_be_seen_is_not_found(city: Client, town: int) -> None:
    stranger = Client(member(create_organisation("others", "Others")))
    for key in city.get("/Things").ids:
        update("Thing", key, {"access": AccessLevel.ORGANISATION.value}, operator(town))
    for name in ("Things", "Datastreams", "Observations"):
        assert stranger.delete(f"/{name}?$filter=id gt 0").status == 200
    assert len(city.get("/Things").value) == 3
    assert len(city.get("/Observations").value) == 9
