"""Which OpenStreetMap objects appear on the base map: tags in, drawn features out.

The names of layers, kinds and attributes are those of the Shortbread schema 1.0, because the map
style (@versatiles/style) reads them. Left out are the layers a city map can do without: ocean,
country and state labels. The zooms follow the style: a feature below the first zoom that draws it
would only cost bytes.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

Tags = Mapping[str, str]
Attributes = dict[str, str | int | float | bool]
Shape = Literal["as is", "label point"]

DEEPEST = 14
"""The deepest zoom with tiles of its own; the browser enlarges them beyond it."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One feature of a tile layer. `zoom` is the first that shows it."""

    layer: str
    zoom: int
    attributes: Attributes = field(default_factory=dict)
    shape: Shape = "as is"


Rule = Callable[[Tags], Iterator[Drawn]]


def of_node(tags: Tags) -> list[Drawn]:
    """What a single point draws."""
    return [drawn for rule in _POINT_RULES for drawn in rule(tags)]


def of_way(tags: Tags) -> list[Drawn]:
    """What a line draws; a closed way comes here too, and to `of_area` if it bounds an area."""
    return [drawn for rule in _LINE_RULES for drawn in rule(tags)]


def of_area(tags: Tags, square_metres: float) -> list[Drawn]:
    """What an area of this size draws."""
    areas = [drawn for rule in _AREA_RULES for drawn in rule(tags)]
    points = [_at_label_point(drawn) for rule in _PLACED_RULES for drawn in rule(tags)]
    return [*areas, *points, *_water_area(tags, square_metres)]


def _at_label_point(drawn: Drawn) -> Drawn:
    return Drawn(drawn.layer, drawn.zoom, drawn.attributes, "label point")


def _names(tags: Tags) -> Attributes:
    """The local name, and the German and English ones where they differ from it."""
    name = tags.get("name") or tags.get("name:de")
    if not name:
        return {}
    found: Attributes = {"name": name}
    for code in ("de", "en"):
        if tags.get(f"name:{code}", name) != name:
            found[f"name_{code}"] = tags[f"name:{code}"]
    return found


def _kind(kind: str, *more: Attributes) -> Attributes:
    """The attributes of a feature of this kind."""
    found: Attributes = {"kind": kind}
    for part in more:
        found |= part
    return found


def _yes(tags: Tags, key: str) -> bool:
    return tags.get(key, "no") not in ("no", "false", "0", "")


def _passages(tags: Tags) -> Attributes:
    """Where a line runs above or below the ground."""
    below = _yes(tags, "tunnel") or tags.get("covered") == "yes"
    return {key: True for key, yes in (("bridge", _yes(tags, "bridge")), ("tunnel", below)) if yes}


# --- lines ---------------------------------------------------------------------------------------

_STREET_ZOOMS = {
    "motorway": 5,
    "trunk": 6,
    "primary": 8,
    "secondary": 9,
    "tertiary": 10,
    "unclassified": 12,
    "residential": 12,
    "busway": 12,
    "bus_guideway": 12,
    "pedestrian": 12,
    "living_street": 13,
    "service": 13,
    "track": 13,
    "footway": 13,
    "steps": 13,
    "path": 13,
    "cycleway": 13,
}
_RAIL_ZOOMS = {
    "rail": 10,
    "light_rail": 11,
    "subway": 11,
    "narrow_gauge": 13,
    "tram": 13,
    "funicular": 13,
    "monorail": 13,
}
_LABELLED_STREETS = frozenset(_STREET_ZOOMS) - {"service", "footway", "steps", "path", "cycleway"}
_OLDER_NAMES = {"road": "unclassified", "bridleway": "path"}
_WATERWAY_ZOOMS = {"river": 9, "canal": 9, "stream": 14, "ditch": 14}
_WATERWAY_ALIKE = {"drain": "ditch"}
_AERIALWAYS = frozenset(
    {"cable_car", "gondola", "goods", "chair_lift", "drag_lift", "t-bar", "j-bar", "platter"}
)
_PIERS = frozenset({"pier", "breakwater", "groyne"})


