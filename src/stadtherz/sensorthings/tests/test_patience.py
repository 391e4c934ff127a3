"""Nobody's question holds up everybody else's: what takes too long is stopped, and said."""

import pytest
from django.conf import settings

from stadtherz.base.errors import TooLarge
from stadtherz.sensorthings.standard.faces import V1_1, V2_0, Face
from stadtherz.sensorthings.tests.bodies import station
from stadtherz.sensorthings.tests.client import Client


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.STADTHERZ, "read_seconds", -1.0)


@pytest.mark.parametrize("face", [V1_1, V2_0], ids=lambda face: str(face.version))
@pytest.mark.parametrize("asked", ["/Things", "/Things(1)", "/Things/$count"])
def test_the_reason_is_the_callers(api: Client, hurried: None, face: Face, asked: str) -> None:
    reply = Client(api.visibility, face=face).get(asked)
    assert reply.status == 400
    assert b"longer than -1 s; ask for less at once" in reply.body


def test_what_costs_no_question_and_what_is_written_is_not_hurried(
    api: Client, hurried: None
) -> None:
    assert api.get("").status == 200
    assert api.post("/Things", station()).status == 201


def test_an_export_is_stopped_where_a_piece_takes_too_long(
    api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert api.post("/Things", station()).status == 201
    assert b"phenomenonTime" in api.get("/Observations?$resultFormat=CSV").body
    monkeypatch.setitem(settings.STADTHERZ, "read_seconds", -1.0)
    with pytest.raises(TooLarge):  # status and head are said by then: the connection is cut off
        api.get("/Observations?$resultFormat=CSV")
