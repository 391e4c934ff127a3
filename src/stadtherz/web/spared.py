"""What others load only because they find it, and nobody here asks for: some 18 MB of memory.

Wagtail's own interface, which is closed here like its images, stands on a framework that takes along an
HTTP client for its tests, a highlighter for its pages and the fields of PostgreSQL. Willow brings a
reader of HEIF, Beautiful Soup a guesser of encodings, but only ever gets text. All of them do without
where these are missing.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

_SPARED = {
    "bs4.dammit": ("cchardet", "chardet", "charset_normalizer"),
    "rest_framework.compat": ("django.contrib.postgres.fields", "pygments", "requests", "yaml"),
    "willow.plugins.pillow": ("pillow_heif",),
}


def load() -> None:
    """Load those that look for others, before anybody else does."""
    for module, others in _SPARED.items():
        with _missing(others):
            import_module(module)


@contextmanager
def _missing(names: tuple[str, ...]) -> Iterator[None]:
    """As if these were not installed; who needs one later gets it. What is loaded stays."""
    modules: dict[str, Any] = sys.modules
    hidden = [name for name in names if name not in modules]
    modules.update(dict.fromkeys(hidden))  # None means: not to be found
    try:
        yield
    finally:
        for name in hidden:
            del modules[name]
