import asyncio
import json
from typing import Any

import pytest

from stadtherz.cli.report import facts, report
from stadtherz.mqtt.public import Door, Settings, listening
from stadtherz.project import mqtt
from stadtherz.project.credentials import Account, Credentials

KNOWN = Credentials(
    accounts={"admin": Account("a@b.example", "pass-word", "administrator", "Stadt")},
    tokens={"admin": "all", "city": "ingest"},
)
DEVICES = [
    {"name": "Pegel", "network": "tts", "dev_eui": "70B3D57ED0060001", "fields": ["level_cm"]}
]


def test_the_json_line_is_one_line_of_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    report("http://127.0.0.1:8000", KNOWN, as_json=True)
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    told = json.loads(printed)
    assert told["sta"] == "http://127.0.0.1:8000/sta/v1.1"
    assert told["ingest"]["chirpstack"] == {
        "url": "http://127.0.0.1:8000/ingest/chirpstack",
        "token": "ingest",
    }
    assert told["admin_token"] == "all"
    assert told["mqtt"] == []  # no city runs in this process


@pytest.mark.django_db(transaction=True)
def test_where_mqtt_is_spoken_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door()
    monkeypatch.setattr(mqtt, "door", door)
    assert mqtt.endpoints("https://city.example") == []

    async def opened() -> list[str]:
        heard = listening("mqtt://127.0.0.1:0", plain=False)
        who: Any = None
        await door.start(who, Settings("https://city.example", "city.example", heard))
        try:
            return [*mqtt.endpoints("https://city.example"), str(door.ports[0])]
        finally:
            await door.stop()

    web, plain, port = asyncio.run(opened())
    assert (web, plain) == ("wss://city.example/mqtt", f"mqtt://city.example:{port}")
    told = facts("https://city.example", Credentials(), mqtt=[web, plain])
    assert told["mqtt"] == [web, plain]


def test_after_the_secrets_were_noted_down_they_are_null() -> None:
    told = facts("http://127.0.0.1:8000", Credentials())
    assert told["admin_token"] is None
    assert told["accounts"] == {}
    assert told["ingest"]["tts"]["token"] is None


def test_people_are_told_where_to_look_and_who_can_sign_in(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report("http://127.0.0.1:8000", KNOWN, as_json=False, devices=DEVICES)
    printed = capsys.readouterr().out
    for wanted in (
        "http://127.0.0.1:8000/verwaltung/",
        "a@b.example",
        "pass-word",
        "recordings",
        "70B3D57ED0060001  tts",
    ):
        assert wanted in printed
