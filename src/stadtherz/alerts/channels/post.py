"""Where mail is handed over and in whose name, from the settings."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings

from stadtherz.base.mailserver import MailServer


@dataclass(frozen=True, slots=True)
class PostOffice:
    """The mail server, the sender's address, and what a message says about its sender."""

    server: MailServer
    sender: str
    city: str
    public_url: str


def post_office() -> PostOffice | None:
    """From settings.STADTHERZ; None if no mail server is set. Raises Invalid for a broken URL."""
    given: Mapping[str, object] = settings.STADTHERZ
    url = str(given["smtp"])
    if not url:
        return None
    return PostOffice(
        server=MailServer.from_url(url),
        sender=str(given["mail_from"]),
        city=str(given["city"]),
        public_url=str(given["public_url"]),
    )
