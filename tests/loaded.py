"""What the server of `tests/forked.py` has loaded before it forks: what most programs would load late."""

from importlib import import_module

import django

django.setup()

from django.conf import settings  # noqa: E402 - not before the setup
from django.urls import reverse  # noqa: E402
from django.utils import translation  # noqa: E402

_LATE = "PIL.ImageDraw PIL.ImageFont babel.dates certifi idna paho.mqtt.client psycopg"

for name in (*_LATE.split(), settings.ROOT_URLCONF):
    import_module(name)
for language, _name in settings.LANGUAGES:
    with translation.override(language):
        translation.gettext("")
        reverse("web:warnings")
