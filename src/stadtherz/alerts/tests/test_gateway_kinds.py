"""Each kind of gateway says what it wants to be told, and what was told is of the right type."""

import pytest

from stadtherz.alerts.channels.kinds import KINDS
from stadtherz.alerts.models import Gateway
from stadtherz.base.errors import Invalid


def test_every_kind_for_sms_can_be_set_up() -> None:
    assert set(KINDS) == set(Gateway.Kind) - {Gateway.Kind.SMTP, Gateway.Kind.MQTT}


def test_what_was_typed_in_gets_its_type_and_the_secret_is_kept_apart() -> None:
    given = {"host": " c.example ", "port": "3550", "user": "stadt", "secret": "x", "tls": "on"}
    settings, secret = KINDS["smpp"].read(given)
    assert secret == "x"
    assert (settings["host"], settings["port"], settings["tls"]) == ("c.example", 3550, True)
    assert (settings["ttl"], settings["alphabet"], settings["receipts"]) == (60, "gsm", True)
    assert "secret" not in settings


@pytest.mark.parametrize(
    ("kind", "given", "field"),
    [
        ("smpp", {"user": "x"}, "host"),
        ("smpp", {"host": "h", "user": "x", "port": "many"}, "port"),
        ("smpp", {"host": "h", "user": "x", "port": "65536"}, "port"),
        ("smpp", {"host": "h", "user": "x", "ttl": "0"}, "ttl"),
        ("smpp", {"host": "h", "user": "x", "alphabet": "morse"}, "alphabet"),
        ("smpp", {"host": "h", "user": "x", "hots": "h"}, "hots"),
        ("gammu", {}, "folder"),
        ("http", {"form": "seven"}, "url"),
    ],
)
def test_what_does_not_fit_is_named(kind: str, given: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        KINDS[kind].read(given)
    assert refused.value.field == field
