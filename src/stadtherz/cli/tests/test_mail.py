"""Mail relays from the command line."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from stadtherz.alerts.public import Gateway, add_gateway
from stadtherz.alerts.tests import mailserver
from stadtherz.alerts.tests.mailserver import MailServer
from stadtherz.cli.mail import mail

EVA = "eva@stadt.example"


@pytest.fixture
def mails(tmp_path: Path) -> Iterator[MailServer]:
    with mailserver.running(tmp_path / "mails") as server:
        yield server


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(mail, words)
    return result.exit_code, result.output


def relay(port: int, name: str, position: int = 1) -> None:
    settings = {"host": "127.0.0.1", "port": port, "security": "none"}
    add_gateway(name, "smtp", settings, position=position)


@pytest.mark.django_db
def test_without_a_relay_it_says_where_one_is_set() -> None:
    assert "STADTHERZ_SMTP_URL" in run("list")[1]
    status, output = run("try", EVA)
    assert (status, "STADTHERZ_SMTP_URL" in output) == (1, True)


@pytest.mark.django_db
def test_the_first_relay_is_tried_unless_another_is_named(mails: MailServer) -> None:
    relay(mails.port, "second", position=2)
    relay(mails.port, "first", position=1)
    status, output = run("try", EVA)
    assert (status, "relay first" in output) == (0, True), output
    assert "relay second" in run("try", EVA, "--relay", "second")[1]
    assert [each["To"] for each in mails.received()] == [EVA] * 2


@pytest.mark.django_db
def test_what_the_relay_says_is_shown_and_noted(mails: MailServer) -> None:
    relay(mails.port, "first")
    mails.answer("rcpt", "451 come again later")
    status, output = run("try", EVA)
    assert (status, "451" in output) == (1, True)
    assert "451" in Gateway.objects.get().last_error


@pytest.mark.django_db
def test_one_that_is_away_is_listed_as_failing() -> None:
    relay(9, "first")
    assert run("try", EVA)[0] == 1
    assert "failing" in run("list")[1]


@pytest.mark.django_db
def test_a_wrong_address_or_name_is_told_before_anything_is_sent(mails: MailServer) -> None:
    relay(mails.port, "first")
    assert "address" in run("try", "eva")[1]
    assert run("try", EVA, "--relay", "third")[0] == 1
    assert mails.received() == []
