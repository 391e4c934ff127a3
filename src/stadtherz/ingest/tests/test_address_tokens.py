"""Tokens in the address: taken for what they are, and kept nowhere."""

import logging

import pytest

from stadtherz.base.visibility import Scope, Visibility
from stadtherz.ingest.forms.models import MessageForm
from stadtherz.ingest.public import NewField, register_device
from stadtherz.ingest.refused.models import RefusedUplink
from stadtherz.ingest.tests.factories import Door, Town, results
from stadtherz.ingest.trust.address_tokens import taken_out

TOKEN = "sh_0123456789ab_" + "x" * 43
AT = 1764144000


@pytest.fixture
def town(town: Town, door: Door) -> Town:
    told = {"device": "id", "time": "at"}
    MessageForm.objects.create(owner_id=town.organisation, key="weather", name="Weather", **told)
    fields = [NewField("level", town.level)]
    register_device(town.organisation, "json", "north", "North", fields=fields)
    door.let_in(town, TOKEN)
    return town


@pytest.mark.parametrize(
    "path",
    [
        f"/ingest/json/{TOKEN}/weather",
        f"/ingest/json/weather?token={TOKEN}",
        f"/ingest/json/weather?PASSWORD={TOKEN}",
    ],
)
def test_a_device_that_knows_only_an_address_delivers(town: Town, door: Door, path: str) -> None:
    answer = door.post({"id": "north", "level": 5, "at": AT}, path=path, token=None)
    assert answer.json().get("stored") == 1, answer.text
    assert results(town.level) == [5]


def test_a_simple_station_sends_everything_in_its_address(town: Town, door: Door) -> None:
    path = f"/ingest/json/weather?id=north&level=7%2C5&at=now&token={TOKEN}"
    answer = door.post(b"", path=path, token=None, method="GET")
    assert answer.json().get("stored") == 1, answer.text
    assert results(town.level) == [7.5]


@pytest.mark.parametrize(
    "path", [f"{TOKEN}/weather", f"weather?token={TOKEN}&a=1", f"{TOKEN[:30]}/no"]
)
def test_no_refused_message_keeps_the_token(
    town: Town, door: Door, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        for method in ("POST", "GET"):
            door.post({"id": "south"}, path=f"/ingest/json/{path}", token=None, method=method)
    for kept in RefusedUplink.objects.all():
        assert "sh_" not in kept.query + kept.document_text + str(kept.facts)
    ours = [each.getMessage() for each in caplog.records if each.name.startswith("stadtherz")]
    assert not any("sh_" in each for each in ours)
    assert RefusedUplink.objects.exists()


@pytest.mark.parametrize("scopes", [{Scope.WRITE, Scope.INGEST}, {Scope.INGEST, Scope.ADMIN}])
def test_a_token_that_may_do_more_is_refused_and_says_why(
    town: Town, door: Door, scopes: set[Scope]
) -> None:
    own = frozenset({town.organisation})
    door.tokens[TOKEN] = Visibility(
        actor="token:x", home=town.organisation, scopes=frozenset(scopes), writes=own
    )
    body = {"id": "north", "level": 5, "at": AT}
    answer = door.post(body, path=f"/ingest/json/{TOKEN}/weather", token=None)
    assert (answer.status_code, answer.json()["error"]) == (403, "strong_token")
    assert "address" in answer.json()["detail"]
    assert door.post(body, path="/ingest/json/weather", token=TOKEN).status_code == 200


def test_the_doors_of_networks_take_no_token_from_an_address(town: Town, door: Door) -> None:
    assert door.post({}, path=f"/ingest/tts?token={TOKEN}", token=None).status_code == 401
    assert door.post({}, path=f"/ingest/tts/{TOKEN}", token=None).status_code == 404
    assert (
        door.post(b"", path="/ingest/json/weather?a=1", token=None, method="GET").status_code == 405
    )


def test_only_the_token_leaves_an_address() -> None:
    taken = taken_out("weather/a/b", "a=1&token=x&b=%20&Token=y")
    assert (taken.token, taken.path, taken.query) == ("x", "weather/a/b", "a=1&b=%20")
