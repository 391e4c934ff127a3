"""Times that JSON holds as texts: in properties, parameters and results (18-088 tables 24 and 25)."""

import pytest

from stadtherz.sensorthings.tests.bodies import observation, station, thing
from stadtherz.sensorthings.tests.client import Client, in_version_2
from tests.rows import Shelf

TIMES: dict[str, object] = {
    "utc": "2026-05-04T06:00:00Z",
    "berlin": "2026-05-04T08:00:00+02:00",  # the same time
    "later": "2026-05-04T06:00:00.500Z",
    "unzoned": "2026-05-04T07:00:00",
    "day": "2026-05-05",
    "no day": "2026-02-30T00:00:00Z",
    "word": "yesterday",
    "number": 2026,
    "none": None,
}


@pytest.fixture
def dated(api: Client, shelf: Shelf) -> Client:
    """One Thing for each of TIMES, which is its `properties/at`."""
    shelf.fetch("times", lambda: _post(api))
    return api


def _post(api: Client) -> None:
    for name, at in TIMES.items():
        assert api.post("/Things", thing(name, properties={"at": at})).status == 201


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("properties/at eq 2026-05-04T06:00:00Z", ["utc", "berlin"]),
        ("properties/at eq 2026-05-04T08:00:00+02:00", ["utc", "berlin"]),
        ("2026-05-04T06:00:00Z eq properties/at", ["utc", "berlin"]),
        ("properties/at gt 2026-05-04T06:00:00Z", ["later", "unzoned", "day"]),
        ("properties/at le 2026-05-04T06:00:00Z", ["utc", "berlin"]),
        ("properties/at eq 2026-05-05", ["day"]),
        ("properties/at lt 2026-05-05", ["utc", "berlin", "later", "unzoned"]),
        ("properties/at ne 2026-05-04T06:00:00Z", [*list(TIMES)[2:]]),
        ("year(properties/at) eq 2026", list(TIMES)[:5]),
        ("hour(properties/at) eq 7", ["unzoned"]),
        ("hour(properties/at,'Europe/Berlin') eq 8", ["utc", "berlin", "later"]),
        ("date(properties/at) eq 2026-05-05", ["day"]),
        ("before(properties/at,2026-05-04T07:00:00Z)", ["utc", "berlin", "later"]),
        ("properties/at lt now() and properties/at gt 2026-05-04T23:00:00Z", ["day"]),
    ],
)
def test_a_text_that_names_a_time_is_one_beside_times(
    dated: Client, condition: str, names: list[str]
) -> None:
    for client in (dated, in_version_2(dated)):
        found = client.get(f"/Things?$filter={condition}&$orderby=id").value
        assert [each["name"] for each in found] == names


def test_texts_beside_texts_stay_texts(dated: Client) -> None:
    found = dated.get("/Things?$filter=properties/at eq '2026-05-04T06:00:00Z'").value
    assert [each["name"] for each in found] == ["utc"]


@pytest.mark.parametrize(
    ("condition", "results"),
    [
        ("result gt 2026-05-04T05:00:00Z", ["2026-05-04T08:00:00+02:00"]),
        ("before(result,phenomenonTime)", ["2026-05-04T08:00:00+02:00", "2026-01-01"]),
        ("resultTime gt result", ["2026-05-04T08:00:00+02:00", "2026-01-01"]),
        ("parameters/due lt phenomenonTime", [5]),
        ("month(parameters/due) eq 3", [5]),
    ],
)
def test_results_and_parameters_are_held_against_other_times(
    api: Client, condition: str, results: list[object]
) -> None:
    when = {"phenomenon": "2026-06-01T00:00:00Z", "resultTime": "2026-06-01T00:00:01Z"}
    body = station("Clock", results=())
    body["Datastreams"][0]["Observations"] = [
        observation(result, when["phenomenon"], resultTime=when["resultTime"], **more)
        for result, more in (
            ("2026-05-04T08:00:00+02:00", {}),
            ("2026-01-01", {}),
            (5, {"parameters": {"due": "2026-03-01"}}),
        )
    ]
    assert api.post("/Things", body).status == 201
    found = api.get(f"/Observations?$filter={condition}&$orderby=id").value
    assert [each["result"] for each in found] == results
