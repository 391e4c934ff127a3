"""The addresses of servers that staff type or copy."""

import re
from urllib.parse import urlsplit


def with_scheme(told: str) -> str:
    """As it was typed, with https where nothing else is said.

    >>> with_scheme(" frost.example/v1.1")
    'https://frost.example/v1.1'
    """
    text = told.strip()
    return text if "://" in text or not text else f"https://{text}"


def is_root(url: str) -> bool:
    """Whether it is an address of a server, without user, parameters or a fragment."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return fine and not (
        re.search(r"\s", url) or parts.query or parts.fragment or "@" in parts.netloc
    )