def _street(tags: Tags) -> Iterator[Drawn]:
    highway = tags.get("highway", "")
    base = highway.removesuffix("_link")
    kind = _OLDER_NAMES.get(base, base)
    if kind not in _STREET_ZOOMS or tags.get("area") == "yes":
        return
    attributes = _kind(kind, _passages(tags), _direction(tags))
    if base != highway:
        attributes["link"] = True
    for key in ("bicycle", "service"):
        if tags.get(key):
            attributes[key] = tags[key]
    # A slip road belongs to its junction, not to the overview.
    zoom = max(_STREET_ZOOMS[kind], 12) if base != highway else _STREET_ZOOMS[kind]
    yield Drawn("streets", zoom, attributes)
    yield from _street_label(tags, kind)


def _direction(tags: Tags) -> Attributes:
    oneway = tags.get("oneway", "")
    if oneway in ("-1", "reverse"):
        return {"oneway_reverse": True}
    if oneway in ("yes", "true", "1") or tags.get("junction") == "roundabout":
        return {"oneway": True}
    return {}


def _street_label(tags: Tags, kind: str) -> Iterator[Drawn]:
    names = _names(tags)
    if tags.get("ref"):
        names["ref"] = tags["ref"].replace(";", "\n")
    if names and kind in _LABELLED_STREETS:
        zoom = 12 if kind in ("motorway", "trunk", "primary", "secondary") else 13
        yield Drawn("street_labels", zoom, _kind(kind, names))


def _railway(tags: Tags) -> Iterator[Drawn]:
    kind = tags.get("railway", "")
    if kind in _RAIL_ZOOMS:
        siding: Attributes = {"service": tags["service"]} if tags.get("service") else {}
        zoom = 13 if siding else _RAIL_ZOOMS[kind]
        yield Drawn("streets", zoom, _kind(kind, {"rail": True}, siding, _passages(tags)))


def _runway(tags: Tags) -> Iterator[Drawn]:
    kind = tags.get("aeroway", "")
    if kind in ("runway", "taxiway") and tags.get("area") != "yes":
        yield Drawn("streets", 11 if kind == "runway" else 13, {"kind": kind})


def _waterway(tags: Tags) -> Iterator[Drawn]:
    raw = tags.get("waterway", "")
    kind = _WATERWAY_ALIKE.get(raw, raw)
    if kind not in _WATERWAY_ZOOMS:
        return
    zoom = _WATERWAY_ZOOMS[kind]
    yield Drawn("water_lines", zoom, _kind(kind, _passages(tags)))
    if names := _names(tags):
        yield Drawn("water_lines_labels", max(zoom, 12), _kind(kind, names))


def _other_lines(tags: Tags) -> Iterator[Drawn]:
    if tags.get("waterway") == "dam":
        yield Drawn("dam_lines", 12, {"kind": "dam"})
    if tags.get("man_made") in _PIERS:
        yield Drawn("pier_lines", 12, {"kind": tags["man_made"]})
    if tags.get("route") == "ferry":
        yield Drawn("ferries", 10, _kind("ferry", _names(tags)))
    if tags.get("aerialway") in _AERIALWAYS:
        yield Drawn("aerialways", 13, {"kind": tags["aerialway"]})


def _boundary(tags: Tags) -> Iterator[Drawn]:
    """Borders of countries and states; those of districts come from the city's own data."""
    if tags.get("boundary") != "administrative" or tags.get("admin_level") not in ("2", "4"):
        return
    level = int(tags["admin_level"])
    flags: Attributes = {key: True for key in ("maritime", "disputed") if _yes(tags, key)}
    yield Drawn("boundaries", 5 if level == 2 else 7, {"admin_level": level} | flags)


# --- areas ---------------------------------------------------------------------------------------

