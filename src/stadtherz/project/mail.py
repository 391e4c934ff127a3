"""Django's own mail settings from the same URL that alerts use; for password resets."""

from typing import Any

from stadtherz.base.mailserver import MailServer

_NOWHERE = "django.core.mail.backends.dummy.EmailBackend"
_OWN_AUTHORITY = "stadtherz.project.mail_backend.EmailBackend"
_SMTP = "django.core.mail.backends.smtp.EmailBackend"


def mail_settings(url: str, ca: str = "") -> dict[str, Any]:
    """Settings for the URL of a mail server; empty: no mail. `ca` as in MailServer."""
    if not url:
        return {"EMAIL_BACKEND": _NOWHERE}
    server = MailServer.from_url(url)
    return {
        "EMAIL_BACKEND": _OWN_AUTHORITY if ca else _SMTP,
        "EMAIL_HOST": server.host,
        "EMAIL_PORT": server.port,
        "EMAIL_HOST_USER": server.user,
        "EMAIL_HOST_PASSWORD": server.password,
        "EMAIL_USE_TLS": server.starttls,
        "EMAIL_USE_SSL": server.tls,
        "EMAIL_TIMEOUT": 20,
    }
