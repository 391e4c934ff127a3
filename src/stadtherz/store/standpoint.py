"""Where a Thing stands, of the several ways in which its Locations may say so."""

GEOJSON = ("application/geo+json", "application/vnd.geo+json")
"""Both names that 18-088 has used for it."""

_NAMES = ", ".join(f"'{name}'" for name in GEOJSON)


def standpoint(thing: str) -> str:
    """SQL for the id of the Location that readings of a Thing are taken at, null if there is none.

    That in GeoJSON counts before others, which no map can show; of several the one with the lowest id.
    """
    return (
        "(SELECT p.location_id FROM store_thing_locations p"
        f" JOIN store_location l ON l.id = p.location_id WHERE p.thing_id = {thing}"
        f" ORDER BY l.encoding_type IN ({_NAMES}) DESC, l.id LIMIT 1)"
    )