_LAND_ZOOMS = (
    ("landuse", "forest", "forest", 7),
    ("natural", "wood", "forest", 7),
    ("landuse", "residential", "residential", 10),
    ("landuse", "commercial", "commercial", 10),
    ("landuse", "retail", "retail", 10),
    ("landuse", "industrial", "industrial", 10),
    ("landuse", "railway", "railway", 10),
    ("landuse", "quarry", "quarry", 10),
    ("landuse", "garages", "garages", 10),
    ("landuse", "landfill", "landfill", 10),
    ("landuse", "farmland", "farmland", 10),
    ("landuse", "farmyard", "farmyard", 10),
    ("landuse", "farm", "farmland", 10),
    ("landuse", "greenhouse_horticulture", "greenhouse_horticulture", 10),
    ("landuse", "orchard", "orchard", 10),
    ("landuse", "plant_nursery", "plant_nursery", 10),
    ("landuse", "vineyard", "vineyard", 10),
    ("landuse", "grass", "grass", 11),
    ("landuse", "meadow", "meadow", 11),
    ("landuse", "village_green", "village_green", 11),
    ("landuse", "recreation_ground", "recreation_ground", 11),
    ("landuse", "allotments", "allotments", 11),
    ("landuse", "cemetery", "cemetery", 13),
    ("amenity", "grave_yard", "grave_yard", 13),
    ("leisure", "park", "park", 11),
    ("leisure", "garden", "garden", 11),
    ("leisure", "golf_course", "golf_course", 11),
    ("leisure", "miniature_golf", "miniature_golf", 11),
    ("leisure", "playground", "playground", 11),
    ("natural", "grassland", "grassland", 11),
    ("natural", "heath", "heath", 11),
    ("natural", "scrub", "scrub", 11),
    ("natural", "bare_rock", "bare_rock", 11),
    ("natural", "scree", "scree", 11),
    ("natural", "shingle", "shingle", 11),
    ("natural", "beach", "beach", 10),
    ("natural", "sand", "sand", 10),
    ("wetland", "bog", "bog", 11),
    ("wetland", "marsh", "marsh", 11),
    ("wetland", "swamp", "swamp", 11),
    ("wetland", "string_bog", "string_bog", 11),
    ("wetland", "wet_meadow", "wet_meadow", 11),
)
_SITES = (
    ("military", "danger_area", "danger_area"),
    ("leisure", "sports_centre", "sports_centre"),
    ("amenity", "university", "university"),
    ("amenity", "college", "college"),
    ("amenity", "school", "school"),
    ("amenity", "hospital", "hospital"),
    ("amenity", "prison", "prison"),
    ("amenity", "parking", "parking"),
    ("amenity", "bicycle_parking", "bicycle_parking"),
    ("landuse", "construction", "construction"),
)
# The smallest water area, in square metres, that each zoom shows.
_WATER_ZOOMS = ((4, 100_000_000), (6, 10_000_000), (8, 1_000_000), (10, 100_000), (12, 10_000))
_WATER_LABEL_ZOOMS = ((4, 1_000_000_000), (8, 10_000_000), (11, 100_000))


def _land(tags: Tags) -> Iterator[Drawn]:
    for key, value, kind, zoom in _LAND_ZOOMS:
        if tags.get(key) == value:
            yield Drawn("land", zoom, {"kind": kind})
            return


def _site(tags: Tags) -> Iterator[Drawn]:
    for key, value, kind in _SITES:
        if tags.get(key) == value:
            yield Drawn("sites", DEEPEST, {"kind": kind})
            return


def _building(tags: Tags) -> Iterator[Drawn]:
    if _yes(tags, "building"):
        yield Drawn("buildings", DEEPEST)


def _street_area(tags: Tags) -> Iterator[Drawn]:
    kind = tags.get("aeroway") or tags.get("highway", "")
    paved = kind in ("pedestrian", "service") and tags.get("area") == "yes"
    if kind not in ("runway", "taxiway") and not paved:
        return
    yield Drawn("street_polygons", 13, _kind(kind, _passages(tags)))
    if names := _names(tags):
        yield Drawn("streets_polygons_labels", DEEPEST, _kind(kind, names), "label point")


def _other_areas(tags: Tags) -> Iterator[Drawn]:
    if tags.get("man_made") == "bridge":
        yield Drawn("bridges", 12)
    if tags.get("waterway") == "dam":
        yield Drawn("dam_polygons", 12, {"kind": "dam"})
    if tags.get("man_made") in _PIERS:
        yield Drawn("pier_polygons", 12, {"kind": tags["man_made"]})


def _water_area(tags: Tags, square_metres: float) -> Iterator[Drawn]:
    kind = _water_kind(tags)
    if not kind:
        return
    attributes: Attributes = {"kind": kind, "way_area": round(square_metres)}
    yield Drawn("water_polygons", _first_zoom(_WATER_ZOOMS, square_metres), attributes)
    if names := _names(tags):
        zoom = _first_zoom(_WATER_LABEL_ZOOMS, square_metres)
        yield Drawn("water_polygons_labels", zoom, attributes | names, "label point")


