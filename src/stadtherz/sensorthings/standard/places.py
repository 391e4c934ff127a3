"""Links between Things, Locations and their history: spelt alike in every version of the standard."""

from stadtherz.sensorthings.standard.model import Link, Own, Reverse, Through

_THING_LOCATIONS = "store_thing_locations"
_HISTORY_LOCATIONS = "store_historicallocation_locations"

THING_LINKS = (
    Link("Locations", "Location", Through(_THING_LOCATIONS, "thing_id", "location_id")),
    Link("HistoricalLocations", "HistoricalLocation", Reverse("thing_id")),
    Link("Datastreams", "Datastream", Reverse("thing_id")),
)
LOCATION_LINKS = (
    Link("Things", "Thing", Through(_THING_LOCATIONS, "location_id", "thing_id")),
    Link(
        "HistoricalLocations",
        "HistoricalLocation",
        Through(_HISTORY_LOCATIONS, "location_id", "historicallocation_id"),
    ),
)
HISTORICAL_LOCATION_LINKS = (
    Link("Thing", "Thing", Own("thing_id"), required=True),
    Link(
        "Locations",
        "Location",
        Through(_HISTORY_LOCATIONS, "historicallocation_id", "location_id"),
        required=True,
    ),
)
