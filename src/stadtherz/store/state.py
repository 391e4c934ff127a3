"""A few numbers that the store remembers about itself."""

from typing import Literal

from stadtherz.sql.public import Sql
from stadtherz.store.database import rows_of, run

Name = Literal[
    "sealed",  # the log position up to which every reading is sealed
    "format",  # the version in which, or in a newer one, all chunks are
    "forgotten",  # when the youngest key that was forgotten had been sealed
    "sequences",  # how far any datastream that is gone had counted its readings
]


def remembered(name: Name) -> int:
    """The number, 0 where there is none yet."""
    rows = rows_of(Sql("SELECT value FROM store_state WHERE name = %s", (name,)))
    return int(rows[0][0]) if rows else 0


def remember(name: Name, value: int) -> None:
    run("DELETE FROM store_state WHERE name = %s", (name,))
    run("INSERT INTO store_state (name, value) VALUES (%s, %s)", (name, value))
