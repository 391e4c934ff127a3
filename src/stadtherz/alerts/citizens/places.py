"""Where people can ask to be warned: Things that everybody may see and that something watches."""

from dataclasses import dataclass

from stadtherz.alerts.models import Rule
from stadtherz.base.visibility import ANONYMOUS
from stadtherz.kit.registry import services
from stadtherz.store.public import streams, streams_observing, streams_visible_to


@dataclass(frozen=True, slots=True)
class WarnedPlace:
    """A Thing about which public warnings may come."""

    thing: int
    name: str


def warned_places() -> list[WarnedPlace]:
    """All of them, by name."""
    public = (_of_services() | _of_rules()) & streams_visible_to(ANONYMOUS)
    found = {info.thing: info.thing_name for info in streams(public).values()}
    return sorted((WarnedPlace(*item) for item in found.items()), key=lambda place: place.name)


def _of_services() -> set[int]:
    kinds = (kind for service in services() for kind in service.alerts if kind.watched)
    return {stream for kind in kinds if kind.watched for stream in kind.watched()}


def _of_rules() -> set[int]:
    rules = Rule.objects.filter(active=True, public=True)
    found = set(rules.exclude(datastream=None).values_list("datastream", flat=True))
    for property_, owner in rules.exclude(observed_property=None).values_list(
        "observed_property__definition", "owner"
    ):
        found |= {
            stream
            for stream, info in streams(streams_observing([property_])).items()
            if info.owner == owner
        }
    return found
