"""Where e-mail is handed over, read from one URL."""

from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from stadtherz.base.errors import Invalid

_PORTS = {"smtp": 25, "smtps": 465, "starttls": 587}
_FORMS = "must look like smtp://user:password@host:port or smtps://host"


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over.

    `smtp://host:port`, with `?starttls=1` for encryption after the greeting, or `smtps://host` for
    encryption from the first byte; user and password before the host. `ca` is a file with the
    certificate of an authority that is believed besides those the machine knows.
    """

    host: str
    port: int
    user: str = ""
    password: str = ""
    starttls: bool = False
    tls: bool = False
    ca: str = ""

    @classmethod
    def from_url(cls, url: str) -> "MailServer":
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:  # a port that is no number, brackets that do not close
            raise Invalid("STADTHERZ_SMTP_URL", _FORMS) from None
        if parts.scheme not in {"smtp", "smtps"} or not host:
            raise Invalid("STADTHERZ_SMTP_URL", _FORMS)
        starttls = parse_qs(parts.query).get("starttls", ["0"])[-1] not in {"0", "false", ""}
        return cls(
            host=host,
            port=port or _PORTS["starttls" if starttls else parts.scheme],
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            starttls=starttls,
            tls=parts.scheme == "smtps",
        )
