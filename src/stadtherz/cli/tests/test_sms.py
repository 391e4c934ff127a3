"""Gateways for SMS from the command line."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from stadtherz.alerts.public import Gateway
from stadtherz.cli.sms import sms

CENTRE = ("--kind", "smpp", "--set", "host=smpp.provider.example", "--user", "stadt")


def run(*words: str, typed: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(sms, words, input=typed)
    return result.exit_code, result.output


@pytest.mark.django_db
def test_an_sms_centre_is_set_up() -> None:
    more = ("--set", "port=3550", "--set", "ids=answer-hex", "--sender", "Stadt")
    status, output = run("add", "netz", *CENTRE, *more, "--secret-file", "-", typed="geheim\n")
    assert (status, "/alarm/sms/" in output) == (0, False)  # answers come by the line
    row = Gateway.objects.get(name="netz")
    assert (row.kind, row.settings["port"], row.settings["ids"]) == ("smpp", 3550, "answer-hex")
    assert (row.settings["tls"], row.settings["ttl"], row.settings["user"]) == (True, 60, "stadt")
    assert row.secret not in ("", "geheim")
    assert "geheim" not in str(row.settings)


@pytest.mark.django_db
def test_a_modem_is_set_up_with_its_folders(tmp_path: Path) -> None:
    for name in ("outbox", "inbox"):
        (tmp_path / name).mkdir()
    status, output = run(
        "add", "modem", "--kind", "gammu", "--folder", str(tmp_path / "outbox"),
        "--set", f"inbox={tmp_path / 'inbox'}",
    )  # fmt: skip
    assert status == 0, output
    assert Gateway.objects.get().settings["inbox"] == str(tmp_path / "inbox")


@pytest.mark.django_db
def test_a_folder_alone_is_that_of_smstools(tmp_path: Path) -> None:
    assert run("add", "modem", "--folder", str(tmp_path))[0] == 0
    assert Gateway.objects.get().kind == "smstools"


@pytest.mark.django_db
def test_a_provider_gets_the_address_for_answers(tmp_path: Path) -> None:
    form = tmp_path / "form.json"
    form.write_text('{"path": "/v1", "body": {"to": "{to}", "text": "{text}"}}')
    status, output = run("add", "own", "--form", str(form), "--url", "https://sms.example")
    assert status == 0, output
    assert "/alarm/sms/" in output
    assert Gateway.objects.get().settings["form"]["path"] == "/v1"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--kind", "smpp", "--user", "stadt"), "host: is missing"),
        ((*CENTRE, "--set", "port=many"), "port: is no whole number"),
        ((*CENTRE, "--set", "prot=1"), "prot: is no setting"),
        ((*CENTRE, "--set", "port"), "NAME=VALUE"),
        ((*CENTRE, "--set", "secret=geheim"), "--secret-file"),
        (("--kind", "pigeon"), "none of http, smpp, gammu, smstools"),
        (("--kind", "mqtt"), "none of http, smpp, gammu, smstools"),
        (("--kind", "gammu", "--folder", "/nowhere"), "folder: is not there"),
        (("--url", "http://sms.example"), "must begin with https://"),
    ],
)
def test_what_does_not_fit_is_said(words: tuple[str, ...], told: str) -> None:
    status, output = run("add", "x", *words)
    assert status != 0
    assert told in " ".join(output.split())
    assert not Gateway.objects.filter(name="x").exists()


def test_every_setting_is_explained() -> None:
    status, output = run("kinds")
    assert status == 0
    for word in ("smpp", "gammu", "smstools", "answer-hex", "OutboxPath", "needed"):
        assert word in output
    assert "secret" not in output
