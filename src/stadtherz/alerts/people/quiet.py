"""Hours in which a person is left in peace. Without clock and database."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from stadtherz.base.time import Micros, from_us, to_us


def peace_until(
    begins: time | None, ends: time | None, zone: ZoneInfo, moment: Micros
) -> Micros | None:
    """When the quiet hours that hold at this moment are over; None if none hold."""
    if begins is None or ends is None or begins == ends:
        return None
    local = from_us(moment).astimezone(zone)
    clock = local.time()
    over_night = begins > ends
    holds = (clock >= begins or clock < ends) if over_night else begins <= clock < ends
    if not holds:
        return None
    day = local.date() if clock < ends else local.date() + timedelta(days=1)
    # Where the clock is changed an hour comes twice or never: the later of both readings is after now.
    return max(to_us(datetime.combine(day, ends, zone).replace(fold=fold)) for fold in (0, 1))
