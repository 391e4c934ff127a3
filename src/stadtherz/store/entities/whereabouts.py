"""Where a Thing stood, and that it stands somewhere else from a moment on."""

from typing import NamedTuple

from stadtherz.base.time import Micros
from stadtherz.base.visibility import SYSTEM
from stadtherz.store.entities.changing import create
from stadtherz.store.models import HistoricalLocation, Thing


class Stand(NamedTuple):
    """`point` is longitude and latitude in degrees (WGS 84); None where the place is no point."""

    since: Micros
    point: tuple[float, float] | None


def stood(thing: int, at: Micros) -> Stand | None:
    """Where the Thing was at that moment; None if nobody knows."""
    history = HistoricalLocation.objects.filter(thing=thing, time__lte=at)
    newest = history.order_by("-time", "-pk").first()
    if newest is None:
        return None
    places = newest.locations.order_by("pk").values_list("location", flat=True)
    points = (place["coordinates"] for place in places if place.get("type") == "Point")
    point = next(((float(p[0]), float(p[1])) for p in points), None)
    return Stand(newest.time, point)


def stand(thing: int, point: tuple[float, float], since: Micros) -> None:
    """The Thing stands there from `since` on, until the next place that is known of it.

    Its history gets an entry (18-088 §8.2.3); if that is the newest one, it is where the Thing is now. The
    place belongs to whom the Thing belongs to, and is seen by those who see the Thing.
    """
    row = Thing.objects.get(pk=thing)
    owned = {"owner": row.owner_id, "access": row.access, "group": row.group_id}
    place = {
        "name": row.name,
        "description": row.description,
        "encoding_type": "application/geo+json",
        "location": {"type": "Point", "coordinates": list(point)},
    }
    location = create("Location", {**place, **owned}, SYSTEM)
    entry = {"thing": thing, "time": since, "locations": [location]}
    create("HistoricalLocation", entry, SYSTEM)
