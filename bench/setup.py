"""Gives a benchmark an empty city of its own, before anything of Django is loaded.

Import this module first. The database is SQLite in a folder that is removed at the end, or the one
STADTHERZ_ENGINE names: an empty PostgreSQL database, which is filled and left behind.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import django

from stadtherz.cli import instance

DATA = Path(tempfile.mkdtemp(prefix="stadtherz-bench-"))
atexit.register(shutil.rmtree, DATA, ignore_errors=True)

os.environ["STADTHERZ_DATA"] = str(DATA)
os.environ["DJANGO_SETTINGS_MODULE"] = "stadtherz.project.settings"
django.setup()
instance.migrate()
