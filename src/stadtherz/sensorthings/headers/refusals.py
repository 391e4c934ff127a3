"""What HTTP alone can say about a request: not this method, not this kind of body."""

from collections.abc import Iterable


class NotHere(Exception):
    """The address is there, but cannot be changed in this way."""

    def __init__(self, reason: str, allowed: Iterable[str]) -> None:
        super().__init__(reason)
        self.allowed = tuple(allowed)


class UnsupportedMedia(Exception):
    """A body of a kind that is not read here."""
