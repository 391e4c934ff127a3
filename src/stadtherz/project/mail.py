"""Django's own mail settings from the same URL that alerts use; for password resets."""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

_NOWHERE = "django.core.mail.backends.dummy.EmailBackend"
_SMTP = "django.core.mail.backends.smtp.EmailBackend"


def mail_settings(url: str) -> dict[str, Any]:
    """Settings for smtp://user:password@host:port (?starttls=1) or smtps://...; empty: no mail."""
    if not url:
        return {"EMAIL_BACKEND": _NOWHERE}
    parts = urlsplit(url)
    starttls = parse_qs(parts.query).get("starttls", ["0"])[-1] not in {"0", "false", ""}
    tls = parts.scheme == "smtps"
    return {
        "EMAIL_BACKEND": _SMTP,
        "EMAIL_HOST": parts.hostname or "localhost",
        "EMAIL_PORT": parts.port or (465 if tls else 587 if starttls else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": starttls,
        "EMAIL_USE_SSL": tls,
        "EMAIL_TIMEOUT": 20,
    }
