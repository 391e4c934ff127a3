"""How long readings are kept: whole, and as hours."""

from dataclasses import dataclass

from stadtherz.base.errors import Invalid, NotFound
from stadtherz.sql.public import Sql
from stadtherz.store.database import rows_of, run
from stadtherz.store.models import Datastream

LONGEST = 36_500
"""Days; a hundred years."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Days that a datastream's readings are kept; None is for ever.

    After `raw_days` only hours are left (count, mean, least, greatest, first, last) of readings
    that are plain numbers; after `hourly_days`, which counts from the measurement, too, nothing.
    """

    raw_days: int | None = None
    hourly_days: int | None = None


def set_policy(datastream: int, policy: Policy) -> None:
    """Keep this datastream's readings as the policy says; `tend` carries it out.

    Raises NotFound for an unknown datastream, Invalid for days that make no sense.
    """
    for name, days in (("raw_days", policy.raw_days), ("hourly_days", policy.hourly_days)):
        if days is not None and not 1 <= days <= LONGEST:
            raise Invalid(name, f"must be a number of days from 1 to {LONGEST}")
    raw, hourly = policy.raw_days, policy.hourly_days
    if raw is not None and hourly is not None and hourly < raw:
        raise Invalid("hourly_days", "hours must be kept at least as long as the readings")
    if not Datastream.objects.filter(pk=datastream).exists():
        raise NotFound(f"Datastream {datastream}")
    run("DELETE FROM store_policy WHERE datastream = %s", (datastream,))
    if policy != Policy():
        columns = "INSERT INTO store_policy (datastream, raw_days, hourly_days) VALUES (%s, %s, %s)"
        run(columns, (datastream, raw, hourly))


def policies() -> dict[int, Policy]:
    """The policies of all datastreams that have one."""
    rows = rows_of(Sql("SELECT datastream, raw_days, hourly_days FROM store_policy"))
    return {row[0]: Policy(row[1], row[2]) for row in rows}
