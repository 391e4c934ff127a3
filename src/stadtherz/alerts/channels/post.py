"""Where mail is handed over and in whose name, from the settings."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings

from stadtherz.alerts.channels.http_sms import LOOPBACK
from stadtherz.alerts.channels.kinds import MAIL
from stadtherz.base.errors import Invalid
from stadtherz.base.mailserver import MailServer

PORTS = {"none": 25, "starttls": 587, "tls": 465}


@dataclass(frozen=True, slots=True)
class PostOffice:
    """The mail server of the settings (None if there is none), the sender's address, and what a message
    says about its sender."""

    server: MailServer | None
    sender: str
    city: str
    public_url: str


def post_office() -> PostOffice:
    """From settings.STADTHERZ. Raises Invalid for a broken URL."""
    given: Mapping[str, object] = settings.STADTHERZ
    url = str(given["smtp"])
    return PostOffice(
        server=replace(MailServer.from_url(url), ca=_authority()) if url else None,
        sender=str(given["mail_from"]),
        city=str(given["city"]),
        public_url=str(given["public_url"]),
    )


def relay_of(given: Mapping[str, Any]) -> MailServer:
    """A relay from a gateway's settings, without its password. Raises Invalid, naming one."""
    values, _none = MAIL.read(given)
    security = values["security"]
    if values["user"] and security == "none" and values["host"] not in LOOPBACK:
        raise Invalid(
            "security", "must be tls or starttls, or everybody on the way reads the password"
        )
    return MailServer(
        host=values["host"],
        port=values["port"] or PORTS[security],
        user=values["user"],
        starttls=security == "starttls",
        tls=security == "tls",
        ca=_authority(),
    )


def _authority() -> str:
    return str(settings.STADTHERZ.get("smtp_ca", ""))
