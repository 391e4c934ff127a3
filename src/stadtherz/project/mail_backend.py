"""Django's mail backend that also believes an authority of one's own (STADTHERZ_SMTP_CA)."""

import ssl
from functools import cached_property

from django.conf import settings
from django.core.mail.backends.smtp import EmailBackend as _EmailBackend


class EmailBackend(_EmailBackend):
    """Named in EMAIL_BACKEND only where such a file is set."""

    @cached_property
    def ssl_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.load_verify_locations(cafile=settings.STADTHERZ["smtp_ca"])
        return context
