"""What can go wrong between a program and a city.

CityError
├── Away            the server does not answer, or is busy: the same again may help
├── NotAllowed      the token is unknown, or may not do this
├── UnknownStream   there is no such datastream for this token, or there are several
└── Refused         the server has understood and does not want it
"""

from collections.abc import Sequence


class CityError(Exception):
    """Says in its text what is wrong and what to do about it."""


class Away(CityError):
    pass


class NotAllowed(CityError):
    pass


class UnknownStream(CityError):
    pass


class Refused(CityError):
    """`rows` are the places, among those that were sent, of the readings that were not kept."""

    def __init__(self, text: str, rows: Sequence[int] = ()) -> None:
        super().__init__(text)
        self.rows = tuple(rows)