def _water_kind(tags: Tags) -> str:
    if tags.get("natural") == "glacier":
        return "glacier"
    if tags.get("waterway") == "riverbank" or tags.get("water") in ("river", "canal"):
        return "river"
    if tags.get("landuse") in ("reservoir", "basin"):
        return tags["landuse"]
    if tags.get("waterway") == "dock":
        return "dock"
    return "water" if tags.get("natural") == "water" else ""


def _first_zoom(zooms: tuple[tuple[int, int], ...], square_metres: float) -> int:
    return next((zoom for zoom, least in zooms if square_metres >= least), DEEPEST)


# --- points, and areas that are shown as a point -----------------------------------------------------

_PLACE_ZOOMS = {
    "city": 6,
    "town": 7,
    "village": 10,
    "suburb": 10,
    "hamlet": 12,
    "quarter": 13,
    "neighbourhood": 14,
}
_POI_KEYS = ("amenity", "leisure", "tourism", "shop", "man_made", "historic", "emergency", "office")
# What stands in every street would hide what people look for.
_NO_POI = frozenset({"parking", "parking_space", "parking_entrance", "bench", "waste_basket"})
_STOPS = (
    ("railway", "station", "station", 12),
    ("railway", "halt", "halt", 12),
    ("railway", "tram_stop", "tram_stop", 14),
    ("highway", "bus_stop", "bus_stop", 14),
    ("aeroway", "aerodrome", "aerodrome", 12),
)


def _place(tags: Tags) -> Iterator[Drawn]:
    place = tags.get("place", "")
    names = _names(tags)
    if place not in _PLACE_ZOOMS or not names:
        return
    kind, zoom = place, _PLACE_ZOOMS[place]
    if tags.get("capital") in ("yes", "4"):
        kind, zoom = ("capital" if tags["capital"] == "yes" else "state_capital"), 5
    people = tags.get("population", "")
    known: Attributes = {"population": int(people)} if people.isdecimal() else {}
    yield Drawn("place_labels", zoom, _kind(kind, names, known))


def _junction(tags: Tags) -> Iterator[Drawn]:
    if tags.get("highway") == "motorway_junction" and tags.get("ref"):
        attributes = _kind("motorway_junction", {"ref": tags["ref"]}, _names(tags))
        yield Drawn("street_labels_points", 12, attributes)


def _stop(tags: Tags) -> Iterator[Drawn]:
    for key, value, kind, zoom in _STOPS:
        if tags.get(key) == value:
            code: Attributes = {"iata": tags["iata"]} if tags.get("iata") else {}
            yield Drawn("public_transport", zoom, _kind(kind, code, _names(tags)))
            return


def _interest(tags: Tags) -> Iterator[Drawn]:
    found: Attributes = {
        key: tags[key] for key in _POI_KEYS if tags.get(key) and tags[key] not in _NO_POI
    }
    if found and _names(tags):
        if tags.get("religion"):
            found["religion"] = tags["religion"]
        yield Drawn("pois", DEEPEST, found | _names(tags))


def _address(tags: Tags) -> Iterator[Drawn]:
    if tags.get("addr:housenumber"):
        yield Drawn("addresses", DEEPEST, {"housenumber": tags["addr:housenumber"]})


_POINT_RULES: tuple[Rule, ...] = (_place, _junction, _stop, _interest, _address)
_PLACED_RULES: tuple[Rule, ...] = (_stop, _interest, _address)
_LINE_RULES: tuple[Rule, ...] = (_street, _railway, _runway, _waterway, _other_lines, _boundary)
_AREA_RULES: tuple[Rule, ...] = (_land, _site, _building, _street_area, _other_areas)

KEYS = (
    "addr:housenumber",
    "aerialway",
    "aeroway",
    "boundary",
    "building",
    "highway",
    "landuse",
    "man_made",
    "military",
    "natural",
    "place",
    "railway",
    "route",
    "water",
    "waterway",
    "wetland",
    *_POI_KEYS[:4],
    *_POI_KEYS[5:],
)
"""An object without any of these keys draws nothing; the reader skips it early."""
