"""The entities of Sensing itself (18-088 §8.2); what extensions of it add has suites of its own."""

from stadtherz.sensorthings.standard.schema import ENTITY_SETS, EntityType, Link

_NAMES = (
    "Things",
    "Locations",
    "HistoricalLocations",
    "Datastreams",
    "MultiDatastreams",
    "Sensors",
    "ObservedProperties",
    "Observations",
    "FeaturesOfInterest",
)
SENSING: dict[str, EntityType] = {name: ENTITY_SETS[name] for name in _NAMES}
_TYPES = frozenset(kind.name for kind in SENSING.values())


def links_of(kind: EntityType) -> list[Link]:
    """Its links to other entities of Sensing."""
    return [link for link in kind.links if link.target in _TYPES]
