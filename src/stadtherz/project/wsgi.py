"""Django's pages as a WSGI application: the cheap way to serve them (docs/decisions/0003)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stadtherz.project.settings")

application = get_wsgi_application()
