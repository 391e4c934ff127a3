"""The exceptions of the product, on one screen.

    StadtherzError
    ├── NotFound             nothing there, or nothing this reader may see
    ├── Invalid              a field's value cannot be accepted; names the field and the reason
    │   └── QuerySyntaxError a query text cannot be read; names the position
    ├── Forbidden            known and signed in, but not allowed
    ├── Unauthenticated      no or unknown credentials
    ├── Conflict             collides with what is already there
    ├── TooLarge             over a limit of size, depth or cost; names the limit
    └── Unavailable          a partner or engine does not answer; says whether trying again helps

Domain code raises these. Exactly two places translate them for readers: `web/errors.py` (pages)
and `sensorthings/doors/http.py` (API); the ingest door answers networks in their own short form.
"""


class StadtherzError(Exception):
    """What every error of the product is."""


class NotFound(StadtherzError):
    """Nothing there, or nothing this reader may see: the two must look alike."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} not found")
        self.what = what


class Invalid(StadtherzError):
    """A value that cannot be accepted."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class QuerySyntaxError(Invalid):
    """A query that cannot be read; `position` counts characters of the option's text from 0."""

    def __init__(self, option: str, reason: str, position: int) -> None:
        super().__init__(option, f"{reason} (at position {position})")
        self.position = position


class Forbidden(StadtherzError):
    """The caller is known and may not do this."""


class Unauthenticated(StadtherzError):
    """No credentials, or credentials nobody knows."""


class Conflict(StadtherzError):
    """Collides with something that exists."""


class TooLarge(StadtherzError):
    """Over a limit that protects the service; the message names the limit."""


class Unavailable(StadtherzError):
    """A partner does not answer."""

    def __init__(self, who: str, reason: str, *, retry: bool) -> None:
        super().__init__(f"{who}: {reason}")
        self.who = who
        self.reason = reason
        self.retry = retry
