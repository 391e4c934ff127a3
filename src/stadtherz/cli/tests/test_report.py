import json

import pytest

from stadtherz.cli.report import facts, report
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
